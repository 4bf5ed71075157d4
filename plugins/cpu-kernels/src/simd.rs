//! Inside the plugin: one loop, compiled for every vector width of the architecture, chosen while running.

use pulp::Arch;

/// Runs `work` compiled for the widest vectors that this CPU has. What `work` calls has to be inlined into it. Plugins
/// are built for the oldest CPU of their architecture, so that one file runs everywhere; WASM has its vectors fixed
/// while building.
#[inline(always)]
pub(crate) fn widest<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}

/// How many partial results a reduction keeps: enough to fill the widest vectors twice, because float addition is not
/// associative and the compiler must not reorder a single sum.
pub(crate) const LANES: usize = 32;

/// Folds `values` into [`LANES`] partial results and those into one.
#[inline(always)]
pub(crate) fn reduce(
    values: &[f32],
    start: f32,
    step: impl Fn(f32, f32) -> f32,
    join: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut lanes = [start; LANES];
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane = step(*lane, *value);
        }
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane = step(*lane, *value);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] = join(lanes[i], lanes[i + width]);
        }
        width /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_reduced_whole() {
        for n in [0, 1, 31, 32, 33, 100] {
            let values: Vec<f32> = (1..=n).map(|i| i as f32).collect();
            let sum = widest(|| reduce(&values, 0.0, |a, b| a + b, |a, b| a + b));
            assert_eq!(sum, (n * (n + 1) / 2) as f32);
            let largest = reduce(&values, f32::MIN, f32::max, f32::max);
            assert_eq!(largest, if n == 0 { f32::MIN } else { n as f32 });
        }
    }
}
