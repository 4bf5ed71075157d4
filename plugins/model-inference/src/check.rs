//! Comparing outputs, and the checksum that lets two builds be compared.

use dyno_sdk::prelude::*;

use crate::plan::Precision;

impl Precision {
    /// The largest difference to accept between two outputs, as a share of the largest number of the expected one. Networks of
    /// random weights bring rounding errors through to the output about as they are; eight bits have errors of half a per cent
    /// in each product, and real weights, whose activations have outliers, make of them up to a fifth of the output.
    const fn tolerance(self) -> f64 {
        match self {
            Self::Fp32 => 1e-4,
            Self::Fp16 => 2e-2,
            Self::Bf16 => 1e-1,
            Self::Int8 => 3e-1,
        }
    }
}

/// Fails if an output is not made of numbers.
pub(crate) fn finite(output: &[f32]) -> Result<(), Failure> {
    let Some(at) = output.iter().position(|x| !x.is_finite()) else { return Ok(()) };
    Err(Failure::error(format!("number {at} of the output is {}", output[at])))
}

/// Fails unless two outputs are alike. `whose` says where the expected one comes from.
pub(crate) fn alike(
    output: &[f32],
    expected: &[f32],
    precision: Precision,
    whose: &str,
) -> Result<(), Failure> {
    if output.len() != expected.len() {
        return Err(Failure::error(format!(
            "the output has {} numbers, that of {whose} has {}",
            output.len(),
            expected.len()
        )));
    }
    let largest = expected.iter().fold(0f64, |largest, x| largest.max(f64::from(x.abs())));
    let tolerance = precision.tolerance() * largest;
    for (at, (got, expected)) in output.iter().zip(expected).enumerate() {
        let difference = (f64::from(*got) - f64::from(*expected)).abs();
        if difference.is_nan() || difference > tolerance {
            return Err(Failure::error(format!(
                "number {at} of the output is {got:e}, that of {whose} is {expected:e} (tolerance of {}: {tolerance:.1e})",
                precision.as_str()
            )));
        }
    }
    Ok(())
}

/// A checksum of a few numbers of an output: reading all of them would be a part of the time measured.
pub(crate) fn checksum(output: &[f32]) -> u64 {
    let step = (output.len() / 16).max(1);
    output.iter().step_by(step).fold(0, |sum: u64, x| sum.rotate_left(7) ^ u64::from(x.to_bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_named_with_its_place_and_nan_is_one() {
        let expected = [1.0, -2.0, 0.5];
        assert!(alike(&[1.000_1, -2.0, 0.5], &expected, Precision::Fp32, "x").is_ok());
        let message = alike(&[1.0, -2.0, 0.6], &expected, Precision::Fp32, "x").unwrap_err().to_string();
        assert_eq!(message, "number 2 of the output is 6e-1, that of x is 5e-1 (tolerance of fp32: 2.0e-4)");
        assert!(alike(&[1.0, f32::NAN, 0.5], &expected, Precision::Int8, "x").is_err());
        assert!(alike(&[1.0], &expected, Precision::Fp32, "x").is_err());
        assert_eq!(finite(&[0.0, f32::INFINITY]).unwrap_err().message(), "number 1 of the output is inf");
    }
}
