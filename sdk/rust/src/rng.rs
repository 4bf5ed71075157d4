//! A tiny deterministic generator for benchmark input: the same numbers natively and in WASM, in every version.

/// A SplitMix64 generator, started from [`Context::seed`](crate::Context::seed). For input, not for secrets.
#[derive(Debug, Clone)]
pub struct Rng {
    state: u64,
}

/// A generator that starts from `seed`.
#[must_use]
pub const fn rng(seed: u64) -> Rng {
    Rng { state: seed }
}

impl Rng {
    /// The next 64 random bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next 32 random bits.
    pub const fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    /// A float in [0, 1), with all 24 bits of its precision random.
    pub const fn f32(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 * (1.0 / (1u64 << 24) as f32)
    }

    /// A float in [0, 1), with all 53 bits of its precision random.
    pub const fn f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A number in [0, bound); 0 when `bound` is 0. The bias of the multiply-shift method is below 2⁻³² for bounds
    /// below 2³².
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }

    /// Fills `out` with random bytes.
    pub fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_never_changes() {
        // The first outputs of the reference implementation for seed 1234567.
        let mut rng = rng(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(expected.map(|_| rng.next_u64()), expected);
    }

    #[test]
    fn floats_and_bounds_stay_inside() {
        let mut rng = rng(0);
        for _ in 0..10_000 {
            assert!((0.0..1.0).contains(&rng.f32()));
            assert!((0.0..1.0).contains(&rng.f64()));
            assert!(rng.below(7) < 7);
        }
        assert_eq!(rng.below(0), 0);
        let mut bytes = [0; 13];
        rng.fill(&mut bytes);
        assert!(bytes.iter().any(|byte| *byte != 0));
    }
}
