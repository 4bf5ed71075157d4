//! Inside the plugin: comparing output with a reference, and the checksum that keeps the optimiser from removing work.

use dyno_sdk::prelude::*;

use crate::real::Real;

/// Fails unless `got` is within `tolerance` of `expected`; NaN is never within anything.
pub(crate) fn close(
    what: impl FnOnce() -> String,
    got: f64,
    expected: f64,
    tolerance: f64,
) -> Result<(), Failure> {
    if (got - expected).abs() <= tolerance {
        return Ok(());
    }
    let what = what();
    Err(Failure::error(format!(
        "{what} is {got:e}, the reference says {expected:e} (tolerance {tolerance:.1e})"
    )))
}

/// Fails unless both are equal.
pub(crate) fn same<T: PartialEq + std::fmt::Debug + ?Sized>(
    what: &str,
    got: &T,
    expected: &T,
) -> Result<(), Failure> {
    if got == expected {
        return Ok(());
    }
    Err(Failure::error(format!("{what} is {got:?}, the reference says {expected:?}")))
}

/// Up to about `wanted` indices below `count`: the first and the last one, and evenly spaced ones between them.
pub(crate) fn spread(count: usize, wanted: usize) -> impl Iterator<Item = usize> {
    // An odd step does not stay in one column of a matrix whose width is a power of two.
    let step = (count / wanted.max(1)).max(1) | 1;
    (0..count).step_by(step).chain(count.checked_sub(1))
}

/// A checksum of a few values of the output: reading all of them would be a part of the time measured.
pub(crate) fn checksum<T: Real>(values: &[T]) -> u64 {
    spread(values.len(), 16).fold(0, |sum: u64, i| sum.rotate_left(7) ^ values[i].wide().to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_names_what_differs_and_refuses_nan() {
        assert!(close(|| "x".into(), 1.0, 1.1, 0.2).is_ok());
        let message = close(|| "element 3".into(), 1.0, 2.0, 0.5).unwrap_err().to_string();
        assert_eq!(message, "element 3 is 1e0, the reference says 2e0 (tolerance 5.0e-1)");
        assert!(close(|| "x".into(), f64::NAN, 1.0, 1.0).is_err());
        assert!(close(|| "x".into(), 1.0, 1.0, f64::NAN).is_err());
        assert!(same("x", &1, &2).is_err() && same("x", &2, &2).is_ok());
    }

    #[test]
    fn spread_stays_inside_and_reaches_both_ends() {
        assert_eq!(spread(0, 5).count(), 0);
        assert!(spread(3, 100).eq([0, 1, 2, 2]));
        let indices: Vec<usize> = spread(1000, 16).collect();
        assert!(indices.len() <= 18 && indices.iter().all(|&i| i < 1000));
        assert_eq!((indices[0], indices.last()), (0, Some(&999)));
    }

    #[test]
    fn the_checksum_sees_values_and_their_order() {
        assert_ne!(checksum(&[1.0, 2.0]), checksum(&[2.0, 1.0]));
        assert_ne!(checksum(&[1.0f32]), checksum(&[1.5f32]));
    }
}
