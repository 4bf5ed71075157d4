//! The distribution of the samples of a case, as few numbers however many samples there are: computed by the database.

use duckdb::params;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Store,
    error::{StoreError, doing},
};

/// Maximum number of launches that are described one by one.
const MOST_LAUNCHES: u32 = 64;

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

/// The samples of a case, summarised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// Number of samples with a value.
    pub samples: u64,
    /// The shares, 0 to 1, at which `quantiles` are given.
    pub shares: Vec<f64>,
    /// Quantiles of all samples.
    pub quantiles: Vec<f64>,
    /// The same for each launch, of at most 64.
    pub launches: Vec<LaunchDistribution>,
    /// The samples in the order in which they were measured, cut into columns.
    pub columns: Vec<Column>,
}

/// The samples of a launch, summarised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LaunchDistribution {
    /// Index of the launch in the case, from 0.
    pub launch: u32,
    /// Number of samples with a value.
    pub samples: u64,
    /// Its quantiles.
    pub quantiles: Vec<f64>,
}

/// Consecutive samples: a pixel column of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// Number of the first sample, from 0, over all launches.
    pub first: u64,
    /// The launch of the first sample.
    pub launch: u32,
    /// Lowest value.
    pub low: f64,
    /// Highest value.
    pub high: f64,
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
        let last = points.max(2) - 1;
        let shares: Vec<f64> = (0..=last).map(|place| f64::from(place) / f64::from(last)).collect();
        let list: Vec<String> = shares.iter().map(ToString::to_string).collect();
        let values = format!(
            "SELECT launch_no, sample_no, {value} AS v FROM samples WHERE run_no = ? AND case_no = ? AND isfinite({value})"
        );
        let sql = format!(
            "WITH s AS ({values})
             SELECT launch_no, count(*)::UBIGINT, to_json(quantile_cont(v, [{}]))::VARCHAR
             FROM s GROUP BY GROUPING SETS ((launch_no), ()) ORDER BY launch_no NULLS FIRST LIMIT {}",
            list.join(", "),
            MOST_LAUNCHES + 1
        );
        let rows: Vec<(Option<u32>, u64, Option<String>)> = self
            .rows(&sql, params![run_no, case], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .map_err(&failed)?;
        let (mut samples, mut quantiles, mut launches) = (0, Vec::new(), Vec::new());
        for (launch, count, found) in rows {
            let found: Vec<f64> = found.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            match launch {
                Some(launch) => {
                    launches.push(LaunchDistribution { launch, samples: count, quantiles: found });
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
