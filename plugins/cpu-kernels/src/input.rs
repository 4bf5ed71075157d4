//! Inside the plugin: random input from the seed of the case, and the bound on how much memory a case may take.

use dyno_sdk::prelude::*;

use crate::real::Real;

/// The most that the buffers of one case may take together [bytes]: it also fits the 4 GiB of a WASM component.
const MEMORY_LIMIT: f64 = (1u64 << 30) as f64;

/// Fills an array with numbers in [-1, 1).
pub(crate) fn signed<T: Real>(rng: &mut Rng, array: &mut [T]) {
    array.iter_mut().for_each(|value| *value = T::of(rng.f64() * 2.0 - 1.0));
}

/// `count` such numbers.
#[cfg(test)]
pub(crate) fn signed_vec<T: Real>(rng: &mut Rng, count: usize) -> Vec<T> {
    let mut array = vec![T::default(); count];
    signed(rng, &mut array);
    array
}

/// Refuses parameters that are in range one by one but too large together. `bytes` is a float so that the product of
/// several parameters cannot overflow.
pub(crate) fn fits(what: &str, bytes: f64) -> Result<(), Failure> {
    if bytes <= MEMORY_LIMIT {
        return Ok(());
    }
    const MIB: f64 = (1u64 << 20) as f64;
    Err(Failure::error(format!(
        "{what} needs {:.0} MiB; at most {:.0} MiB are allowed, so choose smaller parameters",
        (bytes / MIB).ceil(),
        MEMORY_LIMIT / MIB
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_depend_on_the_seed_alone_and_have_both_signs() {
        let one: Vec<f32> = signed_vec(&mut rng(1), 1000);
        assert_eq!(one, signed_vec::<f32>(&mut rng(1), 1000));
        assert_ne!(one, signed_vec::<f32>(&mut rng(2), 1000));
        assert!(one.iter().all(|x| (-1.0..1.0).contains(x)));
        let mean = one.iter().sum::<f32>() / 1000.0;
        assert!(mean.abs() < 0.1, "{mean}");
    }

    #[test]
    fn too_much_memory_is_refused_with_both_numbers() {
        assert!(fits("gemm", MEMORY_LIMIT).is_ok());
        let failure = fits("gemm with n=99999", 3.0 * MEMORY_LIMIT).unwrap_err();
        assert_eq!(
            failure.message(),
            "gemm with n=99999 needs 3072 MiB; at most 1024 MiB are allowed, so choose smaller parameters"
        );
        assert!(fits("x", f64::INFINITY).is_err());
    }
}
