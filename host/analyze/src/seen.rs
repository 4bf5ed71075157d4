//! What the pass over a tree saw: the facts so far, and what the detection of benchmarks needs and nobody keeps.

use std::ops::Range;

use crate::{clocks::Clocks, facts::Facts};

/// A call by which benchmarks are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// A clock is read.
    Clock,
    /// A function of a framework for benchmarks is called.
    Framework,
    /// A kernel is started.
    Launch,
}

/// Such a call.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) sign: Sign,
    /// Index of the function around it.
    pub(crate) function: Option<u32>,
    /// The whole call.
    pub(crate) range: Range<usize>,
    /// What is called, as written.
    pub(crate) callee: Range<usize>,
    /// Line, from 1.
    pub(crate) line: u32,
}

/// One file, seen once.
#[derive(Debug)]
pub(crate) struct Seen<'s> {
    /// Its text.
    pub(crate) source: &'s [u8],
    /// Everything but the benchmarks.
    pub(crate) facts: Facts,
    /// Byte ranges of the functions.
    pub(crate) functions: Vec<Range<usize>>,
    /// Byte ranges of the classes.
    pub(crate) classes: Vec<Range<usize>>,
    /// Calls of interest in order.
    pub(crate) events: Vec<Event>,
    /// Byte ranges of loops in order of their starts.
    pub(crate) loops: Vec<Range<usize>>,
    /// Byte ranges of comments in order.
    pub(crate) comments: Vec<Range<usize>>,
    /// The names of clocks.
    pub(crate) clocks: Clocks,
    /// Structure of the code outside of functions, as a function has it: hash, and number of syntax nodes.
    pub(crate) outside: (u64, u32),
}

impl<'s> Seen<'s> {
    /// The text of a range.
    pub(crate) fn text(&self, range: Range<usize>) -> &'s [u8] {
        self.source.get(range).unwrap_or_default()
    }

    /// The line that holds a byte, from 1.
    pub(crate) fn line_of(&self, at: usize) -> u32 {
        let before = self.source.get(..at).unwrap_or(self.source);
        u32::try_from(memchr::memchr_iter(b'\n', before).count() + 1).unwrap_or(u32::MAX)
    }
}

/// What a call is a sign of. Sees every call of every file, so most are refused by the last name alone.
pub(crate) fn sign(callee: &[u8]) -> Option<Sign> {
    let start = callee.iter().rposition(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    let last = &callee[start.map_or(0, |at| at + 1)..];
    let before = &callee[..start.map_or(0, |at| at + 1)];
    match last {
        b"perf_counter"
        | b"perf_counter_ns"
        | b"monotonic"
        | b"monotonic_ns"
        | b"process_time"
        | b"process_time_ns"
        | b"thread_time"
        | b"thread_time_ns"
        | b"time_ns"
        | b"gettimeofday"
        | b"clock_gettime"
        | b"timespec_get"
        | b"cudaEventRecord"
        | b"hipEventRecord"
        | b"omp_get_wtime"
        | b"MPI_Wtime"
        | b"__rdtsc"
        | b"__rdtscp"
        | b"_rdtsc"
        | b"QueryPerformanceCounter"
        | b"GetTickCount"
        | b"GetTickCount64"
        | b"mach_absolute_time" => Some(Sign::Clock),
        b"time" | b"clock" => {
            (before.is_empty() || matches!(before, b"time." | b"std::" | b"::")).then_some(Sign::Clock)
        }
        b"default_timer" => Some(Sign::Clock),
        b"now" => is_clock_now(before).then_some(Sign::Clock),
        b"timeit" | b"repeat" | b"autorange" | b"bench_function" | b"bench_with_input" | b"pedantic"
        | b"benchmark" => Some(Sign::Framework),
        b"BENCHMARK"
        | b"BENCHMARK_TEMPLATE"
        | b"BENCHMARK_CAPTURE"
        | b"BENCHMARK_REGISTER_F"
        | b"RegisterBenchmark" => Some(Sign::Framework),
        _ => None,
    }
}

fn is_clock_now(before: &[u8]) -> bool {
    const OWNERS: [&[u8]; 10] = [
        b"Instant::",
        b"SystemTime::",
        b"steady_clock::",
        b"system_clock::",
        b"high_resolution_clock::",
        b"datetime.",
        b"Clock::",
        b"clock::",
        b"Utc::",
        b"Local::",
    ];
    OWNERS.iter().any(|owner| before.ends_with(owner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_known_by_its_whole_name() {
        assert_eq!(sign(b"time.time"), Some(Sign::Clock));
        assert_eq!(sign(b"perf_counter"), Some(Sign::Clock));
        assert_eq!(sign(b"std::chrono::steady_clock::now"), Some(Sign::Clock));
        assert_eq!(sign(b"std::time::Instant::now"), Some(Sign::Clock));
        assert_eq!(sign(b"self.time"), None);
        assert_eq!(sign(b"now"), None);
    }
}
