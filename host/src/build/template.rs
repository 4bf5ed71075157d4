//! A new folder with a plugin that builds, passes its check and runs: the examples of the repository under another name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::error::BuildError;
use crate::fault::{HostFault, Place};

/// What a plugin is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateLanguage {
    /// Rust, by Cargo.
    Rust,
    /// C, by its compiler.
    C,
    /// C++, by its compiler.
    Cpp,
    /// CUDA, by NVIDIA's compiler.
    Cuda,
    /// JavaScript, a component by componentize-js.
    JavaScript,
    /// Python, a component by componentize-py.
    Python,
    /// C, a component by clang.
    CForWasm,
}

/// What is to be written.
#[derive(Debug, Clone)]
pub struct Template<'a> {
    /// Identifier of the plugin, which is the name of the folder as well.
    pub name: &'a str,
    /// What it is written in.
    pub language: TemplateLanguage,
    /// Whether the folder is also built as a WASM component.
    pub wasm: bool,
    /// The folder of dyno's SDK for Rust; without, the one that Cargo's registry has.
    pub sdk: Option<&'a Path>,
}

/// A file of a template: where it goes, and its text.
type File = (PathBuf, String);

/// What the example of a language is called, and the benchmark that it has.
struct Example {
    id: &'static str,
    benchmark: &'static str,
    /// The command that installs what builds it, for its folder, and what that is.
    tools: Option<(&'static str, &'static str)>,
    /// What is ignored by version control besides what dyno writes.
    ignored: &'static str,
    /// Its files: where they go, and their texts. `NAME` is the name of the plugin.
    files: &'static [(&'static str, &'static str)],
}

impl Example {
    /// Whether it makes a component, whose descriptor is a file of its own, and nothing else.
    fn is_component(&self) -> bool {
        self.files.iter().any(|(name, _)| *name == "descriptor.toml")
    }
}

const IN_RUST: Example = Example {
    id: "hello-rust",
    benchmark: "sum",
    tools: None,
    ignored: "/target\n",
    files: &[("src/lib.rs", include_str!("../../../examples/hello-rust/src/lib.rs"))],
};
const IN_C: Example = Example {
    id: "hello-c",
    benchmark: "sum_c",
    tools: None,
    ignored: "",
    files: &[("NAME.c", include_str!("../../../examples/hello-c/hello.c"))],
};
const IN_CPP: Example = Example {
    id: "hello-cpp",
    benchmark: "sort_cpp",
    tools: None,
    ignored: "",
    files: &[("NAME.cpp", include_str!("../../../examples/hello-cpp/hello.cpp"))],
};
const IN_CUDA: Example = Example {
    id: "hello-cuda",
    benchmark: "saxpy_cuda",
    tools: None,
    ignored: "",
    files: &[("NAME.cu", include_str!("../../../examples/hello-cuda/hello.cu"))],
};
const IN_JAVASCRIPT: Example = Example {
    id: "hello-js",
    benchmark: "lookup_js",
    tools: Some(("npm install", "componentize-js")),
    ignored: "/node_modules\n",
    files: &[
        ("NAME.js", include_str!("../../../examples/hello-js/hello.js")),
        ("descriptor.toml", include_str!("../../../examples/hello-js/descriptor.toml")),
        ("package.json", include_str!("../../../examples/hello-js/package.json")),
    ],
};
const IN_PYTHON: Example = Example {
    id: "hello-python",
    benchmark: "sort_python",
    tools: Some(("python3 -m venv .venv && .venv/bin/pip install -r requirements.txt", "componentize-py")),
    ignored: "/.venv\n__pycache__\n",
    files: &[
        ("app.py", include_str!("../../../examples/hello-python/app.py")),
        ("descriptor.toml", include_str!("../../../examples/hello-python/descriptor.toml")),
        ("requirements.txt", include_str!("../../../examples/hello-python/requirements.txt")),
    ],
};
const IN_C_FOR_WASM: Example = Example {
    id: "hello-c-wasm",
    benchmark: "sum_c_wasm",
    tools: None,
    ignored: "",
    files: &[
        ("NAME.c", include_str!("../../../examples/hello-c-wasm/hello.c")),
        ("descriptor.toml", include_str!("../../../examples/hello-c-wasm/descriptor.toml")),
    ],
};

impl TemplateLanguage {
    const fn example(self) -> &'static Example {
        match self {
            Self::Rust => &IN_RUST,
            Self::C => &IN_C,
            Self::Cpp => &IN_CPP,
            Self::Cuda => &IN_CUDA,
            Self::JavaScript => &IN_JAVASCRIPT,
            Self::Python => &IN_PYTHON,
            Self::CForWasm => &IN_C_FOR_WASM,
        }
    }
}

const WORKFLOW: &str = include_str!("../../../examples/ci/github-actions.yml");

/// WASM plugins may use 128-bit vectors, which the engine of dyno has.
const CARGO_CONFIG: &str = "\
[target.wasm32-unknown-unknown]
rustflags = [\"-Ctarget-feature=+simd128\"]
";

impl Template<'_> {
    /// Writes the folder below `parent`. Gives it.
    ///
    /// # Errors
    /// When the name cannot be that of a plugin, something of that name is there, or the disk refuses; nothing is left then.
    pub fn write(&self, parent: &Path) -> Result<PathBuf, BuildError> {
        let folder = parent.join(self.name);
        let refused = |why: String| BuildError::Declaration { file: folder.clone(), why };
        if !is_name(self.name) {
            return Err(refused(
                "cannot be the name of a plugin: use small letters, digits, hyphens and underscores, with a letter first, like `my-kernels`"
                    .to_owned(),
            ));
        }
        let is_native =
            matches!(self.language, TemplateLanguage::C | TemplateLanguage::Cpp | TemplateLanguage::Cuda);
        if self.wasm && is_native {
            return Err(refused(
                "cannot be a WASM plugin with this template: use --lang c-wasm, or --lang rust with --wasm"
                    .to_owned(),
            ));
        }
        match fs::create_dir(&folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(refused("is there already; choose another name, or remove it first".to_owned()));
            }
            Err(error) => {
                return Err(HostFault::new(
                    format!("cannot make the folder `{}`", folder.display()),
                    &error,
                    Place::Named,
                )
                .into());
            }
        }
        let written = self.files().into_iter().try_for_each(|(name, text)| {
            let path = folder.join(name);
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(path, text)
        });
        if let Err(error) = written {
            // Half a template would be in the way of the next attempt.
            let _ = fs::remove_dir_all(&folder);
            return Err(HostFault::new(
                format!("cannot write to `{}`", folder.display()),
                &error,
                Place::Named,
            )
            .into());
        }
        Ok(folder)
    }

    /// The benchmark that the template has.
    #[must_use]
    pub const fn benchmark(&self) -> &'static str {
        self.language.example().benchmark
    }

    /// The files of the example, the source first: what names the benchmark.
    pub(super) fn sources(&self) -> Vec<PathBuf> {
        let files = self.language.example().files.iter();
        let mut places: Vec<PathBuf> =
            files.map(|(place, _)| place.replace("NAME", self.name).into()).collect();
        places.retain(|place| {
            place.file_name().is_none_or(|name| name != "requirements.txt" && name != "package.json")
        });
        places
    }

    /// The flags that a run of it needs.
    #[must_use]
    pub const fn run_flags(&self) -> &'static str {
        match self.language {
            TemplateLanguage::Cuda => " --hardware cuda",
            _ => "",
        }
    }

    /// The command that installs what builds it, for its folder, with a remark; none where the machine is likely to have it.
    #[must_use]
    pub fn tools(&self) -> Option<String> {
        self.language.example().tools.map(|(command, what)| format!("{command}     # {what}"))
    }

    fn files(&self) -> Vec<File> {
        let (name, example) = (self.name, self.language.example());
        let mut files: Vec<File> = vec![
            ("README.md".into(), self.readme()),
            (".github/workflows/benchmarks.yml".into(), self.workflow()),
            (".gitignore".into(), format!("/build\n{}/dyno-results\n", example.ignored)),
        ];
        for (place, text) in example.files {
            files.push((place.replace("NAME", name).into(), renamed(text, example.id, name)));
        }
        if self.language == TemplateLanguage::Rust {
            files.push(("Cargo.toml".into(), self.manifest()));
            if self.wasm {
                files.push((".cargo/config.toml".into(), CARGO_CONFIG.to_owned()));
            }
        }
        files
    }

    fn workflow(&self) -> String {
        let example = self.language.example();
        let mut text = WORKFLOW.replace("my-kernels", self.name);
        // It lies in its place, and the line is set.
        text = text.replace(
            "# Copy it to .github/workflows/benchmarks.yml and set the line marked `yours`. `dyno` must be installed on the machine.",
            "# `dyno` must be installed on the machine.",
        );
        text = text.replace(" # yours: the identifier of the plugin, and `.so`", "");
        if example.is_component() {
            text = text.replace(".so", ".wasm").replace(" --engine native", "");
        }
        if let Some((command, _)) = example.tools {
            let build = "run: dyno build --plugins";
            text =
                text.replace(build, &format!("run: |\n          {command}\n          dyno build --plugins"));
            let base = "          dyno build \"$RUNNER_TEMP/sources\"";
            text =
                text.replace(base, &format!("          (cd \"$RUNNER_TEMP/sources\" && {command})\n{base}"));
        }
        text
    }

    fn manifest(&self) -> String {
        let sdk = match self.sdk {
            // A path as Cargo reads it: a TOML string.
            Some(path) => format!("{{ path = {} }}", toml::Value::String(path.display().to_string())),
            None => format!("\"{}\"", env!("CARGO_PKG_VERSION")),
        };
        let wasm = if self.wasm { "\n[package.metadata.dyno]\nwasm = true\n" } else { "" };
        format!(
            "[package]\nname = \"{name}\"\ndescription = \"The smallest useful dyno plugin in Rust\"\nversion = \"0.1.0\"\n\
             edition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n[dependencies]\ndyno-sdk = {sdk}\n{wasm}\n\
             # The folder may lie inside that of another workspace.\n[workspace]\n",
            name = self.name
        )
    }

    fn readme(&self) -> String {
        let (name, benchmark) = (self.name, self.benchmark());
        let example = self.language.example();
        let source = example.files[0].0.replace("NAME", name);
        let test = match self.language {
            TemplateLanguage::Rust => "cargo test      # the tests in src/lib.rs\n",
            _ => "",
        };
        let flags = self.run_flags();
        let tools = self.tools().map(|line| line + "\n").unwrap_or_default();
        format!(
            "# {name}\n\nA plugin for dyno, in [{source}]({source}).\n\n```sh\n{tools}{test}dyno build      # builds it, checks it, and \
             puts it where dyno finds it\ndyno run {name}/{benchmark}{flags}\ndyno dev{flags}        # builds and compares whenever a file is \
             saved\n```\n\n`.github/workflows/benchmarks.yml` compares the builds of a pull request.\n"
        )
    }
}

/// A file of an example under the new name, without the lines that say how the example is compiled by hand.
fn renamed(text: &str, example: &str, name: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let by_hand = ["//     c", "//     nvcc"];
    lines.retain(|line| !by_hand.iter().any(|start| line.starts_with(start)) && *line != "//");
    lines.join("\n").replace(example, name) + "\n"
}

/// Whether a text is the name of a folder, a Rust package and a plugin alike.
fn is_name(text: &str) -> bool {
    let is_inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(is_inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workflow_installs_what_builds_and_compares_what_was_built() {
        let workflow = |language| Template { name: "mine", language, wasm: false, sdk: None }.workflow();
        let native = workflow(TemplateLanguage::C);
        assert!(
            native.contains("PLUGIN: mine.so") && native.matches("--engine native").count() == 2,
            "{native}"
        );
        let script = workflow(TemplateLanguage::JavaScript);
        assert!(script.contains("PLUGIN: mine.wasm") && !script.contains("--engine"), "{script}");
        assert_eq!(script.matches("npm install").count(), 2, "{script}");
        assert!(
            workflow(TemplateLanguage::Python).contains("          dyno build --plugins"),
            "indented as the block is"
        );
    }

    fn template(name: &str) -> Template<'_> {
        Template { name, language: TemplateLanguage::C, wasm: false, sdk: None }
    }

    #[test]
    fn names_that_no_tool_takes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "Kernels", "1st", "../up", "a/b", "a b", "größe", &"a".repeat(65)] {
            let said = template(name).write(folder.path()).unwrap_err().to_string();
            assert!(said.contains("like `my-kernels`"), "{name}: {said}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let made = template("mine").write(folder.path()).unwrap();
        fs::write(made.join("mine.c"), "edited").unwrap();
        let said = template("mine").write(folder.path()).unwrap_err().to_string();
        assert!(said.contains("is there already"), "{said}");
        assert_eq!(fs::read_to_string(made.join("mine.c")).unwrap(), "edited");
    }

    #[test]
    fn nothing_of_the_example_is_left() {
        for language in [
            TemplateLanguage::Rust,
            TemplateLanguage::C,
            TemplateLanguage::Cpp,
            TemplateLanguage::Cuda,
            TemplateLanguage::JavaScript,
            TemplateLanguage::Python,
            TemplateLanguage::CForWasm,
        ] {
            let sdk = Some(Path::new("/a \"quoted\" path"));
            let files =
                Template { name: "mine", language, wasm: language == TemplateLanguage::Rust, sdk }.files();
            for (name, text) in &files {
                assert!(
                    !text.contains("hello") && !text.contains("my-kernels"),
                    "{}:\n{text}",
                    name.display()
                );
            }
            for (name, text) in
                files.iter().filter(|(name, _)| name.extension().is_some_and(|it| it == "toml"))
            {
                assert!(toml::from_str::<toml::Table>(text).is_ok(), "{}:\n{text}", name.display());
            }
        }
    }
}
