//! A comparison of two builds: pairs of all cases in random order, each case until it is decided.

use std::time::Duration;

use dyno_core::{
    model::{COMPARISON_SCHEMA, COMPARISON_VERSION, Comparison, Design},
    stats::sequential,
};

use super::{
    bout::Ring,
    standings::Standings,
    terms::{Duel, DuelNews, DuelOptions},
};
use crate::runner::{Match, Planned, RunError};

impl Duel<'_> {
    /// Compares every case. `told` is called for every pair, for waiting for a device, and for compiling.
    ///
    /// # Errors
    /// When leases cannot be used, or the host lacks a resource. A plugin's failure leaves its case without a verdict.
    pub fn fight(
        &self,
        matches: &[Match],
        options: &DuelOptions,
        told: &mut dyn FnMut(DuelNews<'_>),
    ) -> Result<Comparison, RunError> {
        let mut all: Vec<Standings<'_>> =
            matches.iter().map(|case| Standings::new(case, matches.len(), options)).collect();
        let budget = options.budget * u32::try_from(matches.len()).unwrap_or(u32::MAX).max(1);
        let (mut round, mut turn) = (0, Vec::new());
        let mut ring = Ring::new(self, options, told);
        while !self.cancel.is_set()
            && (spent(&all) < budget || all.iter().any(Standings::is_near_its_first_look))
        {
            if turn.is_empty() {
                turn = next_turn(&all, options, round);
                round += 1;
            }
            let Some(index) = turn.pop() else { break };
            let Some(one) = all.get_mut(index) else { continue };
            ring.next_pair(one)?;
            let shown = one.shown();
            let decided = all.iter().filter(|one| one.is_over()).count();
            (ring.told)(DuelNews::Pair { case: &shown, decided, cases: all.len() });
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
            cases: all.iter().filter(|one| one.was_compared()).map(Standings::shown).collect(),
            unjudged: all.iter().filter(|one| !one.was_compared()).map(Standings::unjudged).collect(),
            added: Vec::new(),
            removed: Vec::new(),
        })
    }
}

/// Time that all pairs took.
fn spent(all: &[Standings<'_>]) -> Duration {
    all.iter().map(Standings::spent).sum()
}

/// Which cases take a pair next, the last of them first: all that are undecided and have budget of their own left, in
/// random order; what those leave over goes to the widest interval.
fn next_turn(all: &[Standings<'_>], options: &DuelOptions, round: u64) -> Vec<usize> {
    let open = |index: &usize| all.get(*index).is_some_and(|one| !one.is_over());
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
