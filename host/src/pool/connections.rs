//! Connections that a plugin is granted: its worker cannot connect by itself, so the host does it and hands the socket over. Nothing that
//! the plugin sends is used but an address, which must be one of those that were granted.

use std::{
    io::{self, IoSlice},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs},
    os::fd::{AsRawFd, OwnedFd},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use dyno_core::{
    model::{Endpoint, Reachable},
    protocol::{CONNECTION_CHANNELS, MAX_ADDRESS_BYTES, MAX_CONNECTING},
};
use nix::{
    errno::Errno,
    libc,
    sys::socket::{AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, recv, sendmsg, socketpair},
};

use crate::fault::{HostFault, Place};

/// How long the names of all endpoints may take to be found.
const NAMES: Duration = Duration::from_secs(5);

/// Finds the addresses of endpoints, by the machine's own rules for names. Where one has none, a sentence says why.
#[must_use]
pub fn locate(endpoints: &[Endpoint]) -> Vec<Result<Reachable, String>> {
    if endpoints.is_empty() {
        return Vec::new();
    }
    let (send, found) = mpsc::channel();
    let wanted = endpoints.to_vec();
    // A name server that does not answer holds the thread up, and not the launch.
    let looking = thread::Builder::new().name("dyno-names".to_owned()).spawn(move || {
        for endpoint in wanted {
            let addresses = (endpoint.host(), endpoint.port()).to_socket_addrs().map(Iterator::collect);
            if send.send(addresses).is_err() {
                break;
            }
        }
    });
    let deadline = Instant::now() + NAMES;
    let locate = |endpoint: &Endpoint| {
        let left = deadline.saturating_duration_since(Instant::now());
        let found: Result<Vec<SocketAddr>, String> = match &looking {
            Err(error) => Err(error.to_string()),
            Ok(_) => match found.recv_timeout(left) {
                Ok(Ok(addresses)) => Ok(addresses),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("no name server answered within {} s", NAMES.as_secs())),
            },
        };
        match found {
            Ok(addresses) if !addresses.is_empty() => Ok(Reachable { endpoint: endpoint.clone(), addresses }),
            Ok(_) => Err("the name has none".to_owned()),
            Err(why) => Err(why),
        }
        .map_err(|why| format!("`{endpoint}` has no address ({why}); the plugin cannot connect to it"))
    };
    endpoints.iter().map(locate).collect()
}

/// Opens channels over which a worker asks for connections to these endpoints. Their other ends are for the worker; each of ours is served
/// until that one is closed. An endpoint that does not answer holds one of them up.
///
/// # Errors
/// When the machine has no descriptor or thread left.
pub fn serve_connections(granted: Vec<Reachable>) -> Result<Vec<OwnedFd>, HostFault> {
    let fault = |error: io::Error| {
        HostFault::new("cannot make channels for the connections of a plugin", &error, Place::Machine)
    };
    let granted = Arc::new(granted);
    let open = |_| -> io::Result<OwnedFd> {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        let granted = Arc::clone(&granted);
        let thread = thread::Builder::new().name("dyno-connections".to_owned());
        thread.spawn(move || serve(&ours, &granted))?;
        Ok(theirs)
    };
    (0..CONNECTION_CHANNELS).map(open).collect::<io::Result<_>>().map_err(fault)
}

fn serve(channel: &OwnedFd, granted: &[Reachable]) {
    let mut request = [0; MAX_ADDRESS_BYTES];
    loop {
        let count = match recv(channel.as_raw_fd(), &mut request, MsgFlags::empty()) {
            Err(Errno::EINTR) => continue,
            // The worker has ended, and everything that it started.
            Ok(0) | Err(_) => return,
            Ok(count) => count,
        };
        let connected = request.get(..count).map_or(Err(Errno::EINVAL), |bytes| connect(bytes, granted));
        let (error, socket) = match &connected {
            Ok(stream) => (0, Some([stream.as_raw_fd()])),
            Err(error) => (*error as i32, None),
        };
        let parts: Vec<ControlMessage<'_>> =
            socket.iter().map(|descriptors| ControlMessage::ScmRights(descriptors)).collect();
        let data = error.to_ne_bytes();
        // A worker that does not read its answers has to wait for the next one.
        let sent =
            sendmsg::<()>(channel.as_raw_fd(), &[IoSlice::new(&data)], &parts, MsgFlags::MSG_NOSIGNAL, None);
        if !matches!(sent, Ok(_) | Err(Errno::EINTR)) {
            return;
        }
    }
}

/// Connects to the address in these bytes, if it is granted.
fn connect(bytes: &[u8], granted: &[Reachable]) -> Result<TcpStream, Errno> {
    let address = address(bytes).ok_or(Errno::EAFNOSUPPORT)?;
    if !granted.iter().any(|it| it.is_at(address)) {
        return Err(Errno::EPERM);
    }
    TcpStream::connect_timeout(&address, MAX_CONNECTING).map_err(|error| match error.raw_os_error() {
        Some(code) => Errno::from_raw(code),
        None if error.kind() == io::ErrorKind::TimedOut => Errno::ETIMEDOUT,
        None => Errno::EIO,
    })
}

/// Reads an address as the kernel lays it out (`sockaddr_in`, `sockaddr_in6`).
fn address(bytes: &[u8]) -> Option<SocketAddr> {
    let family = u16::from_ne_bytes(*bytes.first_chunk()?);
    let port = u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
    let ip = match i32::from(family) {
        libc::AF_INET => IpAddr::from(Ipv4Addr::from(*bytes.get(4..)?.first_chunk::<4>()?)),
        libc::AF_INET6 => IpAddr::from(Ipv6Addr::from(*bytes.get(8..)?.first_chunk::<16>()?)).to_canonical(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn laid_out(address: SocketAddr) -> Vec<u8> {
        let mut bytes = Vec::new();
        match address {
            SocketAddr::V4(address) => {
                bytes.extend((libc::AF_INET as u16).to_ne_bytes());
                bytes.extend(address.port().to_be_bytes());
                bytes.extend(address.ip().octets());
                bytes.extend([0; 8]);
            }
            SocketAddr::V6(address) => {
                bytes.extend((libc::AF_INET6 as u16).to_ne_bytes());
                bytes.extend(address.port().to_be_bytes());
                bytes.extend([0; 4]);
                bytes.extend(address.ip().octets());
                bytes.extend([0; 4]);
            }
        }
        bytes
    }

    #[test]
    fn only_granted_addresses_are_connected_to_however_they_are_written() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap();
        let granted = [locate(&[here.to_string().parse().unwrap()]).remove(0).unwrap()];
        let mapped = SocketAddr::new(Ipv4Addr::LOCALHOST.to_ipv6_mapped().into(), here.port());
        for address in [here, mapped] {
            let stream = connect(&laid_out(address), &granted).unwrap();
            assert_eq!(stream.peer_addr().unwrap(), here);
        }
        let other_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for address in [
            other_port,
            "127.0.0.2:80".parse().unwrap(),
            SocketAddr::new("::1".parse().unwrap(), here.port()),
        ] {
            assert_eq!(connect(&laid_out(address), &granted).unwrap_err(), Errno::EPERM, "{address}");
        }
        drop(listener);
        assert_eq!(connect(&laid_out(here), &granted).unwrap_err(), Errno::ECONNREFUSED);
    }

    #[test]
    fn what_is_no_address_of_the_network_is_refused() {
        let whole = laid_out("127.0.0.1:80".parse().unwrap());
        for length in 0..8 {
            assert_eq!(address(&whole[..length]), None, "{length}");
        }
        let mut path = (libc::AF_UNIX as u16).to_ne_bytes().to_vec();
        path.extend(b"/run/service\0");
        assert_eq!(address(&path), None);
    }

    #[test]
    fn a_name_that_nobody_has_is_said() {
        let endpoints = ["localhost:80".parse().unwrap(), "nobody.invalid:80".parse().unwrap()];
        let [here, nobody] = locate(&endpoints).try_into().unwrap();
        assert!(here.unwrap().addresses.iter().all(|address| address.ip().is_loopback()));
        let fault = nobody.unwrap_err();
        assert!(fault.starts_with("`nobody.invalid:80` has no address"), "{fault}");
    }
}
