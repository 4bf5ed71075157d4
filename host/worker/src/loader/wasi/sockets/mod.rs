//! `wasi:sockets`, for connections over TCP to what was granted. A guest without any has none of it.

mod tcp;
mod types;

use std::{net::IpAddr, sync::Arc};

use wasmtime::{
    Result, StoreContextMut,
    component::{LinkerInstance, Resource},
};

pub(super) use self::tcp::Socket;
use self::types::{Address, Answer, ErrorCode, Family, Ip, Shutdown};
use super::{
    basics::refuse,
    polls::Pollable,
    streams::{Input, Output, subscribe},
};
use crate::{host_side::Level, loader::guest::Guest};

/// The network, of which there is one.
pub(super) struct Network;
/// The addresses of a name that a guest has yet to take.
pub(super) struct Addresses(std::vec::IntoIter<IpAddr>);

type Store<'a> = StoreContextMut<'a, Guest>;

/// Defines a function of the interface. Says whether it is one of those.
pub(super) fn function(instance: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    match name {
        "instance-network" => {
            instance.func_wrap(name, |_, (): ()| Ok((Resource::<Network>::new_own(0),)))?;
        }
        "resolve-addresses" => {
            type Asked = (Resource<Network>, String);
            instance.func_wrap(name, |mut store: Store<'_>, (_, host): Asked| {
                let found = match store.data().wasi.addresses(&host) {
                    Some(found) => Ok(store.data_mut().wasi.table.push(Addresses(found.into_iter()))?),
                    None => {
                        refused(&store, &host);
                        Err(ErrorCode::NameUnresolvable)
                    }
                };
                Ok((found,))
            })?;
        }
        "[method]resolve-address-stream.resolve-next-address" => {
            instance.func_wrap(name, |mut store: Store<'_>, (one,): (Resource<Addresses>,)| {
                let next = store.data_mut().wasi.table.get_mut(&one)?.0.next();
                Ok((Answer::Ok(next.map(Ip::from)),))
            })?;
        }
        "[method]resolve-address-stream.subscribe" => {
            instance
                .func_wrap(name, |store, (_,): (Resource<Addresses>,)| subscribe(store, Pollable::Ready))?;
        }
        "create-tcp-socket" => {
            instance.func_wrap(name, |mut store: Store<'_>, (family,): (Family,)| {
                Ok((Answer::Ok(store.data_mut().wasi.table.push(Socket::new(family))?),))
            })?;
        }
        _ => return socket_function(instance, name),
    }
    Ok(true)
}

/// Defines a function of sockets.
fn socket_function(instance: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<bool> {
    let Some(method) = name.strip_prefix("[method]tcp-socket.") else { return Ok(false) };
    match method {
        "start-connect" => {
            type Asked = (Resource<Socket>, Resource<Network>, Address);
            instance.func_wrap(name, |mut store: Store<'_>, (one, _, to): Asked| {
                let wasi = &mut store.data_mut().wasi;
                let started = wasi.table.get_mut(&one)?.start_connect(to, &wasi.reachable);
                if started == Err(ErrorCode::AccessDenied) {
                    refused(&store, &std::net::SocketAddr::from(to).to_string());
                }
                Ok((started,))
            })?;
        }
        "finish-connect" => {
            instance.func_wrap(name, |mut store: Store<'_>, (one,): (Resource<Socket>,)| {
                let table = &mut store.data_mut().wasi.table;
                Ok((match table.get_mut(&one)?.finish_connect() {
                    Ok(stream) => {
                        let input = table.push(Input::Socket(Arc::clone(&stream)))?;
                        Answer::Ok((input, table.push(Output::Socket(stream))?))
                    }
                    Err(code) => Err(code),
                },))
            })?;
        }
        "subscribe" => {
            // Connecting is over when the guest can ask for it.
            instance.func_wrap(name, |store, (_,): (Resource<Socket>,)| subscribe(store, Pollable::Ready))?;
        }
        "local-address" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<Socket>,)| {
                Ok((store.data().wasi.table.get(&one)?.local_address(),))
            })?;
        }
        "remote-address" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<Socket>,)| {
                Ok((store.data().wasi.table.get(&one)?.remote_address(),))
            })?;
        }
        "is-listening" => {
            instance.func_wrap(name, |_, (_,): (Resource<Socket>,)| Ok((false,)))?;
        }
        "address-family" => {
            instance.func_wrap(name, |store: Store<'_>, (one,): (Resource<Socket>,)| {
                Ok((store.data().wasi.table.get(&one)?.family(),))
            })?;
        }
        "shutdown" => {
            instance.func_wrap(name, |store: Store<'_>, (one, how): (Resource<Socket>, Shutdown)| {
                Ok((store.data().wasi.table.get(&one)?.shutdown(how),))
            })?;
        }
        // To listen, and to set what the kernel chooses well.
        _ => refuse(instance, name, "not-supported")?,
    }
    Ok(true)
}

/// Tells the author why a connection came to nothing.
fn refused(store: &Store<'_>, place: &str) {
    let said = format!(
        "dyno refused the plugin a connection to `{place}`: no endpoint that it asks for and is granted (`connect:HOST:PORT`) is there"
    );
    store.data().side.log(Level::Warn, &said);
}
