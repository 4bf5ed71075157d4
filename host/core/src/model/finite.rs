//! Infinity and NaN: JSON cannot write them and no statistic survives them, so no record may hold one.

use std::sync::Arc;

use std::borrow::Cow;

use super::{CaseRecord, CaseStatus, LaunchRecord, MetricSummary, ParamValue, RunRecord, Sample, StopRule};

/// Names the first of these numbers that is infinite or not a number, with its value.
fn first<'a>(numbers: impl IntoIterator<Item = (&'a str, f64)>) -> Option<String> {
    numbers
        .into_iter()
        .find(|(_, value)| !value.is_finite())
        .map(|(name, value)| format!("`{name}` is {value}"))
}

impl Sample {
    /// The first number in it that is not finite, as a phrase; `None` when all are.
    #[must_use]
    pub fn not_finite(&self) -> Option<String> {
        let Self { device_ns, work, .. } = self;
        first([("device_ns", *device_ns), ("items", work.items), ("bytes", work.bytes), ("flop", work.flop)])
    }
}

impl CaseStatus {
    fn not_finite(&self) -> Option<String> {
        match self {
            Self::TimedOut { limit_s, .. } => first([("limit_s", *limit_s)]),
            _ => None,
        }
    }
}

impl LaunchRecord {
    /// The first number in it that is not finite, as a phrase; `None` when all are. Optional fields need no check:
    /// there, NaN and infinity read as absent.
    #[must_use]
    pub fn not_finite(&self) -> Option<String> {
        let plan = self.plan.iter().flat_map(|plan| {
            [("call_overhead_ns", plan.call_overhead_ns), ("clock_resolution_ns", plan.clock_resolution_ns)]
        });
        let custom = self.custom.iter().map(|(name, value)| (name.as_str(), *value));
        let counters = self
            .counters
            .iter()
            .flat_map(|(name, values)| values.iter().map(move |value| (name.as_str(), *value)));
        let sample = || {
            let bad =
                self.samples.iter().enumerate().find_map(|(at, sample)| Some((at, sample.not_finite()?)));
            bad.map(|(at, what)| format!("in sample {at} {what}"))
        };
        let what =
            self.status.not_finite().or_else(|| first(plan.chain(custom).chain(counters))).or_else(sample)?;
        Some(format!("in launch {} {what}", self.index))
    }
}

impl MetricSummary {
    /// The first number in it that is not finite, as a phrase; `None` when all are.
    #[must_use]
    pub fn not_finite(&self) -> Option<String> {
        let interval = self.interval.iter().flat_map(|interval| {
            [("low", interval.low), ("high", interval.high), ("confidence", interval.confidence)]
        });
        let percentiles = self.percentiles.iter().flat_map(|one| [("p", one.p), ("value", one.value)]);
        let trend = self.trend.iter().map(|trend| ("trend", trend.change));
        let plain = [
            ("median", self.median),
            ("mean", self.mean),
            ("mad", self.mad),
            ("min", self.min),
            ("max", self.max),
        ];
        first(plain.into_iter().chain(interval).chain(percentiles).chain(trend))
            .map(|what| format!("in metric `{}` {what}", self.name))
    }
}

impl CaseRecord {
    /// The first number in it that is not finite, as a phrase; `None` when all are.
    #[must_use]
    pub fn not_finite(&self) -> Option<String> {
        let params = self.params.iter().filter_map(|(name, value)| match value {
            ParamValue::Float(value) => Some((name.as_str(), *value)),
            _ => None,
        });
        self.status
            .not_finite()
            .or_else(|| first(params))
            .or_else(|| self.metrics.iter().find_map(MetricSummary::not_finite))
            .or_else(|| self.launches.iter().find_map(LaunchRecord::not_finite))
            .map(|what| format!("in case {} ({}) {what}", self.index, self.benchmark))
    }
}

impl RunRecord {
    /// The first number in it that is not finite, as a phrase; `None` when all are.
    #[must_use]
    pub fn not_finite(&self) -> Option<String> {
        let target = match self.spec.settings.stop {
            StopRule::Precision { target, .. } => first([("target", target)]),
            _ => None,
        };
        target.or_else(|| self.cases.iter().find_map(CaseRecord::not_finite))
    }

    /// The run without infinity and NaN: a metric that has one is absent, as are an interval, a
    /// percentile, a counter and a metric of the plugin's own; work and device time are then not reported.
    #[must_use]
    pub fn finite(&self) -> Cow<'_, Self> {
        if self.not_finite().is_none() {
            return Cow::Borrowed(self);
        }
        let mut run = self.clone();
        if let StopRule::Precision { target, .. } = &mut run.spec.settings.stop {
            make_finite(target);
        }
        for case in &mut run.cases {
            case.status.make_finite();
            for value in Arc::make_mut(&mut case.params).values_mut() {
                match value {
                    ParamValue::Float(number) if !number.is_finite() => {
                        *value = ParamValue::Text(number.to_string());
                    }
                    _ => {}
                }
            }
            for metric in &mut case.metrics {
                metric.interval = metric
                    .interval
                    .filter(|it| it.low.is_finite() && it.high.is_finite() && it.confidence.is_finite());
                metric.percentiles.retain(|it| it.p.is_finite() && it.value.is_finite());
            }
            case.metrics.retain(|metric| metric.not_finite().is_none());
            case.launches.iter_mut().for_each(LaunchRecord::make_finite);
        }
        Cow::Owned(run)
    }
}

/// Nothing known, where there is no number.
fn make_finite(number: &mut f64) {
    if !number.is_finite() {
        *number = 0.0;
    }
}

impl CaseStatus {
    fn make_finite(&mut self) {
        if let Self::TimedOut { limit_s, .. } = self {
            make_finite(limit_s);
        }
    }
}

impl LaunchRecord {
    fn make_finite(&mut self) {
        self.status.make_finite();
        if let Some(plan) = &mut self.plan {
            make_finite(&mut plan.call_overhead_ns);
            make_finite(&mut plan.clock_resolution_ns);
        }
        for sample in &mut self.samples {
            let work = &mut sample.work;
            [&mut sample.device_ns, &mut work.items, &mut work.bytes, &mut work.flop]
                .into_iter()
                .for_each(make_finite);
        }
        self.custom.retain(|_, value| value.is_finite());
        self.counters.values_mut().for_each(|values| values.retain(|value| value.is_finite()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Environment, Work};

    fn launch(samples: Vec<Sample>) -> LaunchRecord {
        LaunchRecord {
            index: 2,
            started_at: String::new(),
            status: CaseStatus::Completed,
            plan: None,
            samples,
            samples_taken: None,
            load: None,
            retaken: 0,
            custom: indexmap::IndexMap::new(),
            peak_memory_bytes: None,
            huge_bytes: 0,
            base_memory_bytes: None,
            engine: None,
            device: None,
            isolation: Vec::new(),
            store_bypass: None,
            pinned_cpu: None,
            pinned_cpus: Vec::new(),
            counters: indexmap::IndexMap::new(),
            energy_j: None,
            missing: Vec::new(),
            stages: Vec::new(),
            environment: Environment::default(),
            output: Vec::new(),
            output_dropped: 0,
            seed: None,
            side_effects: crate::model::SideEffects::default(),
            granted: Vec::new(),
            refused_calls: Vec::new(),
        }
    }

    #[test]
    fn the_number_is_named_with_its_place() {
        let good = Sample {
            iterations: 1,
            wall_ns: 1,
            cpu_ns: 1,
            device_ns: 0.0,
            work: Work::default(),
            checksum: 0,
            preemptions: 0,
        };
        let bad = Sample { work: Work { flop: f64::NAN, ..Work::default() }, ..good };
        assert_eq!(launch(vec![good]).not_finite(), None);
        assert_eq!(
            launch(vec![good, bad]).not_finite().as_deref(),
            Some("in launch 2 in sample 1 `flop` is NaN")
        );
        let mut custom = launch(vec![good]);
        custom.custom.insert("accuracy".to_owned(), f64::NEG_INFINITY);
        assert_eq!(custom.not_finite().as_deref(), Some("in launch 2 `accuracy` is -inf"));
    }
}
