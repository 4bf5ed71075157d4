//! Appending samples, of which a launch may have millions: by column, without a call for each value.

use std::sync::Arc;

use duckdb::{
    Transaction,
    arrow::{
        array::{ArrayRef, Float64Array, Int32Array, RecordBatch, UInt32Array, UInt64Array},
        error::ArrowError,
    },
};
use dyno_core::model::Sample;

use super::error::{StoreError, doing};

/// Maximum number of samples that are copied at a time, which bounds the memory that copying takes.
const AT_ONCE: usize = 1 << 16;

/// The launch that samples belong to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) run_no: i32,
    pub(super) case: u32,
    pub(super) launch: u32,
}

/// Appends the samples of a launch.
///
/// # Errors
/// When the database refuses.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    place: Place,
    samples: &[Sample],
) -> Result<(), StoreError> {
    let failed = doing("storing samples");
    let mut appender = transaction.appender("samples").map_err(&failed)?;
    for (first, samples) in (0..).step_by(AT_ONCE).zip(samples.chunks(AT_ONCE)) {
        let batch = batch(place, first, samples)
            .map_err(|error| failed(duckdb::Error::ToSqlConversionFailure(Box::new(error))))?;
        appender.append_record_batch(batch).map_err(&failed)?;
    }
    appender.flush().map_err(failed)
}

/// The rows of the table `samples`, with its columns in their order; `first` is the number of the first sample.
fn batch(place: Place, first: i32, samples: &[Sample]) -> Result<RecordBatch, ArrowError> {
    let rows = samples.len();
    let same = |value: i32| -> ArrayRef { Arc::new(Int32Array::from_value(value, rows)) };
    let whole = |value: fn(&Sample) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(samples.iter().map(value)))
    };
    let real = |value: fn(&Sample) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(samples.iter().map(value)))
    };
    let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values((first..).take(rows)));
    let preemptions: ArrayRef =
        Arc::new(UInt32Array::from_iter_values(samples.iter().map(|sample| sample.preemptions)));
    RecordBatch::try_from_iter([
        ("run_no", same(place.run_no)),
        ("case_no", same(place.case as i32)),
        ("launch_no", same(place.launch as i32)),
        ("sample_no", numbers),
        ("iterations", whole(|sample| sample.iterations)),
        ("wall_ns", whole(|sample| sample.wall_ns)),
        ("cpu_ns", whole(|sample| sample.cpu_ns)),
        ("device_ns", real(|sample| sample.device_ns)),
        ("items", real(|sample| sample.work.items)),
        ("bytes", real(|sample| sample.work.bytes)),
        ("flop", real(|sample| sample.work.flop)),
        ("checksum", whole(|sample| sample.checksum)),
        ("preemptions", preemptions),
    ])
}

#[cfg(test)]
mod tests {
    use dyno_core::model::Work;

    use super::*;
    use crate::store::{Store, tests::record};

    #[test]
    fn every_sample_is_read_back_as_it_was_measured() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
        let mut run = record();
        run.cases.truncate(1);
        let mut launch = run.cases[0].launches.remove(0);
        run.cases[0].launches.clear();
        store.begin_run(&run).unwrap();
        // More than are copied at a time, and not a whole number of vectors.
        let sample = |number: u64| Sample {
            iterations: number,
            wall_ns: u64::MAX - number,
            cpu_ns: number << 40,
            device_ns: 1.0 / (number as f64 + 1.0),
            work: Work { items: number as f64, bytes: f64::MAX, flop: -0.0 },
            checksum: number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            preemptions: u32::MAX - number as u32,
        };
        launch.samples = (0..AT_ONCE as u64 + 4_099).map(sample).collect();
        store.commit_launch(&run.id, 0, &launch).unwrap();
        let found = store.case_samples(&run.id, 0).unwrap();
        assert_eq!((found.len(), found[0].launch, &found[0].samples), (1, launch.index, &launch.samples));
    }
}
