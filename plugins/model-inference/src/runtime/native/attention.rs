//! Attention: for each head of each item, every row looks at all rows.

use gemm::Parallelism;
use rayon::prelude::*;

use super::{
    product::{Matrix, multiply},
    rows,
};
use crate::network::{Network, Operation, Shape};

/// Memory for the attention of any step of a network.
#[derive(Debug)]
pub(super) struct Attention {
    threads: usize,
    /// How much each row looks at each: for one head per thread.
    weights: Vec<f32>,
    /// What the heads of all items saw, head after head.
    seen: Vec<f32>,
}

impl Attention {
    pub(super) fn new(network: &Network, batch: usize, threads: usize) -> Self {
        let attended = network.steps.iter().filter(|step| matches!(step.operation, Operation::Attend { .. }));
        let shapes: Vec<Shape> = attended.map(|step| step.shape).collect();
        let weights = shapes.iter().map(|shape| shape.rows * shape.rows).max().unwrap_or(0);
        let seen = shapes.iter().map(|shape| shape.elements(batch)).max().unwrap_or(0);
        Self { threads, weights: vec![0.0; threads * weights], seen: vec![0.0; seen] }
    }

    /// `softmax(query keyᵀ / √width) value` for each head.
    pub(super) fn attend(
        &mut self,
        to: &mut [f32],
        [query, key, value]: [&[f32]; 3],
        shape: Shape,
        heads: usize,
    ) {
        let Shape { rows, columns } = shape;
        let width = columns / heads;
        let scale = 1.0 / (width as f32).sqrt();
        let tasks = to.len() / (rows * width);
        let per_thread = tasks.div_ceil(self.threads);
        let seen = &mut self.seen[..to.len()];
        seen.par_chunks_mut(per_thread * rows * width)
            .zip(self.weights.par_chunks_mut(rows * rows))
            .enumerate()
            .for_each(|(thread, (seen, weights))| {
                for (task, seen) in seen.chunks_mut(rows * width).enumerate() {
                    let number = thread * per_thread + task;
                    let begin = number / heads * rows * columns + number % heads * width;
                    let [query, key, value] =
                        [query, key, value].map(|all| Matrix::wide(&all[begin..], rows, width, columns));
                    multiply(weights, query, key.transposed(), scale, Parallelism::None);
                    rows::softmax(weights, rows);
                    multiply(seen, Matrix::whole(weights, rows, rows), value, 1.0, Parallelism::None);
                }
            });
        let seen = &*seen;
        to.par_chunks_mut(columns).enumerate().with_min_len(16).for_each(|(row, to)| {
            let (item, row) = (row / rows, row % rows);
            for (head, to) in to.chunks_mut(width).enumerate() {
                let begin = ((item * heads + head) * rows + row) * width;
                to.copy_from_slice(&seen[begin..begin + width]);
            }
        });
    }
}
