//! What the author of a Rust plugin imports: the plugin's side of the boundary, without any `unsafe` in the plugin.
//!
//! A benchmark is a type with a [`Benchmark`] implementation and a `#[benchmark(...)]` attribute; its parameters are
//! a struct with `#[derive(Params)]`; one `export_plugin!` line makes a plugin of them.
//!
//! ```
//! use dyno_sdk::prelude::*;
//!
//! /// Adds floats.
//! #[derive(Params)]
//! struct SumParams {
//!     /// How many floats to add.
//!     #[param(default = 4096, min = 1, max = 1_048_576, unit = "elements")]
//!     n: usize,
//! }
//!
//! #[benchmark(name = "sum", category = "arithmetic", hardware = ["cpu"])]
//! struct Sum {
//!     data: Vec<f32>,
//! }
//!
//! impl Benchmark for Sum {
//!     type Params = SumParams;
//!
//!     fn setup(params: SumParams, context: &Context) -> Result<Self, Failure> {
//!         let mut rng = rng(context.seed());
//!         Ok(Sum { data: (0..params.n).map(|_| rng.f32()).collect() })
//!     }
//!
//!     fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
//!         let mut sum = 0.0;
//!         for _ in 0..iterations {
//!             sum = black_box(&self.data).iter().sum();
//!             black_box(sum);
//!         }
//!         Ok(Report::new().items(iterations as f64 * self.data.len() as f64).checksum(sum.to_bits().into()))
//!     }
//! }
//!
//! export_plugin! { id: "hello", description: "The smallest useful plugin", benchmarks: [Sum] }
//! # fn main() {}
//! ```
//!
//! The same source builds as a native library and as a WebAssembly component.
//! All metadata stands in a section of the file, written while compiling, so that a host reads it without running
//! anything. A panic in any stage becomes a [`Failure`] with its message and place.

#![allow(unsafe_code, reason = "the SDK is where the ABI is spoken, so that plugins need no unsafe")]

// What the macros and wit-bindgen write names `::dyno_sdk`, also where they are used in here.
extern crate self as dyno_sdk;

mod benchmark;
mod context;
mod export;
mod failure;
mod network;
mod panics;
mod params;
mod report;
mod rng;
pub mod testing;

pub use std::hint::black_box;

pub use dyno_sdk_macros::{ParamEnum, Params, benchmark, export_plugin};

pub use self::{
    benchmark::{Benchmark, Described},
    context::{Context, Device, Level},
    failure::Failure,
    network::addresses,
    params::{ParamEnum, Params},
    report::{Report, Sample},
    rng::{Rng, rng},
};

/// Everything that a plugin needs: `use dyno_sdk::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Benchmark, Context, Device, Failure, Level, ParamEnum, Params, Report, Rng, Sample, benchmark,
        black_box, export_plugin, rng,
    };
}

/// What the macros write into a plugin. Not for people: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use dyno_plugin_api::section::{MAX_BYTES, concat, length};

    pub use crate::{
        export::{
            constants::{bytes, contains, same},
            platform::*,
        },
        params::Values,
    };
}
