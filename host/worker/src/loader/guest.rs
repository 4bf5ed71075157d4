//! What a component has at its side: the host's functions, its limit of memory, and the state behind its WASI.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use dyno_core::model::Reachable;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use wasmtime::{ResourceLimiter, component::ResourceTable};

use super::wasi::Granted;
use crate::host_side::HostSide;

/// Most timers, streams, sockets and open files that a guest can hold at once.
const MAX_RESOURCES: usize = 1_000;
/// How much of what a guest wrote to standard error is kept, to explain a trap [bytes].
const MAX_COMPLAINT_BYTES: usize = 4_096;

/// What a guest of WASI has of its own.
pub(super) struct Wasi {
    /// Its timers, streams, sockets and open files.
    pub(super) table: ResourceTable,
    pub(super) random: Pcg64Mcg,
    /// The variables of its environment.
    pub(super) environment: Vec<(String, String)>,
    /// What it may read.
    pub(super) granted: Vec<Granted>,
    /// What it may connect to.
    pub(super) reachable: Vec<Reachable>,
    complaint: Vec<u8>,
}

impl Wasi {
    /// Of a guest that gets what it was granted: variables, files, and what it may connect to.
    pub(super) fn new(
        seed: u64,
        environment: Vec<(String, String)>,
        granted: Vec<Granted>,
        reachable: Vec<Reachable>,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let random = Pcg64Mcg::seed_from_u64(seed);
        Self { table, random, environment, granted, reachable, complaint: Vec::new() }
    }

    /// The addresses of a host that it may connect to; an address is its own. `None`: there is no such host.
    pub(super) fn addresses(&self, host: &str) -> Option<Vec<IpAddr>> {
        if let Ok(address) = host.trim_matches(['[', ']']).parse() {
            return Some(vec![address]);
        }
        let its = self.reachable.iter().filter(|it| it.endpoint.host().eq_ignore_ascii_case(host));
        let mut found: Vec<IpAddr> = Vec::new();
        for address in its.flat_map(|it| &it.addresses).map(SocketAddr::ip) {
            if !found.contains(&address) {
                found.push(address);
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// Keeps some of what the guest wrote to standard error.
    pub(super) fn complain(&mut self, bytes: &[u8]) {
        let room = MAX_COMPLAINT_BYTES.saturating_sub(self.complaint.len());
        self.complaint.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
    }

    pub(super) fn forget_complaint(&mut self) {
        self.complaint.clear();
    }

    /// What the guest wrote to standard error since that was last forgotten, in a line: where a run time ends with a trap, it says why
    /// there. Lines that are indented belong to a trace, and those that end with a colon say what follows.
    pub(super) fn take_complaint(&mut self) -> Option<String> {
        let text = std::mem::take(&mut self.complaint);
        let text = String::from_utf8_lossy(&text);
        let is_reason =
            |line: &&str| !(line.is_empty() || line.starts_with(char::is_whitespace) || line.ends_with(':'));
        text.lines().map(str::trim_end).find(is_reason).map(str::to_owned)
    }
}

/// The host's side of a guest.
pub(super) struct Guest {
    pub(super) side: Arc<HostSide>,
    pub(super) wasi: Wasi,
    start: Instant,
    /// Maximum linear memory [bytes].
    limit: usize,
    /// A growth that was denied: what was wanted and what is allowed [bytes].
    pub(super) denied: Option<(usize, usize)>,
}

impl Guest {
    pub(super) fn new(side: Arc<HostSide>, limit: usize, wasi: Wasi) -> Self {
        Self { side, wasi, start: Instant::now(), limit, denied: None }
    }

    /// Begins its randomness anew: every instance has that of the case.
    pub(super) fn reseed(&mut self, seed: u64) {
        self.wasi.random = Pcg64Mcg::seed_from_u64(seed);
    }

    /// Time since it was made [ns].
    pub(super) fn clock_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = desired <= self.limit;
        if !allowed {
            self.denied = Some((desired, self.limit));
        }
        Ok(allowed)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= 10_000_000)
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn of_a_trace_the_reason_is_taken() {
        let reason = |text: &str| {
            let mut wasi = Wasi::new(0, Vec::new(), Vec::new(), Vec::new());
            wasi.complaint = text.as_bytes().to_vec();
            wasi.take_complaint()
        };
        let python = "Traceback (most recent call last):\n  File \"app.py\", line 26, in setup\nValueError: no\n\nthread 'x'\n";
        assert_eq!(reason(python).as_deref(), Some("ValueError: no"));
        assert_eq!(reason("Error: no\nStack:\n  setup@app.js:1\n").as_deref(), Some("Error: no"));
        assert_eq!(reason("thread 'main' panicked at src/lib.rs:3:5:\nno\n").as_deref(), Some("no"));
        assert_eq!(reason("  \n"), None);
    }

    #[test]
    fn equal_seeds_give_equal_randomness() {
        let numbers = |seed| {
            let mut wasi = Wasi::new(seed, Vec::new(), Vec::new(), Vec::new());
            [wasi.random.next_u64(), wasi.random.next_u64()]
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }

    #[test]
    fn a_host_is_found_by_its_name_or_its_address() {
        let reachable = ["models.test:80", "models.test:443"].map(|endpoint| Reachable {
            endpoint: endpoint.parse().unwrap(),
            addresses: vec!["192.0.2.7:80".parse().unwrap(), "[2001:db8::7]:80".parse().unwrap()],
        });
        let wasi = Wasi::new(0, Vec::new(), Vec::new(), reachable.to_vec());
        let both: Vec<IpAddr> = vec!["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()];
        assert_eq!(wasi.addresses("Models.test"), Some(both));
        assert_eq!(wasi.addresses("other.test"), None);
        for literal in ["192.0.2.1", "::1"] {
            assert_eq!(wasi.addresses(literal), Some(vec![literal.parse().unwrap()]));
        }
    }
}
