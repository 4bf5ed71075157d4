//! `wasi:filesystem`, to read what was granted. Whatever would change something answers that it is read-only.

mod node;
mod types;

use std::sync::Arc;

use wasmtime::{
    Result, StoreContextMut,
    component::{LinkerInstance, Resource},
};

pub(super) use self::node::{Entries, Node, read};
pub(in crate::loader) use self::node::{Granted, open};
pub(super) use self::types::ErrorCode;
use self::types::{Advice, Answer, DescriptorFlags, OpenFlags, PathFlags};
use super::{
    basics::refuse,
    streams::{Input, StreamFault},
};
use crate::loader::guest::Guest;

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
        "get-directories" => {
            instance.func_wrap(name, |mut store: Store<'_>, (): ()| {
                let all = store.data().wasi.granted.clone();
                let push = |Granted { path, node }| Ok((store.data_mut().wasi.table.push(node)?, path));
                Ok((all.into_iter().map(push).collect::<Result<Vec<_>>>()?,))
            })?;
        }
        "filesystem-error-code" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<StreamFault>,)| {
                Ok((match store.data().wasi.table.get(&one)? {
                    StreamFault::File(code) => Some(*code),
                    StreamFault::Connection(_) => None,
                },))
            })?;
        }
        "[method]descriptor.get-type" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<Node>,)| {
                Ok((node(&store, &one)?.found().map(|found| found.kind),))
            })?;
        }
        "[method]descriptor.get-flags" => {
            instance
                .func_wrap(name, |_, (_,): (Resource<Node>,)| Ok((Answer::Ok(DescriptorFlags::READ),)))?;
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
            })?;
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
    refuse(instance, name, "read-only")?;
    Ok(true)
}
