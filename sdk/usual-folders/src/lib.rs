//! Where libraries lie that Python's packages brought, for a process that has no environment which could say so: a worker of dyno
//! and the plugin in it, or the program that asks drivers for devices.

use std::{
    env, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The user's home: as dyno says it to a plugin that may read something there, or by the list of users. `None`: the list does not
/// have this user, who may come from a directory service, or may not be read.
#[must_use]
pub fn home() -> Option<PathBuf> {
    if let Some(home) = env::var_os("DYNO_USER_HOME") {
        return Some(PathBuf::from(home));
    }
    let user = fs::metadata("/proc/self").ok()?.uid().to_string();
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let mut mine = users.lines().map(|line| line.split(':')).filter(|it| it.clone().nth(2) == Some(&user));
    mine.next()?.nth(5).map(PathBuf::from)
}

/// The folders that a package has in the Pythons of the user and of the system, the user's and the newest first.
///
/// ```
/// for folder in usual_folders::of_python("onnxruntime/capi") {
///     println!("{}", folder.display());
/// }
/// ```
#[must_use]
pub fn of_python(package: &str) -> Vec<PathBuf> {
    of_python_below(Path::new("/"), home().as_deref(), package)
}

/// [`of_python`], where `root` stands for the root of the file system.
#[must_use]
pub fn of_python_below(root: &Path, home: Option<&Path>, package: &str) -> Vec<PathBuf> {
    let of_system = ["usr/local/lib", "usr/lib", "opt/conda/lib"].map(|prefix| root.join(prefix));
    let prefixes = home.map(|home| home.join(".local/lib")).into_iter().chain(of_system);
    prefixes
        .flat_map(|prefix| beginning(&prefix, "python3"))
        .flat_map(|python| ["site-packages", "dist-packages"].map(|it| python.join(it).join(package)))
        .filter(|folder| folder.is_dir())
        .collect()
}

/// The entries of a folder whose names begin so, the highest name first. A folder that cannot be read has none.
#[must_use]
pub fn beginning(folder: &Path, name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        entries.filter(|it| it.file_name().to_string_lossy().starts_with(name)).map(|it| it.path()).collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_of_the_user_come_before_those_of_the_system() {
        let root = env::temp_dir().join(format!("dyno-usual-folders-{}", std::process::id()));
        let expected = [
            root.join("home/me/.local/lib/python3.11/site-packages/nvidia/lib"),
            root.join("usr/local/lib/python3.12/dist-packages/nvidia/lib"),
            root.join("usr/local/lib/python3.11/site-packages/nvidia/lib"),
        ];
        for folder in &expected {
            fs::create_dir_all(folder).unwrap();
        }
        fs::create_dir_all(root.join("usr/lib/python3/dist-packages/other")).unwrap();
        let found = of_python_below(&root, Some(&root.join("home/me")), "nvidia/lib");
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_home_is_that_of_the_list_of_users() {
        let home = home().expect("tests run as a user of this machine");
        assert!(home.is_absolute(), "{}", home.display());
    }
}
