//! The worker's end of the channel to the host.

use std::{
    io,
    os::{
        fd::{AsFd, AsRawFd},
        unix::net::UnixStream,
    },
    sync::{Arc, Mutex, PoisonError},
};

use dyno_core::protocol::{self, FrameError, Reply, Request};
use nix::{
    errno::Errno,
    sys::socket::{self, MsgFlags},
};

/// Reads requests. There is one reader, on the main thread.
#[derive(Debug)]
pub(crate) struct Requests(UnixStream);

/// Writes replies. Plugins may log from any thread, so writers share a lock.
#[derive(Debug, Clone)]
pub(crate) struct Replies(Arc<Mutex<UnixStream>>);

/// Takes the channel off standard input, where the host put it, and leaves nothing there.
pub(crate) fn take_stdin() -> io::Result<(Requests, Replies)> {
    let reader = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Anything but a socket has no peer: the worker was started by hand.
    reader.peer_addr()?;
    let writer = reader.try_clone()?;
    let nothing = std::fs::File::open("/dev/null")?;
    nix::unistd::dup2_stdin(nothing.as_fd())?;
    Ok((Requests(reader), Replies(Arc::new(Mutex::new(writer)))))
}

impl Requests {
    /// The next request; `None` when the host has closed the channel.
    pub(crate) fn next(&mut self) -> Result<Option<Request>, FrameError> {
        match protocol::read(&mut self.0) {
            Ok(request) => Ok(Some(request)),
            Err(FrameError::Closed) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Replies {
    /// Sends a reply. An error is ignored: if the host has gone, the next read ends the worker. Uses `send`, not
    /// `write`: the kernel then does not count it among the bytes that this process writes, which show how much a
    /// plugin wrote.
    pub(crate) fn send(&self, reply: &Reply) {
        let Ok(frame) = protocol::encode(reply) else { return };
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            match socket::send(stream.as_raw_fd(), rest, MsgFlags::MSG_NOSIGNAL) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
    }
}
