//! Facts of earlier analyses, found by the content of a file. The same bytes give the same facts, so neither names nor
//! times are believed.

use std::{collections::HashMap, fs, io::Write, path::Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{facts::Facts, languages::Named};

/// Changes with every change of `Facts` or of what the passes find, so that no facts of another version are read.
const FORMAT: u32 = 3;

/// Largest cache that is read or written [bytes].
const LARGEST: u64 = 1 << 30;

/// The hash of a file's language and bytes.
pub(crate) type Key = [u8; 16];

/// Facts by key.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    kept: HashMap<Key, Facts>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    version: String,
    entries: u64,
}

impl Head {
    fn new(entries: u64) -> Self {
        Self { format: FORMAT, version: env!("CARGO_PKG_VERSION").to_owned(), entries }
    }
}

/// The key of a file.
pub(crate) fn key(named: Named, content: &[u8]) -> Key {
    let mut hash = Sha256::new();
    hash.update(match named {
        Named::As(language) => [language as u8],
        Named::Header => [u8::MAX],
    });
    hash.update(content);
    let mut key = [0; 16];
    key.copy_from_slice(&hash.finalize()[..16]);
    key
}

impl Cache {
    /// Reads a cache. One that is missing, damaged or of another version is empty: it is only a shortcut.
    pub(crate) fn read(path: &Path) -> Self {
        let small = fs::metadata(path).is_ok_and(|metadata| metadata.len() <= LARGEST);
        let Some(content) = small.then(|| fs::read(path).ok()).flatten() else { return Self::default() };
        Self::decoded(&content).unwrap_or_default()
    }

    fn decoded(content: &[u8]) -> Option<Self> {
        // The check at the end tells a cache that was cut off or damaged.
        let (content, check) = content.split_last_chunk::<32>()?;
        if Sha256::digest(content).as_slice() != check {
            return None;
        }
        let (head, mut rest) = postcard::take_from_bytes::<Head>(content).ok()?;
        let expected = Head::new(head.entries);
        if (head.format, &head.version) != (expected.format, &expected.version) {
            return None;
        }
        let mut kept = HashMap::new();
        for _ in 0..head.entries {
            let ((key, facts), after) = postcard::take_from_bytes::<(Key, Facts)>(rest).ok()?;
            kept.insert(key, facts);
            rest = after;
        }
        Some(Self { kept })
    }

    /// Takes the facts of a key, for each file is analysed once.
    pub(crate) fn get(&self, key: &Key) -> Option<&Facts> {
        self.kept.get(key)
    }
}

/// Writes the facts of this analysis. Returns whether it could; nothing depends on it.
pub(crate) fn write<'f>(path: &Path, entries: impl ExactSizeIterator<Item = (Key, &'f Facts)>) -> bool {
    let head = Head::new(entries.len() as u64);
    let Ok(mut content) = postcard::to_allocvec(&head) else { return false };
    for entry in entries {
        let Ok(next) = postcard::to_extend(&entry, content) else { return false };
        content = next;
        if content.len() as u64 > LARGEST {
            return false;
        }
    }
    let check = Sha256::digest(&content);
    content.extend_from_slice(&check);
    replace(path, &content).is_ok()
}

/// Two analyses at once must not write one file together, so each writes its own and renames it.
fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = path.with_file_name(format!(".tmp-{}-{name}", std::process::id()));
    let written = fs::File::create(&part).and_then(|mut file| file.write_all(content));
    let done = written.and_then(|()| fs::rename(&part, path));
    if done.is_err() {
        let _gone = fs::remove_file(&part);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        facts::LanguageId,
        read::{self, Parsers},
    };

    #[test]
    fn what_was_written_is_read_and_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        let content = b"class A(B):\n    def f(self, a: int = 1): return a\n";
        let python = Named::As(LanguageId::Python);
        let facts = read::facts(content, python, &mut Parsers::default()).unwrap();
        let key = key(python, content);
        assert!(write(&path, [(key, &facts)].into_iter()));
        assert_eq!(Cache::read(&path).get(&key), Some(&facts));
        assert!(Cache::read(&folder.path().join("missing")).get(&key).is_none());
        let mut damaged = fs::read(&path).unwrap();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        fs::write(&path, &damaged).unwrap();
        assert!(Cache::read(&path).get(&key).is_none());
    }
}
