//! WebAssembly files: whether they are components, and their descriptor section. Function bodies are skipped over, so
//! a file is described in the time that it takes to walk its sections.

use dyno_plugin_api::section;
use wasmparser::{Encoding, Parser, Payload};

use super::NotAPlugin;

/// The bytes of the descriptor: a custom section of the component, or of a module inside it.
pub(super) fn descriptor_section(bytes: &[u8]) -> Result<&[u8], NotAPlugin> {
    let broken = |message: String| NotAPlugin::Broken(message);
    let mut found: Option<&[u8]> = None;
    let mut outermost = true;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload
            .map_err(|error| broken(format!("the WASM file is broken or truncated: {}", error.message())))?
        {
            Payload::Version { encoding, .. } => {
                if outermost && encoding == Encoding::Module {
                    return Err(broken(
                        "the file is a core WASM module, not a component; make it one (the Rust SDK's guide shows how)"
                            .to_owned(),
                    ));
                }
                outermost = false;
            }
            Payload::CustomSection(custom) if custom.name() == section::WASM => match found {
                Some(earlier) if earlier != custom.data() => {
                    return Err(broken("the component contains two different descriptors".to_owned()));
                }
                _ => found = Some(custom.data()),
            },
            _ => {}
        }
    }
    found.ok_or(NotAPlugin::Foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component that holds only a custom section.
    fn component(name: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend([0, (1 + name.len() + data.len()) as u8, name.len() as u8]);
        bytes.extend(name.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn the_section_is_found() {
        assert_eq!(descriptor_section(&component(section::WASM, b"{}")), Ok(&b"{}"[..]));
        assert_eq!(descriptor_section(&component("other", b"{}")), Err(NotAPlugin::Foreign));
    }

    #[test]
    fn modules_and_broken_files_are_told_apart() {
        let message = descriptor_section(b"\0asm\x01\0\0\0").unwrap_err().to_string();
        assert!(message.contains("core WASM module"), "{message}");
        let whole = component(section::WASM, b"{\"a\":1}");
        let message = descriptor_section(&whole[..whole.len() - 2]).unwrap_err().to_string();
        assert!(message.contains("broken or truncated"), "{message}");
    }
}
