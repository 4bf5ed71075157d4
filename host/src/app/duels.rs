//! Use cases: comparing builds, two with each other or one with itself.

use dyno_core::{
    model::{AaCase, AaReport, CaseKey, CaseRequest, Comparison, Event, Inputs},
    stats::sequential::Rule,
};

use super::{error::AppError, root::App, workers::workers};
use crate::{
    catalog::Entry,
    devices,
    runner::{self, Cancel, Duel, DuelNews, DuelOptions, Match, Matches},
    store::Noise,
};

/// With fewer pairs of equal builds, their variance is too uncertain for a verdict.
const ENOUGH_PAIRS: u32 = 50;

/// Progress of an A/A comparison.
#[derive(Debug)]
pub enum AaNews<'a> {
    /// This number of comparisons is done.
    Round(u32),
    /// The comparison has to wait.
    Event(&'a Event),
}

/// Comparing builds.
#[derive(Debug, Clone, Copy)]
pub struct Duels<'a>(&'a App);

impl App {
    /// The use cases of comparing builds.
    #[must_use]
    pub fn duels(&self) -> Duels<'_> {
        Duels(self)
    }
}

impl Duels<'_> {
    /// Compares two builds by pairs of launches. `told` is called for every pair.
    ///
    /// # Errors
    /// When the builds share none of the requested benchmarks, or the host fails; never because a benchmark fails.
    pub fn ab(
        &self,
        (baseline, candidate): (&Entry, &Entry),
        requests: &[CaseRequest],
        options: &DuelOptions,
        cancel: &Cancel,
        told: &mut dyn FnMut(DuelNews<'_>),
    ) -> Result<Comparison, AppError> {
        let Matches { cases: mut matches, added, removed } =
            self.matched(baseline, candidate, requests, options)?;
        let noise = self.0.verdicts().noise_here(cancel, &mut |event| told(DuelNews::Event(event)))?;
        for one in &mut matches {
            let known = noise.get(&Noise::place_of(&one.key)).filter(|known| known.pairs >= ENOUGH_PAIRS);
            if let Some(known) = known {
                one.rule = Rule::ConfidenceSequence { variance: known.variance, alpha: options.alpha };
            }
        }
        let mut comparison = self.fight(&matches, options, cancel, told)?;
        comparison.added = added;
        comparison.removed = removed;
        if baseline.sha256 == candidate.sha256 {
            comparison.withdraw_same_build();
        }
        if baseline.kind != candidate.kind {
            comparison.differences.push(format!("engine: {} then, {} now", baseline.kind, candidate.kind));
        }
        let results = self.0.backend.writing(cancel, &mut |event| told(DuelNews::Event(event)));
        results?.record_comparison(&comparison)?;
        Ok(comparison)
    }

    /// Compares a build with itself, `rounds` times per case, and stores how much its pairs differ.
    ///
    /// # Errors
    /// As for [`Duels::ab`].
    pub fn aa(
        &self,
        build: &Entry,
        requests: &[CaseRequest],
        options: &DuelOptions,
        rounds: u32,
        cancel: &Cancel,
        told: &mut dyn FnMut(AaNews<'_>),
    ) -> Result<AaReport, AppError> {
        let matches = self.matched(build, build, requests, options)?.cases;
        let empty = |one: &Match| AaCase { label: one.label.clone(), ..AaCase::default() };
        let mut cases: Vec<(CaseKey, AaCase)> =
            matches.iter().map(|one| (one.key.clone(), empty(one))).collect();
        for round in 0..rounds {
            let mut options = options.clone();
            if options.settings.inputs == Inputs::Fresh {
                options.settings.seed = options.settings.seed.wrapping_add(u64::from(round));
            }
            let comparison = self.fight(&matches, &options, cancel, &mut |_| {})?;
            if cancel.is_set() {
                break;
            }
            for (key, case) in &mut cases {
                if let Some(found) = comparison.cases.iter().find(|found| found.key.as_ref() == Some(key)) {
                    case.add(found);
                }
                if let Some(found) = comparison.unjudged.iter().find(|found| found.key == *key) {
                    case.could_not(&found.why);
                }
            }
            told(AaNews::Round(round + 1));
        }
        let measured = cases.iter().filter(|(_, case)| case.pairs > 0);
        let found: Vec<Noise> = measured
            .map(|(key, case)| Noise {
                plugin: key.plugin.clone(),
                label: key.label(),
                comparisons: case.comparisons,
                alarms: case.alarms,
                pairs: case.pairs,
                variance: case.variance,
            })
            .collect();
        let mut results = self.0.backend.writing(cancel, &mut |event| told(AaNews::Event(event)))?;
        results.record_noise(&self.0.hardware().machine().fingerprint, &found)?;
        let plugin = &build.descriptor.plugin;
        let build = format!("{} {} ({})", plugin.id, plugin.version, build.kind);
        let cases = cases.into_iter().map(|(_, case)| case).collect();
        Ok(AaReport { build, threshold: options.threshold, cases })
    }

    /// The cases of the requests that both builds have. Refuses a case that is requested twice.
    fn matched(
        &self,
        baseline: &Entry,
        candidate: &Entry,
        requests: &[CaseRequest],
        options: &DuelOptions,
    ) -> Result<Matches, AppError> {
        devices::check_cpus(&options.settings.cpus)?;
        let devices = self.0.hardware().requested(requests)?;
        let rule = Rule::GroupSequential { alpha: options.alpha };
        let mut all = Matches { cases: Vec::new(), added: Vec::new(), removed: Vec::new() };
        for request in requests {
            let found = runner::matches(baseline, candidate, request, &devices, rule)?;
            all.cases.extend(found.cases);
            all.added.extend(found.added);
            all.removed.extend(found.removed);
        }
        runner::refuse_repeated(all.cases.iter().map(|one| &one.key))?;
        Ok(all)
    }

    fn fight(
        &self,
        matches: &[Match],
        options: &DuelOptions,
        cancel: &Cancel,
        told: &mut dyn FnMut(DuelNews<'_>),
    ) -> Result<Comparison, AppError> {
        let (content, code_cache) = self.0.runs().ready_to_launch()?;
        let duel = Duel {
            content: &content,
            worker: workers(&self.0.settings),
            code_cache,
            leases: self.0.hardware().leases()?,
            cancel: cancel.clone(),
        };
        Ok(duel.fight(matches, options, told)?)
    }
}
