//! Inside the plugin: device time of many iterations, between events of the device, with a hot or a cold cache.

use dyno_sdk::prelude::*;

use crate::cuda::{Buffer, Gpu, Moment};

/// What is in the last-level cache when an iteration starts.
#[derive(ParamEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cache {
    /// Whatever the iteration before left there: iterations follow each other without a gap, and one pair of events
    /// stands around all of them.
    Hot,
    /// Nothing of use: before each iteration a buffer larger than the cache is written, outside of the pair of events
    /// that stands around that iteration. While the device writes, the host gets ahead of it, so that the time between
    /// the events has no waiting for the host in it.
    Cold,
}

/// Pairs of events: this many iterations are put into the stream before their times are read.
const PAIRS: usize = 128;

/// Measures iterations.
#[derive(Debug)]
pub(crate) struct Timer {
    pairs: Vec<(Moment, Moment)>,
    flush: Option<Buffer<u8>>,
}

impl Timer {
    /// Makes the events, and for cold measurements the buffer, once.
    pub(crate) fn new(gpu: &Gpu, cache: Cache) -> Result<Self, Failure> {
        let (pairs, flush) = match cache {
            Cache::Hot => (1, None),
            Cache::Cold => (PAIRS, Some(gpu.output(flush_bytes(gpu.cache_bytes()))?)),
        };
        let pairs = (0..pairs).map(|_| Ok((gpu.moment()?, gpu.moment()?))).collect::<Result<_, Failure>>()?;
        Ok(Self { pairs, flush })
    }

    /// Has `iteration` put its work into the stream so many times, waits, and returns the time that the device took for
    /// all of them together [ns].
    pub(crate) fn time(
        &mut self,
        gpu: &Gpu,
        iterations: u64,
        mut iteration: impl FnMut() -> Result<(), Failure>,
    ) -> Result<f64, Failure> {
        let mut total_ns = 0.0;
        let mut left = iterations;
        while left > 0 {
            let turn = match &mut self.flush {
                None => {
                    let (start, end) = &self.pairs[0];
                    gpu.note(start)?;
                    for _ in 0..left {
                        iteration()?;
                    }
                    gpu.note(end)?;
                    left
                }
                Some(flush) => {
                    let turn = left.min(self.pairs.len() as u64);
                    for (number, (start, end)) in (0..turn).zip(&self.pairs) {
                        // Another byte each time: the same one might be recognised by a cache that compresses.
                        gpu.fill(flush, (number & 0xff) as u8)?;
                        gpu.note(start)?;
                        iteration()?;
                        gpu.note(end)?;
                    }
                    turn
                }
            };
            gpu.wait()?;
            let used = if self.flush.is_some() { turn as usize } else { 1 };
            for (start, end) in &self.pairs[..used] {
                total_ns += gpu.between_ns(start, end)?;
            }
            left -= turn;
        }
        Ok(total_ns)
    }
}

/// Twice the cache, so that nothing of what was there stays, whatever it throws out first; and enough to keep the device
/// busy while the host starts the next iteration, where the cache is small or says nothing.
fn flush_bytes(cache_bytes: usize) -> usize {
    (2 * cache_bytes).max(32 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flush_is_larger_than_the_cache() {
        assert_eq!(flush_bytes(50 << 20), 100 << 20);
        assert_eq!(flush_bytes(0), 32 << 20);
        for cache in [1_usize, 6 << 20, 126 << 20] {
            assert!(flush_bytes(cache) > cache);
        }
    }
}
