//! A template for a benchmark that exists elsewhere: its name, category and parameters, with its code quoted for the
//! author.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dyno_core::text::visible;

use super::{
    error::BuildError,
    port_params::{self, Declared},
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

    /// Writes a template under the name of the benchmark below `parent`, which is made, and gives its folder. Its setup
    /// fails until the author has filled it in, so that nobody takes the work of an example for that of the benchmark.
    ///
    /// # Errors
    /// When something of that name is there, or the disk refuses. Nothing is left then.
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
        let made = missing(parent);
        fs::create_dir_all(parent).map_err(refused(parent))?;
        let name = self.plugin_name();
        let template = Template { name: &name, language, wasm: false, sdk };
        let written = template.write(parent).and_then(|folder| match self.fill(&folder, &template) {
            Ok(()) => Ok(folder),
            Err(error) => {
                let _gone = fs::remove_dir_all(folder);
                Err(error)
            }
        });
        if written.is_err() {
            // Only folders that are empty, and were made just now.
            made.iter().for_each(|folder| drop(fs::remove_dir(folder)));
        }
        written
    }

    /// Makes the template that of the benchmark.
    fn fill(&self, folder: &Path, template: &Template<'_>) -> Result<(), BuildError> {
        let refused = |path: &Path| {
            let doing = format!("cannot write to `{}`", path.display());
            move |error| BuildError::from(HostFault::new(doing, &error, Place::Named))
        };
        let parameters = port_params::plain(&self.parameters);
        for (at, inside) in template.sources().into_iter().enumerate() {
            let path = folder.join(inside);
            let text = fs::read_to_string(&path).map_err(refused(&path))?;
            let mut text = self.renamed(&text, template.benchmark());
            text = declare(&text, &parameters);
            if at == 0 {
                text = self.unfinished(&text);
                text.push_str(&self.quoted(template.language));
            }
            fs::write(&path, text).map_err(refused(&path))?;
        }
        let readme = folder.join("README.md");
        let text = fs::read_to_string(&readme).map_err(refused(&readme))?;
        let run = format!("{}/{}", template.name, template.benchmark());
        let named = format!("{}/{}", template.name, self.benchmark_name());
        fs::write(&readme, text.replace(&run, &named)).map_err(refused(&readme))
    }

    /// Why a template that nobody has filled in does not run.
    #[must_use]
    pub fn reminder(&self) -> String {
        // Within quotes of any language.
        let plain =
            |text: &str| -> String {
                text.chars()
                    .map(|one| {
                        if one.is_ascii_graphic() && !matches!(one, '"' | '\\' | '{' | '}') {
                            one
                        } else {
                            ' '
                        }
                    })
                    .collect()
            };
        format!(
            "not filled in: write the work of `{}` ({}), which is quoted at the end of this plugin's source, and remove this line from its setup",
            plain(self.name),
            plain(&self.place)
        )
    }

    /// The source with a setup that fails.
    fn unfinished(&self, text: &str) -> String {
        let why = self.reminder();
        // In Rust the types of the example's parameters are gone, and with them its setup.
        if let Some(start) = text.find(RUST_SETUP).map(|at| at + RUST_SETUP.len())
            && let Some(end) = text[start..].find("\n    }\n").map(|at| start + at)
        {
            let body =
                format!("\n        let _ = (params, context);\n        Err(Failure::error(\"{why}\"))");
            return format!("{}{body}{}", &text[..start], &text[end..]);
        }
        for (setup, fails) in SETUPS {
            if let Some(at) = text.find(setup).map(|at| at + setup.len()) {
                return format!("{}\n{}{}", &text[..at], fails.replace("WHY", &why), &text[at..]);
            }
        }
        text.to_owned()
    }

    /// The template with the name and category of the benchmark.
    fn renamed(&self, text: &str, example: &str) -> String {
        let mut text = text.to_owned();
        for quote in ['"', '\''] {
            let named = format!("{quote}{}{quote}", self.benchmark_name());
            text = text.replace(&format!("{quote}{example}{quote}"), &named);
        }
        let Some(category) = self.category else { return text };
        // What a descriptor takes as a category is a word.
        let bare = category.chars().filter(|one| one.is_ascii_alphanumeric() || matches!(one, '-' | '_'));
        let category: String = bare.collect::<String>().to_ascii_lowercase();
        if category.is_empty() {
            return text;
        }
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
                "`{}` of {}, from {}. Replace the work of the example above by its work, and the setup that fails:",
                self.name, self.framework, self.place
            ),
            "  setup            prepares what is not measured".to_owned(),
            "  execute          does the work, `iterations` times; it reads no clock and needs no warm-up"
                .to_owned(),
            "  verify           compares a result with an independent one".to_owned(),
        ];
        if !self.parameters.is_empty() {
            lines.push("Its parameters:".to_owned());
        }
        for parameter in &self.parameters {
            let is_declared = !port_params::plain(std::slice::from_ref(parameter)).is_empty();
            let declared = if is_declared { "declared above" } else { "to be declared" };
            lines.push(match parameter {
                (name, values) if values.is_empty() => format!("  {name} ({declared})"),
                (name, values) => format!("  {name} = {} ({declared})", values.join(", ")),
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

/// How the setup of the example in Rust begins.
const RUST_SETUP: &str = "context: &Context) -> Result<Self, Failure> {";

/// How a setup begins in the other examples, and what fails in it.
const SETUPS: [(&str, &str); 5] = [
    ("size_t count, void **instance) {", "    return dyno_fail(host, \"WHY\");"),
    ("void setup(const dyno::params &params) override {", "        throw std::runtime_error(\"WHY\");"),
    ("setup(benchmark, params, seed) {", "        throw { tag: 'error', val: \"WHY\" };"),
    ("exports_dyno_plugin_lifecycle_list_param_free(params);", "    return fail(failure, \"WHY\");"),
    ("def setup(self, benchmark, params, seed):", "        raise Err(Failure_Error(\"WHY\"))"),
];

/// A source or descriptor with these parameters in place of the example's. Without any, the example keeps its own.
fn declare(text: &str, parameters: &[Declared]) -> String {
    let replaced = |start: &str, end: &str, with: String| {
        let first = text.find(start).map(|at| at + start.len())?;
        let last = text[first..].find(end).map(|at| first + at)?;
        Some(format!("{}{with}{}", &text[..first], &text[last..]))
    };
    if parameters.is_empty() {
        return text.to_owned();
    }
    let all = |one: fn(&Declared) -> String, between: &str| {
        parameters.iter().map(one).collect::<Vec<_>>().join(between)
    };
    let in_json = || replaced("\"params\": [", "]\n", all(Declared::json, ", "));
    let in_rust = || replaced("struct SumParams {\n", "}", all(Declared::field, ""));
    let in_toml = || {
        let first = text.find("[[benchmarks.params]]")?;
        Some(format!("{}{}", &text[..first], all(Declared::toml, "\n")))
    };
    in_rust().or_else(in_json).or_else(in_toml).unwrap_or_else(|| text.to_owned())
}

/// The folders of a path that are not there, the deepest first.
fn missing(folder: &Path) -> Vec<PathBuf> {
    folder
        .ancestors()
        .take_while(|part| !part.as_os_str().is_empty() && !part.exists())
        .map(Path::to_owned)
        .collect()
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
            TemplateLanguage::JavaScript,
            TemplateLanguage::CForWasm,
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
            for quote in ['"', '\''] {
                assert!(!all.contains(&format!("{quote}{}{quote}", template.benchmark())), "{all}");
            }
            // The parameter is declared in place of the example's, and nothing runs as if it were filled in.
            let declared = match language {
                TemplateLanguage::Rust => "#[param(default = 1, choices = [1, 2])]\n    size: i64,",
                TemplateLanguage::Python | TemplateLanguage::JavaScript | TemplateLanguage::CForWasm => {
                    "name = \"size\"\ntype = \"integer\"\ndefault = 1\nchoices = [1, 2]"
                }
                _ => "\"name\": \"size\", \"type\": \"integer\", \"default\": 1, \"choices\": [1, 2]}",
            };
            assert!(all.contains(declared), "{all}");
            assert!(!all.contains("\"name\": \"n\"") && !all.contains("name = \"n\""), "{all}");
            assert!(all.contains("not filled in: write the work of `test_Sort/1`"), "{all}");
        }
    }

    #[test]
    fn without_plain_parameters_the_example_keeps_its_own() {
        let parent = tempfile::tempdir().unwrap();
        let parameters = vec![("size".to_owned(), vec!["SIZES".to_owned()])];
        let original = Original { parameters, ..original("a") };
        let folder = original.write(parent.path(), TemplateLanguage::C, None).unwrap();
        let text = fs::read_to_string(folder.join("a.c")).unwrap();
        assert!(text.contains("\"name\": \"n\"") && text.contains("size = SIZES"), "{text}");
    }

    #[test]
    fn a_port_that_fails_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let deep = parent.path().join("a/b");
        fs::create_dir_all(parent.path().join("there/mine")).unwrap();
        let there = original("mine").write(&parent.path().join("there"), TemplateLanguage::C, None);
        assert!(there.unwrap_err().to_string().contains("is there already"));
        assert!(parent.path().join("there/mine").is_dir());
        fs::write(parent.path().join("a"), "").unwrap();
        assert!(original("mine").write(&deep, TemplateLanguage::C, None).is_err());
        assert!(!deep.exists());
        let made = missing(&parent.path().join("new/er"));
        assert_eq!(made, [parent.path().join("new/er"), parent.path().join("new")]);
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
