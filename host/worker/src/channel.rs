//! The worker's end of the channel to the host.

use std::{
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    sync::{Arc, Mutex, PoisonError},
};

use dyno_core::protocol::{self, FrameError, Reply, Request};
use rustix::{
    io::Errno,
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send},
};

/// Room for a batch of samples and the answer after it [bytes]; longer frames make more of it.
const ROOM_BYTES: usize = 64 * 1024;

/// Reads requests. There is one reader, on the main thread.
#[derive(Debug)]
pub(crate) struct Requests(UnixStream);

/// Writes replies. Plugins may log from any thread, so writers share a lock.
#[derive(Debug, Clone)]
pub(crate) struct Replies(Arc<Mutex<Outbox>>);

#[derive(Debug)]
struct Outbox {
    stream: UnixStream,
    /// Frames that go out together. Kept for the whole launch: a buffer that was allocated for each reply, as long as
    /// what that happens to say, would leave another heap to each of two plugins that are compared.
    frames: Vec<u8>,
}

/// Takes the channel off standard input, where the host put it, and leaves nothing there.
pub(crate) fn take_stdin() -> io::Result<(Requests, Replies)> {
    let reader = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Anything but a socket has no peer: the worker was started by hand.
    reader.peer_addr()?;
    let writer = reader.try_clone()?;
    let nothing = std::fs::File::open("/dev/null")?;
    nix::unistd::dup2_stdin(nothing.as_fd())?;
    Ok((Requests(reader), Replies::new(writer)))
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

impl Requests {
    /// The descriptors that the host hands over after a request.
    ///
    /// # Errors
    /// The system's, or that none came.
    pub(crate) fn take_descriptors(&mut self) -> io::Result<Vec<OwnedFd>> {
        let mut byte = [0];
        let mut space =
            [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(protocol::CONNECTION_CHANNELS))];
        let mut parts = RecvAncillaryBuffer::new(&mut space);
        let mut data = [IoSliceMut::new(&mut byte)];
        while let Err(error) = recvmsg(&self.0, &mut data, &mut parts, RecvFlags::CMSG_CLOEXEC) {
            if error != Errno::INTR {
                return Err(error.into());
            }
        }
        let handed = parts.drain().find_map(|part| match part {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors.collect()),
            _ => None,
        });
        handed.ok_or_else(|| io::Error::other("the host handed over no descriptor"))
    }
}

impl Replies {
    fn new(stream: UnixStream) -> Self {
        Self(Arc::new(Mutex::new(Outbox { stream, frames: Vec::with_capacity(ROOM_BYTES) })))
    }

    /// Keeps a reply until the next one is sent: waking the host twice costs as much as a short sample takes.
    pub(crate) fn send_with_next(&self, reply: &Reply) {
        let Ok(frame) = protocol::encode(reply) else { return };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).frames.extend(frame);
    }

    /// Sends a reply. An error is ignored: if the host has gone, the next read ends the worker. Uses `send`, not
    /// `write`: the kernel then does not count it among the bytes that this process writes, which show how much a
    /// plugin wrote.
    pub(crate) fn send(&self, reply: &Reply) {
        let Ok(frame) = protocol::encode(reply) else { return };
        let mut outbox = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Outbox { stream, frames } = &mut *outbox;
        frames.extend(frame);
        let mut rest = frames.as_slice();
        while !rest.is_empty() {
            match send(&*stream, rest, SendFlags::NOSIGNAL) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        frames.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_held_reply_goes_out_before_the_next_and_with_it() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let replies = Replies::new(ours);
        let (batch, sampled) =
            (Reply::Progress { fraction: 0.5 }, Reply::Sampled { retaken: 0, preemptions: 1 });
        replies.send_with_next(&batch);
        let mut chunk = [0; 4096];
        assert_eq!(theirs.read(&mut chunk).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        replies.send(&sampled);
        let count = theirs.read(&mut chunk).unwrap();
        let expected = [protocol::encode(&batch).unwrap(), protocol::encode(&sampled).unwrap()].concat();
        assert_eq!(&chunk[..count], expected);
    }
}
