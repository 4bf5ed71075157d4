//! `plugin.toml`: a folder that says itself which command builds it.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::{error::BuildError, tool::Tool, wish::Wish};
use crate::{toml_text, user_file::read_text};

/// The keys of `plugin.toml`. An unknown key is an error, because a misspelt one would otherwise be ignored silently.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    build: Declared,
}

/// How a folder is built.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Declared {
    /// The program and its arguments.
    command: Vec<String>,
    /// The plugin files that it makes, below the folder.
    output: Vec<PathBuf>,
    /// The descriptor of components that carry none, below the folder: JSON or TOML.
    pub(super) descriptor: Option<PathBuf>,
}

/// Reads such a file.
pub(super) fn read(file: &Path) -> Result<Declared, BuildError> {
    let refused = |why: String| BuildError::Declaration { file: file.to_owned(), why };
    let text = read_text(file).map_err(|error| refused(error.to_string()))?;
    let File { mut build } = toml::from_str(&text)
        .map_err(|error| refused(format!("cannot be understood: {}", toml_text::fault(&text, &error))))?;
    if build.command.first().is_none_or(String::is_empty) {
        return Err(refused(
            "names no program in `command`: write, for instance, command = [\"make\"]".to_owned(),
        ));
    }
    if build.output.is_empty() {
        return Err(refused(
            "names no file in `output`: write which plugin files the command makes, for instance output = [\"build/x.so\"]"
                .to_owned(),
        ));
    }
    let named = build.output.iter().chain(&build.descriptor);
    if let Some(outside) = named.into_iter().find(|path| !is_below(path)) {
        return Err(refused(format!("names `{}`, which is not below its folder", outside.display())));
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    build.descriptor = build.descriptor.map(|path| folder.join(path));
    Ok(build)
}

fn is_below(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

impl Declared {
    /// The program that builds.
    pub(super) fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// Whether the command writes there: the file itself, and what lies in the folder of one that is not the sources' own.
    pub(super) fn makes(&self, below: &Path) -> bool {
        self.output.iter().any(|made| {
            let made: PathBuf = made.components().filter(|part| *part != Component::CurDir).collect();
            let beside = made.parent().filter(|folder| !folder.as_os_str().is_empty());
            below == made || beside.is_some_and(|folder| below.starts_with(folder))
        })
    }

    /// Runs the command. Gives the files that it was to make.
    pub(super) fn build(&self, folder: &Path, wish: &Wish<'_>) -> Result<Vec<PathBuf>, BuildError> {
        let (program, arguments) =
            self.command.split_first().map_or(("", &[] as &[String]), |(first, rest)| (first, rest));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let tool = Tool {
            program,
            arguments: &arguments,
            folder,
            environment: &[],
            what: "this folder, as its `plugin.toml` says",
            remedy: "install it, or write another `command` there",
        };
        tool.act(wish)?;
        self.output
            .iter()
            .map(|made| {
                let file = folder.join(made);
                if file.is_file() {
                    return Ok(file);
                }
                let why = format!(
                    "names `{}` in `output`, but `{program}` did not make that file; write which files it makes",
                    made.display()
                );
                Err(BuildError::Declaration { file: folder.join("plugin.toml"), why })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use dyno_core::model::EngineChoice;

    use super::*;
    use crate::pool::Complaints;

    fn declared(text: &str) -> Result<Declared, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plugin.toml");
        fs::write(&file, text).unwrap();
        read(&file).map_err(|error| error.to_string())
    }

    #[test]
    fn a_bad_declaration_is_a_sentence() {
        let said = |text| declared(text).unwrap_err();
        assert!(said("").contains("missing field `build`"));
        assert!(said("[build]\ncommand = []\noutput = [\"a.so\"]").contains("no program"));
        assert!(said("[build]\ncommand = [\"make\"]\noutput = []").contains("no file in `output`"));
        assert!(said("[build]\ncomand = [\"make\"]\noutput = []").contains("`comand`"));
        let outside = said("[build]\ncommand = [\"make\"]\noutput = [\"../a.so\"]");
        assert!(outside.contains("`../a.so`, which is not below"), "{outside}");
        assert!(said("[build]\ncommand = [\"make\"]\noutput = [\"/a.so\"]").contains("not below"));
        let spelt = said("[build]\ncommand = \"make\"\noutput = [\"a.so\"]");
        assert!(
            spelt.contains("line 2, column 11: invalid type: string \"make\", expected a sequence"),
            "{spelt}"
        );
        assert!(!said("[build\n").contains('\n'));
    }

    #[test]
    fn a_command_that_makes_something_else_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let built = |command: &str| {
            let text = format!("[build]\ncommand = [\"sh\", \"-c\", \"{command}\"]\noutput = [\"a.so\"]");
            let wish = Wish {
                engine: EngineChoice::Auto,
                messages: Complaints::Dropped,
                patience: Duration::from_secs(60),
                cancelled: &|| false,
            };
            declared(&text).unwrap().build(folder.path(), &wish).map_err(|error| error.to_string())
        };
        assert!(built("exit 3").unwrap_err().contains("`sh` ended with exit code 3"));
        assert!(built("true").unwrap_err().contains("did not make that file"));
        assert_eq!(built("echo x > a.so").unwrap(), [folder.path().join("a.so")]);
    }
}
