//! The seed of a run: the user's, which fixes the inputs of all its launches, or one that is drawn, from which each launch
//! gets inputs of its own.

use dyno_core::model::Inputs;

/// Seeds are below 2⁵³, so that every reader of JSON gets them exactly.
const BITS: u32 = 53;

/// The seed, and whether it is that of every launch.
#[must_use]
pub fn seed(given: Option<u64>) -> (u64, Inputs) {
    match given {
        Some(seed) => (seed, Inputs::Fixed),
        None => (drawn(), Inputs::Fresh),
    }
}

fn drawn() -> u64 {
    // The lower 62 bits of such an identifier come from the system's source of random numbers.
    let random = uuid::Uuid::now_v7().as_u64_pair().1;
    random & ((1 << BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_that_was_given_fixes_inputs_and_others_differ() {
        assert_eq!(seed(Some(0)), (0, Inputs::Fixed));
        let (one, inputs) = seed(None);
        assert_eq!(inputs, Inputs::Fresh);
        assert!(one < 1 << BITS && one != seed(None).0);
    }
}
