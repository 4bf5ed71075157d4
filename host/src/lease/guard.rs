//! The name of a lease in the kernel's table of sockets. It is free again when its process ends, there is no file that
//! anybody could unlink, and every user of the machine sees the same table (containers with a network of their own do not).

use std::{
    io::{self, ErrorKind},
    os::{
        fd::AsRawFd,
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener},
    },
};

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, socket, sockopt::PeerCredentials,
};

use super::{holder::Holder, resource::file_name};

/// The name, taken.
#[derive(Debug)]
pub(super) struct Guard {
    // Never read: holding it is holding the name.
    _listener: UnixListener,
}

impl Guard {
    /// Takes the name, unless another process has it.
    pub(super) fn attempt(domain: &str, resource: &str) -> io::Result<Option<Self>> {
        match UnixListener::bind_addr(&SocketAddr::from_abstract_name(name(domain, resource))?) {
            Ok(listener) => Ok(Some(Self { _listener: listener })),
            Err(error) if error.kind() == ErrorKind::AddrInUse => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The process that has the name, as the kernel reports it. The holder never answers: once its queue is full of
    /// such questions, this is not known.
    pub(super) fn holder(domain: &str, resource: &str) -> Option<Holder> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let question = socket(AddressFamily::Unix, SockType::Stream, flags, None).ok()?;
        let address = UnixAddr::new_abstract(name(domain, resource).as_bytes()).ok()?;
        connect(question.as_raw_fd(), &address).ok()?;
        let peer = getsockopt(&question, PeerCredentials).ok()?;
        Some(Holder::known_by(u32::try_from(peer.pid()).unwrap_or(0), peer.uid()))
    }
}

fn name(domain: &str, resource: &str) -> String {
    format!("dyno-lease/{domain}/{}", file_name(resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_names_the_holder_and_questions_never_wait() {
        let domain = format!("a-test-of-{}", std::process::id());
        assert_eq!(Guard::holder(&domain, "cpu"), None);
        let guard = Guard::attempt(&domain, "cpu").unwrap().unwrap();
        assert!(Guard::attempt(&domain, "cpu").unwrap().is_none());
        assert_eq!(Guard::holder(&domain, "cpu").map(|holder| holder.pid), Some(std::process::id()));
        // More questions than any queue has room for.
        for _ in 0..10_000 {
            if Guard::holder(&domain, "cpu").is_none() {
                break;
            }
        }
        drop(guard);
        assert!(Guard::attempt(&domain, "cpu").unwrap().is_some());
    }
}
