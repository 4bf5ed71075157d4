//! A rate limit on refused calls per peer: callers without a valid token cost little, and cannot guess tokens quickly.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Refused calls that a peer may make in a burst, and per second.
const BURST: f64 = 100.0;
const PER_SECOND: f64 = 10.0;
/// Maximum number of peers with an account of their own. Further peers share one.
const MOST: usize = 4_096;
/// Minimum interval between warnings about the same peer.
const TELL: Duration = Duration::from_secs(60);

/// Peers with recent refusals.
#[derive(Debug, Default)]
pub(super) struct Peers(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    accounts: HashMap<IpAddr, Account>,
    others: Account,
}

#[derive(Debug, Clone, Copy, Default)]
struct Account {
    /// Refusals left at that time; absent if none was used.
    known: Option<(f64, Instant)>,
    told: Option<Instant>,
}

/// The state of a peer after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Within its rate limit.
    Patient,
    /// Over its rate limit, and the operator should be warned.
    SpentAndNew,
    /// Over its rate limit, and the operator was warned already.
    Spent,
}

impl Account {
    fn left(&self, now: Instant) -> f64 {
        self.known.map_or(BURST, |(left, at)| {
            (left + now.saturating_duration_since(at).as_secs_f64() * PER_SECOND).min(BURST)
        })
    }
}

impl Peers {
    /// Whether a peer is over its rate limit.
    pub(super) fn is_spent(&self, peer: IpAddr, now: Instant) -> bool {
        let inner = self.lock();
        let is_full = inner.accounts.len() >= MOST;
        inner
            .accounts
            .get(&network(peer))
            .or(is_full.then_some(&inner.others))
            .is_some_and(|it| it.left(now) < 1.0)
    }

    /// Counts a refused call of a peer.
    pub(super) fn refuse(&self, peer: IpAddr, now: Instant) -> Standing {
        let mut inner = self.lock();
        let peer = network(peer);
        if inner.accounts.len() >= MOST && !inner.accounts.contains_key(&peer) {
            inner.accounts.retain(|_, account| account.left(now) < BURST);
        }
        let account = if inner.accounts.len() >= MOST && !inner.accounts.contains_key(&peer) {
            &mut inner.others
        } else {
            inner.accounts.entry(peer).or_default()
        };
        let left = account.left(now);
        if left >= 1.0 {
            account.known = Some((left - 1.0, now));
            return Standing::Patient;
        }
        if account.told.is_some_and(|told| now.saturating_duration_since(told) < TELL) {
            return Standing::Spent;
        }
        account.told = Some(now);
        Standing::SpentAndNew
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The addresses that one peer can choose from: in IPv6 a whole /64 network.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn a_peer_is_cut_short_after_many_refusals_and_forgiven_with_time() {
        let (peers, now) = (Peers::default(), Instant::now());
        for _ in 0..100 {
            assert!(!peers.is_spent(address(1), now));
            assert_eq!(peers.refuse(address(1), now), Standing::Patient);
        }
        assert!(peers.is_spent(address(1), now));
        assert_eq!(peers.refuse(address(1), now), Standing::SpentAndNew);
        assert_eq!(peers.refuse(address(1), now), Standing::Spent, "it is told once");
        assert!(!peers.is_spent(address(2), now), "others are not meant");
        let later = now + Duration::from_secs(1);
        assert!(!peers.is_spent(address(1), later));
        assert_eq!((0..100).filter(|_| peers.refuse(address(1), later) == Standing::Patient).count(), 10);
    }

    #[test]
    fn a_network_is_one_peer_and_there_are_never_more_than_so_many() {
        let (peers, now) = (Peers::default(), Instant::now());
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let other: IpAddr = "2001:db8::ffff:2".parse().unwrap();
        assert_eq!(network(one), network(other));
        assert_eq!(network("::ffff:10.0.0.1".parse().unwrap()), address(0x0a00_0001));
        for number in 0..20_000 {
            peers.refuse(address(number), now);
        }
        assert!(peers.lock().accounts.len() <= MOST);
        assert!(peers.is_spent(address(19_999), now), "those beyond share one account");
        // Who has been quiet makes room.
        let later = now + Duration::from_secs(60);
        assert_eq!(peers.refuse(address(30_000), later), Standing::Patient);
        assert_eq!(peers.lock().accounts.len(), 1);
    }
}
