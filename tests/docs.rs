//! Whole-product test: what the documentation shows is true.
//!
//! How a page shows a command, so that it is run here:
//!
//! * A block fenced as `console` holds commands after `$ ` and what they print. Each line of output that is shown must
//!   be printed, in that order; `…` stands for anything, and the width of gaps and rules does not count.
//! * `console sample`: the commands are run, the output is an example and not compared.
//! * `console planned`: as `sample`, but with `--dry-run`, for what takes long.
//! * `exit=N` behind it: the code that each command of the block ends with; 0 otherwise.
//! * `needs=FILE` behind it: the commands are run where that plugin was built.
//! * `tool=NAME` behind it: the commands are run where that compiler is.
//! * A block `toml file=NAME` (any language) is put into the folder of the page, for the commands behind it.
//! * A block `rust same-as=PATH` (any language) must be the beginning, the end or a part of that file of the repository.
//! * `cargo xtask …` in a `console` block is not run, but the task must exist. Other commands belong into `sh` blocks.

mod pages;

use std::collections::BTreeSet;

use pages::{Block, Page};

use crate::support::sandbox::{self, Sandbox, shows};

fn check_commands(name: &str) {
    let page = Page::read(name);
    let Some(sandbox) = Sandbox::new() else {
        println!(
            "skipped: no plugins were built; `cargo xtask plugins` builds them, `cargo xtask test` does all"
        );
        return;
    };
    for block in &page.blocks {
        if let Some(file) = block.attribute("file") {
            sandbox.write(file, &block.text);
        }
        if block.language() == "console" {
            check_block(&sandbox, &page, block);
        }
    }
}

fn check_block(sandbox: &Sandbox, page: &Page, block: &Block) {
    if let Some(plugin) = block.attribute("needs")
        && !sandbox.has(plugin)
    {
        println!("skipped: {}:{} needs {plugin}, which was not built on this machine", page.name, block.line);
        return;
    }
    if let Some(tool) = block.attribute("tool")
        && !sandbox.has_tool(tool)
    {
        println!("skipped: {}:{} needs `{tool}`, which is not on this machine", page.name, block.line);
        return;
    }
    let expected: i32 = block.attribute("exit").map_or(0, |code| code.parse().expect("`exit=` has a number"));
    for (command, shown) in block.commands() {
        let place = format!("{}:{}: `{command}`", page.name, block.line);
        if let Some(task) = command.strip_prefix("cargo xtask ") {
            let task = task.split_whitespace().next().unwrap_or_default();
            assert!(pages::tasks().contains(task), "{place}: there is no task `{task}`");
            continue;
        }
        assert!(
            command.starts_with("dyno "),
            "{place}: only `dyno` and `cargo xtask` belong into `console` blocks"
        );
        let dry = if block.has("planned") { " --dry-run" } else { "" };
        let (code, output) = sandbox.run(&format!("{command}{dry}"));
        assert_eq!(code, Some(expected), "{place} ended with another code:\n{output}");
        if !(block.has("sample") || block.has("planned"))
            && let Err(line) = shows(&output, &shown)
        {
            panic!("{place} does not print, at its place, the line\n  {line}\nbut\n{output}");
        }
    }
}

/// One test per page, so that they run side by side and fail one by one.
macro_rules! pages {
    ($($test:ident: $page:literal,)*) => {
        const PAGES: &[&str] = &[$($page),*];
        $(#[test]
        fn $test() {
            check_commands($page);
        })*
    };
}

pages! {
    readme: "README.md",
    analyze: "docs/analyze.md",
    architecture: "ARCHITECTURE.md",
    contributing: "CONTRIBUTING.md",
    cli: "docs/cli.md",
    c_wasm: "docs/plugins/c-wasm.md",
    cuda: "docs/plugins/cuda.md",
    javascript: "docs/plugins/javascript.md",
    operators: "docs/operators.md",
    packages: "docs/plugins/packages.md",
    python_plugins: "docs/plugins/python.md",
    plugin_authors: "docs/plugin-authors.md",
    results: "docs/results.md",
    server: "docs/server.md",
    statistics: "docs/statistics.md",
}

#[test]
fn every_page_with_commands_is_tested() {
    for name in pages::all() {
        let shows_commands = Page::read(&name).blocks.iter().any(|block| block.language() == "console");
        assert!(
            !shows_commands || PAGES.contains(&name.as_str()),
            "{name} shows commands: name it in {}",
            file!()
        );
    }
}

#[test]
fn links_lead_somewhere() {
    for name in pages::all() {
        for (line, target) in Page::read(&name).links() {
            assert!(
                pages::target_exists(&name, &target),
                "{name}:{line}: the link to `{target}` leads nowhere"
            );
        }
    }
}

#[test]
fn quoted_code_is_the_code() {
    for name in pages::all() {
        for block in Page::read(&name).blocks {
            if let Some(path) = block.attribute("same-as") {
                let source = pages::read(path);
                assert!(
                    source.contains(block.text.trim_end()),
                    "{name}:{}: the block differs from {path}",
                    block.line
                );
            }
        }
    }
}

#[test]
fn the_reference_has_every_command_and_flag_and_no_other() {
    let reference = pages::read("docs/cli.md");
    let mut known = BTreeSet::new();
    for command in sandbox::commands() {
        assert!(
            reference.contains(&format!("`dyno {command}")),
            "docs/cli.md does not show `dyno {command}`"
        );
        known.extend(sandbox::flags(&command));
    }
    let shown = pages::flags_in(&reference);
    let missing: Vec<_> = known.difference(&shown).collect();
    assert!(missing.is_empty(), "docs/cli.md does not explain {missing:?}");
    let invented: Vec<_> = shown.difference(&known).collect();
    assert!(invented.is_empty(), "docs/cli.md explains {invented:?}, which no command has");
}

#[test]
fn the_reference_has_every_exit_code() {
    let reference = pages::read("docs/cli.md");
    let source = pages::read("host/src/cli/exit_code.rs");
    let codes: Vec<&str> = source
        .lines()
        .filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "))
        .map(|(_, code)| code)
        .collect();
    assert!(codes.contains(&"0") && codes.len() >= 5, "the codes were not found in the source: {codes:?}");
    for code in codes {
        assert!(reference.contains(&format!("| {code} |")), "docs/cli.md does not explain exit code {code}");
    }
}

#[test]
fn the_operators_page_has_every_setting_and_variable() {
    let page = pages::read("docs/operators.md");
    for setting in sandbox::settings() {
        assert!(page.contains(&format!("`{setting}`")), "docs/operators.md does not explain `{setting}`");
    }
    let source = pages::read("host/src/config/settings.rs");
    for variable in source.split('"').filter(|text| text.starts_with("DYNO_")) {
        assert!(page.contains(&format!("`{variable}`")), "docs/operators.md does not explain `{variable}`");
    }
}
