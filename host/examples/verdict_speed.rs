//! How fast verdicts on stored values are: ten thousand cases of five metrics compared, ten thousand points searched for
//! changes. Prints one JSON object of times [ms], the median of nine.
//!
//! `cargo run --release -p dyno-host --example verdict_speed`

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::{hint::black_box, time::Instant};

use dyno_core::{
    model::{Better, CaseKey, Measured, MeasuredCase, MeasuredMetric},
    stats::{ChangeOptions, CompareOptions, change_points, compare, median},
};

fn main() {
    let (before, now) = (results(0.0), results(0.01));
    let compared = timed(|| drop(black_box(compare(&before, &now, &CompareOptions::default(), &[]))));
    let steps: Vec<f64> = (0..10_000u32).map(|i| level(i / 1_000) * noise(i)).collect();
    let flat: Vec<f64> = (0..10_000u32).map(noise).collect();
    let options = ChangeOptions::default();
    let found = change_points(&steps, &options).len();
    let searched = timed(|| drop(black_box(change_points(&steps, &options))));
    let quiet = timed(|| drop(black_box(change_points(&flat, &options))));
    println!(
        "{}",
        serde_json::json!({
            "compare_10000_cases_of_5_metrics": compared,
            "change_points_in_10000_with_steps": searched,
            "change_points_in_10000_flat": quiet,
            "steps_found": found,
        })
    );
}

/// Ten levels that differ by some per cent.
fn level(number: u32) -> f64 {
    100.0 * (1.0 + 0.03 * f64::from(number * 7 % 10))
}

/// Around one, by a per cent; the same every time.
fn noise(number: u32) -> f64 {
    let mixed = number.wrapping_mul(2_654_435_761) >> 16;
    1.0 + 0.02 * (f64::from(mixed) / 65_536.0 - 0.5)
}

fn results(shift: f64) -> Measured {
    let cases = (0..10_000u32).map(|case| MeasuredCase {
        key: CaseKey::named(format!("benchmark_{}", case % 100)).with("n", case.to_string()),
        build: None,
        metrics: (0..5u32)
            .map(|metric| MeasuredMetric {
                name: format!("metric_{metric}"),
                unit: "ns".to_owned(),
                better: Better::Lower,
                launches: (0..5)
                    .map(|launch| (1.0 + shift) * noise(case * 25 + metric * 5 + launch))
                    .collect(),
                trend: None,
            })
            .collect(),
    });
    Measured { source: "made up".to_owned(), cases: cases.collect(), ..Measured::default() }
}

fn timed(mut work: impl FnMut()) -> f64 {
    let once = |_| {
        let begun = Instant::now();
        work();
        begun.elapsed().as_secs_f64() * 1e3
    };
    let times: Vec<f64> = (0..9).map(once).collect();
    median(&times).unwrap_or_default()
}
