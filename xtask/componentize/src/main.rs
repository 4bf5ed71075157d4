//! From core modules, as the compiler writes them, to components with their descriptors. A program apart from `xtask`,
//! because the encoder takes longer to compile than everything else that `cargo xtask` needs before it can speak.

#![allow(clippy::print_stderr, reason = "a program that `xtask` runs: its errors are for whoever typed that")]

use std::{fs, path::Path, process::ExitCode};

use wit_component::ComponentEncoder;

/// Name of the custom section that holds the descriptor; the contract is in `plugin-api/src/section.rs`.
const DESCRIPTOR: &[u8] = b"dyno-descriptor";

/// Arguments: pairs of a core module that is there and a component that is written.
fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    for pair in files.chunks(2) {
        let [module, component] = pair else {
            eprintln!("usage: xtask-componentize MODULE COMPONENT …");
            return ExitCode::from(2);
        };
        if let Err(message) = convert(Path::new(module), Path::new(component)) {
            eprintln!("`{module}` {message}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn convert(module: &Path, component: &Path) -> Result<(), String> {
    let bytes = fs::read(module).map_err(|error| format!("cannot be read: {error}"))?;
    let encoded = encode(&bytes)?;
    fs::write(component, encoded)
        .map_err(|error| format!("is a component, but `{}` cannot be written: {error}", component.display()))
}

fn encode(module: &[u8]) -> Result<Vec<u8>, String> {
    let component = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| format!("cannot be made a component: {error:#}"))?;
    if !component.windows(DESCRIPTOR.len()).any(|window| window == DESCRIPTOR) {
        return Err("carries no descriptor: does its source have an `export_plugin!` line?".to_owned());
    }
    Ok(component)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty core module: magic number and version.
    const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn a_module_without_a_descriptor_is_refused() {
        assert!(encode(EMPTY).unwrap_err().contains("export_plugin!"));
    }

    #[test]
    fn the_descriptor_survives() {
        let mut module = EMPTY.to_vec();
        module.push(0);
        module.push(1 + DESCRIPTOR.len() as u8 + 2);
        module.push(DESCRIPTOR.len() as u8);
        module.extend(DESCRIPTOR);
        module.extend(b"{}");
        let component = encode(&module).unwrap();
        assert!(component.windows(DESCRIPTOR.len()).any(|window| window == DESCRIPTOR));
        assert_ne!(component[4..8], EMPTY[4..8], "it is still a core module");
    }

    #[test]
    fn other_bytes_are_refused() {
        assert!(encode(b"hello").unwrap_err().contains("cannot be made a component"));
    }
}
