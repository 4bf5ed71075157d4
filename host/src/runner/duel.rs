//! A comparison of two builds: pairs of launches of all cases in random order, each case until it is decided.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use dyno_core::{
    model::{
        Better, COMPARISON_SCHEMA, COMPARISON_VERSION, CaseComparison, CaseStatus, Comparison, Design,
        Interval, Layout, MetricComparison, PairsInfo, Settings, Verdict,
    },
    stats::{
        self,
        sequential::{self, Rule, Standing},
    },
};

use super::{
    Cancel, Planned, RunError,
    launch::Assignment,
    pair::{Ended, Pace, PairPlan, Side, pair},
    stop,
    turn::{Asking, Said, Turn},
};
use crate::{
    catalog::{ContentStore, ContentStoreError},
    devices::{Lease, Leases, keep_off, place},
};

/// Pairs after which even a rule without an end gives up.
const MAX_PAIRS: usize = 400;

/// The same case on both sides.
#[derive(Debug, Clone)]
pub struct Match {
    /// What both sides run, on one line.
    pub label: String,
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
    /// Somebody else has the device.
    Waiting {
        /// Its name.
        device: &'a str,
        /// Who has it.
        holder: String,
    },
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

/// Said of an alarm that its repetition contradicts.
const UNCONFIRMED: &str = "a small change in one direction was followed by one in the other";

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
    /// A doubtful alarm that is being confirmed.
    alarm: Option<Verdict>,
    /// An alarm that stands in the fixed layout.
    stands: Option<Verdict>,
    /// Pairs taken, those that were to be confirmed included.
    taken: u64,
    end: Option<(Verdict, Option<String>)>,
}

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
            matches.iter().map(|case| Standings::new(case, matches.len())).collect();
        let budget = options.budget * u32::try_from(matches.len()).unwrap_or(u32::MAX).max(1);
        let (mut round, mut turn, mut said) = (0, Vec::new(), None);
        while !self.cancel.is_set() && spent(&all) < budget {
            if turn.is_empty() {
                turn = next_turn(&all, options, round);
                round += 1;
            }
            let Some(index) = turn.pop() else { break };
            let Some(one) = all.get_mut(index) else { continue };
            self.next_pair(one, options, &mut said, told)?;
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
            cases: all.iter().map(|one| one.shown(options)).collect(),
            added: Vec::new(),
            removed: Vec::new(),
        })
    }

    fn next_pair(
        &self,
        one: &mut Standings<'_>,
        options: &DuelOptions,
        said: &mut Said,
        told: &mut dyn FnMut(DuelNews<'_>),
    ) -> Result<(), RunError> {
        let (case, cancel) = (one.case, &self.cancel);
        if let Some(why) = case.baseline.obstacle.as_ref().or(case.candidate.obstacle.as_ref()) {
            one.end = Some((Verdict::Inconclusive, Some(format!("skipped: {why}"))));
            return Ok(());
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
                one.end = Some((Verdict::Inconclusive, Some(error.to_string())));
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
            cancel,
        };
        let plan = PairPlan { number: one.taken, pace: one.pace };
        let taken = pair(
            &assignment(&case.baseline, baseline_bytes),
            &assignment(&case.candidate, candidate_bytes),
            plan,
        );
        one.info.elapsed_ns += u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        match taken {
            Ok(taken) if one.stands.is_some() => {
                one.info.measured_ns += taken.measured_ns;
                one.taken += 1;
                one.info.other_layouts.push(taken.effect);
                one.hold_against_other_layouts(options.threshold);
            }
            Ok(taken) => {
                one.info.effects.push(taken.effect);
                one.taken += 1;
                one.pace = Some(taken.pace);
                one.info.iterations = taken.pace.iterations;
                one.info.slices = taken.pace.slices as u32;
                one.info.retaken += taken.retaken;
                one.info.huge_bytes = taken.huge_bytes;
                one.info.measured_ns += taken.measured_ns;
                one.baseline_ns.push(taken.baseline_ns);
                one.candidate_ns.push(taken.candidate_ns);
                one.decide(options);
            }
            Err((_, Ended::Host(fault))) => return Err(fault.into()),
            Err((_, Ended::Case(CaseStatus::Cancelled))) => {}
            Err((side, Ended::Case(status))) => {
                one.end = Some((Verdict::Inconclusive, Some(failure(side, &status))))
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
                one.end = Some((Verdict::Inconclusive, Some(why)));
                Ok(None)
            }
        }
    }
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

fn failure(side: Side, status: &CaseStatus) -> String {
    let side = match side {
        Side::Baseline => "baseline",
        Side::Candidate => "candidate",
    };
    match status {
        CaseStatus::Failed { stage, reason } => format!("the {side} failed in {stage}: {reason}"),
        CaseStatus::TimedOut { stage, limit_s, .. } => {
            format!("the {side} timed out in {stage} after {limit_s} s")
        }
        CaseStatus::Skipped { reason } => format!("the {side} was skipped: {reason}"),
        other => format!("the {side} ended as {}", other.word()),
    }
}

impl<'a> Standings<'a> {
    fn new(case: &'a Match, family: usize) -> Self {
        let info = PairsInfo { rule: case.rule.word().to_owned(), ..PairsInfo::default() };
        Self {
            case,
            rule: case.rule,
            family,
            baseline_ns: Vec::new(),
            candidate_ns: Vec::new(),
            info,
            pace: None,
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

    fn decide(&mut self, options: &DuelOptions) {
        self.info.std_dev =
            sequential::estimate(&self.info.effects).and_then(|seen| seen.variance).map(f64::sqrt);
        let pairs = self.info.effects.len();
        let standing = self.standing();
        let verdict = standing.and_then(|standing| sequential::verdict(standing, options.threshold));
        let is_alarm = matches!(verdict, Some(Verdict::Regressed | Verdict::Improved));
        if let Some(first) = self.alarm {
            // Only an independent repetition that says the same makes the alarm count.
            self.end = match verdict {
                Some(verdict) if !is_alarm || verdict == first => Some((verdict, None)),
                Some(_) => Some((Verdict::Inconclusive, Some(UNCONFIRMED.to_owned()))),
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
            let remark = format!("the interval reaches across the threshold after {pairs} pairs");
            self.end = Some((Verdict::Inconclusive, Some(remark)));
        }
    }

    /// Ends the case once enough pairs with random layouts were seen: they need not show the change again, since they are
    /// noisier, but must not contradict it.
    fn hold_against_other_layouts(&mut self, threshold: f64) {
        let Some(verdict) = self.stands.filter(|_| self.info.other_layouts.len() >= LAYOUT_PAIRS) else {
            return;
        };
        let here = self.standing().map_or(0.0, |standing| standing.effect);
        let contradiction = sequential::contradiction(verdict, &self.info.other_layouts, threshold, LAYOUT_ALPHA)
            .map(|(low, high)| {
                format!(
                    "a matter of where things lie in memory: in this layout {:+.2} %, in {LAYOUT_PAIRS} random ones \
                     {:+.2} to {:+.2} %; see --random-layout",
                    here.exp_m1() * 100.0,
                    low.exp_m1() * 100.0,
                    high.exp_m1() * 100.0
                )
            });
        self.end = Some(match contradiction {
            Some(remark) => (Verdict::Inconclusive, Some(remark)),
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

    fn shown(&self, options: &DuelOptions) -> CaseComparison {
        let pairs = self.info.effects.len();
        let standing = self.standing();
        let unchecked = || self.stands.map(|verdict| (verdict, None));
        let (verdict, remark) = self.end.clone().or_else(unchecked).unwrap_or_else(|| {
            (Verdict::Inconclusive, Some(format!("not decided after {pairs} pairs: give it more --budget")))
        });
        let metric = MetricComparison {
            name: "time".to_owned(),
            unit: "ns".to_owned(),
            better: Better::Lower,
            baseline: stats::median(&self.baseline_ns).unwrap_or_default(),
            candidate: stats::median(&self.candidate_ns).unwrap_or_default(),
            launches: (pairs as u32, pairs as u32),
            effect: (pairs > 0).then(|| {
                let latest = sequential::estimate(&self.info.effects).map_or(0.0, |seen| seen.effect);
                standing.map_or(latest, |standing| standing.effect).exp_m1()
            }),
            interval: standing.map(|standing| Interval {
                low: (standing.effect - standing.half_width).exp_m1(),
                high: (standing.effect + standing.half_width).exp_m1(),
                confidence: 1.0 - standing.alpha,
            }),
            p_value: None,
            detectable: self.detectable(options.threshold),
            verdict,
            remark,
        };
        CaseComparison {
            label: self.case.label.clone(),
            metrics: vec![metric],
            pairs: Some(self.info.clone()),
        }
    }
}
