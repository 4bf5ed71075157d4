//! `cargo xtask test`: all tests.

use crate::{
    demo, plugins, setup,
    shell::{self, say},
};

pub(crate) fn run(bundled: bool, arguments: &[String]) -> Result<(), String> {
    let tools = setup::run(bundled)?;
    // The whole-product tests run the real binaries over the real plugins.
    demo::build_host(bundled)?;
    let plugins = plugins::run(&tools)?;
    say("running all tests");
    let features: &[&str] = if bundled { &["--features", "dyno-host/bundled"] } else { &[] };
    shell::run(
        shell::cargo()
            .args(["test", "--release", "--locked", "--workspace", "--no-fail-fast"])
            .args(features)
            .args(arguments)
            // An absolute path, so that every test finds them; what a developer has set must not reach the tests.
            .env("DYNO_TEST_PLUGINS", plugins)
            .env_remove("DYNO_PLUGIN_PATH")
            .env_remove("DYNO_DB_PATH")
            .env_remove("DYNO_OUTPUT"),
    )
}
