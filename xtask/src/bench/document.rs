//! The document that benches write: each replaces its own section and leaves the others alone.

use std::{fs, path::Path};

use super::machine::Facts;
use crate::{
    failure::Outcome,
    project::{make_folder, place},
};

/// What stands above all sections of a new document.
const HEAD: &str = "\
# Benchmarks of dyno itself

Written by `cargo xtask bench`; every section says when, where and at which commit it was measured. Numbers of different
sections may come from different machines: compare inside a section only.
";

/// Replaces the section of a bench, or appends it.
pub(crate) fn write(path: &Path, name: &str, title: &str, facts: &Facts, text: &str) -> Outcome<()> {
    let present = fs::read_to_string(path).unwrap_or_else(|_| HEAD.to_owned());
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let section = format!("## {title}\n\n{}\n\n{}\n", facts.line(), text.trim_end());
    place(path, replaced(&present, name, &section).as_bytes()).map(|_| ())
}

/// The document with one section replaced or, where it has none of that name, appended.
fn replaced(document: &str, name: &str, section: &str) -> String {
    let (begin, end) = (format!("<!-- bench:{name} -->\n"), format!("<!-- /bench:{name} -->\n"));
    let whole = format!("{begin}{section}{end}");
    let parts =
        document.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    match parts {
        Some((before, after)) => format!("{before}{whole}{after}"),
        None => format!("{}\n\n{whole}", document.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_appended_once_and_replaced_in_place() {
        let one = replaced("# Title\n", "one", "first\n");
        let two = replaced(&one, "two", "second\n");
        let again = replaced(&two, "one", "third\n");
        assert_eq!(
            again,
            "# Title\n\n<!-- bench:one -->\nthird\n<!-- /bench:one -->\n\n\
             <!-- bench:two -->\nsecond\n<!-- /bench:two -->\n"
        );
    }
}
