//! Compares two machines, or one at two times: what differs, and whether their results may be compared. Pure.

use dyno_core::{
    model::{Comparable, Difference, Doctor, DoctorComparison},
    units,
};

/// A trait that may differ.
struct Trait {
    topic: &'static str,
    matters: Comparable,
    read: fn(&Doctor) -> String,
}

const UNKNOWN: &str = "not known";

fn known<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| value.to_string())
}

fn on(value: Option<bool>) -> String {
    known(value.map(|on| if on { "on" } else { "off" }))
}

fn bytes(bytes: u64) -> String {
    units::bytes(bytes as f64)
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// The traits that are compared: only those that can change speed.
const TRAITS: &[Trait] = &[
    Trait { topic: "architecture", matters: Comparable::No, read: |it| it.machine.arch.clone() },
    Trait { topic: "processor", matters: Comparable::No, read: |it| it.machine.cpu.model.clone() },
    Trait {
        topic: "cores",
        matters: Comparable::No,
        read: |it| {
            let cpu = &it.machine.cpu;
            let smt = if cpu.smt { ", SMT" } else { "" };
            [
                units::count(cpu.sockets, "socket"),
                units::count(cpu.cores, "core"),
                units::count(cpu.threads, "thread") + smt,
            ]
            .join(", ")
        },
    },
    Trait {
        topic: "caches",
        matters: Comparable::No,
        read: |it| {
            let caches = it.machine.cpu.caches.iter();
            caches.map(|(name, size)| format!("{name} {}", bytes(*size))).collect::<Vec<_>>().join(", ")
        },
    },
    Trait { topic: "simd", matters: Comparable::No, read: |it| it.machine.cpu.simd.join(" ") },
    Trait {
        topic: "virtualisation",
        matters: Comparable::No,
        read: |it| it.readings.kernel.virtualisation.clone().unwrap_or_else(|| "none".to_owned()),
    },
    Trait {
        topic: "governor",
        matters: Comparable::No,
        read: |it| {
            let governors = &it.readings.clocks.governors;
            if governors.is_empty() { UNKNOWN.to_owned() } else { governors.join(", ") }
        },
    },
    Trait { topic: "turbo", matters: Comparable::No, read: |it| on(it.readings.clocks.turbo) },
    Trait {
        topic: "highest clock",
        matters: Comparable::No,
        read: |it| known(it.readings.clocks.highest_hz.map(|hertz| format!("{:.2} GHz", hertz as f64 / 1e9))),
    },
    Trait {
        topic: "quota",
        matters: Comparable::No,
        read: |it| {
            it.readings
                .group
                .cpu_quota
                .map_or_else(|| "none".to_owned(), |quota| format!("{quota:.2} processors"))
        },
    },
    Trait {
        topic: "huge pages",
        matters: Comparable::Care,
        read: |it| known(it.readings.memory.huge_pages.as_ref()),
    },
    Trait {
        topic: "numa nodes",
        matters: Comparable::Care,
        read: |it| it.readings.memory.numa_nodes.to_string(),
    },
    // Kernels reserve more or less: only steps of a gibibyte tell machines apart.
    Trait {
        topic: "memory",
        matters: Comparable::Care,
        read: |it| format!("{} GiB", it.readings.memory.total_bytes >> 30),
    },
    Trait { topic: "kernel", matters: Comparable::Care, read: |it| it.machine.os.clone() },
    Trait { topic: "time", matters: Comparable::Care, read: |it| known(it.readings.clocks.source.as_ref()) },
    Trait {
        topic: "fixed layout",
        matters: Comparable::Care,
        read: |it| known(it.readings.kernel.can_fix_layout.map(yes)),
    },
    Trait {
        topic: "processors allowed",
        matters: Comparable::Care,
        read: |it| units::cpus(&it.readings.cpus.allowed),
    },
    Trait {
        topic: "isolated",
        matters: Comparable::Care,
        read: |it| {
            let isolated = &it.readings.cpus.isolated;
            if isolated.is_empty() { "none".to_owned() } else { units::cpus(isolated) }
        },
    },
    Trait { topic: "dyno", matters: Comparable::Care, read: |it| it.dyno_version.clone() },
    Trait {
        topic: "noise",
        matters: Comparable::Yes,
        read: |it| match it.noise.upper_bound {
            None => "not measured".to_owned(),
            Some(bound) => format!(
                "{} of {} comparisons of equal builds alarmed (at most {:.1} %)",
                it.noise.alarms,
                it.noise.comparisons,
                bound * 100.0
            ),
        },
    },
];

/// Compares two machines.
#[must_use]
pub fn compare(first: &Doctor, second: &Doctor) -> DoctorComparison {
    let mut differences: Vec<Difference> = TRAITS
        .iter()
        .filter_map(|of| {
            let (a, b) = ((of.read)(first), (of.read)(second));
            // A value that only one machine reports is not a difference, but not equal either.
            let matters =
                if a == UNKNOWN || b == UNKNOWN { of.matters.max(Comparable::Care) } else { of.matters };
            (a != b).then(|| Difference { topic: of.topic.to_owned(), first: a, second: b, matters })
        })
        .collect();
    differences.extend(disturbed(first, second));
    differences.sort_by_key(|difference| difference.matters);
    let comparable = differences.first().map_or(Comparable::Yes, |worst| worst.matters);
    let topics: Vec<&str> = differences
        .iter()
        .filter(|difference| difference.matters == comparable)
        .map(|difference| difference.topic.as_str())
        .collect();
    let reason = match comparable {
        Comparable::No => format!(
            "times from one cannot be compared with times from the other ({} differ); run `dyno ab` on each and \
             compare the verdicts instead",
            topics.join(", ")
        ),
        Comparable::Care => format!(
            "the processors are alike, but other things differ ({}), which may explain a change between the two",
            topics.join(", ")
        ),
        Comparable::Yes => "nothing that decides speed differs".to_owned(),
    };
    DoctorComparison {
        schema: "dyno.doctor-comparison".to_owned(),
        version: 1,
        first: title(first),
        second: title(second),
        differences,
        comparable,
        reason,
    }
}

fn title(doctor: &Doctor) -> String {
    format!("{} ({})", doctor.machine.hostname, doctor.at)
}

/// Activity is not a property of a machine: it counts only if it is a problem for one of the two.
fn disturbed(first: &Doctor, second: &Doctor) -> Vec<Difference> {
    let of = |doctor: &Doctor, topic: &str| {
        let found = doctor.findings.iter().find(|finding| finding.topic == topic);
        found.map_or("not known", |finding| finding.severity.word())
    };
    ["load", "steal", "pressure", "heat"]
        .into_iter()
        .filter_map(|topic| {
            let (a, b) = (of(first, topic), of(second, topic));
            let is_bad = |word: &str| word == "problem" || word == "warning";
            (is_bad(a) != is_bad(b)).then(|| Difference {
                topic: topic.to_owned(),
                first: a.to_owned(),
                second: b.to_owned(),
                matters: Comparable::Care,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use dyno_core::model::{Finding, Severity};

    use super::*;

    fn doctor() -> Doctor {
        serde_json::from_str(include_str!("testdata/doctor.json")).unwrap()
    }

    #[test]
    fn a_machine_is_comparable_with_itself() {
        let found = compare(&doctor(), &doctor());
        assert_eq!((found.comparable, found.differences.len()), (Comparable::Yes, 0));
        assert!(found.first.starts_with("bench-1 (2026"), "{}", found.first);
    }

    #[test]
    fn another_governor_makes_other_times() {
        let mut other = doctor();
        other.readings.clocks.governors = vec!["powersave".to_owned()];
        other.machine.os = "Linux 7.0".to_owned();
        let found = compare(&doctor(), &other);
        let topics: Vec<&str> = found.differences.iter().map(|it| it.topic.as_str()).collect();
        assert_eq!(topics, ["governor", "kernel"]);
        assert_eq!(found.comparable, Comparable::No);
        assert!(found.reason.contains("(governor differ)"), "{}", found.reason);
    }

    #[test]
    fn what_one_does_not_tell_asks_for_care() {
        let mut other = doctor();
        other.readings.clocks.turbo = None;
        let found = compare(&doctor(), &other);
        assert_eq!((found.comparable, found.differences[0].second.as_str()), (Comparable::Care, "not known"));
    }

    #[test]
    fn load_on_one_of_them_counts() {
        let mut other = doctor();
        other.findings = vec![Finding {
            topic: "load".to_owned(),
            severity: Severity::Problem,
            text: "busy".to_owned(),
            command: None,
            advice: None,
        }];
        let found = compare(&doctor(), &other);
        assert_eq!(found.differences[0].topic, "load");
        assert_eq!(found.comparable, Comparable::Care);
    }
}
