//! `cargo xtask test`: every test of the workspace, with the counts of the test runners at the end.

use std::{env, thread};

use crate::{
    dist,
    failure::{Failure, Outcome},
    native,
    options::Options,
    plugins,
    process::{self, say},
    project::Project,
    setup,
};

/// `cargo xtask test`. Further arguments go to `cargo test`.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let project = Project::open()?;
    let duckdb = setup::host(&project, options)?;
    let tools = setup::tools(&project);
    setup::vulkan();
    let nvrtc = setup::nvrtc(&project);
    let guests = setup::guests(&project);
    let chromium = setup::chromium();
    let axe = setup::axe(&project);
    let minilm = setup::minilm(&project);
    setup::openvino();
    // The whole-product tests run the real programs over the real plugins.
    let native = native::build(&project, &duckdb)?;
    plugins::build(&project, &tools, &native)?;

    if options.rest.is_empty() {
        dist::release(&project, &duckdb, &native)?;
    }

    say("running every test of the workspace");
    let mut command = project.cargo("test");
    command.args(["--release", "--locked", "--workspace", "--no-fail-fast"]);
    duckdb.tell(&mut command);
    // What a developer has set must not reach the tests.
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DYNO_")) {
        command.env_remove(name);
    }
    command.env("DYNO_TEST_PLUGINS", project.plugins());
    let found = [
        ("DYNO_TEST_NVRTC", nvrtc),
        ("DYNO_TEST_CHROMIUM", chromium),
        ("DYNO_TEST_AXE", axe),
        ("DYNO_TEST_MINILM", minilm),
    ];
    for (name, path) in found {
        if let Some(path) = path {
            command.env(name, path);
        }
    }
    command.env("DYNO_TEST_GUESTS", guests);
    if env::var_os("RUST_TEST_THREADS").is_none() {
        // Tests wait for workers, servers and the browser about as long as they compute.
        let threads = 2 * thread::available_parallelism().map_or(1, usize::from);
        command.env("RUST_TEST_THREADS", threads.to_string());
    }
    command.args(&options.rest);
    let mut summary = Summary::default();
    let succeeded = process::run_lines(&mut command, |line| summary.read(line))?;
    say("what the test runners said");
    print!("{}", summary.text());
    if succeeded {
        return Ok(());
    }
    Err(Failure::new("tests failed").next("repeat one with `cargo xtask test NAME`; its output is above"))
}

/// The lines of test runners that matter at the end.
#[derive(Debug, Default)]
struct Summary {
    runner: String,
    lines: Vec<String>,
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Summary {
    /// Takes one line of `cargo test`.
    fn read(&mut self, line: &str) {
        let line = line.trim();
        if line.starts_with("Running ") || line.starts_with("Doc-tests ") {
            line.clone_into(&mut self.runner);
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += count(result, "passed");
            self.failed += count(result, "failed");
            self.ignored += count(result, "ignored");
            self.lines.push(format!("{}\n    {line}", self.runner));
        } else if line.starts_with("test ") && line.ends_with("... FAILED") {
            self.lines.push(format!("    {line}"));
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(&format!(
            "all together: {} passed, {} failed, {} ignored\n",
            self.passed, self.failed, self.ignored
        ));
        text
    }
}

/// The number before a word: `12 passed; 0 failed`.
fn count(result: &str, word: &str) -> u64 {
    let before = |part: &str| part.split_whitespace().rev().nth(1)?.parse().ok();
    result.split(';').find(|part| part.trim_end().ends_with(word)).and_then(before).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_runners_are_added_up() {
        let mut summary = Summary::default();
        for line in [
            "     Running unittests src/lib.rs (target/release/deps/a-1)",
            "test one ... ok",
            "test two ... FAILED",
            "test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "   Doc-tests dyno_sdk",
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ] {
            summary.read(line);
        }
        assert_eq!((summary.passed, summary.failed, summary.ignored), (13, 1, 2));
        let text = summary.text();
        assert!(text.contains("Doc-tests dyno_sdk\n    test result: ok. 12 passed"), "{text}");
        assert!(text.contains("test two ... FAILED"), "{text}");
        assert!(text.ends_with("all together: 13 passed, 1 failed, 2 ignored\n"), "{text}");
    }
}
