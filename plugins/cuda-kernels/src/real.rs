//! Inside the plugin: the two float types that device code is written for, behind one trait.

use cudarc::driver::{DeviceRepr, ValidAsZeroBits};
use dyno_sdk::prelude::*;

/// Width of the numbers of a benchmark.
#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Dtype {
    F32,
    F64,
}

/// `f32` or `f64`.
pub(crate) trait Real: Copy + Default + DeviceRepr + ValidAsZeroBits + 'static {
    /// Half the distance from 1 to the next number: the largest relative error of one rounding.
    const ROUNDOFF: f64;
    /// What the names of kernels for this type end in.
    const SUFFIX: &'static str;

    fn of(value: f64) -> Self;
    fn wide(self) -> f64;
}

macro_rules! real {
    ($($ty:ident)*) => {$(
        impl Real for $ty {
            const ROUNDOFF: f64 = $ty::EPSILON as f64 / 2.0;
            const SUFFIX: &'static str = stringify!($ty);

            fn of(value: f64) -> Self {
                value as Self
            }

            fn wide(self) -> f64 {
                f64::from(self)
            }
        }
    )*};
}

real! { f32 f64 }
