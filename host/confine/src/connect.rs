//! Connections to what a plugin was granted: the host makes them. A filter of system calls cannot read the address that `connect` is
//! given, and the kernel's rules know ports but no hosts. So `connect` is refused here, and the handler of the refusal asks the host for
//! a connected socket, over channels that grant nothing but that.

#![allow(unsafe_code, reason = "a handler of a signal may only call the system")]

use std::{
    mem,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd},
    ptr,
    sync::atomic::{AtomicBool, AtomicI32, Ordering},
};

use dyno_core::protocol::{CONNECTION_CHANNELS, MAX_ADDRESS_BYTES};
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    libc,
    sys::socket::{SockaddrStorage, getpeername, getsockopt, sockopt},
};

/// The channels to the host that no thread uses; negative: there is none in this place. Answers have no names, so a thread has a channel for
/// itself while it asks.
static FREE: [AtomicI32; CONNECTION_CHANNELS] = [const { AtomicI32::new(-1) }; CONNECTION_CHANNELS];
/// Whether anything is granted.
static IS_GRANTED: AtomicBool = AtomicBool::new(false);
/// How long a thread waits before it looks again for a free channel [µs].
const PAUSE_US: libc::c_uint = 50;

/// From now on, `connect` asks the host, if there are channels to it.
pub(super) fn through(channels: Vec<OwnedFd>) {
    IS_GRANTED.store(!channels.is_empty(), Ordering::Relaxed);
    for (free, channel) in FREE.iter().zip(channels) {
        free.store(channel.into_raw_fd(), Ordering::Release);
    }
}

/// Answers a call of `connect` with the host's help; `None` if nothing is granted. Otherwise 0, or a negative number of an error, as
/// the kernel answers. On success the descriptor is a new socket: it has the flags of the old one, not its options.
pub(super) fn answer(descriptor: RawFd, address: *const libc::c_void, bytes: usize) -> Option<libc::c_int> {
    if !IS_GRANTED.load(Ordering::Relaxed) {
        return None;
    }
    match connect(descriptor, address, bytes) {
        Ok(()) => Some(0),
        Err(error) => Some(-(error as libc::c_int)),
    }
}

fn connect(descriptor: RawFd, address: *const libc::c_void, bytes: usize) -> Result<(), Errno> {
    if !(1..=MAX_ADDRESS_BYTES).contains(&bytes) {
        return Err(Errno::EINVAL);
    }
    if descriptor < 0 {
        return Err(Errno::EBADF);
    }
    // SAFETY: the plugin is in a call with it; if it is not open, or closed meanwhile, the calls below say so.
    let old = unsafe { BorrowedFd::borrow_raw(descriptor) };
    // Nothing but a socket is replaced, and that only once.
    getsockopt(&old, sockopt::SockType)?;
    if getpeername::<SockaddrStorage>(descriptor).is_ok() {
        return Err(Errno::EISCONN);
    }
    let (place, channel) = take();
    // The kernel reads the address: a wrong pointer is an error then, and not the end of this process.
    let connected = ask(channel, address, bytes);
    place.store(channel, Ordering::Release);
    put(&connected?, old)
}

/// Takes a channel that no thread uses, and waits for one if there is none.
fn take() -> (&'static AtomicI32, RawFd) {
    loop {
        for place in &FREE {
            let channel = place.swap(-1, Ordering::Acquire);
            if channel >= 0 {
                return (place, channel);
            }
        }
        // SAFETY: it takes a number only.
        unsafe { libc::usleep(PAUSE_US) };
    }
}

/// Sends an address and waits for a socket that is connected to it.
fn ask(channel: RawFd, address: *const libc::c_void, bytes: usize) -> Result<OwnedFd, Errno> {
    // SAFETY: the kernel checks whether the memory may be read.
    again(|| unsafe { libc::send(channel, address, bytes, libc::MSG_NOSIGNAL) })?;
    let mut error: libc::c_int = 0;
    let mut data = libc::iovec { iov_base: (&raw mut error).cast(), iov_len: size_of::<libc::c_int>() };
    // Aligned as the kernel's headers in it are.
    let mut control = [0_u64; 8];
    // SAFETY: all of its fields are numbers and pointers, which may be zero.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &raw mut data;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control) as _;
    // SAFETY: the message describes memory that outlives the call.
    let count = again(|| unsafe { libc::recvmsg(channel, &raw mut message, libc::MSG_CMSG_CLOEXEC) })?;
    if count != size_of::<libc::c_int>() {
        // The host has gone.
        return Err(Errno::ENETDOWN);
    }
    if error != 0 {
        return Err(Errno::from_raw(error));
    }
    // SAFETY: the kernel has filled the message in, and the memory that it describes is still there.
    let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    if header.is_null() {
        // This process can have no further descriptor.
        return Err(Errno::EMFILE);
    }
    // SAFETY: the header is one of this message.
    let data = unsafe { libc::CMSG_DATA(header) };
    // SAFETY: the host's answer has one descriptor after its header.
    let socket = unsafe { ptr::read_unaligned(data.cast::<RawFd>()) };
    // SAFETY: the kernel has just made it for this process, and nothing else has its number.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}

/// Puts a socket in the place of another descriptor, with that one's flags.
fn put(socket: &OwnedFd, old: BorrowedFd<'_>) -> Result<(), Errno> {
    let flags = OFlag::from_bits_retain(fcntl(old, FcntlArg::F_GETFL)?);
    let is_closed_later = fcntl(old, FcntlArg::F_GETFD)? & libc::FD_CLOEXEC != 0;
    fcntl(socket, FcntlArg::F_SETFL(flags & OFlag::O_NONBLOCK))?;
    let close_later = if is_closed_later { libc::O_CLOEXEC } else { 0 };
    // SAFETY: it takes numbers only. What the plugin had under this one is what it asked to connect.
    again(|| unsafe { libc::dup3(socket.as_raw_fd(), old.as_raw_fd(), close_later) } as isize).map(drop)
}

/// Makes a call again as long as signals interrupt it.
fn again(mut call: impl FnMut() -> isize) -> Result<usize, Errno> {
    loop {
        match (usize::try_from(call()), Errno::last()) {
            (Ok(count), _) => return Ok(count),
            (Err(_), Errno::EINTR) => {}
            (Err(_), error) => return Err(error),
        }
    }
}
