//! Making a package: from files and folders to an archive that depends on nothing but their names and bytes.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use dyno_core::{
    binary::{self, NotAPlugin, Target},
    model::{
        FileRole, MAX_FILES, PACKAGE_SCHEMA, PACKAGE_VERSION, PackageFile, PackageManifest, build_remark,
        check_path,
    },
    protocol::missing_libraries,
};
use dyno_plugin_api::descriptor::{AbiInfo, Descriptor, Kind};
use serde::Serialize;
use walkdir::WalkDir;

use super::{
    EXTENSION, PackageError,
    archive::{self, Hashing},
};
use crate::{
    catalog::{self, Libraries, Library},
    fault::{HostFault, Place},
    user_file,
};

/// Maximum depth of folders that are searched.
const MAX_DEPTH: usize = 8;
/// Maximum number of files in the folders that are searched: more mean that another folder was meant.
const MAX_SEARCHED: usize = 10_000;

/// Folders that tools fill beside sources, with libraries and modules of others.
const OF_TOOLS: [&str; 2] = ["node_modules", "__pycache__"];

/// What a package is made of.
#[derive(Debug)]
pub(crate) enum Source {
    /// A file, or a folder whose files are taken if they can be.
    Path(PathBuf),
    /// A component whose descriptor was just put into it.
    Bytes(PathBuf, Vec<u8>),
}

/// A package that was made.
#[derive(Debug, Serialize)]
pub struct Packed {
    /// Its file.
    pub path: PathBuf,
    /// SHA-256 of that file, in hexadecimal.
    pub sha256: String,
    /// Its length [bytes].
    pub size_bytes: u64,
    /// What is in it.
    pub manifest: PackageManifest,
    /// What is worth knowing, a sentence each.
    pub notes: Vec<String>,
}

/// A file that was looked at.
enum Seen {
    Plugin(Box<Build>),
    Library {
        soname: Option<String>,
        target: Target,
    },
    /// What components are made from.
    Module,
    Text(FileRole),
}

/// A build of the plugin.
struct Build {
    path: PathBuf,
    bytes: Vec<u8>,
    target: Target,
    descriptor: Descriptor,
}

impl Build {
    fn kind(&self) -> Kind {
        self.descriptor.abi.kind
    }

    /// Its folder in the package. // eg: "linux-x86_64-abi1", "wasm-abi1"
    fn folder(&self) -> String {
        let AbiInfo { kind, version, .. } = &self.descriptor.abi;
        match kind {
            Kind::Native => format!("{}-abi{version}", self.target),
            Kind::Wasm => format!("wasm-abi{version}"),
        }
    }
}

/// A file on its way into the package.
struct Content {
    role: FileRole,
    origin: PathBuf,
    bytes: Vec<u8>,
}

/// What was named, sorted by what it is.
#[derive(Default)]
struct Gathered {
    builds: Vec<Build>,
    /// Libraries without a descriptor; whether each was named itself, and not only its folder.
    libraries: Vec<(Library, bool)>,
    texts: Vec<(PathBuf, FileRole)>,
    notes: Vec<String>,
}

/// Makes a package. Without `out`, its file is `NAME-VERSION.dyno` in the current folder.
///
/// # Errors
/// When what was named is not one plugin with what it needs, or the file cannot be written.
pub(crate) fn pack(sources: Vec<Source>, out: Option<&Path>) -> Result<Packed, PackageError> {
    let mut gathered = Gathered::default();
    for source in sources {
        gathered.take(source)?;
    }
    let plugin = gathered.one_plugin()?.clone();
    let contents = gathered.contents()?;
    if contents.len() > MAX_FILES {
        return Err(PackageError::Pack(format!(
            "a package has at most {MAX_FILES} files, these are {}; name fewer",
            contents.len()
        )));
    }
    let mut benchmarks: Vec<String> = gathered
        .builds
        .iter()
        .flat_map(|build| build.descriptor.benchmarks.iter().map(|it| it.name.clone()))
        .collect();
    benchmarks.sort();
    benchmarks.dedup();
    let manifest = PackageManifest {
        schema: PACKAGE_SCHEMA.to_owned(),
        version: PACKAGE_VERSION,
        plugin,
        benchmarks,
        files: contents
            .iter()
            .map(|(path, content)| PackageFile {
                path: path.clone(),
                sha256: catalog::hash(&content.bytes),
                size_bytes: content.bytes.len() as u64,
                role: content.role.clone(),
            })
            .collect(),
    };
    let mut json =
        serde_json::to_vec_pretty(&manifest).map_err(|error| PackageError::Pack(error.to_string()))?;
    json.push(b'\n');
    // What is made here must be good everywhere.
    PackageManifest::from_json(&json).map_err(|why| PackageError::Pack(format!("the package {why}")))?;
    let path = out.map_or_else(
        || PathBuf::from(format!("{}-{}.{EXTENSION}", manifest.plugin.id, manifest.plugin.version)),
        Path::to_owned,
    );
    let files: Vec<(&str, &[u8])> =
        contents.iter().map(|(path, content)| (path.as_str(), content.bytes.as_slice())).collect();
    let (sha256, size_bytes) = write(&path, &json, &files)?;
    Ok(Packed { path, sha256, size_bytes, manifest, notes: gathered.notes })
}

/// Writes the archive whole, or leaves what was there.
fn write(path: &Path, manifest: &[u8], files: &[(&str, &[u8])]) -> Result<(String, u64), PackageError> {
    struct Tee {
        file: BufWriter<File>,
        hasher: Hashing,
        length: u64,
    }

    impl Write for Tee {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.file.write_all(bytes)?;
            self.length += bytes.len() as u64;
            self.hasher.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.file.flush()
        }
    }

    let write = || -> io::Result<(String, u64)> {
        let partial = tempfile::Builder::new()
            .prefix(".dyno-")
            .suffix(".partial")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
            .tempfile_in(user_file::folder_of(path))?;
        let mut tee = Tee {
            file: BufWriter::new(partial.as_file().try_clone()?),
            hasher: Hashing::default(),
            length: 0,
        };
        archive::write(&mut tee, manifest, files)?;
        partial.as_file().sync_all()?;
        partial.persist(path)?;
        Ok((tee.hasher.hex(), tee.length))
    };
    write().map_err(|error| {
        HostFault::new(format!("cannot write `{}`", path.display()), &error, Place::Named).into()
    })
}

impl Gathered {
    fn take(&mut self, source: Source) -> Result<(), PackageError> {
        match source {
            Source::Bytes(path, bytes) => self.add(&path, bytes, true),
            Source::Path(path) => match fs::metadata(&path) {
                Err(error) => Err(PackageError::Pack(format!(
                    "`{}` cannot be read: {error}; name plugin files, or a folder with them",
                    path.display()
                ))),
                Ok(about) if about.is_dir() => self.take_folder(&path),
                Ok(_) => {
                    let bytes = read(&path)?;
                    self.add(&path, bytes, true)
                }
            },
        }
    }

    fn take_folder(&mut self, folder: &Path) -> Result<(), PackageError> {
        let is_of_the_author = |name: &OsStr| {
            !(name.as_encoded_bytes().starts_with(b".") || OF_TOOLS.iter().any(|folder| name == *folder))
        };
        // What `dyno build` writes beside the plugin, and an environment of Python.
        let is_made = |path: &Path| {
            path.ends_with("build/wit")
                || path.ends_with("build/include")
                || path.join("pyvenv.cfg").is_file()
        };
        let walk =
            WalkDir::new(folder).max_depth(MAX_DEPTH).sort_by_file_name().into_iter().filter_entry(|entry| {
                entry.depth() == 0 || is_of_the_author(entry.file_name()) && !is_made(entry.path())
            });
        let mut count = 0;
        for entry in walk {
            let entry = entry.map_err(|error| {
                PackageError::Pack(format!("the folder `{}` cannot be read: {error}", folder.display()))
            })?;
            // A link is followed if it leads to a file: libraries have several names.
            if !entry.path().is_file() {
                continue;
            }
            count += 1;
            if count > MAX_SEARCHED {
                return Err(PackageError::Pack(format!(
                    "the folder `{}` has more than {MAX_SEARCHED} files; name the plugin files one by one",
                    folder.display()
                )));
            }
            let path = entry.path();
            // Large files of other kinds are not read.
            if text_role(path).is_none() && !begins_like_a_plugin(path) {
                self.left_out(path, "it is neither a plugin nor a library, licence or README");
                continue;
            }
            self.add(path, read(path)?, false)?;
        }
        Ok(())
    }

    fn left_out(&mut self, path: &Path, why: &str) {
        self.notes.push(format!("`{}` is left out: {why}", path.display()));
    }

    fn add(&mut self, path: &Path, bytes: Vec<u8>, is_named: bool) -> Result<(), PackageError> {
        match seen(path, bytes)? {
            Seen::Plugin(build) => {
                if let Some(other) = self.builds.iter().find(|other| other.folder() == build.folder()) {
                    return Err(PackageError::Pack(format!(
                        "`{}` and `{}` are both the {} build for {} and contract {}; leave one out",
                        other.path.display(),
                        path.display(),
                        build.kind(),
                        build.target,
                        build.descriptor.abi.version
                    )));
                }
                self.builds.push(*build);
            }
            Seen::Library { soname: Some(name), .. } => {
                self.libraries.push((Library { name, path: path.to_owned() }, is_named));
            }
            Seen::Library { soname: None, target } if is_named => {
                return Err(PackageError::Pack(format!(
                    "`{}` is a library for {target} without a descriptor and without a SONAME, so no plugin can need it; \
                     link it with `-Wl,-soname,NAME`",
                    path.display()
                )));
            }
            Seen::Library { .. } => {
                self.left_out(path, "it is a library without a SONAME, which no plugin can need");
            }
            Seen::Module if is_named => {
                return Err(PackageError::Pack(format!(
                    "`{}` is neither a plugin nor a library, licence or README: {}",
                    path.display(),
                    NotAPlugin::CoreModule
                )));
            }
            Seen::Module => self.left_out(path, "it is a core WASM module, from which components are made"),
            Seen::Text(role) => {
                match self.texts.iter().find(|(other, _)| other.file_name() == path.file_name()) {
                    Some((other, _)) if is_named => {
                        return Err(PackageError::Pack(format!(
                            "`{}` and `{}` have the same name; leave one out",
                            other.display(),
                            path.display()
                        )));
                    }
                    Some(_) => self.left_out(path, "there is another file of that name"),
                    None => self.texts.push((path.to_owned(), role)),
                }
            }
        }
        Ok(())
    }

    /// The plugin that all builds are of, as the first of them says.
    fn one_plugin(&mut self) -> Result<&dyno_plugin_api::descriptor::PluginInfo, PackageError> {
        self.builds.sort_by_key(Build::folder);
        let Some((first, others)) = self.builds.split_first() else {
            return Err(PackageError::Pack(
                "there is no plugin among the files; name a shared library or component with a descriptor, or give \
                 --descriptor with a component"
                    .to_owned(),
            ));
        };
        let plugin = &first.descriptor.plugin;
        for other in others {
            let its = &other.descriptor.plugin;
            if (&its.id, &its.version) != (&plugin.id, &plugin.version) {
                return Err(PackageError::Pack(format!(
                    "`{}` is {} {}, `{}` is {} {}; a package holds one version of one plugin",
                    first.path.display(),
                    plugin.id,
                    plugin.version,
                    other.path.display(),
                    its.id,
                    its.version
                )));
            }
        }
        for build in &self.builds {
            self.notes.extend(build_remark(&plugin.id, build.descriptor.build));
        }
        Ok(plugin)
    }

    /// The files of the package, by their paths in it.
    fn contents(&mut self) -> Result<BTreeMap<String, Content>, PackageError> {
        let given: Vec<Library> = self.libraries.iter().map(|(library, _)| library.clone()).collect();
        let mut contents = BTreeMap::new();
        let mut used = Vec::new();
        for build in &self.builds {
            let folder = build.folder();
            let needed = Libraries::of(&build.path, &build.bytes, &given)
                .map_err(|problem| PackageError::Pack(problem.to_string()))?;
            if let Some(missing) = missing_libraries(&needed.missing) {
                self.notes.push(format!("{}: {missing}", build.path.display()));
            }
            for Library { name, path } in needed.brought {
                let content = Content {
                    role: FileRole::Library { target: build.target.clone() },
                    bytes: read(&path)?,
                    origin: path.clone(),
                };
                put(&mut contents, format!("{folder}/{name}"), content)?;
                used.push(name);
            }
        }
        for build in std::mem::take(&mut self.builds) {
            let path = format!("{}/{}", build.folder(), name_of(&build.path));
            let abi = build.descriptor.abi.clone();
            let role = FileRole::Plugin { target: build.target.clone(), abi };
            put(
                &mut contents,
                path,
                Content { role, origin: build.path.clone(), bytes: build.bytes.clone() },
            )?;
            self.builds.push(build);
        }
        for (path, role) in &self.texts {
            let content = Content { role: role.clone(), bytes: read(path)?, origin: path.clone() };
            put(&mut contents, name_of(path), content)?;
        }
        for (library, is_named) in std::mem::take(&mut self.libraries) {
            let is_used = used.contains(&library.name);
            if !is_used && is_named {
                return Err(PackageError::Pack(format!(
                    "`{}` has no descriptor, so it is not a plugin, and no plugin here needs a library `{}`; leave it out, or \
                     link the plugin with it",
                    library.path.display(),
                    library.name
                )));
            }
            if !is_used {
                self.left_out(&library.path, "no plugin here needs this library");
            }
        }
        Ok(contents)
    }
}

fn put(contents: &mut BTreeMap<String, Content>, path: String, content: Content) -> Result<(), PackageError> {
    check_path(&path).map_err(|why| {
        PackageError::Pack(format!("the package {why}; rename `{}`", content.origin.display()))
    })?;
    if let Some(other) = contents.get(&path) {
        return Err(PackageError::Pack(format!(
            "`{}` and `{}` would both be `{path}` in the package; rename one of them",
            other.origin.display(),
            content.origin.display()
        )));
    }
    contents.insert(path, content);
    Ok(())
}

/// What a file is.
fn seen(path: &Path, bytes: Vec<u8>) -> Result<Seen, PackageError> {
    if let Some(role) = text_role(path) {
        return Ok(Seen::Text(role));
    }
    match binary::describe_for(&bytes) {
        Ok((target, _, descriptor)) => {
            Ok(Seen::Plugin(Box::new(Build { path: path.to_owned(), bytes, target, descriptor })))
        }
        Err(NotAPlugin::CoreModule) => Ok(Seen::Module),
        Err(NotAPlugin::Foreign) if !bytes.starts_with(b"\0asm") => {
            let refused = |why| PackageError::Pack(format!("`{}`: {why}", path.display()));
            let linkage = binary::linkage(&bytes).map_err(refused)?;
            let target = binary::target(&bytes).map_err(refused)?;
            Ok(Seen::Library { soname: linkage.soname, target })
        }
        Err(NotAPlugin::Foreign) => Err(PackageError::Pack(format!(
            "`{}` is a component without a descriptor; give one with --descriptor descriptor.toml",
            path.display()
        ))),
        Err(why) => Err(PackageError::Pack(format!(
            "`{}` is neither a plugin nor a library, licence or README: {why}",
            path.display()
        ))),
    }
}

/// Licences and READMEs are known by their names.
fn text_role(path: &Path) -> Option<FileRole> {
    let name = name_of(path).to_ascii_uppercase();
    let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    if begins(&["LICENSE", "LICENCE", "COPYING", "NOTICE"]) {
        Some(FileRole::Licence)
    } else if begins(&["README"]) {
        Some(FileRole::Readme)
    } else {
        None
    }
}

fn begins_like_a_plugin(path: &Path) -> bool {
    let mut head = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
        && (&head == b"\x7fELF" || &head == b"\0asm")
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<Vec<u8>, PackageError> {
    catalog::read_bytes_of(path)
        .map_err(|problem| PackageError::Pack(format!("`{}` {}", path.display(), problem.message)))
}
