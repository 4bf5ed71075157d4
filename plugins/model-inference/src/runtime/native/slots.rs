//! Memory for the results of steps: a result that nobody reads any more lends its memory to a later one, as large models have
//! hundreds of results and read each only once or twice.

use std::mem;

use crate::network::{Network, Operation, Value};

/// Memory of all results.
#[derive(Debug)]
pub(super) struct Slots {
    memory: Vec<Vec<f32>>,
    /// For each result, whose memory it has.
    slot: Vec<usize>,
    /// For each result, how many numbers it has.
    length: Vec<usize>,
}

impl Slots {
    pub(super) fn new(network: &Network, batch: usize) -> Self {
        let length: Vec<usize> = network.steps.iter().map(|step| step.shape.elements(batch)).collect();
        let last_read = last_reads(network);
        let mut slot = Vec::with_capacity(length.len());
        let mut sizes: Vec<usize> = Vec::new();
        let mut free: Vec<usize> = Vec::new();
        for (number, &length) in length.iter().enumerate() {
            // The smallest that is large enough, else the largest, which grows.
            let fit = free.iter().copied().filter(|it| sizes[*it] >= length).min_by_key(|it| sizes[*it]);
            let own = fit.or_else(|| free.iter().copied().max_by_key(|it| sizes[*it])).unwrap_or_else(|| {
                sizes.push(0);
                sizes.len() - 1
            });
            free.retain(|it| *it != own);
            sizes[own] = sizes[own].max(length);
            slot.push(own);
            free.extend((0..number).filter(|it| last_read[*it] == Some(number)).map(|it| slot[it]));
        }
        Self { memory: sizes.into_iter().map(|size| vec![0.0; size]).collect(), slot, length }
    }

    /// The numbers of a result.
    pub(super) fn numbers(&self, value: Value) -> &[f32] {
        &self.memory[self.slot[value.0]][..self.length[value.0]]
    }

    /// Takes the memory of a result out, at its length.
    pub(super) fn take(&mut self, value: Value) -> Vec<f32> {
        let mut own = mem::take(&mut self.memory[self.slot[value.0]]);
        // Within its capacity after the first run.
        own.resize(self.length[value.0], 0.0);
        own
    }

    /// Puts it back.
    pub(super) fn put(&mut self, value: Value, numbers: Vec<f32>) {
        self.memory[self.slot[value.0]] = numbers;
    }
}

/// For each result, the last step that reads it; `None` for the output.
fn last_reads(network: &Network) -> Vec<Option<usize>> {
    let mut last = vec![None; network.steps.len()];
    for (number, step) in network.steps.iter().enumerate() {
        for value in read(step.operation).into_iter().flatten() {
            last[value.0] = Some(number);
        }
    }
    last
}

/// The results that an operation reads.
fn read(operation: Operation) -> [Option<Value>; 3] {
    match operation {
        Operation::Embed { .. } | Operation::Patches { .. } => [None; 3],
        Operation::AddRows { of, .. }
        | Operation::AddFirst { of, .. }
        | Operation::Prepend { of, .. }
        | Operation::Normalise { of, .. }
        | Operation::Linear { of, .. }
        | Operation::First { of }
        | Operation::MeanDirection { of } => [Some(of), None, None],
        Operation::Attend { query, key, value, .. } => [Some(query), Some(key), Some(value)],
        Operation::Add { left, right } => [Some(left), Some(right), None],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{Lengths, Model};

    #[test]
    fn no_result_is_overwritten_before_it_is_read_for_the_last_time() {
        for model in Model::all() {
            let network = model.network(Lengths { sequence: 16, image: 224 }).unwrap();
            let slots = Slots::new(&network, 2);
            let last_read = last_reads(&network);
            for (number, last) in last_read.iter().enumerate() {
                let last = last.unwrap_or(network.steps.len());
                for later in number + 1..network.steps.len().min(last + 1) {
                    assert!(slots.slot[later] != slots.slot[number], "{model:?}: {number} by {later}");
                }
            }
            assert!(slots.memory.len() < 8, "{model:?} has {} slots", slots.memory.len());
        }
    }
}
