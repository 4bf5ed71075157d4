//! The distribution of the samples of a case, as few numbers however many samples there are: computed by the database.

use std::collections::HashMap;

use duckdb::params;
use dyno_core::model::{Column, Distribution, LaunchDistribution};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Store,
    error::{StoreError, doing},
};

/// A metric that each sample has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SampleMetric {
    /// Wall time of an iteration [ns].
    #[default]
    Time,
    /// Time of an iteration by the device's clock [ns].
    DeviceTime,
    /// Rates, by device time if the plugin reported it [1/s].
    ItemsPerSecond,
    /// Traffic [bytes/s].
    BytesPerSecond,
    /// Arithmetic [FLOP/s].
    FlopPerSecond,
}

impl SampleMetric {
    /// The value of a sample, in SQL; absent if the plugin did not report it. As the methods of [`dyno_core::model::Sample`].
    fn sql(self) -> String {
        let rate = |work: &str| {
            let ns = "CASE WHEN device_ns > 0 THEN device_ns ELSE wall_ns::DOUBLE END";
            format!("CASE WHEN {work} > 0 AND {ns} > 0 THEN {work} * 1e9 / ({ns}) END")
        };
        match self {
            Self::Time => "wall_ns::DOUBLE / nullif(iterations, 0)".to_owned(),
            Self::DeviceTime => "nullif(device_ns, 0) / nullif(iterations, 0)".to_owned(),
            Self::ItemsPerSecond => rate("items"),
            Self::BytesPerSecond => rate("bytes"),
            Self::FlopPerSecond => rate("flop"),
        }
    }
}

impl Store {
    /// The distribution of the samples of a case at `points` quantiles, and their course in at most `columns` columns.
    ///
    /// # Errors
    /// When there is no such run or case, or the database fails.
    pub fn distribution(
        &self,
        selector: &str,
        case: u32,
        metric: SampleMetric,
        points: u32,
        columns: u32,
    ) -> Result<Distribution, StoreError> {
        let failed = doing("reading the distribution of samples");
        let run_no = self.find_case(selector, case)?;
        let value = metric.sql();
        let shares = Distribution::shares(points);
        let list: Vec<String> = shares.iter().map(ToString::to_string).collect();
        let values = format!(
            "SELECT launch_no, sample_no, {value} AS v FROM samples WHERE run_no = ? AND case_no = ? AND isfinite({value})"
        );
        let sql = format!(
            "WITH s AS ({values})
             SELECT launch_no, count(*)::UBIGINT, to_json(quantile_cont(v, [{}]))::VARCHAR
             FROM s GROUP BY GROUPING SETS ((launch_no), ()) ORDER BY launch_no NULLS FIRST LIMIT {}",
            list.join(", "),
            Distribution::MOST_LAUNCHES + 1
        );
        let rows: Vec<(Option<u32>, u64, Option<String>)> = self
            .rows(&sql, params![run_no, case], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .map_err(&failed)?;
        let taken: HashMap<u32, u32> = self
            .rows(
                "SELECT launch_no, samples_taken FROM launches
                 WHERE run_no = ? AND case_no = ? AND samples_taken IS NOT NULL",
                params![run_no, case],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(&failed)?
            .into_iter()
            .collect();
        let (mut samples, mut quantiles, mut launches) = (0, Vec::new(), Vec::new());
        for (launch, count, found) in rows {
            let found: Vec<f64> = found.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            match launch {
                Some(launch) => {
                    let samples_taken = taken.get(&launch).copied();
                    launches.push(LaunchDistribution {
                        launch,
                        samples: count,
                        samples_taken,
                        quantiles: found,
                    });
                }
                None => (samples, quantiles) = (count, found),
            }
        }
        let sql = format!(
            "WITH s AS ({values}), placed AS (
               SELECT launch_no, v, row_number() OVER (ORDER BY launch_no, sample_no) - 1 AS place FROM s
             )
             SELECT min(place)::UBIGINT, min(launch_no)::UINTEGER, min(v), max(v) FROM placed
             GROUP BY place * {columns} // (SELECT greatest(count(*), {columns}) FROM s) ORDER BY 1"
        );
        let columns = self
            .rows(&sql, params![run_no, case], |row| {
                Ok(Column { first: row.get(0)?, launch: row.get(1)?, low: row.get(2)?, high: row.get(3)? })
            })
            .map_err(failed)?;
        Ok(Distribution { samples, shares, quantiles, launches, columns })
    }
}

#[cfg(test)]
mod tests {
    use dyno_core::model::{Sample, Work};

    use super::*;
    use crate::store::tests::record;

    #[test]
    fn the_database_describes_samples_as_the_core_does() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
        let mut run = record();
        run.cases.truncate(1);
        let mut launch = run.cases[0].launches.remove(0);
        run.cases[0].launches.clear();
        store.begin_run(&run).unwrap();
        let sample = |number: u64| Sample {
            iterations: 2,
            wall_ns: 1_000 + number * 37 % 501,
            cpu_ns: 0,
            device_ns: if number.is_multiple_of(2) { 500.0 } else { 0.0 },
            work: Work { items: 10.0, bytes: 0.0, flop: 0.0 },
            checksum: 0,
            preemptions: 0,
        };
        launch.samples = (0..501).map(sample).collect();
        store.commit_launch(&run.id, 0, &launch).unwrap();
        let described = |metric| store.distribution(&run.id, 0, metric, 3, 10).unwrap();
        let values =
            |of: &dyn Fn(&Sample) -> Option<f64>| launch.samples.iter().filter_map(of).collect::<Vec<_>>();
        for (metric, values) in [
            (SampleMetric::Time, values(&|it| Some(it.ns_per_iteration()))),
            (SampleMetric::DeviceTime, values(&Sample::device_ns_per_iteration)),
            (SampleMetric::ItemsPerSecond, values(&|it| it.per_second(it.work.items))),
            (SampleMetric::BytesPerSecond, values(&|it| it.per_second(it.work.bytes))),
        ] {
            let found = described(metric);
            let expected = Distribution::of(&[(0, values)], 3, 10);
            let quantiles =
                |it: &Distribution| it.quantiles.iter().map(|it| format!("{it:.9e}")).collect::<Vec<_>>();
            assert_eq!(quantiles(&found), quantiles(&expected), "{metric:?}");
            assert_eq!((found.samples, found.launches.len()), (expected.samples, expected.launches.len()));
            assert_eq!(found.columns, expected.columns, "{metric:?}");
        }
        let found = described(SampleMetric::Time);
        assert_eq!(found.columns.len(), 10);
        let (low, high) = (found.quantiles[0], found.quantiles[2]);
        assert!(
            found.columns.iter().any(|it| it.low == low) && found.columns.iter().any(|it| it.high == high)
        );
        assert!(found.columns.is_sorted_by_key(|it| it.first) && found.columns[0].first == 0);
        assert!(store.distribution(&run.id, 1, SampleMetric::Time, 3, 10).is_err(), "there is one case");
    }
}
