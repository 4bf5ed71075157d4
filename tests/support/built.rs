//! The plugins that the project has built, for the stories that run them.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Their folder: `DYNO_TEST_PLUGINS`, or where `cargo xtask plugins` puts them.
pub(crate) fn folder() -> PathBuf {
    if let Some(named) = env::var_os("DYNO_TEST_PLUGINS") {
        return named.into();
    }
    let target = Path::new(env!("CARGO_BIN_EXE_dyno")).ancestors().nth(2);
    target.expect("dyno is in a folder of the target folder").join("plugins")
}

/// One of them. `None`, and a sentence, if it was not built.
pub(crate) fn plugin(name: &str) -> Option<PathBuf> {
    let path = folder().join(name);
    if !path.is_file() {
        println!(
            "skipped: {name} was not built; `cargo xtask plugins` builds it, `cargo xtask test` does all"
        );
        return None;
    }
    Some(path)
}
