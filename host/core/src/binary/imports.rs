//! What a component imports, and what dyno does with it: the worker links by it, `inspect` explains by it.

use wasmparser::{Parser, Payload};

use crate::text;

/// The packages of WASI whose functions are there: clocks, randomness from the seed of the case, output that goes to the log, no
/// arguments, and an environment, a file system and a network with what was granted in them.
const OFFERED_PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];
/// What is not there of them.
const WITHHELD_INTERFACES: [&str; 2] = ["sockets/udp", "sockets/udp-create-socket"];

/// An import of a component, by what dyno does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Import<'a> {
    /// A function of the contract.
    Ours,
    /// An interface of WASI 0.2 that is there, as `package/interface`.
    Offered(&'a str),
    /// An interface of WASI 0.2 that can be linked, because tool chains import it unasked, but every call ends the launch.
    Withheld(&'a str),
    /// Nothing that dyno knows: the component cannot be loaded.
    Unknown,
}

impl<'a> Import<'a> {
    /// What dyno does with the import of that name. // eg: `wasi:io/streams@0.2.6`
    #[must_use]
    pub fn of(name: &'a str) -> Self {
        let (interface, version) = name.rsplit_once('@').unwrap_or((name, ""));
        if interface.starts_with("dyno:plugin/") && version.starts_with("1.") {
            return Self::Ours;
        }
        let Some(interface) = interface.strip_prefix("wasi:").filter(|_| version.starts_with("0.2.")) else {
            return Self::Unknown;
        };
        let package = interface.split_once('/').map_or(interface, |(package, _)| package);
        if OFFERED_PACKAGES.contains(&package) && !WITHHELD_INTERFACES.contains(&interface) {
            Self::Offered(interface)
        } else {
            Self::Withheld(interface)
        }
    }
}

/// The names of everything that a component imports; none of a file that is no component.
///
/// # Errors
/// When the file is broken.
pub fn imports(bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let mut depth = 0_u32;
    if !bytes.starts_with(super::WASM_MAGIC) {
        return Ok(names);
    }
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| format!("the WASM file is broken or truncated: {}", error.message()))? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    let import = import.map_err(|error| error.message().to_owned())?;
                    names.push(import.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

/// Why a component with these imports cannot be loaded, and how to build one that can.
#[must_use]
pub fn unknown_imports<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let unknown = some_of(names.into_iter().filter(|name| Import::of(name) == Import::Unknown));
    unknown.map(|names| {
        format!(
            "it imports {names}, which dyno does not offer; build it against the world `dyno:plugin/benchmark`, for WASI \
             0.2, without what needs that"
        )
    })
}

/// What a component with these imports must not call, and how to build one without them.
#[must_use]
pub fn withheld_imports<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let withheld: Vec<&str> =
        names.into_iter().filter(|name| matches!(Import::of(name), Import::Withheld(_))).collect();
    // The only tool chain that can be told to leave such imports out, and only those.
    let is_http =
        |name: &&str| matches!(Import::of(name), Import::Withheld(name) if name.starts_with("http/"));
    let remedy = if withheld.iter().any(is_http) {
        "; componentize-js leaves `wasi:http` out with `--disable http fetch-event`"
    } else {
        ""
    };
    some_of(withheld.into_iter()).map(|names| {
        format!("it imports {names}, which dyno offers to no plugin: a call ends the launch{remedy}")
    })
}

/// A few names, and how many more there are.
fn some_of<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    const SHOWN: usize = 3;
    let names: Vec<&str> = names.collect();
    let shown: Vec<String> =
        names.iter().take(SHOWN).map(|name| format!("`{}`", text::shown(name))).collect();
    let more = names.len().saturating_sub(SHOWN);
    (!names.is_empty()).then(|| match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_told_apart_by_package_and_version() {
        assert_eq!(Import::of("dyno:plugin/host@1.0.0"), Import::Ours);
        assert_eq!(Import::of("wasi:io/streams@0.2.9"), Import::Offered("io/streams"));
        assert_eq!(Import::of("wasi:sockets/tcp@0.2.0"), Import::Offered("sockets/tcp"));
        assert_eq!(Import::of("wasi:sockets/udp@0.2.0"), Import::Withheld("sockets/udp"));
        for unknown in [
            "dyno:plugin/host@2.0.0",
            "wasi:io/streams@0.3.0",
            "wasi:io/streams",
            "my:own/thing@0.2.0",
            "run",
            "",
        ] {
            assert_eq!(Import::of(unknown), Import::Unknown, "{unknown}");
        }
    }

    #[test]
    fn sentences_name_what_they_are_about() {
        let names = ["dyno:plugin/host@1.0.0", "wasi:cli/stdout@0.2.0"];
        assert_eq!((unknown_imports(names), withheld_imports(names)), (None, None));
        let said = unknown_imports(["a:b/c@1.0.0", "wasi:cli/exit@0.2.0"]).unwrap();
        assert!(said.contains("imports `a:b/c@1.0.0`, which"), "{said}");
        let said = withheld_imports((0..5).map(|_| "wasi:http/types@0.2.10")).unwrap();
        assert!(said.contains("and 2 more") && said.contains("--disable http"), "{said}");
        let said = withheld_imports(["wasi:sockets/udp@0.2.0"]).unwrap();
        assert!(said.ends_with("a call ends the launch"), "{said}");
    }
}
