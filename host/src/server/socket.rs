//! The socket of a connection. It holds its permit until it closes, whatever protocol it has been upgraded to, notices a peer
//! that is gone, and delivers a refusal even to a client that is still sending its body.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use nix::sys::socket::{setsockopt, sockopt};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    runtime::Handle,
    sync::OwnedSemaphorePermit,
};

/// TCP keep-alive: idle time before the first probe [s], interval [s], and number of probes.
const IDLE_S: u32 = 60;
const EVERY_S: u32 = 15;
const TIMES: u32 = 4;
/// TCP user timeout: a peer that acknowledges nothing for this long is disconnected [ms].
const UNCONFIRMED_MS: u32 = 60_000;
/// After a refusal the rest of the body is read for at most this time, and up to this many bytes.
const LINGER: Duration = Duration::from_secs(10);
const LINGER_BYTES: usize = 64 << 20;

/// Whether the last answer was a refusal, which may have been given before the body was read.
pub(super) type Refused = Arc<AtomicBool>;

/// A socket that holds its permit among all connections.
#[derive(Debug)]
pub(super) struct Socket {
    /// Absent only during closing.
    open: Option<(TcpStream, OwnedSemaphorePermit)>,
    refused: Refused,
    /// Whether the peer has finished sending.
    has_ended: bool,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, place: OwnedSemaphorePermit, refused: Refused) -> Self {
        // Without them it only takes longer until a dead peer is noticed.
        let _ = stream.set_nodelay(true);
        let _ = setsockopt(&stream, sockopt::KeepAlive, &true);
        let _ = setsockopt(&stream, sockopt::TcpKeepIdle, &IDLE_S);
        let _ = setsockopt(&stream, sockopt::TcpKeepInterval, &EVERY_S);
        let _ = setsockopt(&stream, sockopt::TcpKeepCount, &TIMES);
        let _ = setsockopt(&stream, sockopt::TcpUserTimeout, &UNCONFIRMED_MS);
        Self { open: Some((stream, place)), refused, has_ended: false }
    }

    /// The first byte that the peer sends, which is still there to be read; `None` if it sends none.
    pub(super) async fn first_byte(&mut self) -> Option<u8> {
        let (stream, _) = self.open.as_ref()?;
        let mut byte = [0];
        (stream.peek(&mut byte).await.ok()? == 1).then_some(byte[0])
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        match &mut self.open {
            Some((stream, _)) => Ok(Pin::new(stream)),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (before, has_room) = (buf.filled().len(), buf.remaining() > 0);
        let polled = this.stream()?.poll_read(cx, buf);
        match &polled {
            Poll::Ready(Ok(())) => this.has_ended |= has_room && buf.filled().len() == before,
            Poll::Ready(Err(_)) => this.has_ended = true,
            Poll::Pending => {}
        }
        polled
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().stream()?.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().stream()?.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream()?.poll_shutdown(cx)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let Some((stream, place)) = self.open.take() else { return };
        if self.has_ended || !self.refused.load(Ordering::Relaxed) {
            return;
        }
        // At the end of the server there is no runtime to linger in.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(linger(stream, place));
        }
    }
}

/// Reads on after the answer: closing a socket with unread data resets it, and the client would lose the answer.
async fn linger(mut stream: TcpStream, place: OwnedSemaphorePermit) {
    let drained = async {
        if poll_fn(|cx| Pin::new(&mut stream).poll_shutdown(cx)).await.is_err() {
            return;
        }
        let (mut sink, mut left) = (vec![0; 16 << 10], LINGER_BYTES);
        while left > 0 && stream.readable().await.is_ok() {
            match stream.try_read(&mut sink) {
                Ok(0) => return,
                Ok(count) => left = left.saturating_sub(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    let _ = tokio::time::timeout(LINGER, drained).await;
    drop(stream);
    drop(place);
}
