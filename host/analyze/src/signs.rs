//! Signs of a benchmark: which calls are looked at.

/// What a call by which benchmarks are recognised does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// A clock is read.
    Clock,
    /// A function of a framework for benchmarks is called.
    Framework,
    /// A kernel is started.
    Launch,
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
