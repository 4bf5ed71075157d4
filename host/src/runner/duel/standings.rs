//! The standings of one case of a comparison: its pairs so far, how much the next pair measures, and when the case is decided.

use std::time::Duration;

use dyno_core::{
    model::{
        Better, CaseComparison, ComparedSide, Estimator, Interval, Layout, MetricComparison, PairsInfo,
        Settings, Unjudged, UnjudgedCase, Verdict,
    },
    stats::{
        self, LaunchTrend,
        sequential::{self, Rule, Standing},
    },
};

use super::{
    clock::Clock,
    pace::{Pace, Spread},
    pair::{Pair, PairPlan},
    terms::DuelOptions,
};
use crate::runner::Match;

/// Pairs after which even a rule without an end gives up.
const MAX_PAIRS: usize = 400;

/// What was refused, by the kernel or to the plugin, that a case keeps of each.
const MAX_REFUSALS: usize = 16;

/// Pairs with random layouts that an alarm in the fixed one has to bear.
const LAYOUT_PAIRS: usize = 8;
/// Chance that they contradict a change that is there.
const LAYOUT_ALPHA: f64 = 0.01;

/// A case while it is compared.
pub(super) struct Standings<'a> {
    case: &'a Match,
    options: &'a DuelOptions,
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

/// How a case ended.
#[derive(Debug, Clone)]
enum End {
    Judged(Verdict),
    Unjudged(Unjudged),
}

impl<'a> Standings<'a> {
    pub(super) fn new(case: &'a Match, family: usize, options: &'a DuelOptions) -> Self {
        let info = PairsInfo {
            rule: case.rule.word().to_owned(),
            seed: options.settings.seed,
            inputs: options.settings.inputs,
            ..PairsInfo::default()
        };
        Self {
            case,
            options,
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

    pub(super) fn case(&self) -> &'a Match {
        self.case
    }

    /// Whether it takes no more pairs.
    pub(super) fn is_over(&self) -> bool {
        self.end.is_some()
    }

    pub(super) fn end_unjudged(&mut self, why: Unjudged) {
        self.end = Some(End::Unjudged(why));
    }

    /// Time that its pairs took.
    pub(super) fn spent(&self) -> Duration {
        Duration::from_nanos(self.info.elapsed_ns)
    }

    /// Adds the time that a pair took, whatever came of it.
    pub(super) fn charge(&mut self, elapsed: Duration) {
        self.info.elapsed_ns += u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
    }

    /// How the next pair is taken.
    pub(super) fn next_plan(&self) -> PairPlan {
        PairPlan { number: self.taken, pace: self.pace }
    }

    /// How the next pair is measured: with random layouts once an alarm stands in the fixed one.
    pub(super) fn settings(&self) -> Settings {
        let mut settings = self.options.settings.clone();
        if self.stands.is_some() {
            settings.layout = Layout::Random;
        }
        settings
    }

    pub(super) fn standing(&self) -> Option<Standing> {
        sequential::standing(self.rule, &self.info.effects)
    }

    /// Counts a pair in.
    pub(super) fn take(&mut self, taken: &Pair) {
        let info = &mut self.info;
        info.measured_ns += taken.measured_ns;
        info.warm_up_ns = info.warm_up_ns.saturating_add(taken.warm_up_ns);
        let refused = &mut info.refused_calls;
        for (side, known) in
            [(&taken.baseline, &mut refused.baseline), (&taken.candidate, &mut refused.candidate)]
        {
            info.side_effects = info.side_effects.or_larger(side.side_effects);
            let room = MAX_REFUSALS.saturating_sub(known.len());
            known.extend(side.refused_calls.iter().take(room).cloned());
        }
        if self.taken == 0 {
            // The kernel refuses every pair the same, and a hostile worker could say something new in each.
            info.missing = taken.missing.iter().take(MAX_REFUSALS).cloned().collect();
        }
        self.taken += 1;
        if self.stands.is_some() {
            info.other_layouts.push(taken.effect);
            self.hold_against_other_layouts();
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
            self.rule = self.rule.for_budget(self.options.budget.as_nanos() as f64 / pair_ns);
            self.rule.word().clone_into(&mut self.info.rule);
        }
        self.decide();
        self.pace = Some(self.next_pace(taken.pace));
    }

    /// Whether its pairs are so expensive that the budget ends before anything can be said, but not by much.
    pub(super) fn is_near_its_first_look(&self) -> bool {
        !self.is_over()
            && matches!(self.rule, Rule::FewPairs { .. })
            && self.info.unconfirmed.is_empty()
            && (1..self.rule.first_look()).contains(&self.info.effects.len())
            && self.spent() < self.options.budget * 3 / 2
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

    fn decide(&mut self) {
        let sides = [ComparedSide::Baseline, ComparedSide::Candidate].into_iter().zip(&self.trends);
        let climbing = sides.into_iter().find_map(|(side, trends)| Some((side, stats::trend(trends)?)));
        self.info.trend = climbing.map(|(_, trend)| trend);
        self.info.std_dev =
            sequential::estimate(&self.info.effects).and_then(|seen| seen.variance).map(f64::sqrt);
        let pairs = self.info.effects.len();
        let standing = self.standing();
        if let (Some(_), Some((side, trend))) = (standing, climbing.filter(|(_, trend)| trend.is_decisive()))
        {
            self.end_unjudged(Unjudged::Trend { side, change: trend.change });
            return;
        }
        let verdict = standing.and_then(|standing| sequential::verdict(standing, self.options.threshold));
        let is_alarm = matches!(verdict, Some(Verdict::Regressed | Verdict::Improved));
        if let Some(first) = self.alarm {
            // Only an independent repetition that says the same makes the alarm count.
            self.end = match verdict {
                Some(verdict) if !is_alarm || verdict == first => Some(End::Judged(verdict)),
                Some(_) => Some(End::Unjudged(Unjudged::Unconfirmed)),
                None => None,
            };
        } else if is_alarm && self.is_doubtful(standing) {
            self.alarm = verdict;
            self.rule = self.rule.repetition(self.family);
            self.info.unconfirmed = std::mem::take(&mut self.info.effects);
            self.baseline_ns.clear();
            self.candidate_ns.clear();
            return;
        } else {
            self.end = verdict.map(End::Judged);
        }
        // One layout is one draw: an alarm has to bear others, too.
        if self.options.settings.layout == Layout::Fixed
            && let Some(End::Judged(verdict @ (Verdict::Regressed | Verdict::Improved))) = self.end
        {
            self.stands = Some(verdict);
            self.end = None;
            return;
        }
        if !self.is_over() && pairs >= self.rule.most_pairs().unwrap_or(MAX_PAIRS) {
            self.end_unjudged(Unjudged::Undecided { pairs: Some(pairs as u32) });
        }
    }

    /// Ends the case once enough pairs with random layouts were seen: they need not show the change again, since they are
    /// noisier, but must not contradict it.
    fn hold_against_other_layouts(&mut self) {
        let Some(verdict) = self.stands.filter(|_| self.info.other_layouts.len() >= LAYOUT_PAIRS) else {
            return;
        };
        let here = self.standing().map_or(0.0, |standing| standing.effect);
        let contradiction = sequential::contradiction(
            verdict,
            &self.info.other_layouts,
            self.options.threshold,
            LAYOUT_ALPHA,
        )
        .map(|(low, high)| Unjudged::Layout {
            here: here.exp_m1(),
            low: low.exp_m1(),
            high: high.exp_m1(),
            pairs: LAYOUT_PAIRS as u32,
        });
        self.end = Some(match contradiction {
            Some(why) => End::Unjudged(why),
            None => End::Judged(verdict),
        });
    }

    /// Whether a change is less than twice what can be detected at all, or might be luck among so many cases.
    fn is_doubtful(&self, standing: Option<Standing>) -> bool {
        let effect = standing.map_or(0.0, |standing| standing.effect.exp_m1().abs());
        effect < 2.0 * self.detectable().unwrap_or(0.0)
            || !sequential::is_clear(self.rule, &self.info.effects, self.options.threshold, self.family)
    }

    /// The smallest change that as many pairs as the rule allows find.
    fn detectable(&self) -> Option<f64> {
        let pairs = self.info.effects.len();
        let most = self.rule.most_pairs().unwrap_or(pairs).max(pairs);
        sequential::detectable(self.rule, self.info.std_dev?, most, self.options.threshold)
    }

    /// How it ended, or would end if there were no more pairs.
    fn end_so_far(&self) -> End {
        let unchecked = || self.stands.map(End::Judged);
        let out_of_budget = Unjudged::OutOfBudget { pairs: self.info.effects.len() as u32 };
        self.end.clone().or_else(unchecked).unwrap_or(End::Unjudged(out_of_budget))
    }

    /// Whether there are pairs, and nothing went wrong that makes them worthless.
    pub(super) fn was_compared(&self) -> bool {
        let is_void = match self.end_so_far() {
            End::Judged(_) => false,
            End::Unjudged(why) => why.is_failure() || matches!(why, Unjudged::Skipped { .. }),
        };
        self.taken > 0 && !is_void
    }

    /// The same where it was not.
    pub(super) fn unjudged(&self) -> UnjudgedCase {
        let why = match self.end_so_far() {
            End::Unjudged(why) => why,
            End::Judged(_) => Unjudged::OutOfBudget { pairs: 0 },
        };
        UnjudgedCase { label: self.case.label.clone(), key: self.case.key.clone(), why }
    }

    /// What is known of it, as it is stored and shown.
    pub(super) fn shown(&self) -> CaseComparison {
        let pairs = self.info.effects.len();
        let standing = self.standing();
        let (verdict, why) = match self.end_so_far() {
            End::Judged(verdict) => (verdict, None),
            End::Unjudged(why) => (Verdict::Inconclusive, Some(why)),
        };
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
            name: self.pace.map_or(Clock::Wall, |pace| pace.clock).metric().to_owned(),
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
            detectable: self.detectable().filter(|it| it.is_finite()),
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
