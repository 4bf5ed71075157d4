//! The part of WASI 0.2 that guests find here: what the run times of JavaScript, Python and C import unasked. Clocks, random
//! numbers from the seed of the case, output that goes where that of native plugins goes, and the variables, files and connections
//! that were granted; no argument. Everything else that they import can be linked, and ends the launch with a sentence when it is
//! called.
//!
//! Written here rather than taken from a library, because a sandbox is the sum of what it offers: this table is all of it.
//! The interfaces are those of WASI 0.2, <https://github.com/WebAssembly/WASI/tree/main/docs>.

mod basics;
mod filesystem;
mod polls;
mod sockets;
mod streams;

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use dyno_core::binary::Import;
use rand::Rng;
use wasmtime::{
    Engine, Result, StoreContextMut,
    component::{Component, Linker, LinkerInstance, Resource, ResourceType, types::ComponentItem},
};

pub(super) use self::filesystem::{Granted, open};
use self::{
    basics::{Datetime, MAX_BYTES},
    filesystem::{Entries, Node},
    polls::Pollable,
    sockets::{Addresses, Network, Socket},
    streams::{Input, Output, StreamFault, subscribe},
};
use super::guest::Guest;

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
                "it called `{function}`, which is not there: a component has the files that it asks for (`read:PATH`) and is granted, \
                 connections over TCP (`connect:HOST:PORT`) likewise, and nothing else of that kind"
            ),
            Self::Ended => {
                f.write_str("it ended itself with `exit`, which a plugin must not: return an error instead")
            }
        }
    }
}

impl std::error::Error for Stopped {}

/// A resource of which the guest never gets one.
struct Absent;

/// Links everything of WASI that the component imports, under the very version that it names. `connects`: whether any connection was
/// granted.
pub(super) fn link(
    linker: &mut Linker<Guest>,
    engine: &Engine,
    component: &Component,
    connects: bool,
) -> Result<()> {
    for (import, found) in component.component_type().imports(engine) {
        let (Import::Offered(interface) | Import::Withheld(interface)) = Import::of(import) else { continue };
        let ComponentItem::ComponentInstance(wanted) = found.ty else { continue };
        let mut instance = linker.instance(import)?;
        for (name, item) in wanted.exports(engine) {
            match item.ty {
                ComponentItem::Resource(_) => resource(&mut instance, name)?,
                ComponentItem::ComponentFunc(_) if function(&mut instance, interface, name, connects)? => {}
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
        "pollable" => kept::<Pollable>(instance, name),
        "input-stream" => kept::<Input>(instance, name),
        "error" => kept::<StreamFault>(instance, name),
        "descriptor" => kept::<Node>(instance, name),
        "directory-entry-stream" => kept::<Entries>(instance, name),
        "output-stream" => kept::<Output>(instance, name),
        "tcp-socket" => kept::<Socket>(instance, name),
        "resolve-address-stream" => kept::<Addresses>(instance, name),
        "network" => instance.resource(name, ResourceType::host::<Network>(), |_, _| Ok(())),
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

/// Gives the guest a stream.
fn stream<T: Send + 'static>(mut store: StoreContextMut<'_, Guest>, stream: T) -> Result<(Resource<T>,)> {
    Ok((store.data_mut().wasi.table.push(stream)?,))
}

/// Defines a function that dyno offers. Says whether it does.
fn function(
    instance: &mut LinkerInstance<'_, Guest>,
    interface: &str,
    name: &str,
    connects: bool,
) -> Result<bool> {
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
            instance.func_wrap(name, |store, (): ()| stream(store, Input::Nothing))?;
        }
        ("cli/stdout", "get-stdout") => {
            instance.func_wrap(name, |store, (): ()| stream(store, Output::Stdout))?;
        }
        ("cli/stderr", "get-stderr") => {
            instance.func_wrap(name, |store, (): ()| stream(store, Output::Stderr))?;
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
        ("clocks/monotonic-clock", "subscribe-duration") => {
            instance.func_wrap(name, |store, (wait,): (u64,)| {
                subscribe(store, Pollable::after(Duration::from_nanos(wait)))
            })?;
        }
        ("clocks/monotonic-clock", "subscribe-instant") => {
            instance.func_wrap(name, |store, (until,): (u64,)| {
                let wait = until.saturating_sub(StoreContextMut::<Guest>::data(&store).clock_ns());
                subscribe(store, Pollable::after(Duration::from_nanos(wait)))
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
        ("io/poll" | "io/streams" | "io/error", _) => return streams::function(instance, name),
        (
            "sockets/instance-network"
            | "sockets/ip-name-lookup"
            | "sockets/tcp-create-socket"
            | "sockets/tcp",
            _,
        ) if connects => return sockets::function(instance, name),
        _ => return Ok(false),
    }
    Ok(true)
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
