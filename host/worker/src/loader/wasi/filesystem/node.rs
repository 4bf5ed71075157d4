//! What a guest may read: folders and files, under the very paths that they have on this machine. A path is looked up by the kernel beneath
//! the folder that it is relative to, so that neither `..` nor a link leads out.

use std::{
    fs::File,
    hash::{DefaultHasher, Hash, Hasher},
    os::{
        fd::OwnedFd,
        unix::fs::{FileExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat2, readlinkat, statat,
};

use super::types::{
    Answer, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, MetadataHash,
    OpenFlags,
};
use crate::loader::wasi::basics::MAX_BYTES;

/// What a guest may read.
#[derive(Debug, Clone)]
pub(in crate::loader) struct Granted {
    /// Its path. // eg: "/srv/models"
    pub(super) path: String,
    pub(super) node: Node,
}

/// A file, and its name in its folder.
type Named = (String, Arc<File>);

/// What a descriptor of a guest stands for.
#[derive(Debug, Clone)]
pub(in crate::loader::wasi) enum Node {
    /// A folder, with everything that is in it.
    Folder(Arc<OwnedFd>),
    /// A folder of which only these files can be seen.
    Files(Arc<Vec<Named>>),
    /// A file.
    File(Arc<File>),
}

/// The entries of a folder that a guest has yet to read.
pub(in crate::loader::wasi) enum Entries {
    Folder(Box<Dir>),
    Files(std::vec::IntoIter<String>),
}

/// Opens what was granted. What is not there is left out.
pub(in crate::loader) fn open(granted: &[PathBuf]) -> Vec<Granted> {
    let mut opened: Vec<Granted> = Vec::new();
    let mut single: Vec<(&Path, Vec<Named>)> = Vec::new();
    for path in granted {
        // Opening a pipe would wait for its other end.
        let without_waiting = OFlags::NONBLOCK.bits().cast_signed();
        let Ok(file) = File::options().read(true).custom_flags(without_waiting).open(path) else { continue };
        let Ok(found) = file.metadata() else { continue };
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

/// How a path is looked up.
const INSIDE: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

/// What is known of a file.
pub(super) struct Found {
    pub(super) kind: DescriptorType,
    links: u64,
    size: u64,
    modified: Duration,
    /// Its device and its number on that.
    pub(super) place: (u64, u64),
}

impl Found {
    pub(super) fn stat(&self) -> DescriptorStat {
        DescriptorStat {
            kind: self.kind,
            links: self.links,
            size: self.size,
            accessed: None,
            modified: Some(self.modified.into()),
            changed: None,
        }
    }

    pub(super) fn hash(&self) -> MetadataHash {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (self.place, salt).hash(&mut hasher);
            hasher.finish()
        };
        MetadataHash { lower: half(0), upper: half(1) }
    }
}

impl From<Stat> for Found {
    fn from(of: Stat) -> Self {
        Self {
            kind: FileType::from_raw_mode(of.st_mode).into(),
            #[allow(clippy::unnecessary_cast, reason = "its type depends on the machine")]
            links: of.st_nlink as u64,
            size: u64::try_from(of.st_size).unwrap_or_default(),
            modified: Duration::new(
                u64::try_from(of.st_mtime).unwrap_or_default(),
                u32::try_from(of.st_mtime_nsec).unwrap_or_default(),
            ),
            place: (of.st_dev, of.st_ino),
        }
    }
}

impl Node {
    pub(super) fn found(&self) -> Answer<Found> {
        match self {
            Self::File(file) => Ok(fstat(file)?.into()),
            Self::Folder(folder) => Ok(fstat(folder)?.into()),
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
    pub(super) fn found_at(&self, path: &str, follow: bool) -> Answer<Found> {
        if let (Self::Folder(folder), false) = (self, follow) {
            // The last part of the path may be a link, which is not followed; those before it lead nowhere outside.
            let (parent, name) = path.rsplit_once('/').map_or((".", path), |(parent, name)| (parent, name));
            let parent = openat2(folder, parent, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), INSIDE)?;
            if !matches!(name, "" | "." | "..") {
                return Ok(statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?.into());
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

    pub(super) fn file(&self) -> Answer<&Arc<File>> {
        match self {
            Self::File(file) => Ok(file),
            Self::Folder(_) | Self::Files(_) => Err(ErrorCode::IsDirectory),
        }
    }

    pub(super) fn entries(&self) -> Answer<Entries> {
        match self {
            Self::File(_) => Err(ErrorCode::NotDirectory),
            Self::Folder(folder) => Ok(Entries::Folder(Box::new(Dir::read_from(folder)?))),
            Self::Files(files) => {
                let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
                Ok(Entries::Files(names.into_iter()))
            }
        }
    }

    pub(super) fn open_for(&self, path: &str, how: OpenFlags, rights: DescriptorFlags) -> Answer<Self> {
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

    pub(super) fn link_at(&self, path: &str) -> Answer<String> {
        let Self::Folder(folder) = self else { return Err(ErrorCode::Invalid) };
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let link = openat2(folder, path, flags, Mode::empty(), INSIDE)?;
        let target = readlinkat(&link, "", Vec::new())?;
        target.into_string().map_err(|_| ErrorCode::IllegalByteSequence)
    }
}

impl Entries {
    pub(super) fn next(&mut self) -> Answer<Option<DirectoryEntry>> {
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

/// Reads from a place in a file; nothing at its end.
pub(in crate::loader::wasi) fn read(file: &File, length: u64, at: u64) -> Answer<Vec<u8>> {
    let mut bytes = vec![0; length.min(MAX_BYTES) as usize];
    let count = file.read_at(&mut bytes, at)?;
    bytes.truncate(count);
    Ok(bytes)
}
