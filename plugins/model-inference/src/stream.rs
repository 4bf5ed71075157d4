//! Random numbers that any language can make again: the `i`-th number of a stream depends on nothing but the stream and `i`. The
//! script that asks the authors' own implementations for reference outputs has the same few lines.
//!
//! The mixing function is SplitMix64: Steele, Lea and Flood 2014, <https://doi.org/10.1145/2714064.2660195>. Names become
//! numbers by 64-bit FNV-1a.

/// A stream of random numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream(u64);

impl Stream {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    /// The stream of that name.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(hash ^ seed.wrapping_mul(Self::STEP))
    }

    /// The `i`-th number.
    #[inline(always)]
    pub(crate) fn bits(self, i: u64) -> u64 {
        let mut z = self.0.wrapping_add(i.wrapping_add(1).wrapping_mul(Self::STEP));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The `i`-th number in [-1, 1), a multiple of 2⁻²³: every float of 32 bits is exact.
    #[inline(always)]
    pub(crate) fn signed(self, i: u64) -> f32 {
        (self.bits(i) >> 40) as f32 * (1.0 / 8_388_608.0) - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_script() {
        // From `reference/generate.py --show-stream`.
        let stream = Stream::new(1, "classifier.bias");
        assert_eq!(
            [0, 1, 2].map(|i| stream.bits(i)),
            [6_558_756_268_110_367_219, 14_867_530_402_968_448_875, 9_691_744_311_467_012_255]
        );
    }

    #[test]
    fn signed_numbers_fill_their_range() {
        let stream = Stream::new(7, "x");
        let all: Vec<f32> = (0..10_000).map(|i| stream.signed(i)).collect();
        assert!(all.iter().all(|x| (-1.0..1.0).contains(x)));
        let mean = all.iter().sum::<f32>() / 10_000.0;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!(all.iter().any(|x| *x < -0.99) && all.iter().any(|x| *x > 0.99));
    }
}
