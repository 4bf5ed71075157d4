//! Inside the plugin: everything that meets a foreign library: driver, NVRTC and cuBLAS, opened at run time.

#![allow(
    unsafe_code,
    reason = "foreign libraries are opened and called here, and nowhere else in this plugin"
)]

mod blas;
mod compile;
mod driver;
mod error;
mod gpu;
mod kernels;
mod libraries;
mod pinned;

pub(crate) use self::{
    blas::Blas,
    compile::Source,
    gpu::{Buffer, Gpu, Moment},
    kernels::{Kernel, Matrix},
    pinned::Pinned,
};
