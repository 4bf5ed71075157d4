//! WebAssembly files: whether they are components, and their descriptor section. Function bodies are skipped over, so
//! a file is described in the time that it takes to walk its sections.

use dyno_plugin_api::{descriptor::Descriptor, section};
use wasm_encoder::{ComponentSection, CustomSection};
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
                    return Err(NotAPlugin::CoreModule);
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

/// The component with this descriptor instead of its own, if it has one.
///
/// # Errors
/// When the bytes are not a component, or a descriptor is inside one of its parts, where only its tool chain can change it.
pub fn with_descriptor(component: &[u8], descriptor: &Descriptor) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(component.len() + 1024);
    let mut kept_to = 0;
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| format!("the WASM file is broken or truncated: {}", error.message()))? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(NotAPlugin::CoreModule.to_string());
            }
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(custom) if custom.name() == section::WASM => {
                if depth != 1 {
                    return Err(
                        "a part of the component has a descriptor already; build it without one, or \
                                leave out --descriptor"
                            .to_owned(),
                    );
                }
                let range = custom.range();
                // What the parser names is what the section holds; its header is before that.
                let start = section_start(component, range.start)
                    .ok_or("the WASM file has a section that cannot be replaced")?;
                out.extend_from_slice(component.get(kept_to..start).unwrap_or_default());
                kept_to = range.end;
            }
            _ => {}
        }
    }
    out.extend_from_slice(component.get(kept_to..).unwrap_or_default());
    let json = serde_json::to_vec(descriptor).map_err(|error| error.to_string())?;
    CustomSection { name: section::WASM.into(), data: json.into() }.append_to_component(&mut out);
    Ok(out)
}

/// Where a section begins whose contents begin at `contents`: before them stand its kind, 0, and its length as a number of one
/// to five bytes, of which all but the last have the highest bit.
fn section_start(bytes: &[u8], contents: usize) -> Option<usize> {
    (2..=6).filter_map(|header| contents.checked_sub(header)).find(|start| {
        let length = bytes.get(start + 1..contents).unwrap_or_default();
        let Some((last, rest)) = length.split_last() else { return false };
        bytes[*start] == 0 && last & 0x80 == 0 && rest.iter().all(|byte| byte & 0x80 != 0)
    })
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

    fn descriptor(id: &str) -> Descriptor {
        let text = serde_json::json!({
            "schema": dyno_plugin_api::descriptor::SCHEMA, "plugin": {"id": id, "version": "1.0.0"},
            "abi": {"kind": "wasm", "version": 1}, "benchmarks": [{"name": "b", "hardware": ["cpu"]}],
        });
        Descriptor::from_json(text.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_descriptor_is_put_into_a_component_or_replaces_its_own() {
        let read = |bytes: &[u8]| Descriptor::from_json(descriptor_section(bytes).unwrap()).unwrap();
        let bare = component("other", b"kept");
        let one = with_descriptor(&bare, &descriptor("one")).unwrap();
        assert_eq!(read(&one), descriptor("one"));
        assert!(one.starts_with(&bare), "nothing else changes");
        // Its section is longer than a length of one byte can say.
        let two = with_descriptor(&one, &descriptor("two")).unwrap();
        assert_eq!(two, with_descriptor(&bare, &descriptor("two")).unwrap());
        // Something may follow the descriptor.
        let more = [one, component("more", b"kept")[8..].to_vec()].concat();
        let three = with_descriptor(&more, &descriptor("three")).unwrap();
        assert_eq!(read(&three), descriptor("three"));
        assert!(three.windows(8).any(|window| window == b"morekept"));
    }

    #[test]
    fn what_takes_no_descriptor_is_named() {
        let put = |bytes: &[u8]| with_descriptor(bytes, &descriptor("x")).unwrap_err();
        assert!(put(b"\0asm\x01\0\0\0").contains("core WASM module"));
        let whole = component("other", b"kept");
        assert!(put(&whole[..whole.len() - 1]).contains("broken or truncated"));
        // A component in which a component has one.
        let inner = component(section::WASM, b"{}");
        let outer = [&b"\0asm\x0d\0\x01\0"[..], &[4, inner.len() as u8], &inner].concat();
        assert!(put(&outer).contains("a part of the component has a descriptor already"));
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
