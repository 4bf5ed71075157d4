//! A socket of a guest: it connects to what was granted, and to nothing else.

use std::{
    mem,
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use dyno_core::{model::Reachable, protocol::MAX_CONNECTING};

use super::types::{Address, Answer, ErrorCode, Family, Shutdown};

/// A socket of a guest.
pub(in crate::loader::wasi) struct Socket {
    family: Family,
    state: State,
}

enum State {
    New,
    /// What came of connecting, until the guest asks.
    Connecting(Answer<TcpStream>),
    Connected(Arc<TcpStream>),
    /// It never connected: the interface lets no socket try twice.
    Failed,
}

impl Socket {
    pub(super) fn new(family: Family) -> Self {
        Self { family, state: State::New }
    }

    pub(super) fn family(&self) -> Family {
        self.family
    }

    /// Connects to an address, if it is one of those that were granted.
    pub(super) fn start_connect(&mut self, to: Address, granted: &[Reachable]) -> Answer<()> {
        match self.state {
            State::New => {}
            State::Connecting(_) => return Err(ErrorCode::ConcurrencyConflict),
            State::Connected(_) | State::Failed => return Err(ErrorCode::InvalidState),
        }
        let (family, to) = (to.family(), SocketAddr::from(to));
        if family != self.family || to.port() == 0 || to.ip().is_unspecified() {
            return Err(ErrorCode::InvalidArgument);
        }
        if !granted.iter().any(|it| it.is_at(to)) {
            return Err(ErrorCode::AccessDenied);
        }
        // Nobody else's guest waits meanwhile: this one has the process for itself.
        let connected = TcpStream::connect_timeout(&to, MAX_CONNECTING);
        let ready = connected.and_then(|stream| stream.set_nonblocking(true).map(|()| stream));
        self.state = State::Connecting(ready.map_err(ErrorCode::from));
        Ok(())
    }

    pub(super) fn finish_connect(&mut self) -> Answer<Arc<TcpStream>> {
        match mem::replace(&mut self.state, State::Failed) {
            State::Connecting(Ok(stream)) => {
                let stream = Arc::new(stream);
                self.state = State::Connected(Arc::clone(&stream));
                Ok(stream)
            }
            State::Connecting(Err(code)) => Err(code),
            other => {
                self.state = other;
                Err(ErrorCode::NotInProgress)
            }
        }
    }

    fn connected(&self) -> Answer<&TcpStream> {
        match &self.state {
            State::Connected(stream) => Ok(stream),
            _ => Err(ErrorCode::InvalidState),
        }
    }

    pub(super) fn local_address(&self) -> Answer<Address> {
        Ok(self.connected()?.local_addr()?.into())
    }

    pub(super) fn remote_address(&self) -> Answer<Address> {
        Ok(self.connected()?.peer_addr()?.into())
    }

    pub(super) fn shutdown(&self, how: Shutdown) -> Answer<()> {
        Ok(self.connected()?.shutdown(how.into())?)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn granted(address: SocketAddr) -> [Reachable; 1] {
        [Reachable { endpoint: address.to_string().parse().expect("it is one"), addresses: vec![address] }]
    }

    fn connect(to: SocketAddr, granted: &[Reachable]) -> Answer<Arc<TcpStream>> {
        let to = Address::from(to);
        let mut socket = Socket::new(to.family());
        socket.start_connect(to, granted)?;
        socket.finish_connect()
    }

    #[test]
    fn a_guest_connects_to_what_was_granted_and_to_nothing_else() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap();
        let granted = granted(here);
        assert_eq!(connect(here, &granted).unwrap().peer_addr().unwrap(), here);
        let other = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for address in [other, SocketAddr::new("127.0.0.2".parse().unwrap(), here.port())] {
            assert_eq!(connect(address, &granted).unwrap_err(), ErrorCode::AccessDenied, "{address}");
        }
        for address in ["0.0.0.0:80", "127.0.0.1:0"] {
            let refused = connect(address.parse().unwrap(), &granted).unwrap_err();
            assert_eq!(refused, ErrorCode::InvalidArgument, "{address}");
        }
        drop(listener);
        assert_eq!(connect(here, &granted).unwrap_err(), ErrorCode::ConnectionRefused);
    }

    #[test]
    fn each_step_of_a_socket_comes_once_and_in_order() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap();
        let mut socket = Socket::new(Family::V4);
        assert_eq!(socket.finish_connect().unwrap_err(), ErrorCode::NotInProgress);
        assert_eq!(socket.remote_address().unwrap_err(), ErrorCode::InvalidState);
        socket.start_connect(here.into(), &granted(here)).unwrap();
        let again = socket.start_connect(here.into(), &granted(here));
        assert_eq!(again.unwrap_err(), ErrorCode::ConcurrencyConflict);
        socket.finish_connect().unwrap();
        assert_eq!(SocketAddr::from(socket.remote_address().unwrap()), here);
        assert_eq!(socket.finish_connect().unwrap_err(), ErrorCode::NotInProgress);
        assert_eq!(socket.start_connect(here.into(), &granted(here)).unwrap_err(), ErrorCode::InvalidState);
        let mut other = Socket::new(Family::V6);
        assert_eq!(other.start_connect(here.into(), &granted(here)).unwrap_err(), ErrorCode::InvalidArgument);
    }
}
