//! A comparison of two builds: pairs of launches of all cases in random order, each case until it is decided.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use dyno_core::{
    model::{
        Better, COMPARISON_SCHEMA, COMPARISON_VERSION, CaseComparison, CaseKey, CaseStatus, ComparedSide,
        Comparison, Design, Estimator, Event, Interval, Layout, MetricComparison, PairsInfo, PluginRef,
        Settings, Unjudged, UnjudgedCase, Verdict,
    },
    stats::{
        self, LaunchTrend,
        sequential::{self, Rule, Standing},
    },
};

use super::{
    Cancel, Planned, RunError,
    compiled::will_compile,
    launch::Assignment,
    pace::{Pace, Spread},
    pair::{Ended, Pair, PairPlan, pair},
    stop,
    turn::{Asking, Said, Turn},
};
use crate::{
    catalog::{ContentStore, ContentStoreError, Unchanged},
    devices::{keep_off, place},
    fault::HostFault,
    lease::{Lease, Leases},
};

/// Pairs after which even a rule without an end gives up.
const MAX_PAIRS: usize = 400;

/// Sentences about what the kernel refused that a case keeps.
const MAX_REFUSALS: usize = 16;

/// The same case on both sides.
#[derive(Debug, Clone)]
pub struct Match {
    /// What both sides run, on one line.
    pub label: String,
    /// What makes it the same case elsewhere: that of the candidate.
    pub key: CaseKey,
    /// The build that is compared against.
    pub baseline: Planned,
    /// The build that is judged.
    pub candidate: Planned,
    /// How a verdict is found.
    pub rule: Rule,
}

/// How to compare.
#[derive(Debug, Clone)]
pub struct DuelOptions {
    /// How to measure.
    pub settings: Settings,
    /// Smallest relative change that matters.
    pub threshold: f64,
    /// Chance of a wrong alarm, over all cases together.
    pub alpha: f64,
    /// Wall time for each case; what one leaves over, others may use.
    pub budget: Duration,
}

/// How a comparison goes on.
#[derive(Debug)]
pub enum DuelNews<'a> {
    /// Where it stands after a pair.
    Pair {
        /// The case of the pair.
        case: &'a CaseComparison,
        /// Cases that are decided.
        decided: usize,
        /// All cases.
        cases: usize,
    },
    /// A component is compiled now, since it never was before.
    Compiling {
        /// The component.
        plugin: &'a PluginRef,
    },
    /// Somebody else has the device.
    Waiting {
        /// Its name.
        device: &'a str,
        /// Who has it.
        holder: String,
    },
    /// Something outside the duel that it waits for.
    Event(&'a Event),
}

/// What a comparison works with.
#[derive(Debug)]
pub struct Duel<'a> {
    /// Where verified bytes are kept.
    pub content: &'a ContentStore,
    /// The `dyno-worker` binary.
    pub worker: PathBuf,
    /// Where compiled WASM code is kept.
    pub code_cache: PathBuf,
    /// The rights to devices.
    pub leases: Leases,
    /// The user's wish to stop.
    pub cancel: Cancel,
}

/// Pairs with random layouts that an alarm in the fixed one has to bear.
const LAYOUT_PAIRS: usize = 8;
/// Chance that they contradict a change that is there.
const LAYOUT_ALPHA: f64 = 0.01;

/// A case while it is compared.
struct Standings<'a> {
    case: &'a Match,
    /// How a verdict is found; an alarm that is confirmed may be held to another chance of error.
    rule: Rule,
    /// Cases that are judged together, this one included.
    family: usize,
    baseline_ns: Vec<f64>,
    candidate_ns: Vec<f64>,
    info: PairsInfo,
    pace: Option<Pace>,
    /// Variance within each pair, and what it took to start its sides [ns].
    within: Vec<f64>,
    starts_ns: Vec<f64>,
    /// How the slices of either side climb or fall, pair by pair.
    trends: [Vec<LaunchTrend>; 2],
    /// A doubtful alarm that is being confirmed.
    alarm: Option<Verdict>,
    /// An alarm that stands in the fixed layout.
    stands: Option<Verdict>,
    /// Pairs taken, those that were to be confirmed included.
    taken: u64,
    end: Option<End>,
}

/// How a case ended: with a verdict, or with the reason why there is none.
type End = (Verdict, Option<Unjudged>);

impl Duel<'_> {
    /// Compares every case; `told` hears of every pair, and of waiting for a device.
    ///
    /// # Errors
    /// When the lease directory cannot be used. What a plugin does wrong is a remark of its case.
    pub fn fight(
        &self,
        matches: &[Match],
        options: &DuelOptions,
        told: &mut dyn FnMut(DuelNews<'_>),
    ) -> Result<Comparison, RunError> {
        let mut all: Vec<Standings<'_>> =
            matches.iter().map(|case| Standings::new(case, matches.len(), &options.settings)).collect();
        let budget = options.budget * u32::try_from(matches.len()).unwrap_or(u32::MAX).max(1);
        let (mut round, mut turn, mut said, mut files) = (0, Vec::new(), None, Unchanged::default());
        while !self.cancel.is_set()
            && (spent(&all) < budget || all.iter().any(|one| one.is_near_its_first_look(options)))
        {
            if turn.is_empty() {
                turn = next_turn(&all, options, round);
                round += 1;
            }
            let Some(index) = turn.pop() else { break };
            let Some(one) = all.get_mut(index) else { continue };
            self.next_pair(one, options, &mut files, &mut said, told)?;
            let shown = one.shown(options);
            let decided = all.iter().filter(|one| one.end.is_some()).count();
            told(DuelNews::Pair { case: &shown, decided, cases: all.len() });
        }
        let name = |planned: &Planned| {
            format!(
                "{} {} ({}, {})",
                planned.plugin.id,
                planned.plugin.version,
                planned.plugin.kind,
                planned.plugin.sha256.get(..12).unwrap_or_default()
            )
        };
        let first = matches.first();
        Ok(Comparison {
            schema: COMPARISON_SCHEMA.to_owned(),
            version: COMPARISON_VERSION,
            design: Design::Paired,
            baseline: first.map(|first| name(&first.baseline)).unwrap_or_default(),
            candidate: first.map(|first| name(&first.candidate)).unwrap_or_default(),
            threshold: options.threshold,
            alpha: options.alpha,
            differences: Vec::new(),
            cases: all.iter().filter(|one| one.was_compared()).map(|one| one.shown(options)).collect(),
            unjudged: all.iter().filter(|one| !one.was_compared()).map(Standings::unjudged).collect(),
            added: Vec::new(),
            removed: Vec::new(),
        })
    }

    fn next_pair(
        &self,
        one: &mut Standings<'_>,
        options: &DuelOptions,
        files: &mut Unchanged,
        said: &mut Said,
        told: &mut dyn FnMut(DuelNews<'_>),
    ) -> Result<(), RunError> {
        let (case, cancel) = (one.case, &self.cancel);
        for (side, planned) in
            [(ComparedSide::Baseline, &case.baseline), (ComparedSide::Candidate, &case.candidate)]
        {
            if let Some(why) = &planned.obstacle {
                one.end =
                    Some((Verdict::Inconclusive, Some(Unjudged::Skipped { side, message: why.to_string() })));
                return Ok(());
            }
        }
        let Some(_lease) = self.turn(one, options, said, told)? else { return Ok(()) };
        // Waiting for the device is not charged to the budget.
        let begin = Instant::now();
        let admitted = [&case.baseline, &case.candidate]
            .map(|planned| self.content.admit(&planned.path, &planned.plugin.sha256));
        let [baseline_bytes, candidate_bytes] = match admitted {
            [Ok(baseline), Ok(candidate)] => [baseline, candidate],
            [Err(ContentStoreError::Host(fault)), _] | [_, Err(ContentStoreError::Host(fault))] => {
                return Err(fault.into());
            }
            [Err(error), _] | [_, Err(error)] => {
                one.end = Some(changed(&error));
                return Ok(());
            }
        };
        let threads = case.candidate.threads().max(case.baseline.threads());
        let placement = place(&options.settings.cpus, threads);
        let _elsewhere = keep_off(&placement.cpus).ok();
        let mut settings = options.settings.clone();
        if one.stands.is_some() {
            settings.layout = Layout::Random;
        }
        let assignment = |planned, bytes| Assignment {
            case: planned,
            settings: &settings,
            worker: self.worker.clone(),
            bytes,
            code_cache: self.code_cache.clone(),
            placement: placement.clone(),
            quota: stop::quota(options.settings.stop),
            // The same on both sides, and another in every pair.
            seed: settings.input_seed(one.taken),
            cancel,
        };
        for planned in [&case.baseline, &case.candidate] {
            if will_compile(&self.code_cache, planned) {
                told(DuelNews::Compiling { plugin: &planned.plugin });
            }
        }
        let plan = PairPlan { number: one.taken, pace: one.pace };
        let taken = pair(
            &assignment(&case.baseline, baseline_bytes),
            &assignment(&case.candidate, candidate_bytes),
            plan,
        );
        one.info.elapsed_ns += u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if let Some(end) = changed_meanwhile(case, files)? {
            one.end = Some(end);
            return Ok(());
        }
        match taken {
            Ok(taken) => one.take(&taken, options),
            Err((_, Ended::Host(fault))) => return Err(fault.into()),
            Err((_, Ended::Case(CaseStatus::Cancelled))) => {}
            Err((side, Ended::Case(status))) => {
                one.end = Some((Verdict::Inconclusive, Some(Unjudged::of_status(side, &status))));
            }
        }
        Ok(())
    }

    /// The right to the device, or `None` when the user gave up, or the wait took so long that the case ends here.
    fn turn(
        &self,
        one: &mut Standings<'_>,
        options: &DuelOptions,
        said: &mut Said,
        told: &mut dyn FnMut(DuelNews<'_>),
    ) -> Result<Option<Lease>, RunError> {
        let device = &one.case.candidate.device;
        let asking = Asking {
            leases: &self.leases,
            device,
            purpose: &format!("dyno ab of {}", one.case.label),
            run: None,
            settings: &options.settings,
            cancel: &self.cancel,
        };
        let waited = asking.wait(said, &mut |holder| {
            told(DuelNews::Waiting { device: &device.name, holder: holder.to_string() });
        })?;
        match waited {
            Turn::Ours(lease) => Ok(Some(lease)),
            Turn::GaveUp => Ok(None),
            Turn::TooLong(why) => {
                one.end = Some((Verdict::Inconclusive, Some(Unjudged::Lease { message: why })));
                Ok(None)
            }
        }
    }
}

/// The end of a case whose plugin file is not what it was.
fn changed(error: &ContentStoreError) -> End {
    (Verdict::Inconclusive, Some(Unjudged::PluginChanged { message: error.to_string() }))
}

/// The end of a case one of whose files was rebuilt while a pair was measured.
fn changed_meanwhile(case: &Match, files: &mut Unchanged) -> Result<Option<End>, HostFault> {
    for planned in [&case.baseline, &case.candidate] {
        match files.check(&planned.path, &planned.plugin.sha256) {
            Ok(()) => {}
            Err(ContentStoreError::Host(fault)) => return Err(fault),
            Err(error) => return Ok(Some(changed(&error))),
        }
    }
    Ok(None)
}

/// Time that all pairs took.
fn spent(all: &[Standings<'_>]) -> Duration {
    all.iter().map(Standings::spent).sum()
}

/// Which cases take a pair next, the last of them first: all that are undecided and have budget of their own left, in
/// random order; what those leave over goes to the widest interval.
fn next_turn(all: &[Standings<'_>], options: &DuelOptions, round: u64) -> Vec<usize> {
    let open = |index: &usize| all.get(*index).is_some_and(|one| one.end.is_none());
    let order: Vec<usize> =
        sequential::shuffled(options.settings.seed, round, all.len()).into_iter().filter(open).collect();
    let within: Vec<usize> =
        order.iter().copied().filter(|index| all[*index].spent() < options.budget).collect();
    if !within.is_empty() {
        return within;
    }
    let width = |index: &usize| all[*index].standing().map_or(f64::INFINITY, |it| it.half_width);
    order.into_iter().max_by(|one, other| width(one).total_cmp(&width(other))).into_iter().collect()
}

impl<'a> Standings<'a> {
    fn new(case: &'a Match, family: usize, settings: &Settings) -> Self {
        let info = PairsInfo {
            rule: case.rule.word().to_owned(),
            seed: settings.seed,
            inputs: settings.inputs,
            ..PairsInfo::default()
        };
        Self {
            case,
            rule: case.rule,
            family,
            baseline_ns: Vec::new(),
            candidate_ns: Vec::new(),
            info,
            pace: None,
            within: Vec::new(),
            starts_ns: Vec::new(),
            trends: [Vec::new(), Vec::new()],
            alarm: None,
            stands: None,
            taken: 0,
            end: None,
        }
    }

    fn spent(&self) -> Duration {
        Duration::from_nanos(self.info.elapsed_ns)
    }

    fn standing(&self) -> Option<Standing> {
        sequential::standing(self.rule, &self.info.effects)
    }

    /// Counts a pair in.
    fn take(&mut self, taken: &Pair, options: &DuelOptions) {
        let info = &mut self.info;
        info.measured_ns += taken.measured_ns;
        for side in [&taken.baseline, &taken.candidate] {
            info.side_effects = info.side_effects.or_larger(side.side_effects);
        }
        if self.taken == 0 {
            // The kernel refuses every pair the same, and a hostile worker could say something new in each.
            info.missing = taken.missing.iter().take(MAX_REFUSALS).cloned().collect();
        }
        self.taken += 1;
        if self.stands.is_some() {
            info.other_layouts.push(taken.effect);
            self.hold_against_other_layouts(options.threshold);
            return;
        }
        info.effects.push(taken.effect);
        info.iterations = taken.pace.iterations;
        info.slices = taken.pace.slices as u32;
        info.retaken += taken.retaken;
        info.huge_bytes = taken.huge_bytes;
        self.baseline_ns.push(taken.baseline.ns);
        self.candidate_ns.push(taken.candidate.ns);
        self.within.extend(taken.within);
        self.starts_ns.push(taken.starts_ns as f64);
        for (trends, side) in self.trends.iter_mut().zip([&taken.baseline, &taken.candidate]) {
            trends.extend(side.trend);
        }
        if self.taken == 1 {
            let pair_ns = self.info.elapsed_ns.max(1) as f64;
            self.rule = self.rule.for_budget(options.budget.as_nanos() as f64 / pair_ns);
            self.rule.word().clone_into(&mut self.info.rule);
        }
        self.decide(options);
        self.pace = Some(self.next_pace(taken.pace));
    }

    /// Whether its pairs are so expensive that the budget ends before anything can be said, but not by much.
    fn is_near_its_first_look(&self, options: &DuelOptions) -> bool {
        self.end.is_none()
            && matches!(self.rule, Rule::FewPairs { .. })
            && self.info.unconfirmed.is_empty()
            && (1..self.rule.first_look()).contains(&self.info.effects.len())
            && self.spent() < options.budget * 3 / 2
    }

    /// How much the next pair measures.
    fn next_pace(&self, pace: Pace) -> Pace {
        // Until something can be said at all, another pair is worth more than a longer one.
        if matches!(self.rule, Rule::FewPairs { .. }) && self.info.effects.len() < self.rule.first_look() {
            return pace;
        }
        let effects = self.info.std_dev.map(|std_dev| std_dev * std_dev);
        let known = match self.rule {
            Rule::ConfidenceSequence { variance, .. } => Some(variance),
            Rule::GroupSequential { .. } | Rule::FewPairs { .. } => None,
        };
        match (stats::median(&self.within), stats::median(&self.starts_ns)) {
            (Some(within), Some(starts_ns)) => {
                pace.revised(Spread::new(within, effects.or(known), pace.slices), starts_ns as u64)
            }
            _ => pace,
        }
    }

    fn decide(&mut self, options: &DuelOptions) {
        let sides = [ComparedSide::Baseline, ComparedSide::Candidate].into_iter().zip(&self.trends);
        let climbing = sides.into_iter().find_map(|(side, trends)| Some((side, stats::trend(trends)?)));
        self.info.trend = climbing.map(|(_, trend)| trend);
        self.info.std_dev =
            sequential::estimate(&self.info.effects).and_then(|seen| seen.variance).map(f64::sqrt);
        let pairs = self.info.effects.len();
        let standing = self.standing();
        if let (Some(_), Some((side, trend))) = (standing, climbing.filter(|(_, trend)| trend.is_decisive()))
        {
            self.end = Some((Verdict::Inconclusive, Some(Unjudged::Trend { side, change: trend.change })));
            return;
        }
        let verdict = standing.and_then(|standing| sequential::verdict(standing, options.threshold));
        let is_alarm = matches!(verdict, Some(Verdict::Regressed | Verdict::Improved));
        if let Some(first) = self.alarm {
            // Only an independent repetition that says the same makes the alarm count.
            self.end = match verdict {
                Some(verdict) if !is_alarm || verdict == first => Some((verdict, None)),
                Some(_) => Some((Verdict::Inconclusive, Some(Unjudged::Unconfirmed))),
                None => None,
            };
        } else if is_alarm && self.is_doubtful(standing, options.threshold) {
            self.alarm = verdict;
            self.rule = self.rule.repetition(self.family);
            self.info.unconfirmed = std::mem::take(&mut self.info.effects);
            self.baseline_ns.clear();
            self.candidate_ns.clear();
            return;
        } else {
            self.end = verdict.map(|verdict| (verdict, None));
        }
        // One layout is one draw: an alarm has to bear others, too.
        if options.settings.layout == Layout::Fixed
            && let Some((verdict @ (Verdict::Regressed | Verdict::Improved), None)) = self.end
        {
            self.stands = Some(verdict);
            self.end = None;
            return;
        }
        if self.end.is_none() && pairs >= self.rule.most_pairs().unwrap_or(MAX_PAIRS) {
            let why = Unjudged::Undecided { pairs: Some(pairs as u32) };
            self.end = Some((Verdict::Inconclusive, Some(why)));
        }
    }

    /// Ends the case once enough pairs with random layouts were seen: they need not show the change again, since they are
    /// noisier, but must not contradict it.
    fn hold_against_other_layouts(&mut self, threshold: f64) {
        let Some(verdict) = self.stands.filter(|_| self.info.other_layouts.len() >= LAYOUT_PAIRS) else {
            return;
        };
        let here = self.standing().map_or(0.0, |standing| standing.effect);
        let contradiction =
            sequential::contradiction(verdict, &self.info.other_layouts, threshold, LAYOUT_ALPHA).map(
                |(low, high)| Unjudged::Layout {
                    here: here.exp_m1(),
                    low: low.exp_m1(),
                    high: high.exp_m1(),
                    pairs: LAYOUT_PAIRS as u32,
                },
            );
        self.end = Some(match contradiction {
            Some(why) => (Verdict::Inconclusive, Some(why)),
            None => (verdict, None),
        });
    }

    /// Whether a change is less than twice what can be detected at all, or might be luck among so many cases.
    fn is_doubtful(&self, standing: Option<Standing>, threshold: f64) -> bool {
        let effect = standing.map_or(0.0, |standing| standing.effect.exp_m1().abs());
        effect < 2.0 * self.detectable(threshold).unwrap_or(0.0)
            || !sequential::is_clear(self.rule, &self.info.effects, threshold, self.family)
    }

    /// The smallest change that as many pairs as the rule allows find.
    fn detectable(&self, threshold: f64) -> Option<f64> {
        let pairs = self.info.effects.len();
        let most = self.rule.most_pairs().unwrap_or(pairs).max(pairs);
        sequential::detectable(self.rule, self.info.std_dev?, most, threshold)
    }

    /// How it ended, or would end if there were no more pairs.
    fn end_so_far(&self) -> End {
        let unchecked = || self.stands.map(|verdict| (verdict, None));
        let out_of_budget = Unjudged::OutOfBudget { pairs: self.info.effects.len() as u32 };
        self.end.clone().or_else(unchecked).unwrap_or((Verdict::Inconclusive, Some(out_of_budget)))
    }

    /// Whether there are pairs, and nothing went wrong that makes them worthless.
    fn was_compared(&self) -> bool {
        let is_void = |why: &Unjudged| why.is_failure() || matches!(why, Unjudged::Skipped { .. });
        self.taken > 0 && !self.end_so_far().1.as_ref().is_some_and(is_void)
    }

    /// The same where it was not.
    fn unjudged(&self) -> UnjudgedCase {
        let why = self.end_so_far().1.unwrap_or(Unjudged::OutOfBudget { pairs: 0 });
        UnjudgedCase { label: self.case.label.clone(), key: self.case.key.clone(), why }
    }

    fn shown(&self, options: &DuelOptions) -> CaseComparison {
        let pairs = self.info.effects.len();
        let standing = self.standing();
        let (verdict, why) = self.end_so_far();
        let effect = (pairs > 0)
            .then(|| {
                let latest = sequential::estimate(&self.info.effects).map_or(0.0, |seen| seen.effect);
                standing.map_or(latest, |standing| standing.effect).exp_m1()
            })
            .filter(|effect| effect.is_finite());
        let baseline = stats::median(&self.baseline_ns).unwrap_or_default();
        let ends = |standing: Standing| {
            let (low, high) = (standing.effect - standing.half_width, standing.effect + standing.half_width);
            // Few pairs may say next to nothing: so little that there is no number for it.
            Interval {
                low: low.exp_m1().max(-1.0),
                high: high.exp_m1().min(f64::MAX),
                confidence: 1.0 - standing.alpha,
            }
        };
        let metric = MetricComparison {
            name: "time".to_owned(),
            unit: "ns".to_owned(),
            better: Better::Lower,
            baseline,
            // The change is that of pairs, which the medians of the two sides do not know of: so that the values that are
            // shown have it between them, the candidate's follows from it.
            candidate: effect.map_or_else(
                || stats::median(&self.candidate_ns).unwrap_or_default(),
                |effect| (baseline * (1.0 + effect)).min(f64::MAX),
            ),
            estimator: Estimator::Pairs,
            launches: (pairs as u32, pairs as u32),
            effect,
            interval: standing.filter(|it| !it.effect.is_nan() && !it.half_width.is_nan()).map(ends),
            p_value: None,
            detectable: self.detectable(options.threshold).filter(|it| it.is_finite()),
            drift: None,
            verdict,
            remark: why.as_ref().map(ToString::to_string),
            why,
        };
        CaseComparison {
            label: self.case.label.clone(),
            key: Some(self.case.key.clone()),
            metrics: vec![metric],
            pairs: Some(self.info.clone()),
        }
    }
}
