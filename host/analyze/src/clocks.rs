//! Clocks: which names stand for one in a file, and whether a clock can measure a duration.

use std::{borrow::Cow, collections::HashMap};

use crate::{
    facts::{Import, ImportKind},
    signs::{Sign, sign},
};

/// Modules whose clocks are imported by name.
const MODULES: [&str; 3] = ["time", "timeit", "datetime"];

/// Types with a `now` that are imported by name.
const TYPES: [&str; 5] = ["Instant", "SystemTime", "Utc", "Local", "datetime"];

/// C++ types with a static `now`. The longer name of one that contains another comes first.
const CPP_CLOCKS: [&str; 3] = ["steady_clock", "high_resolution_clock", "system_clock"];

/// What a clock counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Time that passes, or something that nothing is known of.
    Steady,
    /// The time of day, which may be set back, with the reason and the clock to use instead.
    Settable(&'static str),
    /// Time of the processor, which stands still while the program waits.
    Processor,
}

/// Clocks that may be set: the end of the name, and why. A name ends at its beginning, or behind `.` or `:`.
const SETTABLE: [(&str, &str); 14] = [
    (
        "time.time",
        "`time.time` follows the system clock, which may be set back; `time.perf_counter` does not",
    ),
    (
        "time_ns",
        "`time.time_ns` follows the system clock, which may be set back; `time.perf_counter_ns` does not",
    ),
    (
        "datetime.now",
        "`datetime.now` follows the system clock, which may be set back; `time.perf_counter` does not",
    ),
    (
        "datetime.utcnow",
        "`datetime.utcnow` follows the system clock, which may be set back; `time.perf_counter` does not",
    ),
    ("SystemTime::now", "`SystemTime` follows the system clock, which may be set back; `Instant` does not"),
    ("Utc::now", "`Utc::now` follows the system clock, which may be set back; `Instant` does not"),
    ("Local::now", "`Local::now` follows the system clock, which may be set back; `Instant` does not"),
    (
        "system_clock::now",
        "`system_clock` follows the system clock, which may be set back; `steady_clock` does not",
    ),
    (
        "high_resolution_clock::now",
        "`high_resolution_clock` is `system_clock` in libstdc++, which may be set back; `steady_clock` does not",
    ),
    ("gettimeofday", C_SETTABLE),
    ("timespec_get", C_SETTABLE),
    ("std::time", C_SETTABLE),
    ("::time", C_SETTABLE),
    ("time", C_SETTABLE),
];

const C_SETTABLE: &str =
    "This clock follows the system clock, which may be set back; `clock_gettime(CLOCK_MONOTONIC)` does not";
const REALTIME: &str =
    "`CLOCK_REALTIME` follows the system clock, which may be set back; `CLOCK_MONOTONIC` does not";

/// Clocks of the processor: the last part of the name.
const PROCESSOR: [&str; 5] = ["clock", "process_time", "process_time_ns", "thread_time", "thread_time_ns"];

/// The names that a file gives to clocks: `now` for `time.time`, `C` for `std::chrono::steady_clock`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clocks {
    names: HashMap<String, String>,
    /// Whether the file makes events that a GPU records.
    events: bool,
}

/// The clock of events that a GPU records, as people know it.
pub(crate) const EVENT: &str = "cuda.Event";

impl Clocks {
    /// Learns from an import.
    pub(crate) fn import(&mut self, import: &Import) {
        let here = import.alias.as_ref().unwrap_or(&import.name);
        let meant = match (import.kind, import.module.as_deref()) {
            (ImportKind::Import, _) if MODULES.contains(&import.name.as_str()) => import.name.clone(),
            (ImportKind::ImportFrom, Some(module)) if MODULES.contains(&module) => {
                format!("{module}.{}", import.name)
            }
            // `from torch.cuda import Event`
            (ImportKind::ImportFrom, Some(module)) if module.ends_with("cuda") && import.name == "Event" => {
                EVENT.to_owned()
            }
            (ImportKind::Use, _) if TYPES.contains(&import.name.as_str()) => import.name.clone(),
            _ => return,
        };
        if *here != meant {
            self.learn(here, meant);
        }
    }

    /// Learns from `using C = std::chrono::steady_clock` or `now = time.perf_counter`.
    pub(crate) fn alias(&mut self, name: &str, written: &str) {
        if let Some(clock) = CPP_CLOCKS.iter().find(|clock| written.contains(*clock)) {
            // `conditional<high_resolution_clock::is_steady, …, steady_clock>` is steady, and says so first.
            self.learn(name, format!("std::chrono::{clock}"));
        } else if let Some(kind) = TYPES.iter().find(|kind| written.rsplit("::").next() == Some(*kind)) {
            self.learn(name, (*kind).to_owned());
        } else if self.sign(written.as_bytes()) == Some(Sign::Clock) {
            let meant = self.meant(written).into_owned();
            self.learn(name, meant);
        }
    }

    /// Learns from a call that makes an event: `torch.cuda.Event(enable_timing=True)`.
    pub(crate) fn call(&mut self, callee: &[u8]) {
        const MAKES: [&[u8]; 5] = [b"cuda.Event", b"torch.Event", b"xpu.Event", b"cuda.event", b"hip.Event"];
        if callee.ends_with(b"vent") && !self.events {
            let meant = std::str::from_utf8(callee).map(|text| self.meant(text)).unwrap_or_default();
            self.events = MAKES.iter().any(|name| meant.as_bytes().ends_with(name));
        }
    }

    /// The first meaning counts: `except ImportError` often brings another one.
    fn learn(&mut self, name: &str, meant: String) {
        self.names.entry(name.to_owned()).or_insert(meant);
    }

    /// A called name as it would be without aliases.
    pub(crate) fn meant<'n>(&self, callee: &'n str) -> Cow<'n, str> {
        if self.names.is_empty() {
            return Cow::Borrowed(callee);
        }
        if let Some(meant) = self.names.get(callee) {
            return Cow::Owned(meant.clone());
        }
        for separator in ["::", "."] {
            if let Some((first, rest)) = callee.split_once(separator)
                && let Some(meant) = self.names.get(first)
            {
                return Cow::Owned(format!("{meant}{separator}{rest}"));
            }
            // `Timer::Clock::now`
            if let Some((owner, last)) = callee.rsplit_once(separator)
                && let Some((_, owner)) = owner.rsplit_once(separator)
                && let Some(meant) = self.names.get(owner)
            {
                return Cow::Owned(format!("{meant}{separator}{last}"));
            }
        }
        Cow::Borrowed(callee)
    }

    /// What a call is a sign of, under the names of this file.
    pub(crate) fn sign(&self, callee: &[u8]) -> Option<Sign> {
        sign(callee).or_else(|| {
            if self.events && callee.ends_with(b".record") {
                return Some(Sign::Clock);
            }
            if self.names.is_empty() {
                return None;
            }
            let text = std::str::from_utf8(callee).ok()?;
            match self.meant(text) {
                Cow::Owned(meant) => sign(meant.as_bytes()),
                Cow::Borrowed(_) => None,
            }
        })
    }

    /// What a clock counts, by its name as written and the arguments of the call.
    pub(crate) fn kind(&self, callee: &str, arguments: &[u8]) -> Kind {
        let meant = self.meant(callee.trim());
        let meant = meant.as_ref();
        let last = meant.rsplit(['.', ':']).next().unwrap_or_default();
        if last == "clock_gettime" || last == "clock_gettime_ns" {
            let first = arguments.split(|byte| *byte == b',').next().unwrap_or_default();
            let has = |name: &str| memchr::memmem::find(first, name.as_bytes()).is_some();
            return match (has("CLOCK_REALTIME") || has("CLOCK_TAI"), has("CPUTIME")) {
                (true, _) => Kind::Settable(REALTIME),
                (_, true) => Kind::Processor,
                _ => Kind::Steady,
            };
        }
        if PROCESSOR.contains(&last) {
            return Kind::Processor;
        }
        let ends = |name: &str| {
            let rest = meant.strip_suffix(name);
            rest.is_some_and(|rest| {
                rest.is_empty() || (name.len() > "time".len() && rest.ends_with(['.', ':']))
            })
        };
        SETTABLE.iter().find(|line| ends(line.0)).map_or(Kind::Steady, |line| Kind::Settable(line.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(kind: ImportKind, module: Option<&str>, name: &str, alias: Option<&str>) -> Clocks {
        let mut clocks = Clocks::default();
        clocks.import(&Import {
            kind,
            module: module.map(str::to_owned),
            name: name.to_owned(),
            alias: alias.map(str::to_owned),
            line: 1,
        });
        clocks
    }

    fn is_settable(clocks: &Clocks, callee: &str, arguments: &str) -> bool {
        matches!(clocks.kind(callee, arguments.as_bytes()), Kind::Settable(_))
    }

    #[test]
    fn a_clock_is_known_under_the_name_that_the_file_gives_it() {
        let clocks = python(ImportKind::ImportFrom, Some("time"), "time", Some("now"));
        assert_eq!(clocks.sign(b"now"), Some(Sign::Clock));
        assert!(is_settable(&clocks, "now", ""));
        let clocks = python(ImportKind::ImportFrom, Some("time"), "monotonic", Some("time"));
        assert_eq!(clocks.sign(b"time"), Some(Sign::Clock));
        assert!(!is_settable(&clocks, "time", ""));
        let clocks = python(ImportKind::Import, None, "time", Some("t"));
        assert_eq!(clocks.sign(b"t.time"), Some(Sign::Clock));
        assert_eq!(clocks.sign(b"t.sleep"), None);
        assert!(is_settable(&clocks, "t.time", "") && !is_settable(&clocks, "t.perf_counter", ""));
        let clocks = python(ImportKind::ImportFrom, Some("datetime"), "datetime", Some("dt"));
        assert!(is_settable(&clocks, "dt.now", ""));
        let clocks = python(ImportKind::Use, Some("std::time"), "SystemTime", Some("Clock"));
        assert!(is_settable(&clocks, "Clock::now", ""));

        let mut clocks = Clocks::default();
        clocks.alias("C", "std::chrono::steady_clock");
        clocks.alias("H", "chrono::high_resolution_clock");
        clocks.alias(
            "S",
            "std::conditional_t<high_resolution_clock::is_steady, high_resolution_clock, steady_clock>",
        );
        clocks.alias("other", "std::vector<int>");
        assert_eq!(clocks.sign(b"C::now"), Some(Sign::Clock));
        assert_eq!(clocks.sign(b"other::now"), None);
        assert!(!is_settable(&clocks, "C::now", "") && !is_settable(&clocks, "S::now", ""));
        assert!(is_settable(&clocks, "H::now", "") && is_settable(&clocks, "Timer::H::now", ""));
        clocks.alias("tick", "time.perf_counter");
        assert_eq!(clocks.sign(b"tick"), Some(Sign::Clock));
    }

    #[test]
    fn what_a_clock_counts_depends_on_its_arguments_too() {
        let clocks = Clocks::default();
        assert!(is_settable(&clocks, "clock_gettime", "CLOCK_REALTIME, &t"));
        assert!(is_settable(&clocks, "time.clock_gettime", "time.CLOCK_REALTIME"));
        assert_eq!(clocks.kind("clock_gettime", b"CLOCK_MONOTONIC, &t"), Kind::Steady);
        assert_eq!(clocks.kind("clock_gettime", b"CLOCK_PROCESS_CPUTIME_ID, &t"), Kind::Processor);
        assert_eq!(clocks.kind("std::clock", b""), Kind::Processor);
        assert_eq!(clocks.kind("time.process_time", b""), Kind::Processor);
        assert!(is_settable(&clocks, "time", "NULL") && is_settable(&clocks, "std::time", "nullptr"));
        assert!(!is_settable(&clocks, "self.time", "") && !is_settable(&clocks, "time.monotonic", ""));
    }
}
