//! Which case of one side belongs to which of the other, and why the rest is not compared.

use indexmap::IndexMap;

use crate::model::{CaseKey, ComparedSide, Measured, MeasuredCase, Unjudged};

/// What a side has of a case.
#[derive(Clone, Copy)]
enum Had<'a> {
    Values(&'a MeasuredCase),
    Nothing(&'a Unjudged),
}

/// The cases of two sides, each with its own on the other side.
#[derive(Default)]
pub(super) struct Matched<'a> {
    pub(super) both: Vec<(&'a MeasuredCase, &'a MeasuredCase)>,
    pub(super) unjudged: Vec<(CaseKey, Unjudged)>,
    pub(super) added: Vec<CaseKey>,
    pub(super) removed: Vec<CaseKey>,
}

/// What a side has, by the key that a case keeps from version to version.
type Families<'a> = IndexMap<CaseKey, Vec<(&'a CaseKey, Had<'a>)>>;

fn families(side: &Measured) -> Families<'_> {
    let mut all = Families::new();
    let measured = side.cases.iter().map(|case| (&case.key, Had::Values(case)));
    let missing = side.missing.iter().map(|(key, why)| (key, Had::Nothing(why)));
    for (key, had) in measured.chain(missing) {
        all.entry(key.without_version()).or_default().push((key, had));
    }
    all
}

impl<'a> Matched<'a> {
    pub(super) fn new(baseline: &'a Measured, candidate: &'a Measured) -> Self {
        let mut out = Self::default();
        let (mut old, new) = (families(baseline), families(candidate));
        for (family, now) in &new {
            let before = old.shift_remove(family).unwrap_or_default();
            out.family(&before, now);
        }
        for before in old.values() {
            out.family(before, &[]);
        }
        out
    }

    /// A case in all versions that the sides have of it. Where each has one, versions may differ: that is what comparing
    /// versions is. Else only equal versions are compared.
    fn family(&mut self, before: &[(&'a CaseKey, Had<'a>)], now: &[(&'a CaseKey, Had<'a>)]) {
        if before.len() <= 1 && now.len() <= 1 {
            self.pair(before.first().copied(), now.first().copied());
            return;
        }
        let mut seen: Vec<&CaseKey> = Vec::new();
        for (key, _) in now.iter().chain(before) {
            if seen.iter().any(|other| other.is_same_version(key)) {
                continue;
            }
            seen.push(key);
            let of = |side: &[(&'a CaseKey, Had<'a>)]| -> Vec<(&'a CaseKey, Had<'a>)> {
                side.iter().copied().filter(|(other, _)| other.is_same_version(key)).collect()
            };
            let (old, new) = (of(before), of(now));
            let several = [(ComparedSide::Candidate, new.len()), (ComparedSide::Baseline, old.len())];
            match several.into_iter().find(|(_, count)| *count > 1) {
                Some((side, count)) if !old.is_empty() && !new.is_empty() => {
                    self.unjudged.push(((*key).clone(), Unjudged::Ambiguous { side, count: count as u32 }));
                }
                _ => self.pair(old.first().copied(), new.first().copied()),
            }
        }
    }

    fn pair(&mut self, before: Option<(&'a CaseKey, Had<'a>)>, now: Option<(&'a CaseKey, Had<'a>)>) {
        match (before, now) {
            (Some((_, Had::Values(before))), Some((_, Had::Values(now)))) => self.both.push((before, now)),
            // A case that neither side can run here is not worth reporting.
            (None | Some((_, Had::Nothing(_))), Some((_, Had::Nothing(Unjudged::Skipped { .. })))) => {}
            (_, Some((key, Had::Nothing(why)))) => {
                self.unjudged.push((key.clone(), why.clone().on(ComparedSide::Candidate)));
            }
            (Some((_, Had::Nothing(why))), Some((key, Had::Values(_)))) => {
                self.unjudged.push((key.clone(), why.clone().on(ComparedSide::Baseline)));
            }
            (None, Some((key, Had::Values(_)))) => self.added.push(key.clone()),
            (Some((key, Had::Values(_))), None) => self.removed.push(key.clone()),
            (Some((_, Had::Nothing(_))), None) | (None, None) => {}
        }
    }

    /// All keys, in the order in which they are written.
    pub(super) fn keys(&self) -> Vec<CaseKey> {
        let both = self.both.iter().map(|(_, now)| now.key.clone());
        let unjudged = self.unjudged.iter().map(|(key, _)| key.clone());
        both.chain(unjudged).chain(self.added.clone()).chain(self.removed.clone()).collect()
    }
}
