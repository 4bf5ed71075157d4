//! Inside the plugin: starting kernels. One function per kernel, which checks that its buffers are as long as the kernel
//! takes them to be; this is the only place where arguments meet device code.

use std::sync::Arc;

use cudarc::driver::{CudaFunction, CudaModule, DeviceRepr, LaunchConfig, PushKernelArg};
use dyno_sdk::prelude::*;

use super::{Buffer, Gpu, Source, error::driver};
use crate::{
    geometry::{self, BLOCK, MAX_BINS},
    real::Real,
    reference::{Shape, TINY},
};

/// What is loaded of which source, for a test.
#[cfg(test)]
pub(super) const NAMES: &[(Source, &[&str])] = &[
    (Source::COPY, &["copy"]),
    (Source::EMPTY, &["empty"]),
    (Source::GEMM, &["gemm_naive", "gemm_tiled"]),
    (Source::HISTOGRAM, &["clear", "histogram_global", "histogram_shared"]),
    (Source::LAYERNORM, &["layernorm"]),
    (Source::SOFTMAX, &["softmax"]),
    (Source::SUM, &["sum"]),
    (Source::TRANSPOSE, &["transpose_naive", "transpose_tiled"]),
    (Source::TRIAD, &["triad_f32", "triad_f64"]),
];

/// A kernel, loaded.
#[derive(Debug)]
pub(crate) struct Kernel {
    name: String,
    function: CudaFunction,
}

/// A matrix on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Matrix {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

/// Starts a kernel with arguments, which must be those in its source.
macro_rules! start {
    ($kernel:expr, $gpu:expr, $blocks:expr, $threads:expr, [$($argument:expr),*]) => {{
        let (blocks, threads): (u32, (u32, u32)) = ($blocks, $threads);
        let shape = LaunchConfig { grid_dim: (blocks, 1, 1), block_dim: (threads.0, threads.1, 1), shared_mem_bytes: 0 };
        #[allow(unused_mut, reason = "a kernel without arguments")]
        let mut start = $gpu.stream.launch_builder(&$kernel.function);
        $(start.arg($argument);)*
        // SAFETY: the callers of this macro pass the arguments of the kernel's source, in order, and have checked that
        // the buffers are as long as the sizes among them; kernels stay within those sizes.
        let started = unsafe { start.launch(shape) };
        started.map(|_| ()).map_err(driver("cuLaunchKernel", || {
            format!("`{}` with {blocks} blocks of {} threads", $kernel.name, threads.0 * threads.1)
        }))
    }};
}

impl Kernel {
    /// Loads a kernel of that name.
    pub(crate) fn new(module: &Arc<CudaModule>, name: &str) -> Result<Self, Failure> {
        let function =
            module.load_function(name).map_err(driver("cuModuleGetFunction", || format!("`{name}`")))?;
        Ok(Self { name: name.to_owned(), function })
    }

    /// The only kernel that a source has, or the one of that name.
    pub(crate) fn of(gpu: &Gpu, source: Source, name: &str) -> Result<Self, Failure> {
        Self::new(&gpu.load(source)?, name)
    }

    pub(crate) fn empty(&self, gpu: &Gpu) -> Result<(), Failure> {
        start!(self, gpu, 1, (1, 1), [])
    }

    pub(crate) fn copy(&self, gpu: &Gpu, from: &Buffer<u8>, to: &mut Buffer<u8>) -> Result<(), Failure> {
        check(&self.name, &[(from.len(), to.len())])?;
        let bytes = from.len() as u64;
        let blocks = geometry::striding(from.len().div_ceil(16), gpu.multiprocessors());
        start!(self, gpu, blocks, (BLOCK, 1), [to, from, &bytes])
    }

    /// `triad_f32` or `triad_f64`.
    pub(crate) fn triad<T: Real>(
        &self,
        gpu: &Gpu,
        a: &mut Buffer<T>,
        [b, c]: [&Buffer<T>; 2],
        s: T,
    ) -> Result<(), Failure> {
        check(&self.name, &[(a.len(), b.len()), (a.len(), c.len())])?;
        let n = a.len() as u64;
        let blocks = geometry::striding(a.len(), gpu.multiprocessors());
        start!(self, gpu, blocks, (BLOCK, 1), [a, b, c, &s, &n])
    }

    /// `sum`, with one block per element of `partial`.
    pub(crate) fn sum(
        &self,
        gpu: &Gpu,
        input: &Buffer<f32>,
        partial: &mut Buffer<f32>,
    ) -> Result<(), Failure> {
        let n = input.len() as u64;
        let blocks = geometry::rows(partial.len())?;
        start!(self, gpu, blocks, (BLOCK, 1), [partial, input, &n])
    }

    pub(crate) fn softmax(
        &self,
        gpu: &Gpu,
        shape: Matrix,
        input: &Buffer<f32>,
        output: &mut Buffer<f32>,
    ) -> Result<(), Failure> {
        let elements = shape.rows * shape.columns;
        check(&self.name, &[(input.len(), elements), (output.len(), elements)])?;
        let columns = shape.columns as u64;
        start!(self, gpu, geometry::rows(shape.rows)?, (BLOCK, 1), [output, input, &columns])
    }

    pub(crate) fn layernorm(
        &self,
        gpu: &Gpu,
        shape: Matrix,
        [input, scale, shift]: [&Buffer<f32>; 3],
        output: &mut Buffer<f32>,
    ) -> Result<(), Failure> {
        let elements = shape.rows * shape.columns;
        check(
            &self.name,
            &[
                (input.len(), elements),
                (output.len(), elements),
                (scale.len(), shape.columns),
                (shift.len(), shape.columns),
            ],
        )?;
        let columns = shape.columns as u64;
        start!(
            self,
            gpu,
            geometry::rows(shape.rows)?,
            (BLOCK, 1),
            [output, input, scale, shift, &TINY, &columns]
        )
    }

    /// `transpose_naive` or `transpose_tiled`; the shape is that of `from`.
    pub(crate) fn transpose(
        &self,
        gpu: &Gpu,
        shape: Matrix,
        from: &Buffer<f32>,
        to: &mut Buffer<f32>,
    ) -> Result<(), Failure> {
        let elements = shape.rows * shape.columns;
        check(&self.name, &[(from.len(), elements), (to.len(), elements)])?;
        let blocks = geometry::tiles(shape.rows, shape.columns, 32)?;
        let (rows, columns) = (shape.rows as u64, shape.columns as u64);
        start!(self, gpu, blocks, (32, 8), [to, from, &rows, &columns])
    }

    pub(crate) fn gemm_naive(
        &self,
        gpu: &Gpu,
        shape: Shape,
        [a, b]: [&Buffer<f32>; 2],
        c: &mut Buffer<f32>,
    ) -> Result<(), Failure> {
        self.gemm(gpu, shape, [a, b], c, 16, (16, 16))
    }

    pub(crate) fn gemm_tiled(
        &self,
        gpu: &Gpu,
        shape: Shape,
        [a, b]: [&Buffer<f32>; 2],
        c: &mut Buffer<f32>,
    ) -> Result<(), Failure> {
        self.gemm(gpu, shape, [a, b], c, 64, (256, 1))
    }

    fn gemm(
        &self,
        gpu: &Gpu,
        shape: Shape,
        [a, b]: [&Buffer<f32>; 2],
        c: &mut Buffer<f32>,
        tile: usize,
        threads: (u32, u32),
    ) -> Result<(), Failure> {
        let Shape { m, n, k } = shape;
        check(&self.name, &[(a.len(), m * k), (b.len(), k * n), (c.len(), m * n)])?;
        let blocks = geometry::tiles(m, n, tile)?;
        let (m, n, k) = (m as u64, n as u64, k as u64);
        start!(self, gpu, blocks, threads, [c, a, b, &m, &n, &k])
    }

    pub(crate) fn clear(&self, gpu: &Gpu, bins: &mut Buffer<u32>) -> Result<(), Failure> {
        let count = bin_count(bins)?;
        let blocks = geometry::striding(bins.len(), gpu.multiprocessors());
        start!(self, gpu, blocks, (BLOCK, 1), [bins, &count])
    }

    /// `histogram_global` or `histogram_shared`.
    pub(crate) fn histogram(
        &self,
        gpu: &Gpu,
        keys: &Buffer<u32>,
        bins: &mut Buffer<u32>,
    ) -> Result<(), Failure> {
        let count = bin_count(bins)?;
        let n = keys.len() as u64;
        let blocks = geometry::striding(keys.len(), gpu.multiprocessors());
        start!(self, gpu, blocks, (BLOCK, 1), [bins, keys, &n, &count])
    }
}

/// The bins of a histogram, as many as a block has room for.
fn bin_count<T: DeviceRepr>(bins: &Buffer<T>) -> Result<u32, Failure> {
    match u32::try_from(bins.len()) {
        Ok(count) if count <= MAX_BINS => Ok(count),
        _ => Err(Failure::error(format!("{} bins are more than {MAX_BINS}", bins.len()))),
    }
}

/// Each pair of lengths must be equal.
fn check(kernel: &str, lengths: &[(usize, usize)]) -> Result<(), Failure> {
    match lengths.iter().find(|(got, needed)| got != needed) {
        None => Ok(()),
        Some((got, needed)) => Err(Failure::error(format!(
            "`{kernel}` would get a buffer of {got} elements for {needed}, which is a mistake of the plugin"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_the_wrong_length_is_refused() {
        assert!(check("sum", &[(1, 1), (2, 2)]).is_ok());
        assert!(
            check("sum", &[(1, 1), (2, 3)]).unwrap_err().message().contains("`sum` would get a buffer of 2")
        );
    }
}
