//! Running other programs, and where things are.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.to_owned(), Path::to_owned)
}

/// Cargo's target directory.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// The folder of release binaries.
pub(crate) fn release() -> PathBuf {
    target().join("release")
}

/// The user's cache folder for tools that several clones share.
pub(crate) fn tool_cache() -> PathBuf {
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    base.unwrap_or_else(env::temp_dir).join("dyno/tools")
}

/// Says what comes next.
pub(crate) fn say(text: &str) {
    println!("── {text}");
}

/// A program run in the root of the workspace.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Shows a command and runs it.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let shown = shown(command);
    println!("   $ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` ended with {status}")),
        Err(error) => Err(format!("cannot run `{shown}`: {error}")),
    }
}

/// Runs a command without showing it; its standard output, or `None` when it fails or is not there.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a program is on the path.
pub(crate) fn exists(program: &str) -> bool {
    find(program).is_some()
}

/// Where a program is on the path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Installs packages where that is possible without asking: on Debian and its kin, as root.
pub(crate) fn apt_install(packages: &[&str]) -> Result<(), String> {
    let root = output(Command::new("id").arg("-u")).as_deref() == Some("0");
    if !root || !exists("apt-get") {
        return Err(format!("install {} with your package manager", packages.join(" ")));
    }
    let install = |packages: &[&str]| {
        run(command("apt-get")
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null()))
    };
    // A machine that has its package lists needs no new ones.
    install(packages).or_else(|_| {
        run(command("apt-get").arg("update").stdout(Stdio::null()))?;
        install(packages)
    })
}

/// Copies a file into place as a whole, and only when it differs: nobody ever sees half of it.
pub(crate) fn place(from: &Path, to: &Path) -> Result<(), String> {
    let refused =
        |error: std::io::Error| format!("cannot copy {} to {}: {error}", from.display(), to.display());
    let bytes = fs::read(from).map_err(refused)?;
    place_bytes(&bytes, to)
}

/// Writes a file as a whole, and only when it differs.
pub(crate) fn place_bytes(bytes: &[u8], to: &Path) -> Result<(), String> {
    let refused = |error: std::io::Error| format!("cannot write {}: {error}", to.display());
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(refused)?;
    }
    let partial = to.with_extension("partial");
    fs::write(&partial, bytes).map_err(refused)?;
    fs::rename(&partial, to).map_err(refused)
}

/// Removes a scratch folder when it goes out of scope.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Result<Self, String> {
        let path = env::temp_dir().join(format!("dyno-xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A scratch folder that stays is litter in the temporary folder, no more.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn shown(command: &Command) -> String {
    let mut parts: Vec<String> = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={:?}", name.display(), value?)))
        .collect();
    parts.push(command.get_program().display().to_string());
    parts.extend(command.get_args().map(|argument| {
        let text = argument.to_string_lossy();
        if text.contains(' ') { format!("'{text}'") } else { text.into_owned() }
    }));
    parts.join(" ")
}
