//! The workloads, and the plugin for dyno that wraps them. The amount of work is a number in the data of the program: 1000 is
//! the baseline. The bench makes a build with one per cent more by writing 1010 over it, so that the code and where it lies
//! are the same in every build: what a linker happens to do differently would be an effect of its own.

use std::{
    collections::{HashMap, hash_map::DefaultHasher},
    hash::BuildHasherDefault,
    sync::atomic::{AtomicU64, Ordering},
};

use dyno_sdk::prelude::*;

/// A mark by which the bench finds the place, and the amount of work.
#[used]
static WORK: [AtomicU64; 2] = [AtomicU64::new(u64::from_le_bytes(*b"dynowork")), AtomicU64::new(1000)];

/// How much work one turn does: 1000 in the baseline.
fn work() -> u64 {
    // Hidden from the optimiser, which sees that nobody here writes it.
    black_box(&WORK)[1].load(Ordering::Relaxed)
}

/// Pure arithmetic: a chain of multiplications, about 50 µs.
pub fn arithmetic() -> u64 {
    (0..work() * 40).fold(black_box(1), |x: u64, i| (x ^ i).wrapping_mul(6_364_136_223_846_793_005).rotate_left(17))
}

/// Allocation-heavy: maps of twenty short strings, one after the other, about 150 µs. Every map costs the same, so that one
/// per cent more of them is one per cent more time.
pub fn strings() -> u64 {
    let mut sum = 0;
    for round in 0..work() / 10 {
        let mut map: HashMap<String, u64, BuildHasherDefault<DefaultHasher>> = HashMap::default();
        for key in 100..120 {
            *map.entry(format!("key {key} of many")).or_default() += round ^ key;
        }
        sum ^= map.values().fold(0, |sum, value| sum ^ value);
    }
    sum
}

/// Memory-bound: values from all over 64 MiB, about half a millisecond.
#[derive(Debug)]
pub struct Memory(Vec<u64>);

impl Memory {
    const LENGTH: usize = 8 << 20;

    pub fn new() -> Self {
        Self((0..Self::LENGTH as u64).map(|i| i.wrapping_mul(2_862_933_555_777_941_757)).collect())
    }

    pub fn turn(&self) -> u64 {
        let mut place = black_box(1u64);
        let mut sum = 0u64;
        for _ in 0..work() * 20 {
            place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            sum ^= self.0[(place >> 41) as usize % Self::LENGTH];
        }
        sum
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// Branches that go as a text goes, which is drawn from the seed: about 100 µs. A branch predictor learns one text and not
/// another, so that on one text two builds of equal speed differ by several per cent in either direction.
#[derive(Debug)]
pub struct Text(Vec<u8>);

impl Text {
    /// Bytes per unit of work.
    const STEP: usize = 16;
    const LENGTH: usize = 32 << 10;

    pub fn new(mut random: Rng) -> Self {
        const ALPHABET: &[u8] = b"eeeettaaoinshr  ,.0123456789\"\n(){};+-";
        Self((0..Self::LENGTH).map(|_| ALPHABET[random.below(ALPHABET.len() as u64) as usize]).collect())
    }

    /// Reads a text as words, numbers, strings and brackets, and counts.
    pub fn turn(&self) -> u64 {
        let text = black_box(self.0.as_slice());
        let (mut state, mut depth, mut number, mut sum) = (0u8, 0i32, 0u64, 0u64);
        for byte in text.iter().cycle().take(work() as usize * Self::STEP) {
            state = match (state, byte) {
                (2, b'"') => 0,
                (2, _) => {
                    sum ^= u64::from(*byte);
                    2
                }
                (_, b'"') => 2,
                (_, b'0'..=b'9') => {
                    number = number.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                    3
                }
                (3, _) => {
                    sum = sum.wrapping_add(number);
                    number = 0;
                    u8::from(byte.is_ascii_alphabetic())
                }
                (_, b'(' | b'{') => {
                    depth += 1;
                    0
                }
                (_, b')' | b'}') => {
                    depth -= 1;
                    sum = sum.rotate_left(depth.unsigned_abs() & 7);
                    0
                }
                (1, b' ') => {
                    sum = sum.wrapping_mul(31);
                    0
                }
                (_, b'a'..=b'z') => 1,
                _ => 0,
            };
        }
        sum
    }
}

/// Arithmetic behind a set-up of a third of a second: few pairs of launches can be had.
#[derive(Debug)]
pub struct Costly(u64);

impl Costly {
    pub fn new() -> Self {
        Self((0..7_000).fold(0, |sum, _| sum ^ black_box(arithmetic())))
    }
}

impl Default for Costly {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Params)]
pub struct Nothing {}

#[benchmark(name = "arithmetic", category = "peers", hardware = ["cpu"])]
struct Arithmetic;

#[benchmark(name = "strings", category = "peers", hardware = ["cpu"])]
struct Strings;

#[benchmark(name = "memory", category = "peers", hardware = ["cpu"])]
struct Walk(Memory);

#[benchmark(name = "branches", category = "peers", hardware = ["cpu"])]
struct Branches(Text);

#[benchmark(name = "costly", category = "peers", hardware = ["cpu"])]
struct Start(Costly);

macro_rules! benchmark {
    ($name:ident, |$context:ident| $setup:expr, $turn:expr) => {
        impl Benchmark for $name {
            type Params = Nothing;

            fn setup(_: Nothing, $context: &Context) -> Result<Self, Failure> {
                Ok($setup)
            }

            fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
                let turn: fn(&Self) -> u64 = $turn;
                let mut sum = 0u64;
                for _ in 0..iterations {
                    sum ^= black_box(turn(self));
                }
                Ok(Report::new().checksum(sum))
            }
        }
    };
}

benchmark!(Arithmetic, |_context| Self, |_| arithmetic());
benchmark!(Strings, |_context| Self, |_| strings());
benchmark!(Walk, |_context| Self(Memory::new()), |it| it.0.turn());
benchmark!(Branches, |context| Self(Text::new(rng(context.seed()))), |it| it.0.turn());
benchmark!(Start, |_context| Self(Costly::new()), |it| it.0.0 ^ arithmetic());

export_plugin! { id: "verdicts", benchmarks: [Arithmetic, Strings, Walk, Branches, Start] }
