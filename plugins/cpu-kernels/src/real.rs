//! Inside the plugin: the two float types that a benchmark can be asked for, behind one trait.

use std::ops::{Add, AddAssign, Mul, Sub};

use dyno_sdk::prelude::*;

/// Width of the numbers of a benchmark.
#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Dtype {
    F32,
    F64,
}

/// `f32` or `f64`.
pub(crate) trait Real:
    Copy
    + Default
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Mul<Output = Self>
    + Sub<Output = Self>
    + rustfft::FftNum
    + bytemuck::Pod
{
    /// Distance from 1 to the next number.
    const EPSILON: f64;

    fn of(value: f64) -> Self;
    fn wide(self) -> f64;
}

macro_rules! real {
    ($($ty:ident)*) => {$(
        impl Real for $ty {
            const EPSILON: f64 = $ty::EPSILON as f64;

            #[inline(always)]
            fn of(value: f64) -> Self {
                value as Self
            }

            #[inline(always)]
            fn wide(self) -> f64 {
                f64::from(self)
            }
        }
    )*};
}

real! { f32 f64 }

/// The state of a benchmark once its float type is chosen.
pub(crate) trait Kernel {
    fn verify(&mut self) -> Result<(), Failure>;
    fn run(&mut self, iterations: u64) -> Report;
}
