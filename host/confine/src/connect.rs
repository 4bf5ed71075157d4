//! Connections to what a plugin was granted: the host makes them. A filter of system calls cannot read the address that `connect` is
//! given, and the kernel's rules know ports but no hosts. So `connect` is refused here, and the handler of the refusal asks the host for
//! a connected socket, over a channel that grants nothing but that.

#![allow(unsafe_code, reason = "a handler of a signal may only call the system")]

use std::{
    mem,
    os::fd::{IntoRawFd, OwnedFd, RawFd},
    ptr,
    sync::atomic::{AtomicBool, AtomicI32, Ordering},
};

use dyno_core::protocol::MAX_ADDRESS_BYTES;
use nix::libc;

/// The channel to the host; negative: nothing is granted.
static CHANNEL: AtomicI32 = AtomicI32::new(-1);
/// Whether a thread is asking: answers have no names, so only one may.
static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// From now on, `connect` asks the host.
pub(super) fn through(channel: OwnedFd) {
    CHANNEL.store(channel.into_raw_fd(), Ordering::Relaxed);
}

/// Answers a call of `connect` with the host's help; `None` if nothing is granted. Otherwise 0, or a negative number of an error, as
/// the kernel answers. On success the descriptor is a new socket: it has the flags of the old one, not its options.
pub(super) fn answer(descriptor: RawFd, address: *const libc::c_void, bytes: usize) -> Option<libc::c_int> {
    let channel = CHANNEL.load(Ordering::Relaxed);
    if channel < 0 {
        return None;
    }
    if !(1..=MAX_ADDRESS_BYTES).contains(&bytes) {
        return Some(-libc::EINVAL);
    }
    while IS_ASKED.swap(true, Ordering::Acquire) {
        // SAFETY: it takes nothing and always succeeds.
        unsafe { libc::sched_yield() };
    }
    // The kernel reads the address: a wrong pointer is an error then, and not the end of this process.
    let connected = ask(channel, address, bytes);
    IS_ASKED.store(false, Ordering::Release);
    Some(match connected {
        Ok(socket) => put(socket, descriptor),
        Err(error) => -error,
    })
}

/// Sends an address and waits for a socket that is connected to it.
fn ask(channel: RawFd, address: *const libc::c_void, bytes: usize) -> Result<RawFd, libc::c_int> {
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
        return Err(libc::ENETDOWN);
    }
    if error != 0 {
        return Err(error);
    }
    // SAFETY: the kernel has filled the message in, and the memory that it describes is still there.
    let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    if header.is_null() {
        // This process can have no further descriptor.
        return Err(libc::EMFILE);
    }
    // SAFETY: a header of the host's answer has one descriptor after it.
    Ok(unsafe { ptr::read_unaligned(libc::CMSG_DATA(header).cast::<RawFd>()) })
}

/// Puts a socket in the place of another descriptor, with that one's flags.
fn put(socket: RawFd, place: RawFd) -> libc::c_int {
    // SAFETY: these calls take numbers only; a descriptor that is not open is an error.
    unsafe {
        let flags = libc::fcntl(place, libc::F_GETFL);
        let kept = libc::fcntl(place, libc::F_GETFD);
        let close_later = if kept & libc::FD_CLOEXEC == 0 { 0 } else { libc::O_CLOEXEC };
        let is_open = flags >= 0 && kept >= 0;
        let moved = is_open
            && libc::fcntl(socket, libc::F_SETFL, flags & libc::O_NONBLOCK) >= 0
            && again(|| libc::dup3(socket, place, close_later) as isize).is_ok();
        libc::close(socket);
        if moved { 0 } else { -libc::EBADF }
    }
}

/// Makes a call again as long as signals interrupt it.
fn again(mut call: impl FnMut() -> isize) -> Result<usize, libc::c_int> {
    loop {
        if let Ok(count) = usize::try_from(call()) {
            return Ok(count);
        }
        // SAFETY: it is the place of this thread's error, which is always there.
        let error = unsafe { *libc::__errno_location() };
        if error != libc::EINTR {
            return Err(error);
        }
    }
}
