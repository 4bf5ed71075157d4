//! A template for a benchmark that exists elsewhere: its name, category and parameters, with its code quoted for the
//! author.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dyno_core::text::visible;

use super::{
    error::BuildError,
    template::{Template, TemplateLanguage},
};
use crate::fault::{HostFault, Place};

/// Longest code that is quoted [lines].
const QUOTED: usize = 400;

/// A benchmark of another tool.
#[derive(Debug)]
pub struct Original<'a> {
    /// Its name there.
    pub name: &'a str,
    /// What it measures, if it says.
    pub category: Option<&'a str>,
    /// The tool that it was written for.
    pub framework: &'a str,
    /// Where it is, as `FILE:LINE`.
    pub place: String,
    /// Its parameters and their values.
    pub parameters: Vec<(String, Vec<String>)>,
    /// What its measurement lacked, as sentences.
    pub problems: Vec<String>,
    /// Its code.
    pub code: &'a str,
}

impl Original<'_> {
    /// The name of the plugin and its folder.
    #[must_use]
    pub fn plugin_name(&self) -> String {
        self.named('-')
    }

    /// The name of the benchmark in its descriptor.
    #[must_use]
    pub fn benchmark_name(&self) -> String {
        self.named('_')
    }

    /// Small letters and digits of the name, with `separator` for everything else.
    fn named(&self, separator: char) -> String {
        let mut name = String::new();
        for character in self.name.chars() {
            if character.is_ascii_alphanumeric() {
                name.push(character.to_ascii_lowercase());
            } else if !name.is_empty() && !name.ends_with(separator) {
                name.push(separator);
            }
        }
        let name = name.trim_end_matches(separator);
        let prefix = if name.starts_with(|first: char| first.is_ascii_lowercase()) { "" } else { "bench" };
        let whole = format!("{prefix}{name}");
        whole.chars().take(48).collect::<String>().trim_end_matches(separator).to_owned()
    }

    /// Writes a template under the name of the benchmark below `parent`, which is made, and gives its folder.
    ///
    /// # Errors
    /// When something of that name is there, or the disk refuses.
    pub fn write(
        &self,
        parent: &Path,
        language: TemplateLanguage,
        sdk: Option<&Path>,
    ) -> Result<PathBuf, BuildError> {
        let refused = |path: &Path| {
            let doing = format!("cannot write to `{}`", path.display());
            move |error| BuildError::from(HostFault::new(doing, &error, Place::Named))
        };
        fs::create_dir_all(parent).map_err(refused(parent))?;
        let name = self.plugin_name();
        let template = Template { name: &name, language, wasm: false, sdk };
        let folder = template.write(parent)?;
        for (at, inside) in template.sources().into_iter().enumerate() {
            let path = folder.join(inside);
            let text = fs::read_to_string(&path).map_err(refused(&path))?;
            let mut text = self.renamed(&text, template.benchmark());
            if at == 0 {
                text.push_str(&self.quoted(language));
            }
            fs::write(&path, text).map_err(refused(&path))?;
        }
        let readme = folder.join("README.md");
        let text = fs::read_to_string(&readme).map_err(refused(&readme))?;
        let run = format!("{name}/{}", template.benchmark());
        fs::write(&readme, text.replace(&run, &format!("{name}/{}", self.benchmark_name())))
            .map_err(refused(&readme))?;
        Ok(folder)
    }

    /// The template with the name and category of the benchmark.
    fn renamed(&self, text: &str, example: &str) -> String {
        let text = text.replace(&format!("\"{example}\""), &format!("\"{}\"", self.benchmark_name()));
        let Some(category) = self.category else { return text };
        // What a descriptor takes as a category is a word.
        let bare = category.chars().filter(|one| one.is_ascii_alphanumeric() || matches!(one, '-' | '_'));
        let category: String = bare.collect::<String>().to_ascii_lowercase();
        if category.is_empty() {
            return text;
        }
        let mut text = text;
        for start in ["category = \"", "\"category\": \""] {
            if let Some(at) = text.find(start).map(|at| at + start.len())
                && let Some(end) = text[at..].find('"').map(|end| at + end)
            {
                text.replace_range(at..end, &category);
            }
        }
        text
    }

    /// What the author needs, as a comment behind the source.
    fn quoted(&self, language: TemplateLanguage) -> String {
        let mark = match language {
            TemplateLanguage::Python => "#",
            _ => "//",
        };
        let mut lines = vec![
            format!(
                "`{}` of {}, from {}. Replace the work of the example above by its work:",
                self.name, self.framework, self.place
            ),
            "  setup            prepares what is not measured".to_owned(),
            "  execute          does the work, `iterations` times; it reads no clock and needs no warm-up"
                .to_owned(),
            "  verify           compares a result with an independent one".to_owned(),
        ];
        if !self.parameters.is_empty() {
            lines.push("Its parameters, to be declared where the example declares its own:".to_owned());
        }
        for (name, values) in &self.parameters {
            lines.push(match values.is_empty() {
                true => format!("  {name}"),
                false => format!("  {name} = {}", values.join(", ")),
            });
        }
        if !self.problems.is_empty() {
            lines.push("What its measurement lacked, and a plugin has by itself unless it is about setup or a device:".to_owned());
        }
        lines.extend(self.problems.iter().map(|problem| format!("  {problem}")));
        lines.push("Its code:".to_owned());
        lines.push(String::new());
        let code = self.code.lines();
        lines.extend(code.clone().take(QUOTED).map(|line| format!("    {line}")));
        if let more @ 1.. = code.count().saturating_sub(QUOTED) {
            lines.push(format!("    … and {more} more lines"));
        }
        // A backslash at the end of the last line of code would take the next line of C into the comment.
        lines.push(String::new());
        let mut text = String::from("\n");
        for line in lines.iter().flat_map(|line| line.lines().chain(line.is_empty().then_some(""))) {
            // Nothing that moves a cursor, turns text around, or ends a line in some language.
            let safe: String = line.chars().map(visible).collect();
            text.push_str(format!("{mark} {safe}").trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn original(name: &str) -> Original<'_> {
        Original {
            name,
            category: Some("Inference!"),
            framework: "pytest-benchmark",
            place: "bench.py:3".to_owned(),
            parameters: vec![("size".to_owned(), vec!["1".to_owned(), "2".to_owned()])],
            problems: Vec::new(),
            code: "def test(benchmark):\n    benchmark(work)\\",
        }
    }

    #[test]
    fn every_language_gets_a_plugin_with_the_name_and_the_code() {
        for language in [
            TemplateLanguage::Rust,
            TemplateLanguage::C,
            TemplateLanguage::Cpp,
            TemplateLanguage::Cuda,
            TemplateLanguage::Python,
        ] {
            let parent = tempfile::tempdir().unwrap();
            let folder = original("test_Sort/1").write(&parent.path().join("made"), language, None).unwrap();
            assert!(folder.ends_with("made/test-sort-1"));
            let template = Template { name: "test-sort-1", language, wasm: false, sdk: None };
            let all: String = template
                .sources()
                .iter()
                .map(|name| fs::read_to_string(folder.join(name)).unwrap())
                .collect();
            assert!(all.contains("\"test_sort_1\"") && all.contains("\"inference\""), "{all}");
            assert!(all.contains("size = 1, 2") && all.contains("    benchmark(work)\\"), "{all}");
            assert!(!all.contains(&format!("\"{}\"", template.benchmark())), "{all}");
        }
    }

    #[test]
    fn quoted_code_stays_in_its_comment() {
        for end in ["\n", "\r", "\u{2028}", "\u{2029}", "\u{85}", "\u{c}"] {
            let code = format!("work() #{end}run();\u{202e}");
            let text = Original { code: &code, ..original("a") }.quoted(TemplateLanguage::Rust);
            let ends = |one: char| one == '\n' || one == '\u{2028}' || one == '\u{2029}' || one.is_control();
            assert!(text.split(ends).all(|line| line.is_empty() || line.starts_with("//")), "{text:?}");
            assert!(!text.contains('\u{202e}'), "{text:?}");
        }
    }

    #[test]
    fn names_become_those_of_plugins() {
        assert_eq!(original("BM_Fill<int>/8").plugin_name(), "bm-fill-int-8");
        assert_eq!(original("1st").benchmark_name(), "bench1st");
        assert_eq!(original("größe").plugin_name(), "gr-e");
        assert_eq!(original("***").plugin_name(), "bench");
    }
}
