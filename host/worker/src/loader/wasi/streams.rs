//! `wasi:io`: streams of bytes, and waiting for them.

use std::{
    fmt,
    fs::File,
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    sync::Arc,
};

use wasmtime::{
    Result, StoreContextMut,
    component::{ComponentType, Lift, LinkerInstance, Lower, Resource},
};

use super::{
    basics::MAX_BYTES,
    filesystem::{ErrorCode, read as read_file},
    polls::{self, Pollable},
};
use crate::loader::guest::Guest;

/// A stream that the guest reads.
pub(super) enum Input {
    /// There is nothing in it.
    Nothing,
    /// A file, from a place on.
    File { file: Arc<File>, at: u64 },
    /// A connection.
    Socket(Arc<TcpStream>),
}

/// A stream that the guest writes.
#[derive(Clone)]
pub(super) enum Output {
    /// The process's standard output.
    Stdout,
    /// The process's standard error.
    Stderr,
    /// A connection.
    Socket(Arc<TcpStream>),
}

/// Why a stream failed.
#[derive(Debug)]
pub(super) enum StreamFault {
    File(ErrorCode),
    Connection(io::Error),
}

impl fmt::Display for StreamFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(code) => write!(f, "{code:?}"),
            Self::Connection(error) => error.fmt(f),
        }
    }
}

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    Failed(Resource<StreamFault>),
    #[component(name = "closed")]
    Closed,
}

/// How something went with a stream.
type Flow<T> = std::result::Result<T, Stopped>;

/// Why nothing more came of a stream.
enum Stopped {
    Closed,
    Failed(StreamFault),
}

type Store<'a> = StoreContextMut<'a, Guest>;
type Streamed<T> = Result<(std::result::Result<T, StreamError>,)>;

/// Defines a function of the interface. Says whether it is one of those.
pub(super) fn function(instance: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    match name {
        "[method]pollable.ready" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<Pollable>,)| {
                Ok((store.data().wasi.table.get(&one)?.is_ready(),))
            })?;
        }
        "[method]pollable.block" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<Pollable>,)| {
                store.data().wasi.table.get(&one)?.block();
                Ok(())
            })?;
        }
        "poll" => instance.func_wrap(name, |store: Store<'_>, (all,): (Vec<Resource<Pollable>>,)| {
            let table = &store.data().wasi.table;
            let all = all.iter().map(|one| Ok(table.get(one)?.clone())).collect::<Result<Vec<_>>>()?;
            Ok((polls::poll(&all),))
        })?,
        "[method]error.to-debug-string" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<StreamFault>,)| {
                Ok((store.data().wasi.table.get(&one)?.to_string(),))
            })?;
        }
        "[method]input-stream.read" | "[method]input-stream.blocking-read" => {
            let waits = name == "[method]input-stream.blocking-read";
            instance.func_wrap(name, move |mut store: Store<'_>, (from, most): (Resource<Input>, u64)| {
                let bytes = read(&mut store, &from, most, waits)?;
                streamed(store, bytes)
            })?;
        }
        "[method]input-stream.skip" | "[method]input-stream.blocking-skip" => {
            let waits = name == "[method]input-stream.blocking-skip";
            instance.func_wrap(name, move |mut store: Store<'_>, (from, most): (Resource<Input>, u64)| {
                let bytes = read(&mut store, &from, most, waits)?;
                streamed(store, bytes.map(|bytes| bytes.len() as u64))
            })?;
        }
        "[method]input-stream.subscribe" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<Input>,)| {
                let ready = match store.data().wasi.table.get(&one)? {
                    Input::Nothing | Input::File { .. } => Pollable::Ready,
                    Input::Socket(socket) => Pollable::Readable(Arc::clone(socket)),
                };
                subscribe(store, ready)
            })?;
        }
        "[method]output-stream.subscribe" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<Output>,)| {
                let ready = store.data().wasi.table.get(&one)?.ready();
                subscribe(store, ready)
            })?;
        }
        "[method]output-stream.check-write" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<Output>,)| -> Streamed<u64> {
                let takes = store.data().wasi.table.get(&one)?.ready().is_ready();
                Ok((Ok(if takes { MAX_BYTES } else { 0 }),))
            })?;
        }
        "[method]output-stream.flush" | "[method]output-stream.blocking-flush" => {
            instance.func_wrap(name, |_, (_,): (Resource<Output>,)| -> Streamed<()> { Ok((Ok(()),)) })?;
        }
        "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush" => {
            instance.func_wrap(name, |mut store: Store<'_>, (to, bytes): (Resource<Output>, Vec<u8>)| {
                let written = write(&mut store, &to, &bytes)?;
                streamed(store, written)
            })?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Gives the guest something to wait for.
pub(super) fn subscribe(mut store: Store<'_>, one: Pollable) -> Result<(Resource<Pollable>,)> {
    Ok((store.data_mut().wasi.table.push(one)?,))
}

/// Gives the guest what came of a stream.
fn streamed<T>(mut store: Store<'_>, flow: Flow<T>) -> Streamed<T> {
    Ok((match flow {
        Ok(it) => Ok(it),
        Err(Stopped::Closed) => Err(StreamError::Closed),
        Err(Stopped::Failed(fault)) => Err(StreamError::Failed(store.data_mut().wasi.table.push(fault)?)),
    },))
}

/// Takes bytes out of a stream; at its end it is closed. With `waits`, it waits until there are some.
fn read(store: &mut Store<'_>, from: &Resource<Input>, most: u64, waits: bool) -> Result<Flow<Vec<u8>>> {
    let read = match store.data_mut().wasi.table.get_mut(from)? {
        Input::Nothing => Err(Stopped::Closed),
        Input::File { file, at } => {
            let read = read_file(file, most, *at).map_err(|code| Stopped::Failed(StreamFault::File(code)));
            *at = at.saturating_add(read.as_ref().map_or(0, |bytes| bytes.len() as u64));
            read.and_then(|bytes| if bytes.is_empty() && most > 0 { Err(Stopped::Closed) } else { Ok(bytes) })
        }
        Input::Socket(socket) => receive(socket, most, waits),
    };
    Ok(read)
}

fn receive(socket: &Arc<TcpStream>, most: u64, waits: bool) -> Flow<Vec<u8>> {
    let mut bytes = vec![0; most.min(MAX_BYTES) as usize];
    if waits {
        Pollable::Readable(Arc::clone(socket)).block();
    }
    match (&**socket).read(&mut bytes) {
        Ok(0) if most > 0 => Err(Stopped::Closed),
        Ok(count) => {
            bytes.truncate(count);
            Ok(bytes)
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(Vec::new())
        }
        Err(error) => Err(Stopped::Failed(StreamFault::Connection(error))),
    }
}

/// Writes to a connection, or to the process's own streams, which the host reads line by line, as it does those of native plugins.
fn write(store: &mut Store<'_>, to: &Resource<Output>, bytes: &[u8]) -> Result<Flow<()>> {
    let written = match store.data().wasi.table.get(to)?.clone() {
        Output::Socket(socket) => return Ok(send(&socket, bytes)),
        Output::Stderr => {
            store.data_mut().wasi.complain(bytes);
            io::stderr().write_all(bytes)
        }
        Output::Stdout => {
            let mut stdout = io::stdout();
            stdout.write_all(bytes).and_then(|()| stdout.flush())
        }
    };
    Ok(written.map_err(|_| Stopped::Closed))
}

/// Sends all of it: a guest that was told that a stream takes so much never sends it again.
fn send(socket: &Arc<TcpStream>, mut bytes: &[u8]) -> Flow<()> {
    while !bytes.is_empty() {
        match (&**socket).write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Pollable::Writable(Arc::clone(socket)).block();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Err(Stopped::Closed),
            Err(error) => return Err(Stopped::Failed(StreamFault::Connection(error))),
        }
    }
    Ok(())
}

impl Output {
    fn ready(&self) -> Pollable {
        match self {
            Self::Stdout | Self::Stderr => Pollable::Ready,
            Self::Socket(socket) => Pollable::Writable(Arc::clone(socket)),
        }
    }
}
