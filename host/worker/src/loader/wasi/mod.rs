//! The part of WASI 0.2 that guests find here: what the run times of JavaScript, Python and C import unasked. Clocks, random
//! numbers from the seed of the case, output that goes where that of native plugins goes, and the variables and files that were
//! granted; no argument, no network. Everything else that they import can be linked, and ends the launch with a sentence when it
//! is called.
//!
//! Written here rather than taken from a library, because a sandbox is the sum of what it offers: this table is all of it.
//! The interfaces are those of WASI 0.2, <https://github.com/WebAssembly/WASI/tree/main/docs>.

mod filesystem;

use std::{
    fmt,
    fs::File,
    io::{self, Write},
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime},
};

use dyno_core::binary::Import;
use rand::Rng;
use wasmtime::{
    Engine, Result, StoreContextMut,
    component::{
        Component, ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType,
        types::ComponentItem,
    },
};

use self::filesystem::{Entries, ErrorCode, Node};
pub(super) use self::filesystem::{Granted, open};
use super::guest::Guest;

/// Most bytes of randomness in one call, and how many a stream says that it can take at once.
const MAX_BYTES: u64 = 1 << 20;

/// Why a guest was stopped in a function of WASI.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It called what dyno does not offer.
    Withheld(String),
    /// It ended itself.
    Ended,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Withheld(function) => write!(
                f,
                "it called `{function}`: a component has no network and nothing else of that kind; bring the data along inside of it, or \
                 declare files to read (`read:PATH`)"
            ),
            Self::Ended => {
                f.write_str("it ended itself with `exit`, which a plugin must not: return an error instead")
            }
        }
    }
}

impl std::error::Error for Stopped {}

/// A stream that the guest reads.
enum Input {
    /// There is nothing in it.
    Nothing,
    /// A file, from a place on.
    File { file: Arc<File>, at: u64 },
}
/// A stream that the guest writes. Its number is that of the process's stream.
struct Output;
/// Why a stream failed.
struct StreamFault(ErrorCode);
/// Something to wait for: the table has the moment, if it is not now.
struct Timer(Option<Instant>);
/// A resource of which the guest never gets one.
struct Absent;

const STDOUT: u32 = 1;
const STDERR: u32 = 2;

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    Failed(Resource<StreamFault>),
    #[component(name = "closed")]
    Closed,
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

impl From<Duration> for Datetime {
    fn from(since: Duration) -> Self {
        Self { seconds: since.as_secs(), nanoseconds: since.subsec_nanos() }
    }
}

/// Links everything of WASI that the component imports, under the very version that it names.
pub(super) fn link(linker: &mut Linker<Guest>, engine: &Engine, component: &Component) -> Result<()> {
    for (import, found) in component.component_type().imports(engine) {
        let (Import::Offered(interface) | Import::Withheld(interface)) = Import::of(import) else { continue };
        let ComponentItem::ComponentInstance(wanted) = found.ty else { continue };
        let mut instance = linker.instance(import)?;
        for (name, item) in wanted.exports(engine) {
            match item.ty {
                ComponentItem::Resource(_) => resource(&mut instance, name)?,
                ComponentItem::ComponentFunc(_) if function(&mut instance, interface, name)? => {}
                ComponentItem::ComponentFunc(_) => withhold(&mut instance, format!("{import}#{name}"), name)?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// Defines a resource. Interfaces that only use it name it as well.
fn resource(instance: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<()> {
    match name {
        "pollable" => kept::<Timer>(instance, name),
        "input-stream" => kept::<Input>(instance, name),
        "error" => kept::<StreamFault>(instance, name),
        "descriptor" => kept::<Node>(instance, name),
        "directory-entry-stream" => kept::<Entries>(instance, name),
        "output-stream" => instance.resource(name, ResourceType::host::<Output>(), |_, _| Ok(())),
        _ => instance.resource(name, ResourceType::host::<Absent>(), |_, _| Ok(())),
    }
}

/// Defines a resource of the table.
fn kept<T: Send + 'static>(instance: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<()> {
    instance.resource(name, ResourceType::host::<T>(), |mut store, number| {
        store.data_mut().wasi.table.delete(Resource::<T>::new_own(number))?;
        Ok(())
    })
}

fn withhold(instance: &mut LinkerInstance<'_, Guest>, called: String, name: &str) -> Result<()> {
    instance.func_new(name, move |_, _, _, _| Err(Stopped::Withheld(called.clone()).into()))
}

type Streamed<T> = Result<(std::result::Result<T, StreamError>,)>;

/// Defines a function that dyno offers. Says whether it does.
fn function(instance: &mut LinkerInstance<'_, Guest>, interface: &str, name: &str) -> Result<bool> {
    match (interface, name) {
        ("cli/environment", "get-environment") => {
            instance.func_wrap(name, |store: StoreContextMut<'_, Guest>, (): ()| {
                Ok((store.data().wasi.environment.clone(),))
            })?;
        }
        ("cli/environment", "get-arguments") => {
            instance.func_wrap(name, |_, (): ()| Ok((Vec::<String>::new(),)))?;
        }
        ("cli/environment", "initial-cwd") => instance.func_wrap(name, |_, (): ()| Ok((None::<String>,)))?,
        ("cli/exit", "exit") => {
            instance.func_wrap(name, |_, (_,): (std::result::Result<(), ()>,)| {
                Err::<(), _>(Stopped::Ended.into())
            })?;
        }
        ("cli/stdin", "get-stdin") => {
            instance.func_wrap(name, |mut store: StoreContextMut<'_, Guest>, (): ()| {
                Ok((store.data_mut().wasi.table.push(Input::Nothing)?,))
            })?;
        }
        ("cli/stdout", "get-stdout") => {
            instance.func_wrap(name, |_, (): ()| Ok((Resource::<Output>::new_own(STDOUT),)))?;
        }
        ("cli/stderr", "get-stderr") => {
            instance.func_wrap(name, |_, (): ()| Ok((Resource::<Output>::new_own(STDERR),)))?;
        }
        (
            "cli/terminal-stdin" | "cli/terminal-stdout" | "cli/terminal-stderr",
            "get-terminal-stdin" | "get-terminal-stdout" | "get-terminal-stderr",
        ) => instance.func_wrap(name, |_, (): ()| Ok((None::<Resource<Absent>>,)))?,
        ("clocks/monotonic-clock", "now") => {
            instance.func_wrap(name, |store: StoreContextMut<'_, Guest>, (): ()| {
                Ok((store.data().clock_ns(),))
            })?;
        }
        ("clocks/monotonic-clock", "resolution") => instance.func_wrap(name, |_, (): ()| Ok((1_u64,)))?,
        ("clocks/monotonic-clock", "subscribe-duration") => instance
            .func_wrap(name, |store, (wait,): (u64,)| {
                timer(store, Instant::now().checked_add(Duration::from_nanos(wait)))
            })?,
        ("clocks/monotonic-clock", "subscribe-instant") => {
            instance.func_wrap(name, |store, (until,): (u64,)| {
                let wait = until.saturating_sub(StoreContextMut::<Guest>::data(&store).clock_ns());
                timer(store, Instant::now().checked_add(Duration::from_nanos(wait)))
            })?;
        }
        ("clocks/wall-clock", "now") => {
            instance.func_wrap(name, |_, (): ()| {
                Ok((Datetime::from(
                    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
                ),))
            })?;
        }
        ("clocks/wall-clock", "resolution") => {
            instance.func_wrap(name, |_, (): ()| Ok((Datetime::from(Duration::from_nanos(1)),)))?;
        }
        ("random/random", "get-random-bytes") | ("random/insecure", "get-insecure-random-bytes") => {
            instance.func_wrap(name, |store, (length,): (u64,)| Ok((random(store, length)?,)))?;
        }
        ("random/random", "get-random-u64") | ("random/insecure", "get-insecure-random-u64") => {
            instance.func_wrap(name, |mut store: StoreContextMut<'_, Guest>, (): ()| {
                Ok((store.data_mut().wasi.random.next_u64(),))
            })?;
        }
        ("random/insecure-seed", "insecure-seed" | "get-insecure-seed") => {
            instance.func_wrap(name, |mut store: StoreContextMut<'_, Guest>, (): ()| {
                let random = &mut store.data_mut().wasi.random;
                Ok(((random.next_u64(), random.next_u64()),))
            })?;
        }
        ("filesystem/preopens" | "filesystem/types", _) => return filesystem::function(instance, name),
        ("io/poll" | "io/streams" | "io/error", _) => return stream_function(instance, name),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Defines a function of streams and timers.
fn stream_function(instance: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    match name {
        "[method]pollable.ready" => instance.func_wrap(name, |store, (one,): (Resource<Timer>,)| {
            Ok((moment(&store, &one)?.is_none_or(|moment| moment <= Instant::now()),))
        })?,
        "[method]pollable.block" => instance.func_wrap(name, |store, (one,): (Resource<Timer>,)| {
            let moment = moment(&store, &one)?;
            sleep_until(moment);
            Ok(())
        })?,
        "poll" => {
            instance.func_wrap(name, |store, (all,): (Vec<Resource<Timer>>,)| Ok((poll(&store, &all)?,)))?;
        }
        "[method]error.to-debug-string" => {
            instance.func_wrap(
                name,
                |store: StoreContextMut<'_, Guest>, (one,): (Resource<StreamFault>,)| {
                    Ok((format!("{:?}", store.data().wasi.table.get(&one)?.0),))
                },
            )?;
        }
        "[method]input-stream.read" | "[method]input-stream.blocking-read" => {
            instance.func_wrap(name, |store, (from, most): (Resource<Input>, u64)| -> Streamed<Vec<u8>> {
                Ok((read(store, &from, most)?,))
            })?;
        }
        "[method]input-stream.skip" | "[method]input-stream.blocking-skip" => {
            instance.func_wrap(name, |store, (from, most): (Resource<Input>, u64)| -> Streamed<u64> {
                Ok((read(store, &from, most)?.map(|bytes| bytes.len() as u64),))
            })?;
        }
        "[method]input-stream.subscribe" => {
            instance.func_wrap(name, |store, (_,): (Resource<Input>,)| timer(store, None))?;
        }
        "[method]output-stream.subscribe" => {
            instance.func_wrap(name, |store, (_,): (Resource<Output>,)| timer(store, None))?;
        }
        "[method]output-stream.check-write" => {
            instance
                .func_wrap(name, |_, (_,): (Resource<Output>,)| -> Streamed<u64> { Ok((Ok(MAX_BYTES),)) })?;
        }
        "[method]output-stream.flush" | "[method]output-stream.blocking-flush" => {
            instance.func_wrap(name, |_, (_,): (Resource<Output>,)| -> Streamed<()> { Ok((Ok(()),)) })?;
        }
        "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush" => {
            instance.func_wrap(name, |store, (to, bytes): (Resource<Output>, Vec<u8>)| -> Streamed<()> {
                Ok((write(store, to.rep(), &bytes),))
            })?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Something to wait for until a moment; without one it is ready at once.
fn timer(mut store: StoreContextMut<'_, Guest>, until: Option<Instant>) -> Result<(Resource<Timer>,)> {
    Ok((store.data_mut().wasi.table.push(Timer(until))?,))
}

fn moment(store: &StoreContextMut<'_, Guest>, timer: &Resource<Timer>) -> Result<Option<Instant>> {
    Ok(store.data().wasi.table.get(timer)?.0)
}

fn sleep_until(moment: Option<Instant>) {
    if let Some(moment) = moment {
        thread::sleep(moment.saturating_duration_since(Instant::now()));
    }
}

/// Waits until one of them is ready; gives the numbers of those that are.
fn poll(store: &StoreContextMut<'_, Guest>, all: &[Resource<Timer>]) -> Result<Vec<u32>> {
    let moments = all.iter().map(|one| moment(store, one)).collect::<Result<Vec<_>>>()?;
    // A moment that is not there comes before all others: that one is ready.
    sleep_until(moments.iter().copied().min().flatten());
    let now = Instant::now();
    let is_ready = |moment: &Option<Instant>| moment.is_none_or(|moment| moment <= now);
    Ok((0..).zip(&moments).filter(|(_, moment)| is_ready(moment)).map(|(number, _)| number).collect())
}

fn random(mut store: StoreContextMut<'_, Guest>, length: u64) -> Result<Vec<u8>> {
    if length > MAX_BYTES {
        return Err(wasmtime::format_err!(
            "it asked for {length} random bytes at once; at most {MAX_BYTES} are given"
        ));
    }
    let mut bytes = vec![0; length as usize];
    store.data_mut().wasi.random.fill_bytes(&mut bytes);
    Ok(bytes)
}

/// Takes bytes out of a stream; at its end it is closed.
fn read(
    mut store: StoreContextMut<'_, Guest>,
    from: &Resource<Input>,
    most: u64,
) -> Result<std::result::Result<Vec<u8>, StreamError>> {
    let table = &mut store.data_mut().wasi.table;
    let Input::File { file, at } = table.get_mut(from)? else { return Ok(Err(StreamError::Closed)) };
    match filesystem::read(file, most, *at) {
        Ok(bytes) if bytes.is_empty() && most > 0 => Ok(Err(StreamError::Closed)),
        Ok(bytes) => {
            *at = at.saturating_add(bytes.len() as u64);
            Ok(Ok(bytes))
        }
        Err(code) => Ok(Err(StreamError::Failed(table.push(StreamFault(code))?))),
    }
}

/// Writes to the process's own streams, which the host reads line by line, as it does those of native plugins.
fn write(
    mut store: StoreContextMut<'_, Guest>,
    to: u32,
    bytes: &[u8],
) -> std::result::Result<(), StreamError> {
    let written = if to == STDERR {
        store.data_mut().wasi.complain(bytes);
        io::stderr().write_all(bytes)
    } else {
        let mut stdout = io::stdout();
        stdout.write_all(bytes).and_then(|()| stdout.flush())
    };
    written.map_err(|_| StreamError::Closed)
}
