//! What a guest waits for: moments, and sockets that can be read or written.

use std::{
    net::TcpStream,
    os::fd::AsFd,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use nix::{
    poll::{PollFd, PollFlags, ppoll},
    sys::time::TimeSpec,
};

/// Something to wait for.
#[derive(Debug, Clone)]
pub(super) enum Pollable {
    /// It is ready.
    Ready,
    /// It is ready from a moment on.
    At(Instant),
    /// A socket has something to read, or has ended.
    Readable(Arc<TcpStream>),
    /// A socket takes something, or has ended.
    Writable(Arc<TcpStream>),
}

impl Pollable {
    /// Ready after so long; what is too far away to be told is never ready in the life of a worker.
    pub(super) fn after(wait: Duration) -> Self {
        const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);
        Self::At(Instant::now() + wait.min(FAR))
    }

    /// Waits until it is ready.
    pub(super) fn block(&self) {
        poll(std::slice::from_ref(self));
    }

    /// Whether it is ready now.
    pub(super) fn is_ready(&self) -> bool {
        !look(std::slice::from_ref(self), Duration::ZERO).is_empty()
    }

    fn moment(&self) -> Option<Instant> {
        match self {
            Self::Ready => Some(Instant::now()),
            Self::At(moment) => Some(*moment),
            Self::Readable(_) | Self::Writable(_) => None,
        }
    }

    fn watched(&self) -> Option<PollFd<'_>> {
        match self {
            Self::Ready | Self::At(_) => None,
            Self::Readable(socket) => Some(PollFd::new(socket.as_fd(), PollFlags::POLLIN)),
            Self::Writable(socket) => Some(PollFd::new(socket.as_fd(), PollFlags::POLLOUT)),
        }
    }
}

/// How long to wait for sockets at once.
const LONGEST: Duration = Duration::from_secs(1);

/// Waits until one of them is ready; gives the numbers of those that are.
pub(super) fn poll(all: &[Pollable]) -> Vec<u32> {
    loop {
        let ready = look(all, LONGEST);
        if !ready.is_empty() || all.is_empty() {
            return ready;
        }
    }
}

/// Waits until one of them is ready, at most so long; gives the numbers of those that are.
fn look(all: &[Pollable], at_most: Duration) -> Vec<u32> {
    let first = all.iter().filter_map(Pollable::moment).min();
    let patience =
        first.map_or(at_most, |moment| moment.saturating_duration_since(Instant::now()).min(at_most));
    let mut watched: Vec<PollFd<'_>> = all.iter().filter_map(Pollable::watched).collect();
    if watched.is_empty() {
        thread::sleep(patience);
    } else {
        // A signal ends the wait early: then nothing may be ready yet.
        let _ = ppoll(&mut watched, Some(TimeSpec::from_duration(patience)), None);
    }
    let now = Instant::now();
    let mut watched = watched.into_iter();
    let mut is_ready = |one: &Pollable| match one {
        Pollable::Ready => true,
        Pollable::At(moment) => *moment <= now,
        // Also one that has failed: reading or writing says how.
        Pollable::Readable(_) | Pollable::Writable(_) => {
            watched.next().and_then(|fd| fd.any()).unwrap_or(false)
        }
    };
    (0..).zip(all).filter_map(|(number, one)| is_ready(one).then_some(number)).collect()
}

#[cfg(test)]
mod tests {
    use std::{io::Write, net::TcpListener};

    use super::*;

    #[test]
    fn moments_and_sockets_are_ready_when_they_are() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = Arc::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
        let (mut there, _) = listener.accept().unwrap();
        let (readable, writable) = (Pollable::Readable(Arc::clone(&here)), Pollable::Writable(here));
        assert!(writable.is_ready() && !readable.is_ready() && Pollable::Ready.is_ready());
        let soon = Pollable::after(Duration::from_millis(1));
        let never = Pollable::after(Duration::MAX);
        assert_eq!(poll(&[readable.clone(), never.clone(), soon]), [2]);
        assert_eq!(poll(&[never.clone(), Pollable::Ready, writable]), [1, 2]);
        there.write_all(b"x").unwrap();
        assert_eq!(poll(&[never.clone(), readable.clone()]), [1]);
        drop(there);
        readable.block();
        assert!(!never.is_ready() && poll(&[]).is_empty());
    }
}
