//! `wasi:filesystem`, to read what was granted: folders and files under the very paths that they have on this machine. Whatever would change
//! something answers that it is read-only. A path is looked up by the kernel beneath the folder that it is relative to, so that neither `..`
//! nor a link leads out.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    io,
    os::{
        fd::OwnedFd,
        unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, openat2, readlinkat, statat},
    io::Errno,
};
use wasmtime::{
    Result, StoreContextMut,
    component::{ComponentType, Lift, LinkerInstance, Lower, Resource, Val, flags},
};

use super::{Datetime, Input, MAX_BYTES, StreamFault};
use crate::loader::guest::Guest;

/// What a guest may read.
#[derive(Debug, Clone)]
pub(in crate::loader) struct Granted {
    /// Its path. // eg: "/srv/models"
    path: String,
    node: Node,
}

/// What a descriptor of a guest stands for.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// A folder, with everything that is in it.
    Folder(Arc<OwnedFd>),
    /// A folder of which only these files can be seen.
    Files(Arc<Vec<(String, Arc<File>)>>),
    /// A file.
    File(Arc<File>),
}

/// The entries of a folder that a guest has yet to read.
pub(super) enum Entries {
    Folder(Box<Dir>),
    Files(std::vec::IntoIter<String>),
}

/// Opens what was granted. What is not there is left out.
pub(in crate::loader) fn open(granted: &[PathBuf]) -> Vec<Granted> {
    let mut opened: Vec<Granted> = Vec::new();
    let mut single: Vec<(&Path, Vec<(String, Arc<File>)>)> = Vec::new();
    for path in granted {
        // Opening a pipe would wait for its other end.
        let opening =
            File::options().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
        let Ok((file, found)) =
            opening.and_then(|file| Ok((file.metadata()?, file)).map(|(found, file)| (file, found)))
        else {
            continue;
        };
        if found.is_dir() {
            let node = Node::Folder(Arc::new(file.into()));
            opened.push(Granted { path: path.to_string_lossy().into_owned(), node });
        } else if let (true, Some(folder), Some(name)) = (found.is_file(), path.parent(), path.file_name()) {
            let file = (name.to_string_lossy().into_owned(), Arc::new(file));
            match single.iter_mut().find(|(known, _)| *known == folder) {
                Some((_, files)) => files.push(file),
                None => single.push((folder, vec![file])),
            }
        }
    }
    // A folder that is granted as a whole has its files.
    single.retain(|(folder, _)| !granted.iter().any(|path| path == folder));
    opened.extend(single.into_iter().map(|(folder, files)| Granted {
        path: folder.to_string_lossy().into_owned(),
        node: Node::Files(Arc::new(files)),
    }));
    opened
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "the interface has them; this part of it needs few")]
pub(super) enum ErrorCode {
    #[component(name = "access")]
    Access,
    #[component(name = "would-block")]
    WouldBlock,
    #[component(name = "already")]
    Already,
    #[component(name = "bad-descriptor")]
    BadDescriptor,
    #[component(name = "busy")]
    Busy,
    #[component(name = "deadlock")]
    Deadlock,
    #[component(name = "quota")]
    Quota,
    #[component(name = "exist")]
    Exist,
    #[component(name = "file-too-large")]
    FileTooLarge,
    #[component(name = "illegal-byte-sequence")]
    IllegalByteSequence,
    #[component(name = "in-progress")]
    InProgress,
    #[component(name = "interrupted")]
    Interrupted,
    #[component(name = "invalid")]
    Invalid,
    #[component(name = "io")]
    Io,
    #[component(name = "is-directory")]
    IsDirectory,
    #[component(name = "loop")]
    Loop,
    #[component(name = "too-many-links")]
    TooManyLinks,
    #[component(name = "message-size")]
    MessageSize,
    #[component(name = "name-too-long")]
    NameTooLong,
    #[component(name = "no-device")]
    NoDevice,
    #[component(name = "no-entry")]
    NoEntry,
    #[component(name = "no-lock")]
    NoLock,
    #[component(name = "insufficient-memory")]
    InsufficientMemory,
    #[component(name = "insufficient-space")]
    InsufficientSpace,
    #[component(name = "not-directory")]
    NotDirectory,
    #[component(name = "not-empty")]
    NotEmpty,
    #[component(name = "not-recoverable")]
    NotRecoverable,
    #[component(name = "unsupported")]
    Unsupported,
    #[component(name = "no-tty")]
    NoTty,
    #[component(name = "no-such-device")]
    NoSuchDevice,
    #[component(name = "overflow")]
    Overflow,
    #[component(name = "not-permitted")]
    NotPermitted,
    #[component(name = "pipe")]
    Pipe,
    #[component(name = "read-only")]
    ReadOnly,
    #[component(name = "invalid-seek")]
    InvalidSeek,
    #[component(name = "text-file-busy")]
    TextFileBusy,
    #[component(name = "cross-device")]
    CrossDevice,
}

impl From<Errno> for ErrorCode {
    fn from(error: Errno) -> Self {
        match error {
            Errno::NOENT => Self::NoEntry,
            Errno::NOTDIR => Self::NotDirectory,
            Errno::ISDIR => Self::IsDirectory,
            Errno::LOOP => Self::Loop,
            Errno::NAMETOOLONG => Self::NameTooLong,
            Errno::INVAL => Self::Invalid,
            Errno::ACCESS => Self::Access,
            // Out of the folder.
            Errno::XDEV | Errno::PERM => Self::NotPermitted,
            Errno::MFILE | Errno::NFILE | Errno::NOMEM => Self::InsufficientMemory,
            _ => Self::Io,
        }
    }
}

impl From<io::Error> for ErrorCode {
    fn from(error: io::Error) -> Self {
        Errno::from_io_error(&error).map_or(Self::Io, Self::from)
    }
}

flags! {
    PathFlags {
        #[component(name = "symlink-follow")]
        const SYMLINK_FOLLOW;
    }
}

flags! {
    OpenFlags {
        #[component(name = "create")]
        const CREATE;
        #[component(name = "directory")]
        const DIRECTORY;
        #[component(name = "exclusive")]
        const EXCLUSIVE;
        #[component(name = "truncate")]
        const TRUNCATE;
    }
}

flags! {
    DescriptorFlags {
        #[component(name = "read")]
        const READ;
        #[component(name = "write")]
        const WRITE;
        #[component(name = "file-integrity-sync")]
        const FILE_INTEGRITY_SYNC;
        #[component(name = "data-integrity-sync")]
        const DATA_INTEGRITY_SYNC;
        #[component(name = "requested-write-sync")]
        const REQUESTED_WRITE_SYNC;
        #[component(name = "mutate-directory")]
        const MUTATE_DIRECTORY;
    }
}

#[derive(Clone, Copy, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "the interface has it; dyno tells nobody how to read a file")]
enum Advice {
    #[component(name = "normal")]
    Normal,
    #[component(name = "sequential")]
    Sequential,
    #[component(name = "random")]
    Random,
    #[component(name = "will-need")]
    WillNeed,
    #[component(name = "dont-need")]
    DontNeed,
    #[component(name = "no-reuse")]
    NoReuse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
enum DescriptorType {
    #[component(name = "unknown")]
    Unknown,
    #[component(name = "block-device")]
    BlockDevice,
    #[component(name = "character-device")]
    CharacterDevice,
    #[component(name = "directory")]
    Directory,
    #[component(name = "fifo")]
    Fifo,
    #[component(name = "symbolic-link")]
    SymbolicLink,
    #[component(name = "regular-file")]
    RegularFile,
    #[component(name = "socket")]
    Socket,
}

impl From<FileType> for DescriptorType {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::RegularFile,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::SymbolicLink,
            FileType::Fifo => Self::Fifo,
            FileType::Socket => Self::Socket,
            FileType::CharacterDevice => Self::CharacterDevice,
            FileType::BlockDevice => Self::BlockDevice,
            FileType::Unknown => Self::Unknown,
        }
    }
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct DescriptorStat {
    #[component(name = "type")]
    kind: DescriptorType,
    #[component(name = "link-count")]
    links: u64,
    size: u64,
    #[component(name = "data-access-timestamp")]
    accessed: Option<Datetime>,
    #[component(name = "data-modification-timestamp")]
    modified: Option<Datetime>,
    #[component(name = "status-change-timestamp")]
    changed: Option<Datetime>,
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct DirectoryEntry {
    #[component(name = "type")]
    kind: DescriptorType,
    name: String,
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct MetadataHash {
    lower: u64,
    upper: u64,
}

/// What is known of a file.
struct Found {
    kind: DescriptorType,
    links: u64,
    size: u64,
    modified: Duration,
    /// Its device and its number on that.
    place: (u64, u64),
}

impl Found {
    fn stat(&self) -> DescriptorStat {
        DescriptorStat {
            kind: self.kind,
            links: self.links,
            size: self.size,
            accessed: None,
            modified: Some(self.modified.into()),
            changed: None,
        }
    }

    fn hash(&self) -> MetadataHash {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (self.place, salt).hash(&mut hasher);
            hasher.finish()
        };
        MetadataHash { lower: half(0), upper: half(1) }
    }
}

impl From<fs::Metadata> for Found {
    fn from(of: fs::Metadata) -> Self {
        Self {
            kind: FileType::from_raw_mode(of.mode()).into(),
            links: of.nlink(),
            size: of.size(),
            modified: Duration::new(
                u64::try_from(of.mtime()).unwrap_or_default(),
                u32::try_from(of.mtime_nsec()).unwrap_or_default(),
            ),
            place: (of.dev(), of.ino()),
        }
    }
}

type Answer<T> = std::result::Result<T, ErrorCode>;

impl Node {
    fn found(&self) -> Answer<Found> {
        match self {
            Self::File(file) => Ok(file.metadata()?.into()),
            Self::Folder(folder) => Ok(File::from(folder.try_clone()?).metadata()?.into()),
            Self::Files(files) => Ok(Found {
                kind: DescriptorType::Directory,
                links: 1,
                size: 0,
                modified: Duration::ZERO,
                place: (u64::MAX, Arc::as_ptr(files).addr() as u64),
            }),
        }
    }

    /// What a path leads to.
    fn found_at(&self, path: &str, follow: bool) -> Answer<Found> {
        if let (Self::Folder(folder), false) = (self, follow) {
            // The last part of the path may be a link, which is not followed; those before it lead nowhere outside.
            let (parent, name) = path.rsplit_once('/').map_or((".", path), |(parent, name)| (parent, name));
            let parent = openat2(folder, parent, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), INSIDE)?;
            if !matches!(name, "" | "." | "..") {
                let found = statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
                return Ok(Found {
                    kind: FileType::from_raw_mode(found.st_mode).into(),
                    links: found.st_nlink as u64,
                    size: u64::try_from(found.st_size).unwrap_or_default(),
                    modified: Duration::from_secs(u64::try_from(found.st_mtime).unwrap_or_default()),
                    place: (found.st_dev, found.st_ino),
                });
            }
        }
        self.open_at(path)?.found()
    }

    fn open_at(&self, path: &str) -> Answer<Self> {
        match self {
            Self::File(_) => Err(ErrorCode::NotDirectory),
            Self::Files(_) if path == "." => Ok(self.clone()),
            Self::Files(files) => {
                let named = files.iter().find(|(name, _)| name == path);
                named.map(|(_, file)| Self::File(Arc::clone(file))).ok_or(ErrorCode::NotPermitted)
            }
            Self::Folder(folder) => {
                // Opening a pipe would wait for its other end.
                let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
                let opened = openat2(folder, path, flags, Mode::empty(), INSIDE)?;
                let file = File::from(opened);
                let found = file.metadata()?;
                if found.is_dir() {
                    Ok(Self::Folder(Arc::new(file.into())))
                } else if found.is_file() {
                    Ok(Self::File(Arc::new(file)))
                } else {
                    Err(ErrorCode::Unsupported)
                }
            }
        }
    }

    fn file(&self) -> Answer<&Arc<File>> {
        match self {
            Self::File(file) => Ok(file),
            Self::Folder(_) | Self::Files(_) => Err(ErrorCode::IsDirectory),
        }
    }

    fn entries(&self) -> Answer<Entries> {
        match self {
            Self::File(_) => Err(ErrorCode::NotDirectory),
            Self::Folder(folder) => Ok(Entries::Folder(Box::new(Dir::read_from(folder)?))),
            Self::Files(files) => {
                let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
                Ok(Entries::Files(names.into_iter()))
            }
        }
    }
}

/// How a path is looked up.
const INSIDE: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

impl Entries {
    fn next(&mut self) -> Answer<Option<DirectoryEntry>> {
        let Self::Folder(folder) = self else {
            let Self::Files(names) = self else { return Ok(None) };
            return Ok(names.next().map(|name| DirectoryEntry { kind: DescriptorType::RegularFile, name }));
        };
        loop {
            let Some(entry) = folder.read() else { return Ok(None) };
            let entry = entry?;
            // A guest is not told of names that are no text: it could not say them either.
            match entry.file_name().to_str() {
                Ok("." | "..") | Err(_) => {}
                Ok(name) => {
                    return Ok(Some(DirectoryEntry {
                        kind: entry.file_type().into(),
                        name: name.to_owned(),
                    }));
                }
            }
        }
    }
}

type Store<'a> = StoreContextMut<'a, Guest>;

fn node<'a>(store: &'a Store<'_>, of: &Resource<Node>) -> Result<&'a Node> {
    Ok(store.data().wasi.table.get(of)?)
}

/// Gives the guest a resource.
fn given<T: Send + 'static>(store: &mut Store<'_>, made: Answer<T>) -> Result<(Answer<Resource<T>>,)> {
    Ok((match made {
        Ok(made) => Ok(store.data_mut().wasi.table.push(made)?),
        Err(code) => Err(code),
    },))
}

/// Defines a function of the interface. Says whether it is one of those.
pub(super) fn function(instance: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    match name {
        "get-directories" => instance.func_wrap(name, |mut store: Store<'_>, (): ()| {
            let all = store.data().wasi.granted.clone();
            let push = |Granted { path, node }| Ok((store.data_mut().wasi.table.push(node)?, path));
            Ok((all.into_iter().map(push).collect::<Result<Vec<_>>>()?,))
        })?,
        "filesystem-error-code" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<StreamFault>,)| {
                Ok((Some(store.data().wasi.table.get(&one)?.0),))
            })?
        }
        "[method]descriptor.get-type" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<Node>,)| {
                Ok((node(&store, &one)?.found().map(|found| found.kind),))
            })?;
        }
        "[method]descriptor.get-flags" => {
            instance.func_wrap(name, |_, (_,): (Resource<Node>,)| Ok((Answer::Ok(DescriptorFlags::READ),)))?
        }
        "[method]descriptor.advise" => {
            instance.func_wrap(name, |_, (_, _, _, _): (Resource<Node>, u64, u64, Advice)| {
                Ok((Answer::Ok(()),))
            })?;
        }
        "[method]descriptor.sync" | "[method]descriptor.sync-data" => {
            instance.func_wrap(name, |_, (_,): (Resource<Node>,)| Ok((Answer::Ok(()),)))?;
        }
        "[method]descriptor.stat" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<Node>,)| {
                Ok((node(&store, &one)?.found().map(|found| found.stat()),))
            })?
        }
        "[method]descriptor.stat-at" => {
            instance.func_wrap(
                name,
                |store: Store<'_>, (one, how, path): (Resource<Node>, PathFlags, String)| {
                    let follow = how.contains(PathFlags::SYMLINK_FOLLOW);
                    Ok((node(&store, &one)?.found_at(&path, follow).map(|found| found.stat()),))
                },
            )?;
        }
        "[method]descriptor.metadata-hash" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<Node>,)| {
                Ok((node(&store, &one)?.found().map(|found| found.hash()),))
            })?;
        }
        "[method]descriptor.metadata-hash-at" => {
            instance.func_wrap(
                name,
                |store: Store<'_>, (one, how, path): (Resource<Node>, PathFlags, String)| {
                    let follow = how.contains(PathFlags::SYMLINK_FOLLOW);
                    Ok((node(&store, &one)?.found_at(&path, follow).map(|found| found.hash()),))
                },
            )?;
        }
        "[method]descriptor.is-same-object" => {
            instance.func_wrap(
                name,
                |store: Store<'_>, (one, other): (Resource<Node>, Resource<Node>)| {
                    let place = |of| {
                        Ok::<_, wasmtime::Error>(node(&store, of)?.found().map(|found| found.place).ok())
                    };
                    let (one, other) = (place(&one)?, place(&other)?);
                    Ok((one.is_some() && one == other,))
                },
            )?;
        }
        "[method]descriptor.readlink-at" => {
            instance.func_wrap(name, |store: Store<'_>, (one, path): (Resource<Node>, String)| {
                Ok((node(&store, &one)?.link_at(&path),))
            })?;
        }
        "[method]descriptor.open-at" => {
            type Asked = (Resource<Node>, PathFlags, String, OpenFlags, DescriptorFlags);
            instance.func_wrap(name, |mut store: Store<'_>, (one, _, path, how, rights): Asked| {
                let opened = node(&store, &one)?.open_for(&path, how, rights);
                given(&mut store, opened)
            })?;
        }
        "[method]descriptor.read" => {
            instance.func_wrap(name, |store: Store<'_>, (one, length, at): (Resource<Node>, u64, u64)| {
                let read = node(&store, &one)?.file().and_then(|file| read(file, length, at));
                // An empty answer to a question for bytes is the end.
                Ok((read.map(|bytes| {
                    let ended = bytes.is_empty() && length > 0;
                    (bytes, ended)
                }),))
            })?;
        }
        "[method]descriptor.read-via-stream" => {
            instance.func_wrap(name, |mut store: Store<'_>, (one, at): (Resource<Node>, u64)| {
                let input = node(&store, &one)?.file().map(|file| Input::File { file: Arc::clone(file), at });
                given(&mut store, input)
            })?;
        }
        "[method]descriptor.read-directory" => {
            instance.func_wrap(name, |mut store: Store<'_>, (one,): (Resource<Node>,)| {
                let entries = node(&store, &one)?.entries();
                given(&mut store, entries)
            })?;
        }
        "[method]directory-entry-stream.read-directory-entry" => {
            instance.func_wrap(name, |mut store: Store<'_>, (one,): (Resource<Entries>,)| {
                Ok((store.data_mut().wasi.table.get_mut(&one)?.next(),))
            })?;
        }
        _ => return read_only(instance, name),
    }
    Ok(true)
}

/// Defines a function that would change something.
fn read_only(instance: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    const CHANGES: [&str; 12] = [
        "write-via-stream",
        "append-via-stream",
        "write",
        "set-size",
        "set-times",
        "set-times-at",
        "create-directory-at",
        "remove-directory-at",
        "unlink-file-at",
        "link-at",
        "rename-at",
        "symlink-at",
    ];
    if !name.strip_prefix("[method]descriptor.").is_some_and(|name| CHANGES.contains(&name)) {
        return Ok(false);
    }
    instance.func_new(name, |mut store, _, params, results| {
        // What was lent for the call is given back.
        for param in params {
            if let Val::Resource(lent) = param {
                lent.resource_drop(&mut store)?;
            }
        }
        for result in results {
            *result = Val::Result(Err(Some(Box::new(Val::Enum("read-only".to_owned())))));
        }
        Ok(())
    })?;
    Ok(true)
}

impl Node {
    fn open_for(&self, path: &str, how: OpenFlags, rights: DescriptorFlags) -> Answer<Self> {
        let writes = DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY;
        let opened = self.open_at(path);
        if how.contains(OpenFlags::TRUNCATE) || rights.intersects(writes) {
            return Err(ErrorCode::ReadOnly);
        }
        if how.contains(OpenFlags::CREATE) {
            let is_there = opened.is_ok();
            if is_there && how.contains(OpenFlags::EXCLUSIVE) {
                return Err(ErrorCode::Exist);
            }
            if !is_there {
                return Err(ErrorCode::ReadOnly);
            }
        }
        let opened = opened?;
        if how.contains(OpenFlags::DIRECTORY) && matches!(opened, Self::File(_)) {
            return Err(ErrorCode::NotDirectory);
        }
        Ok(opened)
    }

    fn link_at(&self, path: &str) -> Answer<String> {
        let Self::Folder(folder) = self else { return Err(ErrorCode::Invalid) };
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let link = openat2(folder, path, flags, Mode::empty(), INSIDE)?;
        let target = readlinkat(&link, "", Vec::new())?;
        target.into_string().map_err(|_| ErrorCode::IllegalByteSequence)
    }
}

/// Reads from a place in a file; nothing at its end.
pub(super) fn read(file: &File, length: u64, at: u64) -> Answer<Vec<u8>> {
    let mut bytes = vec![0; length.min(MAX_BYTES) as usize];
    let count = file.read_at(&mut bytes, at)?;
    bytes.truncate(count);
    Ok(bytes)
}
