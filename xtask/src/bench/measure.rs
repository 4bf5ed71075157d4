//! Medians of whole-program times, for benches that start programs.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use crate::failure::{Failure, Outcome};

/// The middle of some values; the mean of the two middle ones where there is no single one.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// The power of a size with which something grows that became `last` from `first` while the size grew by `factor`.
pub(crate) fn exponent(first: f64, last: f64, factor: f64) -> f64 {
    (last / first).ln() / factor.ln()
}

/// How much a time moves by something, in words: that many pairs with and without it, at least six. The third and the third last shift
/// are an interval for their median, by the binomial distribution: of 96 % for 12 pairs.
pub(crate) fn shift(pairs: usize, mut measured: impl FnMut(bool) -> Outcome<f64>) -> Outcome<String> {
    let mut shifts = Vec::new();
    for pair in 0..pairs {
        // By turns in either order: a machine that drifts would favour one.
        let first = pair % 2 == 0;
        let (one, other) = (measured(first)?, measured(!first)?);
        let (with, without) = if first { (one, other) } else { (other, one) };
        shifts.push(100.0 * (with / without - 1.0));
    }
    let middle = median(&mut shifts);
    Ok(format!(
        "{middle:+.2} % (median of {pairs} pairs; 96 % interval {:+.2} to {:+.2} %)",
        shifts[2],
        shifts[pairs - 3]
    ))
}

/// Nanoseconds from starting a program to its end: the median of `times`, after one that does not count.
pub(crate) fn program(times: usize, command: impl FnMut() -> Command) -> Outcome<f64> {
    program_ending(0, times, command)
}

/// The same of a program that is to end with this exit code.
pub(crate) fn program_ending(code: i32, times: usize, mut command: impl FnMut() -> Command) -> Outcome<f64> {
    let mut values = Vec::with_capacity(times);
    for round in 0..=times {
        let mut command = command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let status = command.status();
        let elapsed = start.elapsed();
        if !status.is_ok_and(|status| status.code() == Some(code)) {
            let program = command.get_program().display().to_string();
            return Err(Failure::new(format!("`{program}` failed while it was being timed")));
        }
        if round > 0 {
            values.push(elapsed.as_secs_f64() * 1e9);
        }
    }
    Ok(median(&mut values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_those_of_powers() {
        assert!((exponent(1.0, 100.0, 100.0) - 1.0).abs() < 1e-12);
        assert!((exponent(2.0, 2.0, 1e4)).abs() < 1e-12);
        assert!((exponent(1.0, 1e4, 100.0) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_ones() {
        assert!((median(&mut [4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-12);
        assert!((median(&mut [3.0, 1.0, 2.0]) - 2.0).abs() < 1e-12);
        assert!(median(&mut []).is_nan());
    }
}
