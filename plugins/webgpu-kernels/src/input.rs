//! Inside the plugin: random input from the seed of the case, drawn one number at a time, so that a check can draw it
//! again instead of keeping it.

use dyno_sdk::prelude::*;

/// The generator of one of the arrays of a case.
fn generator(seed: u64, array: u64) -> Rng {
    // Through the generator once: neighbouring seeds would give streams that overlap.
    rng(rng(seed.wrapping_add(array)).next_u64())
}

/// Endless numbers in [-1, 1).
pub(crate) fn signed(seed: u64, array: u64) -> impl Iterator<Item = f32> {
    let mut rng = generator(seed, array);
    std::iter::repeat_with(move || rng.f32() * 2.0 - 1.0)
}

/// Endless whole numbers from -8 to 8 without 0: their sums are exact in `f32` in every order, and one number too few
/// shows.
pub(crate) fn whole(seed: u64, array: u64) -> impl Iterator<Item = f32> {
    let mut rng = generator(seed, array);
    std::iter::repeat_with(move || {
        let size = 1.0 + rng.below(8) as f32;
        if rng.below(2) == 0 { size } else { -size }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_depend_on_seed_and_array_alone() {
        let take = |seed, array| signed(seed, array).take(100).collect::<Vec<_>>();
        assert_eq!(take(1, 0), take(1, 0));
        assert_ne!(take(1, 0), take(2, 0));
        assert_ne!(take(1, 0), take(1, 1));
        assert!(take(7, 3).iter().all(|x| (-1.0..1.0).contains(x)));
    }

    #[test]
    fn whole_numbers_are_small_and_never_zero() {
        let numbers: Vec<f32> = whole(5, 0).take(10_000).collect();
        assert!(numbers.iter().all(|x| x.fract() == 0.0 && (1.0..=8.0).contains(&x.abs())));
        assert!(numbers.iter().sum::<f32>().abs() < 10_000.0, "both signs are as frequent");
    }
}
