//! `cargo xtask dist`: a folder that can be copied to another machine.

use std::{env, fs, path::Path};

use crate::{
    demo, plugins, setup,
    shell::{self, say},
};

pub(crate) fn run(bundled: bool) -> Result<(), String> {
    let tools = setup::run(bundled)?;
    demo::build_host(bundled)?;
    let built = plugins::run(&tools)?;
    let name = format!("dyno-{}-{}-{}", env!("CARGO_PKG_VERSION"), env::consts::ARCH, env::consts::OS);
    let folder = shell::target().join("dist").join(name);
    say(&format!("collecting {}", folder.display()));
    for binary in ["dyno", "dyno-worker"] {
        let to = folder.join(binary);
        shell::place(&shell::release().join(binary), &to)?;
        executable(&to)?;
    }
    if !bundled {
        shell::place(
            &setup::duckdb_folder().join(setup::duckdb_library()),
            &folder.join(setup::duckdb_library()),
        )?;
    }
    for file in ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"] {
        shell::place(&shell::root().join(file), &folder.join(file))?;
    }
    shell::place(
        &shell::root().join("plugin-api/include/dyno_plugin.h"),
        &folder.join("include/dyno_plugin.h"),
    )?;
    shell::place(&shell::root().join("sdk/c/dyno.hpp"), &folder.join("include/dyno.hpp"))?;
    shell::place(
        &shell::root().join("plugin-api/wit/v1/benchmark.wit"),
        &folder.join("wit/v1/benchmark.wit"),
    )?;
    for plugin in fs::read_dir(&built).map_err(|error| error.to_string())?.flatten() {
        shell::place(&plugin.path(), &folder.join("plugins").join(plugin.file_name()))?;
    }
    say(&format!("{} is complete", folder.display()));
    Ok(())
}

fn executable(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .map_err(|error| format!("{}: {error}", path.display()))
}
