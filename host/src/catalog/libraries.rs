//! The libraries that a plugin brings along. A worker loads a private copy of the plugin, beside which there is nothing: so
//! they are found here, and the worker loads private copies of them first.

use std::{
    collections::HashSet,
    env, fs,
    path::{Path, PathBuf},
};

use dyno_core::binary::{self, Linkage};

use super::entry::{Problem, Unread, read_bytes};

/// Maximum number of libraries of one plugin.
const MOST: usize = 64;

/// What a worker has before it loads a plugin: the C library, and what Rust needs. A copy beside a plugin is never used.
const OF_THE_WORKER: [&str; 8] = [
    "libc.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
];

/// Where the dynamic linker looks without being told; the sub-folder of the processor is added.
const SYSTEM_FOLDERS: [&str; 5] = ["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib"];
/// What else the dynamic linker knows, as `ldconfig` found it.
const SYSTEM_CACHE: &str = "/etc/ld.so.cache";

/// A library that a plugin brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// The name by which it is needed. // eg: "libfft.so.3"
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// The libraries that a plugin needs, apart from those of the system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Libraries {
    /// Those that it brings along, each after those that it needs itself.
    pub brought: Vec<Library>,
    /// Names of those that were not found.
    pub missing: Vec<String>,
}

impl Libraries {
    /// The libraries of a plugin with these bytes. They are where its RUNPATH leads from its folder, among those `given`, or
    /// in its folder.
    ///
    /// # Errors
    /// When a library cannot be used.
    pub fn of(plugin: &Path, bytes: &[u8], given: &[Library]) -> Result<Self, Problem> {
        Self::found(plugin, bytes, given).map_err(|unread| unread.of(plugin))
    }

    pub(super) fn found(plugin: &Path, bytes: &[u8], given: &[Library]) -> Result<Self, Unread> {
        let mut search = Search { given, seen: HashSet::new(), count: 0, found: Self::default() };
        // Whoever loads a broken file says what is wrong with it.
        if let Ok(linkage) = binary::linkage(bytes) {
            search.follow(plugin, bytes, &linkage)?;
        }
        Ok(search.found)
    }
}

struct Search<'a> {
    given: &'a [Library],
    seen: HashSet<String>,
    /// How many are followed so far.
    count: usize,
    found: Libraries,
}

enum Place {
    System,
    Brought(PathBuf),
    Nowhere,
}

impl Search<'_> {
    /// Finds what a file needs, and what that needs in turn, which then stands before it.
    fn follow(&mut self, file: &Path, bytes: &[u8], linkage: &Linkage) -> Result<(), Unread> {
        let target = binary::target(bytes).ok();
        let is_here = target.as_ref().is_none_or(binary::Target::is_here);
        for name in &linkage.needed {
            if !self.seen.insert(name.clone()) {
                continue;
            }
            match self.place(name, file, &linkage.search) {
                Place::System => {}
                // What another machine has is not known here.
                Place::Nowhere if !is_here => {}
                Place::Nowhere => self.found.missing.push(name.clone()),
                Place::Brought(path) => {
                    self.count += 1;
                    if self.count > MOST {
                        return Err(Problem::error(
                            file,
                            format!("needs more than {MOST} libraries; link some of them statically"),
                        )
                        .into());
                    }
                    let bytes = read_bytes(&path)?;
                    let linkage = fitting(&path, &bytes, name, target.as_ref(), file)?;
                    self.follow(&path, &bytes, &linkage)?;
                    self.found.brought.push(Library { name: name.clone(), path });
                }
            }
        }
        Ok(())
    }

    fn place(&self, name: &str, file: &Path, search: &[String]) -> Place {
        if OF_THE_WORKER.contains(&name) {
            return Place::System;
        }
        if name.contains('/') {
            return if Path::new(name).is_file() { Place::System } else { Place::Nowhere };
        }
        let origin = file.parent().unwrap_or(Path::new("."));
        for entry in search {
            let place = origin_of(entry, origin);
            let is_relative = place.is_some();
            let folder = place.unwrap_or_else(|| PathBuf::from(entry));
            let path = folder.join(name);
            if (is_relative || folder.is_absolute()) && path.is_file() {
                return if is_relative { Place::Brought(path) } else { Place::System };
            }
        }
        if let Some(given) = self.given.iter().find(|given| given.name == name) {
            return Place::Brought(given.path.clone());
        }
        if is_of_the_system(name) {
            return Place::System;
        }
        let beside = origin.join(name);
        if beside.is_file() { Place::Brought(beside) } else { Place::Nowhere }
    }
}

/// A place that is named relative to the folder of the file that needs the library.
fn origin_of(entry: &str, origin: &Path) -> Option<PathBuf> {
    let rest = entry.strip_prefix("$ORIGIN").or_else(|| entry.strip_prefix("${ORIGIN}"))?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    Some(origin.join(rest.trim_start_matches('/')))
}

/// What a library asks of the dynamic linker, if the linker will take it for the one that is needed.
fn fitting(
    path: &Path,
    bytes: &[u8],
    name: &str,
    target: Option<&binary::Target>,
    needed_by: &Path,
) -> Result<Linkage, Problem> {
    let of = |why: String| {
        Problem::error(path, format!("is the library `{name}` of {}, but {why}", needed_by.display()))
    };
    let its_target = binary::target(bytes).map_err(of)?;
    if let Some(target) = target.filter(|target| **target != its_target) {
        return Err(of(format!("it is for {its_target}, not for {target}")));
    }
    let linkage = binary::linkage(bytes).map_err(of)?;
    // The linker knows a library that is loaded by this name, and asks for no file.
    match &linkage.soname {
        Some(soname) if soname == name => Ok(linkage),
        other => {
            let has = other
                .as_ref()
                .map_or_else(|| "no SONAME".to_owned(), |soname| format!("the SONAME `{soname}`"));
            Err(of(format!("it has {has}; link it with `-Wl,-soname,{name}`")))
        }
    }
}

/// Whether the dynamic linker finds a library without being told where.
fn is_of_the_system(name: &str) -> bool {
    let processor = format!("{}-linux-gnu", env::consts::ARCH);
    let mut folders = SYSTEM_FOLDERS.iter().map(Path::new);
    folders.any(|folder| folder.join(&processor).join(name).is_file() || folder.join(name).is_file())
        || fs::read(SYSTEM_CACHE).is_ok_and(|cache| is_in_cache(&cache, name))
}

/// The cache of the linker holds its names as texts with a zero byte after each.
fn is_in_cache(cache: &[u8], name: &str) -> bool {
    cache.split(|byte| *byte == 0).any(|text| text == name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_beside_the_plugin_are_its_own() {
        let origin = Path::new("/p");
        for (entry, place) in [
            ("$ORIGIN", Some("/p/")),
            ("${ORIGIN}/../lib", Some("/p/../lib")),
            ("$ORIGIN/lib", Some("/p/lib")),
            ("$ORIGINAL", None),
            ("/usr/lib", None),
            ("", None),
        ] {
            assert_eq!(origin_of(entry, origin), place.map(PathBuf::from), "{entry}");
        }
    }

    #[test]
    fn what_the_system_has_is_not_brought_along() {
        let search = Search { given: &[], seen: HashSet::new(), count: 0, found: Libraries::default() };
        let folder = tempfile::tempdir().unwrap();
        let plugin = folder.path().join("p.so");
        fs::write(folder.path().join("libc.so.6"), "").unwrap();
        fs::write(folder.path().join("libdyno-none.so.1"), "").unwrap();
        let place = |name: &str| search.place(name, &plugin, &["$ORIGIN".to_owned()]);
        assert!(matches!(place("libc.so.6"), Place::System));
        assert!(matches!(place("libdyno-none.so.1"), Place::Brought(_)));
        assert!(matches!(place("libdyno-none.so.2"), Place::Nowhere));
        assert!(matches!(search.place("libdyno-none.so.1", &plugin, &[]), Place::Brought(_)), "beside it");
    }

    #[test]
    fn the_cache_of_the_linker_is_searched_for_whole_names() {
        let cache = b"glibc-ld.so.cache1.1\0\x01\x02libz.so.1\0/usr/lib/libz.so.1\0libzz.so\0";
        assert!(is_in_cache(b"x\0libz.so.1\0/usr", "libz.so.1"));
        assert!(is_in_cache(cache, "libzz.so") && !is_in_cache(cache, "libz.so"));
    }
}
