//! A folder of its own for every page, in which its commands run, with the plugins that the project builds.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{built, fixtures};

const DYNO: &str = env!("CARGO_BIN_EXE_dyno");

/// No command of a page takes longer, not even one that builds [s].
const LONGEST: &str = "300";

/// Where the commands of one page run.
pub(crate) struct Sandbox {
    root: TempDir,
    plugins: PathBuf,
}

impl Sandbox {
    /// `None`: there are no plugins to run.
    pub(crate) fn new() -> Option<Self> {
        let plugins = built::folder();
        let there = plugins.join("hello-rust.so").is_file() && plugins.join("cpu-kernels.so").is_file();
        assert!(there || env::var_os("DYNO_TEST_PLUGINS").is_none(), "no plugins in {}", plugins.display());
        let root = tempfile::Builder::new()
            .prefix("dyno-docs-")
            .tempdir()
            .expect("the temporary folder is writable");
        for folder in ["home", "home/plugins", "tmp", "work", "work/target"] {
            fs::create_dir(root.path().join(folder)).expect("the temporary folder is writable");
        }
        // Where `cargo xtask plugins` puts them.
        std::os::unix::fs::symlink(&plugins, root.path().join("work/target/plugins"))
            .expect("the temporary folder is writable");
        there.then_some(Self { root, plugins })
    }

    /// Whether a plugin file was built.
    pub(crate) fn has(&self, plugin: &str) -> bool {
        self.plugins.join(plugin).is_file()
    }

    /// Whether a compiler is there that a page uses, and what it needs.
    pub(crate) fn has_tool(&self, tool: &str) -> bool {
        fixtures::guest_tool(tool).is_some() && (tool != "clang" || fixtures::has_c_library_for_wasi())
    }

    /// Puts a file that a page shows beside the commands.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.root.path().join("work").join(name);
        fs::write(&path, text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Runs a command line as a person would type it; its code, and everything it printed.
    pub(crate) fn run(&self, command: &str) -> (Option<i32>, String) {
        let folder = Path::new(DYNO).parent().expect("the binary is in a folder");
        let own = self.root.path().join("home/plugins");
        let path = [vec![folder.to_owned()], fixtures::guest_folders()].concat();
        let path = path.iter().map(|folder| format!("{}:", folder.display())).collect::<String>();
        // A page may show a command that never ends by itself: that is a mistake of the page, and not the end of all tests.
        let output = Command::new("timeout")
            .args(["--kill-after=5", LONGEST, "sh", "-c", &format!("exec 2>&1; {command}")])
            .current_dir(self.root.path().join("work"))
            .env_clear()
            .env("PATH", format!("{path}/usr/local/bin:/usr/bin:/bin"))
            .env("HOME", self.root.path().join("home"))
            .env("TMPDIR", self.root.path().join("tmp"))
            // What a page builds goes into the first of them.
            .env("DYNO_PLUGIN_PATH", format!("{}:{}", own.display(), self.plugins.display()))
            // Who works on this machine meanwhile is waited for by nobody here.
            .env("DYNO_LEASES", self.root.path().join("leases"))
            .output()
            .expect("a shell runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Whether the output has the shown lines in their order; else the first that is not there.
pub(crate) fn shows<'a>(output: &str, shown: &'a [String]) -> Result<(), &'a str> {
    let printed: Vec<String> = output.lines().map(plain).collect();
    let mut place = 0;
    for line in shown {
        let wanted = plain(line);
        if wanted.is_empty() || wanted == "…" {
            continue;
        }
        match printed[place..].iter().position(|candidate| matches(&wanted, candidate)) {
            Some(found) => place += found + 1,
            None => return Err(line),
        }
    }
    Ok(())
}

/// A line without rules, and with single spaces.
fn plain(line: &str) -> String {
    line.replace(|c: char| ('\u{2500}'..='\u{257f}').contains(&c), " ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether a text is the pattern, in which `…` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('…') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = rest.split('…').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(at) = text.find(piece) else { return false };
        text = &text[at + piece.len()..];
    }
    text.ends_with(last)
}

fn help(arguments: &[&str]) -> String {
    let output = Command::new(DYNO).args(arguments).output().expect("dyno runs");
    assert!(output.status.success(), "dyno {arguments:?} failed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The names of all commands, by the help text; of a command with commands of its own, those as well. // eg: "key new"
pub(crate) fn commands() -> Vec<String> {
    let names = commands_below(&[]);
    assert!(names.len() >= 8, "the commands were not found in the help text: {names:?}");
    names
}

fn commands_below(above: &[&str]) -> Vec<String> {
    let text = help(&[above, &["--help"]].concat());
    let list = text.split_once("Commands:\n").map_or("", |(_, rest)| rest);
    let lines = list.lines().take_while(|line| !line.trim().is_empty());
    let words = lines.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    words
        .flat_map(|name| {
            let path = [above, &[name]].concat();
            let mut names = vec![path.join(" ")];
            names.extend(commands_below(&path));
            names
        })
        .collect()
}

/// The long flags that a command takes.
pub(crate) fn flags(command: &str) -> BTreeSet<String> {
    let text = help(&[command.split(' ').collect::<Vec<_>>().as_slice(), &["--help"]].concat());
    let flags: BTreeSet<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with('-'))
        .filter_map(|line| line.split([' ', ',', '[']).find(|word| word.starts_with("--")).map(str::to_owned))
        .collect();
    assert!(flags.contains("--json"), "the flags were not found in the help text of {command}");
    flags
}

/// The keys that `dyno.toml` and the table of `dyno config` know.
pub(crate) fn settings() -> Vec<String> {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let output =
        Command::new(DYNO).args(["config", "--json"]).current_dir(folder.path()).output().expect("dyno runs");
    let settings: Value = serde_json::from_slice(&output.stdout).expect("the settings are JSON");
    let names = settings.as_object().expect("the settings are an object").keys();
    names.map(|name| name.trim_end_matches("_ns").trim_end_matches("_bytes").replace('_', "-")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_lines_must_be_printed_in_order() {
        let shown = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let output = "────\n a   b \n════\n c 12.3 ns d\n";
        assert!(shows(output, &shown(&["a b", "", "────", "c … ns d"])).is_ok());
        assert_eq!(shows(output, &shown(&["c …", "a b"])), Err("a b"));
        assert_eq!(shows(output, &shown(&["a"])), Err("a"));
        assert_eq!(shows(output, &shown(&["…b…", "e…"])), Err("e…"));
    }
}
