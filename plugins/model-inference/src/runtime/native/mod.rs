//! The runtime `native`: a forward pass of our own over the crate `gemm`, so that no result depends on one library alone.

mod attention;
mod product;
mod rows;
mod slots;

use std::{borrow::Cow, time::Instant};

use dyno_sdk::prelude::*;
use gemm::Parallelism;
use rayon::ThreadPool;

use self::{
    attention::Attention,
    product::{Matrix, multiply},
    slots::Slots,
};
use crate::{
    input::Input,
    network::{self, Network, Operation, Value, Weight},
    plan::{Plan, Precision, Session},
    weights::Weights,
};

/// Loads a network.
pub(super) fn load(network: &Network, weights: &Weights, plan: &Plan) -> Result<Box<dyn Session>, Failure> {
    if plan.precision != Precision::Fp32 {
        return Err(Failure::skipped(format!(
            "precision={}: the runtime `native` has fp32 only; runtime=ort has more",
            plan.precision.as_str()
        )));
    }
    if !plan.is_on_cpu() {
        return Err(Failure::skipped(format!(
            "the runtime `native` runs on a CPU, not on {}; choose runtime=ort",
            plan.device.name
        )));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(plan.threads).build()?;
    let tensors = pool.install(|| Tensors::new(network, weights));
    Ok(Box::new(Forward {
        slots: Slots::new(network, plan.batch),
        attention: Attention::new(network, plan.batch, plan.threads),
        network: network.clone(),
        input: Input::Tokens(Vec::new()),
        squares: Vec::new(),
        tensors,
        batch: plan.batch,
        parallelism: parallelism(plan.threads),
        pool,
    }))
}

/// What matrix products reach on this machine, with the library and the threads that the runtime has [FLOP/s].
pub(crate) fn gemm_rate(threads: usize) -> Result<f64, Failure> {
    const SIZE: usize = 1024;
    const ROUNDS: u32 = 3;
    let numbers = vec![1.0f32; SIZE * SIZE];
    let mut product = vec![0.0f32; SIZE * SIZE];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let fastest = pool.install(|| {
        let matrix = Matrix::whole(&numbers, SIZE, SIZE);
        let mut time = || {
            let begin = Instant::now();
            multiply(&mut product, matrix, matrix, 1.0, parallelism(threads));
            begin.elapsed()
        };
        // The first one brings threads and memory into being.
        time();
        (0..ROUNDS).map(|_| time()).min()
    });
    let fastest = fastest.unwrap_or_default().as_secs_f64();
    Ok(2.0 * (SIZE as f64).powi(3) / fastest)
}

/// How threads of a pool share a product.
fn parallelism(threads: usize) -> Parallelism {
    if threads == 1 { Parallelism::None } else { Parallelism::Rayon(threads) }
}

/// The numbers of weights as the steps need them.
struct Tensors {
    weights: Weights,
    /// Those that differ from what is stored: linear layers as `[inputs, outputs]`, since `gemm` takes nearly twice as long over the
    /// other order, and numbers that a file has at an odd place.
    own: Vec<Option<Vec<f32>>>,
}

impl Tensors {
    fn new(network: &Network, weights: &Weights) -> Self {
        let mut own = vec![None; network.tensors.len()];
        for step in &network.steps {
            if let Operation::Linear { weight, .. } | Operation::Patches { weight, .. } = step.operation {
                let numbers = weights.numbers(weight.0);
                let outputs = network.tensors[weight.0].shape[0];
                own[weight.0] = Some(rows::transposed(&numbers, outputs, numbers.len() / outputs));
            }
        }
        for (number, own) in own.iter_mut().enumerate().filter(|(_, own)| own.is_none()) {
            if let Cow::Owned(numbers) = weights.numbers(number) {
                *own = Some(numbers);
            }
        }
        Self { weights: weights.clone(), own }
    }

    fn of(&self, weight: Weight) -> Cow<'_, [f32]> {
        self.own[weight.0].as_ref().map_or_else(|| self.weights.numbers(weight.0), |own| Cow::Borrowed(own))
    }
}

/// A network with its numbers and all memory that a run needs.
struct Forward {
    network: Network,
    tensors: Tensors,
    slots: Slots,
    attention: Attention,
    input: Input,
    /// The squares of the images, a row each.
    squares: Vec<f32>,
    batch: usize,
    parallelism: Parallelism,
    pool: ThreadPool,
}

impl Session for Forward {
    fn give(&mut self, input: &Input) -> Result<(), Failure> {
        self.input = input.clone();
        if let (Input::Pixels(pixels), network::Input::Image { size, patch }) = (input, self.network.input) {
            self.squares = rows::squares(pixels, self.batch, size, patch);
        }
        Ok(())
    }

    fn run(&mut self, read: &mut dyn FnMut(&[f32])) -> Result<(), Failure> {
        // The pool is asked once per run: its threads stay awake between the steps.
        let Self { network, tensors, slots, attention, input, squares, batch, parallelism, pool } = self;
        let mut pass = Pass {
            network,
            tensors,
            slots,
            attention,
            input,
            squares,
            batch: *batch,
            parallelism: *parallelism,
        };
        pool.install(|| {
            for number in 0..pass.network.steps.len() {
                pass.step(number);
            }
        });
        read(self.slots.numbers(Value(self.network.steps.len() - 1)));
        Ok(())
    }
}

/// One run over the batch.
struct Pass<'a> {
    network: &'a Network,
    tensors: &'a Tensors,
    slots: &'a mut Slots,
    attention: &'a mut Attention,
    input: &'a Input,
    squares: &'a [f32],
    batch: usize,
    parallelism: Parallelism,
}

impl Pass<'_> {
    fn step(&mut self, number: usize) {
        let step = &self.network.steps[number];
        // Out of the slots while it is written, so that the values it is made of can be read.
        let mut to = self.slots.take(Value(number));
        let columns = step.shape.columns;
        match step.operation {
            Operation::Embed { table } => {
                if let Input::Tokens(tokens) = self.input {
                    rows::embed(&mut to, tokens, &self.tensors.of(table), columns);
                }
            }
            Operation::Patches { weight, bias } => {
                let weight = self.tensors.of(weight);
                self.product(&mut to, self.squares, &weight, weight.len() / columns, columns);
                rows::activate(&mut to, &self.tensors.of(bias), network::Activation::Identity);
            }
            Operation::AddRows { of, table } => {
                let table = self.tensors.of(table);
                rows::add_repeating(&mut to, self.slots.numbers(of), &table[..step.shape.rows * columns]);
            }
            Operation::AddFirst { of, table } => {
                rows::add_repeating(&mut to, self.slots.numbers(of), &self.tensors.of(table)[..columns]);
            }
            Operation::Prepend { of, row } => {
                let rows = self.network.shape(of).rows;
                rows::prepend(&mut to, self.slots.numbers(of), &self.tensors.of(row), rows);
            }
            Operation::Normalise { of, scale, shift, epsilon } => {
                let (scale, shift) = (self.tensors.of(scale), self.tensors.of(shift));
                rows::normalise(&mut to, self.slots.numbers(of), &scale, &shift, epsilon);
            }
            Operation::Linear { of, weight, bias, activation } => {
                let inner = self.network.shape(of).columns;
                self.product(&mut to, self.slots.numbers(of), &self.tensors.of(weight), inner, columns);
                rows::activate(&mut to, &self.tensors.of(bias), activation);
            }
            Operation::Attend { query, key, value, heads } => {
                let looked = [query, key, value].map(|it| self.slots.numbers(it));
                self.attention.attend(&mut to, looked, step.shape, heads);
            }
            Operation::Add { left, right } => {
                rows::add(&mut to, self.slots.numbers(left), self.slots.numbers(right));
            }
            Operation::First { of } => {
                let rows = self.network.shape(of).rows;
                rows::first(&mut to, self.slots.numbers(of), rows, columns);
            }
            Operation::MeanDirection { of } => {
                let rows = self.network.shape(of).rows;
                rows::mean_direction(&mut to, self.slots.numbers(of), rows, columns);
            }
        }
        debug_assert_eq!(to.len(), step.shape.elements(self.batch), "{:?}", step.operation);
        self.slots.put(Value(number), to);
    }

    fn product(&self, to: &mut [f32], left: &[f32], right: &[f32], inner: usize, columns: usize) {
        let rows = to.len() / columns;
        multiply(
            to,
            Matrix::whole(left, rows, inner),
            Matrix::whole(right, inner, columns),
            1.0,
            self.parallelism,
        );
    }
}
