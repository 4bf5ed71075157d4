//! One metric of two sides: its change, the test of it, and the verdict.

use std::collections::HashMap;

use super::{
    CompareOptions,
    scale::{Scale, bounded},
};
use crate::{
    model::{
        Better, CaseKey, ComparedSide, DriftFloor, Estimator, Interval, KnownDrift, MeasuredCase,
        MeasuredMetric, MetricComparison, Trend, Unjudged, Verdict,
    },
    stats::{
        median,
        welch::{Welch, t_quantile, welch},
    },
};

/// What all cases of a comparison are judged by.
pub(super) struct Judge<'a> {
    options: &'a CompareOptions,
    drift: HashMap<(&'a CaseKey, &'a str), &'a KnownDrift>,
    quantiles: Quantiles,
}

impl<'a> Judge<'a> {
    pub(super) fn new(options: &'a CompareOptions, drift: &'a [KnownDrift]) -> Self {
        Self {
            options,
            drift: drift.iter().map(|known| ((&known.key, known.metric.as_str()), known)).collect(),
            quantiles: Quantiles { p: 1.0 - options.alpha / 2.0, known: HashMap::new() },
        }
    }

    /// Every metric that both sides have of a case.
    pub(super) fn beside(&mut self, before: &MeasuredCase, now: &MeasuredCase) -> Vec<MetricComparison> {
        let family = now.key.without_version();
        let same_build = before.is_same_build(now);
        let mut out = Vec::with_capacity(now.metrics.len());
        for metric in &now.metrics {
            let Some(old) = before.metrics.iter().find(|other| other.name == metric.name) else { continue };
            let drift = self.drift.get(&(&family, metric.name.as_str())).filter(|_| !same_build).copied();
            out.push(self.metric_beside(old, metric, drift));
        }
        out
    }

    fn metric_beside(
        &mut self,
        before: &MeasuredMetric,
        now: &MeasuredMetric,
        drift: Option<&KnownDrift>,
    ) -> MetricComparison {
        let sides = Sides::new(before, now);
        let mut out = sides.undecided();
        if let Err(why) = self.decide(&mut out, &sides, drift) {
            out.withdraw(why);
        }
        out
    }

    /// Fills in what can be known, up to the verdict; the error is the reason why that is missing.
    fn decide(
        &mut self,
        out: &mut MetricComparison,
        sides: &Sides<'_>,
        drift: Option<&KnownDrift>,
    ) -> Result<(), Unjudged> {
        let scale = sides.scale()?;
        (out.baseline, out.candidate) = (scale.middle(&sides.old), scale.middle(&sides.new));
        out.estimator = scale.estimator;
        if out.baseline == 0.0 {
            if out.candidate != 0.0 {
                return Err(Unjudged::ZeroBaseline);
            }
            (out.effect, out.verdict) = (Some(0.0), Verdict::Equivalent);
            return Ok(());
        }
        // Set before the checks below, so that a metric without a verdict still shows its change.
        out.effect = Some(bounded(out.candidate / out.baseline - 1.0));
        let test = sides.test(scale, out.baseline)?;
        self.judge(out, scale, &test, drift);
        Ok(())
    }

    /// The interval that the test gives, no narrower than the drift of this machine, and the verdict on it.
    fn judge(&mut self, out: &mut MetricComparison, scale: Scale, test: &Welch, drift: Option<&KnownDrift>) {
        let own = self.quantiles.half_width(test);
        // The test sees only the noise within two runs, and equal builds have differed by more than that between
        // runs.
        let floor = drift.map_or(0.0, |known| scale.difference(known.share));
        let half_width = own.max(floor);
        let (low, high) =
            (scale.change(test.difference - half_width), scale.change(test.difference + half_width));
        out.interval = Some(Interval { low, high, confidence: 1.0 - self.options.alpha });
        out.p_value = Some(test.p_value);
        // 1.28 standard errors are the 90th percentile of the normal distribution: nine such changes in ten are
        // found.
        out.detectable = Some(bounded(
            self.options.threshold + scale.change(half_width + 1.281_551_6 * test.standard_error),
        ));
        let (verdict, why) = verdict(low, high, scale.direction(out.better), self.options.threshold);
        out.verdict = verdict;
        if let Some(why) = why {
            out.withdraw(why);
        }
        if let Some(known) = drift {
            out.drift = Some(DriftFloor { share: known.share, runs: known.runs, applied: floor > own });
            if floor > own {
                remark_drift(out, known);
            }
        }
    }
}

/// A metric as two sides measured it, and its values that are numbers.
struct Sides<'a> {
    before: &'a MeasuredMetric,
    now: &'a MeasuredMetric,
    old: Vec<f64>,
    new: Vec<f64>,
}

impl<'a> Sides<'a> {
    fn new(before: &'a MeasuredMetric, now: &'a MeasuredMetric) -> Self {
        let finite = |launches: &[f64]| -> Vec<f64> {
            launches.iter().copied().filter(|value| value.is_finite()).collect()
        };
        Self { before, now, old: finite(&before.launches), new: finite(&now.launches) }
    }

    /// The comparison before anything is known but the values.
    fn undecided(&self) -> MetricComparison {
        MetricComparison {
            name: self.now.name.clone(),
            unit: self.now.unit.clone(),
            better: self.now.better,
            baseline: median(&self.old).unwrap_or_default(),
            candidate: median(&self.new).unwrap_or_default(),
            estimator: Estimator::Median,
            launches: (self.old.len() as u32, self.new.len() as u32),
            effect: None,
            interval: None,
            p_value: None,
            detectable: None,
            drift: None,
            verdict: Verdict::Inconclusive,
            why: None,
            remark: None,
        }
    }

    /// By what they can be compared.
    fn scale(&self) -> Result<Scale, Unjudged> {
        for (side, values) in [(ComparedSide::Baseline, &self.old), (ComparedSide::Candidate, &self.new)] {
            if values.is_empty() {
                return Err(Unjudged::NotFinite { side });
            }
        }
        let Self { before, now, .. } = self;
        if before.unit != now.unit || before.better != now.better {
            return Err(Unjudged::OtherMeaning { unit: before.unit.clone(), better: before.better });
        }
        Scale::of(&self.old, &self.new).ok_or(Unjudged::MixedSigns)
    }

    /// Tests whether they differ. A trend within launches is no property of the code, and one launch has no spread.
    fn test(&self, scale: Scale, baseline: f64) -> Result<Welch, Unjudged> {
        for (side, trend) in
            [(ComparedSide::Baseline, self.before.trend), (ComparedSide::Candidate, self.now.trend)]
        {
            if let Some(trend) = trend.filter(Trend::is_decisive) {
                return Err(Unjudged::Trend { side, change: trend.change });
            }
        }
        for (side, values) in [(ComparedSide::Baseline, &self.old), (ComparedSide::Candidate, &self.new)] {
            if values.len() < 2 {
                return Err(Unjudged::OneLaunch { side });
            }
        }
        let (old, new) = (scale.for_test(&self.old, baseline), scale.for_test(&self.new, baseline));
        welch(&old, &new).ok_or(Unjudged::TooLarge)
    }
}

fn remark_drift(out: &mut MetricComparison, known: &KnownDrift) {
    let said = format!(
        "{} runs of equal builds of this case differed by up to {:.2} % on this machine, so the interval is at least \
         that wide",
        known.runs,
        known.share * 100.0
    );
    let before = out.remark.take().map(|remark| format!("{remark}; ")).unwrap_or_default();
    out.remark = Some(format!("{before}{said}"));
}

/// The verdict on an interval of relative changes.
fn verdict(low: f64, high: f64, better: Better, threshold: f64) -> (Verdict, Option<Unjudged>) {
    let (up, down) = match better {
        Better::Lower => (Verdict::Regressed, Verdict::Improved),
        Better::Higher => (Verdict::Improved, Verdict::Regressed),
    };
    if low > threshold {
        (up, None)
    } else if high < -threshold {
        (down, None)
    } else if low >= -threshold && high <= threshold {
        (Verdict::Equivalent, None)
    } else {
        (Verdict::Inconclusive, Some(Unjudged::Undecided { pairs: None }))
    }
}

/// Quantiles of Student's t that were needed already: finding one takes longer than all the rest of a comparison, and a
/// suite asks for the same few again and again.
struct Quantiles {
    p: f64,
    known: HashMap<u64, f64>,
}

impl Quantiles {
    /// Half-width of the interval. Degrees of freedom are rounded down, to twentieths where there are four or more, else to
    /// hundredths: never too narrow, and by less than a hundredth too wide from two degrees on.
    fn half_width(&mut self, test: &Welch) -> f64 {
        if test.standard_error == 0.0 {
            return 0.0;
        }
        let steps = if test.degrees < 4.0 { 100.0 } else { 20.0 };
        let degrees = ((test.degrees * steps).floor() / steps).clamp(0.01, 1e10);
        let p = self.p;
        let quantile = *self.known.entry(degrees.to_bits()).or_insert_with(|| t_quantile(p, degrees));
        quantile * test.standard_error
    }
}
