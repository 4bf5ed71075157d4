//! A place for a WebSocket or an event stream, which clients may keep open indefinitely: a permit, and the right to it, which ends
//! with the client's token.

use std::{future::pending, sync::Arc, time::Duration};

use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep_until},
};

use crate::access::{Identity, Tokens};

/// Interval at which the token of the client is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// A place among the connections that stay.
#[derive(Debug)]
pub(super) struct Stay {
    /// Returned when the connection ends.
    _permit: OwnedSemaphorePermit,
    tokens: Arc<Tokens>,
    identity: Identity,
    next_look: Instant,
}

impl Stay {
    pub(super) fn new(permit: OwnedSemaphorePermit, tokens: Arc<Tokens>, identity: Identity) -> Self {
        Self { _permit: permit, tokens, identity, next_look: Instant::now() + LOOK }
    }

    /// Waits until the token was revoked, changed or has expired. Can be dropped and called again without losing time.
    pub(super) async fn is_over(&mut self) {
        if !self.tokens.are_needed() {
            return pending().await;
        }
        loop {
            sleep_until(self.next_look).await;
            self.next_look = Instant::now() + LOOK;
            if !self.tokens.hold(&self.identity) {
                return;
            }
        }
    }
}
