//! Warnings about the numbers of a case, in the words of every table and report.

use std::{collections::BTreeSet, fmt};

use indexmap::IndexMap;

use super::{CaseRecord, PairsInfo, RefusedCalls, SideEffects, Trend};
use crate::units;

impl CaseRecord {
    /// Warnings about its numbers, a sentence each; empty if they mean what they seem to.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let trend = self.metric("time").and_then(|time| time.trend);
        let launches = self.launches.iter().map(|launch| launch.side_effects);
        let effects = launches.reduce(SideEffects::or_larger).unwrap_or_default();
        let lines =
            self.launches.iter().map(|launch| launch.output.len() as u64 + launch.output_dropped).max();
        let calls: BTreeSet<&str> =
            self.launches.iter().flat_map(|launch| &launch.refused_calls).map(String::as_str).collect();
        trend
            .map(Trend::remark)
            .into_iter()
            .chain(refused("plugin", &calls))
            .chain(effects.remarks(lines.unwrap_or(0)))
            .collect()
    }
}

/// The sentence about system calls that were refused.
fn refused<C: AsRef<str>>(whose: &str, calls: &BTreeSet<C>) -> Option<String> {
    let names: Vec<&str> = calls.iter().map(AsRef::as_ref).collect();
    let names = (!names.is_empty()).then(|| names.join(", "))?;
    Some(format!("the {whose} made system calls that workers refuse plugins: {names}"))
}

/// Remarks on cases, each with the name of its case, as lines: cases with the same remark share one.
#[must_use]
pub fn remark_lines<N: fmt::Display>(remarks: impl IntoIterator<Item = (N, String)>) -> Vec<String> {
    let mut cases_of: IndexMap<String, Vec<N>> = IndexMap::new();
    for (case, remark) in remarks {
        cases_of.entry(remark).or_default().push(case);
    }
    let line = |(remark, cases): (String, Vec<N>)| match cases.as_slice() {
        [first, others @ ..] if !others.is_empty() => format!("{first} and {} more: {remark}", others.len()),
        cases => cases.iter().map(|case| format!("{case}: {remark}")).collect(),
    };
    cases_of.into_iter().map(line).collect()
}

impl PairsInfo {
    /// What either build did beside its work, and what the kernel refused, a sentence each.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let effects = self.side_effects.remarks(0);
        let refused = self.refused_calls.remarks();
        refused.into_iter().chain(effects).chain(self.missing.iter().cloned()).collect()
    }
}

impl RefusedCalls {
    /// One sentence if both builds made the same, otherwise one for each build that made any.
    fn remarks(&self) -> Vec<String> {
        let Self { baseline, candidate } = self;
        if baseline == candidate {
            return refused("plugin", baseline).into_iter().collect();
        }
        [("baseline", baseline), ("candidate", candidate)]
            .into_iter()
            .filter_map(|(whose, calls)| refused(whose, calls))
            .collect()
    }
}

impl Trend {
    /// The sentence for it.
    #[must_use]
    pub fn remark(self) -> String {
        let percent = self.change.abs() * 100.0;
        if self.change > 0.0 {
            format!(
                "the time of an iteration climbs by {percent:.0} % from the first to the last sample of a launch, so \
                 there is no stable time to report: look for state that grows from call to call"
            )
        } else {
            format!(
                "the time of an iteration falls by {percent:.0} % from the first to the last sample of a launch, so \
                 there is no stable time to report: it is still warming up, so move one-time work to `setup`"
            )
        }
    }
}

/// Fewer bytes wake a thread, and print nothing.
const WORTH_A_WORD_BYTES: u64 = 32;

impl SideEffects {
    /// A sentence for each. `lines`: how many lines of output the launch had in all.
    #[must_use]
    pub fn remarks(self, lines: u64) -> Vec<String> {
        let several = |count: u32, one: &str, many: &str| {
            if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
        };
        let mut out = Vec::new();
        if self.written_bytes >= WORTH_A_WORD_BYTES {
            let printed =
                if lines > 1 { format!(", and printed {lines} lines in all") } else { String::new() };
            out.push(format!(
                "the plugin wrote {} while it was measured{printed}: writing is part of its time, so keep it out of \
                 `execute`",
                units::bytes(self.written_bytes as f64)
            ));
        }
        if self.thread_running {
            out.push(
                "a thread that the plugin started keeps running: it competes with the measured thread, so end it in \
                 `setup`, or let it wait"
                    .to_owned(),
            );
        }
        if self.threads_left > 0 {
            out.push(format!(
                "`execute` left {} behind: join the threads that it starts",
                several(self.threads_left, "thread", "threads")
            ));
        }
        if self.descriptors_left > 0 {
            out.push(format!(
                "`execute` left {} open: close the files and sockets that it opens",
                several(self.descriptors_left, "file or socket", "files or sockets")
            ));
        }
        if self.files_left > 0 {
            out.push(format!(
                "the plugin left {} in its working directory: `cleanup` must remove what the plugin writes there",
                several(self.files_left, "file", "files")
            ));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_side_effect_has_a_sentence_with_its_size_and_none_says_nothing() {
        assert!(SideEffects::default().remarks(500).is_empty(), "printing in `setup` is nobody's business");
        assert!(SideEffects { written_bytes: 16, ..SideEffects::default() }.remarks(0).is_empty());
        let all = SideEffects {
            written_bytes: 2048,
            threads_left: 1,
            thread_running: true,
            descriptors_left: 3,
            files_left: 2,
        };
        let said = all.remarks(31_755).join("\n");
        for part in [
            "2.000 KiB",
            "31755 lines",
            "keeps running",
            "1 thread behind",
            "3 files or sockets",
            "2 files in",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(said.lines().count(), 5);
    }

    #[test]
    fn refused_calls_are_told_by_the_build_that_made_them() {
        let calls = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let said = |baseline: &[&str], candidate: &[&str]| {
            RefusedCalls { baseline: calls(baseline), candidate: calls(candidate) }.remarks()
        };
        assert_eq!(said(&[], &[]), Vec::<String>::new());
        let made = "made system calls that workers refuse plugins:";
        assert_eq!(said(&["socket"], &["socket"]), [format!("the plugin {made} socket")]);
        assert_eq!(said(&[], &["bind", "socket"]), [format!("the candidate {made} bind, socket")]);
        assert_eq!(
            said(&["socket"], &["bind"]),
            [format!("the baseline {made} socket"), format!("the candidate {made} bind")]
        );
    }

    #[test]
    fn cases_with_the_same_remark_share_a_line() {
        let said = [("a", "prints"), ("b", "waits"), ("c", "prints"), ("d", "prints")];
        let lines = remark_lines(said.map(|(case, remark)| (case, remark.to_owned())));
        assert_eq!(lines, ["a and 2 more: prints", "b: waits"]);
    }

    #[test]
    fn a_trend_says_which_way_and_how_far() {
        assert!(Trend { change: 6.9, launches: 5 }.remark().contains("climbs by 690 %"));
        assert!(Trend { change: -0.25, launches: 5 }.remark().contains("falls by 25 %"));
    }
}
