//! Whether layers hold: this process attempts an act that each of them forbids.

#![allow(unsafe_code, reason = "some of these acts have no safe door")]

use std::{fs, io, os::fd::AsRawFd};

use nix::{
    errno::Errno,
    libc,
    sys::{
        signal,
        socket::{AddressFamily, SockFlag, SockType, SockaddrIn, connect, socket},
    },
    unistd::Pid,
};

/// A file that every user may read, and that no plugin needs.
const FILE: &str = "/etc/passwd";

/// Reads a file outside.
pub(super) fn files() -> Result<(), String> {
    match fs::File::open(FILE) {
        Err(error) if error.raw_os_error() == Some(libc::EACCES) => Ok(()),
        Ok(_) => Err(format!("{FILE} could be opened all the same")),
        Err(error) => Err(format!("opening {FILE} was refused for another reason: {error}")),
    }
}

/// Makes a socket.
pub(super) fn network() -> Result<(), String> {
    expected(
        "a socket could be made",
        socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None).map(drop),
    )
}

/// Makes a socket of another kind, and connects to an address that nobody has (RFC 5737).
pub(super) fn other_network() -> Result<(), String> {
    let stream = |kind| socket(AddressFamily::Inet, kind, SockFlag::empty(), None);
    expected("a socket of UDP could be made", stream(SockType::Datagram).map(drop))?;
    let socket = stream(SockType::Stream).map_err(|error| format!("no socket could be made: {error}"))?;
    let nobody = SockaddrIn::new(192, 0, 2, 1, 9);
    expected("any host could be reached", connect(socket.as_raw_fd(), &nobody))
}

/// Asks whether a signal would reach the host.
pub(super) fn signals(host: u32) -> Result<(), String> {
    expected("the host could be sent a signal", signal::kill(Pid::from_raw(host.cast_signed()), None))
}

/// Reads the host's memory.
pub(super) fn memory(host: u32) -> Result<(), String> {
    let mut byte = [0u8];
    let local = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    let remote = libc::iovec { iov_base: std::ptr::without_provenance_mut(4096), iov_len: 1 };
    // SAFETY: it writes at most one byte, to the array above.
    let answer =
        unsafe { libc::process_vm_readv(host.cast_signed(), &raw const local, 1, &raw const remote, 1, 0) };
    let error = io::Error::last_os_error().raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw);
    expected("the host's memory could be read", if answer < 0 { Err(error) } else { Ok(()) })
}

fn expected(otherwise: &str, outcome: nix::Result<()>) -> Result<(), String> {
    match outcome {
        Err(Errno::EPERM) => Ok(()),
        Ok(()) => Err(format!("{otherwise} all the same")),
        Err(error) => {
            Err(format!("it was refused for another reason ({error}): {otherwise} if not for that"))
        }
    }
}
