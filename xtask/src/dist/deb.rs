//! The release as a package of Debian: everything in `/usr/lib/dyno`, the command in `/usr/bin`.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use super::parts::{c_library, copy_folder, emptied, uses};
use crate::{
    failure::{Failure, Outcome},
    process::{self, say},
    project::{Project, make_folder},
};

/// Where shells look for completions: the shell, the folder, and the name of the file.
const COMPLETIONS: [(&str, &str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions", "dyno"),
    ("zsh", "usr/share/zsh/vendor-completions", "_dyno"),
    ("fish", "usr/share/fish/vendor_completions.d", "dyno.fish"),
];

/// Makes the package from a release folder. `None`, with a sentence, where Debian's tool is not there.
pub(super) fn make(project: &Project, release: &Path, dist: &Path) -> Outcome<Option<PathBuf>> {
    let Some(architecture) = process::output_if_any(Command::new("dpkg").arg("--print-architecture")) else {
        println!("    no package of Debian: there is no dpkg on this machine");
        return Ok(None);
    };
    say("making a package of Debian of it");
    let version = &project.metadata.version;
    let root = emptied(&dist.join("deb"))?;
    copy_folder(release, &root.join("usr/lib/dyno"))?;
    let written = |path: &Path, text: &str| {
        make_folder(path.parent().unwrap_or(&root))?;
        fs::write(path, text).map_err(|error| Failure::file("write", path, &error))
    };
    make_folder(&root.join("usr/bin"))?;
    let command = root.join("usr/bin/dyno");
    symlink("../lib/dyno/dyno", &command).map_err(|error| Failure::file("write", &command, &error))?;
    for (shell, folder, file) in COMPLETIONS {
        let script = process::output(Command::new(release.join("dyno")).args(["completions", shell]))?;
        written(&root.join(folder).join(file), &script)?;
    }
    let library = c_library()?;
    written(
        &root.join("usr/share/doc/dyno/copyright"),
        "Licensed under MIT OR Apache-2.0; the texts lie in /usr/lib/dyno. DuckDB's library is licensed under MIT.\n",
    )?;
    written(
        &root.join("DEBIAN/control"),
        &format!(
            "Package: dyno\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: The dyno authors <authors@dyno.invalid>\n\
             Depends: libc6 (>= {library}), libgcc-s1, libstdc++6\nSection: devel\nPriority: optional\n\
             Description: host for benchmarks that others ship as plugins\n Discovers plugins, runs them in isolated workers, and \
             says with sound statistics\n whether something became faster or slower.\n"
        ),
    )?;
    let package = dist.join(format!("dyno_{version}_{architecture}.deb"));
    let mut dpkg = Command::new("dpkg-deb");
    // The fastest compression that every Debian reads: most of it are programs that nobody downloads twice.
    dpkg.args(["--root-owner-group", "-Zgzip", "-z6", "--build"]).arg(&root).arg(&package);
    process::run(&mut dpkg)?;
    fs::remove_dir_all(&root).map_err(|error| Failure::file("remove", &root, &error))?;
    check(&package, &dist.join("check-deb"))?;
    Ok(Some(package))
}

/// Unpacks it into an empty folder, and uses it there: it needs no fixed place.
fn check(package: &Path, folder: &Path) -> Outcome<()> {
    say("unpacking the package of Debian into an empty folder, and running it there");
    let root = emptied(folder)?;
    process::run(Command::new("dpkg-deb").arg("-x").arg(package).arg(&root))?;
    uses(&root.join("usr/bin/dyno"), &root.join("usr/lib/dyno"), &root)?;
    fs::remove_dir_all(folder).map_err(|error| Failure::file("remove", folder, &error))
}
