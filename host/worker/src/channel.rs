//! The worker's end of the channel to the host.

use std::{
    io::{self, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use dyno_core::protocol::{self, FrameError, Reply, Request};

/// Reads requests. There is one reader, on the main thread.
#[derive(Debug)]
pub(crate) struct Requests(UnixStream);

/// Writes replies. Plugins may log from any thread, so writers share a lock.
#[derive(Debug, Clone)]
pub(crate) struct Replies {
    stream: Arc<Mutex<UnixStream>>,
    sent_bytes: Arc<AtomicU64>,
}

/// Takes the channel off standard input, where the host put it, and leaves nothing there.
pub(crate) fn take_stdin() -> io::Result<(Requests, Replies)> {
    let reader = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Anything but a socket has no peer: somebody started the worker by hand.
    reader.peer_addr()?;
    let writer = reader.try_clone()?;
    let nothing = std::fs::File::open("/dev/null")?;
    nix::unistd::dup2_stdin(nothing.as_fd())?;
    let replies = Replies { stream: Arc::new(Mutex::new(writer)), sent_bytes: Arc::default() };
    Ok((Requests(reader), replies))
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
    /// Sends a reply. When the host has gone there is nobody to tell, and the next read ends the worker.
    pub(crate) fn send(&self, reply: &Reply) {
        if let Ok(frame) = protocol::encode(reply) {
            let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = stream.write_all(&frame);
            self.sent_bytes.fetch_add(frame.len() as u64, Ordering::Relaxed);
        }
    }

    /// What was sent so far [bytes].
    pub(crate) fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }
}
