//! Waiting for the right to a device, in the order of the queue, until both the lock and the name are free.

use std::{
    io,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use super::{
    error::LeaseError,
    folder::Leases,
    guard::Guard,
    holder::Holder,
    lock::{Lock, Share},
    standing::holding,
    ticket::Ticket,
};

/// Interval between attempts: so short that a waiting process seems to start at once.
const POLL: Duration = Duration::from_millis(5);
/// How long a holder may have no ticket before the kernel is asked for its process.
const NAMELESS: Duration = Duration::from_millis(100);

/// A request for a lease.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Name of the device, for people.
    pub device: &'a str,
    /// The resource behind the device: devices that share it exclude each other.
    pub resource: &'a str,
    /// What the device is used for.
    pub purpose: &'a str,
    /// Identifier of the run.
    pub run: Option<&'a str>,
    /// Whether processes that also allow it may use the device at the same time.
    pub overlap: bool,
    /// How long to wait; `None`: indefinitely.
    pub patience: Option<Duration>,
}

/// The exclusive right to a device, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lease {
    // Never read: holding them is holding the lease. Released in this order, so that no ended holder is named.
    _ticket: Ticket,
    _guard: Option<Guard>,
    _lock: Lock,
}

impl Leases {
    /// Waits for the right to a device. While another process has it, `on_wait` is asked repeatedly whether to keep
    /// waiting, and is told the holder whenever that changes. `None`: it declined.
    ///
    /// # Errors
    /// When the files of leases cannot be used, or the wait exceeds its limit.
    pub fn acquire(
        &self,
        wish: &Wish<'_>,
        mut on_wait: impl FnMut(Option<&Holder>) -> ControlFlow<()>,
    ) -> Result<Option<Lease>, LeaseError> {
        let broken = |source| LeaseError::File {
            device: wish.device.to_owned(),
            folder: self.folder().to_owned(),
            source,
        };
        let holder = Holder::here(wish.device, wish.purpose, wish.run);
        // Drawn before the first attempt, so that a free device goes to the process that came first.
        let ticket = Ticket::take(self.folder(), wish.resource, &holder).map_err(broken)?;
        let begun = Instant::now();
        let (mut known, mut asked): (Option<Holder>, bool) = (None, false);
        loop {
            if ticket.is_first()
                && let Some((lock, guard)) = self.attempt(wish).map_err(broken)?
            {
                let ticket = ticket.held().map_err(broken)?;
                return Ok(Some(Lease { _ticket: ticket, _guard: guard, _lock: lock }));
            }
            let waited = begun.elapsed();
            // While no process holds the device, the one ahead in the queue is next.
            let mut holder = holding(self.folder(), wish.resource).or_else(|| ticket.ahead());
            if holder.is_none() && known.is_none() && waited > NAMELESS {
                // Asked once: every question stays in the queue of a socket that its holder never empties.
                let unknown = !std::mem::replace(&mut asked, true);
                holder = unknown.then(|| Guard::holder(self.domain(), wish.resource)).flatten();
                holder.get_or_insert_with(Holder::nameless);
            }
            if let Some(patience) = wish.patience.filter(|patience| waited >= *patience) {
                let holder = holder.or(known).unwrap_or_else(Holder::nameless).to_string();
                return Err(LeaseError::TimedOut { device: wish.device.to_owned(), patience, holder });
            }
            let news = holder.as_ref().filter(|holder| known.as_ref() != Some(*holder));
            if on_wait(news).is_break() {
                return Ok(None);
            }
            known = holder.or(known);
            std::thread::sleep(POLL);
        }
    }

    /// The lock and the name, if both are free.
    fn attempt(&self, wish: &Wish<'_>) -> io::Result<Option<(Lock, Option<Guard>)>> {
        let share = if wish.overlap { Share::WithOthers } else { Share::Exclusive };
        let Some(lock) = Lock::attempt(self.folder(), wish.resource, share)? else { return Ok(None) };
        if wish.overlap {
            // Several that overlap cannot have one name; it only must not be taken by one that is alone.
            let is_free = Guard::attempt(self.domain(), wish.resource)?.is_some();
            return Ok(is_free.then_some((lock, None)));
        }
        Ok(Guard::attempt(self.domain(), wish.resource)?.map(|guard| (lock, Some(guard))))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn wish(resource: &str) -> Wish<'_> {
        Wish { device: resource, resource, purpose: "a test", run: None, overlap: false, patience: None }
    }

    fn attempt(leases: &Leases, wish: &Wish<'_>) -> Option<Lease> {
        leases.acquire(wish, |_| ControlFlow::Break(())).unwrap()
    }

    fn leases() -> (tempfile::TempDir, Leases) {
        let base = tempfile::tempdir().unwrap();
        let leases = Leases::open(&base.path().join("leases"), None).unwrap();
        (base, leases)
    }

    #[test]
    fn a_lease_is_exclusive_and_given_back() {
        let (_base, leases) = leases();
        let lease = attempt(&leases, &wish("cuda:0"));
        assert!(lease.is_some());
        // Another opening of the file stands for another process: locks belong to openings.
        assert!(attempt(&leases, &wish("cuda:0")).is_none());
        assert!(attempt(&leases, &wish("cpu")).is_some(), "devices do not wait for one another");
        drop(lease);
        assert!(attempt(&leases, &wish("cuda:0")).is_some());
    }

    #[test]
    fn whoever_removes_the_files_breaks_no_lease() {
        let (_base, leases) = leases();
        let _lease = attempt(&leases, &wish("cuda:0")).unwrap();
        for entry in std::fs::read_dir(leases.folder()).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        let mut named = Vec::new();
        let second = leases.acquire(&wish("cuda:0"), |holder| {
            named.extend(holder.cloned());
            ControlFlow::Break(())
        });
        assert!(second.unwrap().is_none());
    }

    #[test]
    fn who_waits_is_told_the_holder_once() {
        let (_base, leases) = leases();
        let holding = Wish { run: Some("0193"), ..wish("cuda:0") };
        let _lease = attempt(&leases, &holding).unwrap();
        let mut told = Vec::new();
        let mut asked = 0;
        let waited = leases.acquire(&wish("cuda:0"), |holder| {
            told.extend(holder.cloned());
            asked += 1;
            if asked < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert!(waited.unwrap().is_none());
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].pid, told[0].purpose.as_str()), (std::process::id(), "a test"));
        assert_eq!(told[0].run.as_deref(), Some("0193"));
    }

    #[test]
    fn who_came_first_is_served_first() {
        let (_base, leases) = leases();
        let lease = attempt(&leases, &wish("cuda:0")).unwrap();
        let (queued, in_queue) = mpsc::channel();
        let (served, order) = mpsc::channel();
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (leases, queued, served) = (&leases, queued.clone(), served.clone());
                scope.spawn(move || {
                    let mut is_queued = false;
                    let lease = leases.acquire(&wish("cuda:0"), |_| {
                        if !std::mem::replace(&mut is_queued, true) {
                            queued.send(()).unwrap();
                        }
                        ControlFlow::Continue(())
                    });
                    served.send(number).unwrap();
                    drop(lease);
                });
                in_queue.recv().unwrap();
            }
            assert_eq!(leases.holders(&["cuda:0".to_owned()])[0].waiting.len(), 4);
            // Whoever comes now does not get in before those who wait, even when the device becomes free.
            drop(lease);
            let got: Vec<i32> = order.iter().take(4).collect();
            assert_eq!(got, [0, 1, 2, 3]);
        });
        assert!(leases.holders(&["cuda:0".to_owned()]).is_empty());
    }

    #[test]
    fn patience_ends_with_the_name_of_the_holder() {
        let (_base, leases) = leases();
        let _lease = attempt(&leases, &Wish { run: Some("0193"), ..wish("cuda:0") }).unwrap();
        let patience = Some(Duration::from_millis(20));
        let error = leases
            .acquire(&Wish { patience, ..wish("cuda:0") }, |_| ControlFlow::Continue(()))
            .unwrap_err()
            .to_string();
        assert!(error.contains("0.02 s") && error.contains("--lease-timeout"), "{error}");
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
    }

    #[test]
    fn only_those_who_say_so_overlap() {
        let (_base, leases) = leases();
        let together = Wish { overlap: true, ..wish("cpu") };
        let one = attempt(&leases, &together).unwrap();
        let two = attempt(&leases, &together).unwrap();
        assert!(attempt(&leases, &wish("cpu")).is_none());
        drop((one, two));
        let _alone = attempt(&leases, &wish("cpu")).unwrap();
        assert!(attempt(&leases, &together).is_none());
    }
}
