//! The charts of the page for a document that must bring everything along: a report that opens from a file.
//!
//! A document cannot import modules from files beside it, but from `data:` addresses: an import map gives each module one. Such
//! a module has no folder, so its imports are rewritten from paths to names.

use std::{collections::BTreeMap, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

/// Where the report begins, and what it looks like.
const ENTRY: &str = "report.js";
const STYLES: [&str; 2] = ["lib/uplot.css", "charts.css"];
/// The library of charts: in place of the readable module, the smaller script of the same version.
const UPLOT: (&str, &str) = ("lib/uplot.js", "lib/uplot.iife.js");

/// The parts of a document with charts.
#[derive(Debug)]
pub struct Kit {
    /// Style sheet.
    pub style: String,
    /// Content of the `importmap`: every module by its name.
    pub import_map: String,
    /// Content of the module that draws the charts. It finds its data in the element `cases`, draws into `relations`, and into
    /// every element with `data-case`.
    pub entry: String,
}

/// The charts of a report; absent if this program has no dashboard.
#[must_use]
pub fn report_kit() -> Option<&'static Kit> {
    static KIT: LazyLock<Option<Kit>> = LazyLock::new(kit);
    KIT.as_ref()
}

fn kit() -> Option<Kit> {
    let modules = modules()?;
    let entry = |(name, text): (&String, &String)| {
        format!("\"{}\": \"data:text/javascript;base64,{}\"", bare(name), BASE64.encode(text))
    };
    let entries: Vec<String> = modules.iter().map(entry).collect();
    let styles: Option<Vec<&str>> = STYLES.into_iter().map(text).collect();
    Some(Kit {
        style: styles?.concat(),
        import_map: format!("{{\"imports\": {{{}}}}}", entries.join(", ")),
        entry: format!("import \"{}\";", bare(ENTRY)),
    })
}

/// The entry and everything that it imports, by path within the page, with imports by name.
fn modules() -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut wanted = vec![ENTRY.to_owned()];
    while let Some(path) = wanted.pop() {
        if found.contains_key(&path) {
            continue;
        }
        let (module, imports) = if path == UPLOT.0 {
            (format!("{}\nexport default uPlot;\n", text(UPLOT.1)?), Vec::new())
        } else {
            renamed(&path, text(&path)?)
        };
        found.insert(path, module);
        wanted.extend(imports);
    }
    Some(found)
}

fn text(path: &str) -> Option<&'static str> {
    std::str::from_utf8(crate::file(path)?.bytes).ok()
}

/// A module with its imports by name, and what they were by path.
fn renamed(path: &str, text: &str) -> (String, Vec<String>) {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut imports = Vec::new();
    let mut out = String::new();
    for line in text.lines() {
        // Libraries have no spaces.
        let split = line.starts_with("import").then(|| {
            let (what, from) = line.split_once("from \"").or_else(|| line.split_once("from\""))?;
            let (from, end) = from.split_once('"')?;
            Some((what, from, end))
        });
        if let Some((what, from, end)) = split.flatten() {
            let from = resolved(folder, from);
            out.push_str(&format!("{what}from \"{}\"{end}\n", bare(&from)));
            imports.push(from);
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    (out, imports)
}

/// A relative path, from the root of the page.
fn resolved(folder: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The name of a module, which is no path.
fn bare(path: &str) -> String {
    format!("dyno/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_become_names() {
        let (text, imports) =
            renamed("charts/bars.js", "import { a } from \"../format.js\";\nexport const b = a;\n");
        assert_eq!(text, "import { a } from \"dyno/format.js\";\nexport const b = a;\n");
        assert_eq!(imports, ["format.js"]);
        assert_eq!(renamed("lib/hooks.js", "import{a}from\"./preact.js\";a()").1, ["lib/preact.js"]);
        assert_eq!(resolved("", "./ui.js"), "ui.js");
    }

    #[test]
    fn a_kit_has_every_module_that_it_imports() {
        assert_eq!(report_kit().is_some(), crate::is_complete());
        let Some(modules) = modules() else { return };
        assert!(modules.contains_key("charts/lines.js") && modules.contains_key("lib/preact.js"));
        // What belongs to a server does not come along.
        for path in ["api.js", "state.js", "live.js"] {
            assert!(!modules.contains_key(path), "{path}");
        }
        for (path, text) in &modules {
            for line in text.lines().filter(|line| line.starts_with("import")) {
                let name = line.split('"').nth(1).unwrap_or_default();
                let known = name.strip_prefix("dyno/").is_some_and(|name| modules.contains_key(name));
                assert!(known, "{path}: {line}");
            }
        }
    }
}
