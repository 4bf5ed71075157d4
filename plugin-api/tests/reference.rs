//! The references for authors, made from what they describe: of the native ABI from the C header, of the world from the WIT.

use std::{fmt::Write, fs};

use dyno_plugin_api::layout::STRUCTS;
use wit_bindgen_core::{Files, wit_parser::Resolve};

mod support;

use support::{compare_or_bless, here};

const ABI: &str = "\
# Reference of the native ABI

Made from [`dyno_plugin.h`](../../plugin-api/include/dyno_plugin.h), whose comments these are. Offsets and sizes are in bytes, on
processors with 64-bit pointers. [The guide for C and C++](../../sdk/c/README.md) shows how all of this is used, and
[compatibility](compatibility.md) says what stays as it is.
";

const WIT: &str = "\
# Reference of the WIT world

Made from [`benchmark.wit`](../../plugin-api/wit/v1/benchmark.wit). [The guides](README.md) show what it looks like in each language.

";

/// The declarations of the header with their comments.
fn abi(header: &str) -> String {
    let items = header.split_once("DYNO_PLUGIN_H\n\n").map_or("", |(_, rest)| rest);
    let items = items.split_once("// -----").map_or(items, |(items, _)| items);
    let (mut constants, mut structs) = (String::new(), String::new());
    let mut comment = String::new();
    // The fields of the struct that is being read, and what is said of it.
    let mut open: Option<(String, Vec<(String, String)>)> = None;
    for line in items.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("//") {
            let gap = if comment.is_empty() { "" } else { " " };
            comment.push_str(&format!("{gap}{}", text.trim()));
            continue;
        }
        let said = std::mem::take(&mut comment);
        if let Some(constant) = line.strip_prefix("#define ") {
            let (name, value) = constant.split_once(' ').unwrap_or((constant, ""));
            let _ = writeln!(constants, "| `{name}` | `{value}` | {said} |");
        } else if line == "typedef struct {" {
            open = Some((said, Vec::new()));
        } else if let Some(name) = line.strip_prefix("} ").and_then(|rest| rest.strip_suffix(';')) {
            let (about, fields) = open.take().expect("a struct begins before it ends");
            let layout =
                STRUCTS.iter().find(|layout| layout.name == name).expect("the layout has every struct");
            let _ = writeln!(
                structs,
                "\n## {name}\n\n{about}\n\n{} bytes, aligned to {}.\n",
                layout.size, layout.align
            );
            let _ = writeln!(structs, "| offset | size | field | meaning |\n|---|---|---|---|");
            assert_eq!(fields.len(), layout.fields.len(), "{name}");
            for ((declaration, said), field) in fields.iter().zip(layout.fields) {
                assert!(declaration.contains(field.name), "{declaration} is not {}", field.name);
                let _ = writeln!(structs, "| {} | {} | `{declaration}` | {said} |", field.offset, field.size);
            }
        } else if let (Some((_, fields)), Some(declaration)) = (&mut open, line.strip_suffix(';')) {
            fields.push((declaration.to_owned(), said));
        }
    }
    format!("{ABI}\n## Constants\n\n| name | value | meaning |\n|---|---|---|\n{constants}{structs}")
}

/// The interfaces of the WIT with their comments.
fn wit(text: &str) -> String {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("benchmark.wit", text).expect("the WIT is valid");
    let world = resolve.select_world(&[package], None).expect("it has one world");
    let mut files = Files::default();
    let mut generator = wit_bindgen_markdown::Opts::default().build();
    generator.generate(&mut resolve, world, &mut files).expect("it can be described");
    let made = files.iter().find(|(name, _)| name.ends_with(".md")).expect("it is written as Markdown").1;
    let made = String::from_utf8_lossy(made);
    // Its title stands above already.
    let body = made.split_once('\n').map_or("", |(_, rest)| rest);
    let lines: Vec<&str> = body.lines().map(str::trim_end).collect();
    format!("{WIT}{}\n", lines.join("\n").trim())
}

#[test]
fn the_reference_of_the_abi_is_the_header() {
    let header = fs::read_to_string(here("include/dyno_plugin.h")).expect("the header is there");
    let reference = abi(&header);
    assert_eq!(reference.matches("\n## Dyno").count(), STRUCTS.len());
    assert!(reference.contains("| `DYNO_SKIPPED` | `2` |"), "{reference}");
    compare_or_bless("../docs/plugins/abi.md", &reference);
}

#[test]
fn the_reference_of_the_world_is_the_wit() {
    let text = fs::read_to_string(here("wit/v1/benchmark.wit")).expect("the WIT is there");
    let reference = wit(&text);
    assert!(reference.contains("process-results"), "{reference}");
    compare_or_bless("../docs/plugins/wit.md", &reference);
}
