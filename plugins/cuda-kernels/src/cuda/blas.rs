//! Inside the plugin: matrix products by cuBLAS.

use std::ffi::{c_int, c_void};

use cudarc::{
    cublas::{result, sys},
    driver::{DevicePtr, DevicePtrMut, DeviceRepr},
};
use dyno_sdk::prelude::*;

use super::{Buffer, Gpu, error};
use crate::reference::{Precision, Shape};

/// cuBLAS with the stream of a device.
#[derive(Debug)]
pub(crate) struct Blas(sys::cublasHandle_t);

impl Blas {
    /// Opens the library and makes a handle.
    pub(crate) fn new(gpu: &Gpu) -> Result<Self, Failure> {
        gpu.open_blas()?;
        let handle = result::create_handle().map_err(error::blas("cublasCreate", String::new))?;
        let made = Self(handle);
        // SAFETY: handle and stream live, and are of one context.
        let answer = unsafe { result::set_stream(made.0, gpu.stream.cu_stream().cast()) };
        answer.map_err(error::blas("cublasSetStream", String::new))?;
        Ok(made)
    }

    /// Puts C = A B of row-major matrices into the stream.
    pub(crate) fn product<T: DeviceRepr>(
        &self,
        gpu: &Gpu,
        shape: Shape,
        precision: Precision,
        [a, b]: [&Buffer<T>; 2],
        c: &mut Buffer<T>,
    ) -> Result<(), Failure> {
        let Shape { m, n, k } = shape;
        let lengths = [(a.len(), m * k), (b.len(), k * n), (c.len(), m * n)];
        if lengths.iter().any(|(len, needed)| len != needed) || size_of::<T>() != bytes_of(precision) {
            return Err(Failure::error(format!(
                "{shape:?} {precision:?} and buffers {lengths:?} do not fit"
            )));
        }
        let size =
            |value: usize| c_int::try_from(value).map_err(|_| format!("{value} is too large for cuBLAS"));
        let (rows, columns, depth) = (size(m)?, size(n)?, size(k)?);
        let kind = kind_of(precision);
        let (one, zero) = (1.0_f32, 0.0_f32);
        let (a, _order) = a.device_ptr(&gpu.stream);
        let (b, _order) = b.device_ptr(&gpu.stream);
        let (c, _order) = c.device_ptr_mut(&gpu.stream);
        // cuBLAS counts down columns. A row-major matrix, read that way, is its transpose, and C' = B' A'.
        // SAFETY: the lengths, checked above, are those of matrices with these strides; scalars are read before the call
        // returns, for that is the mode of a new handle; everything is in one stream.
        let answer = unsafe {
            result::gemm_ex(
                self.0,
                sys::cublasOperation_t::CUBLAS_OP_N,
                sys::cublasOperation_t::CUBLAS_OP_N,
                columns,
                rows,
                depth,
                (&raw const one).cast(),
                b as *const c_void,
                kind,
                columns,
                a as *const c_void,
                kind,
                depth,
                (&raw const zero).cast(),
                c as *mut c_void,
                kind,
                columns,
                compute_of(precision),
                sys::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
            )
        };
        answer.map_err(error::blas("cublasGemmEx", || format!("{m} x {k} times {k} x {n} in {precision:?}")))
    }
}

impl Drop for Blas {
    fn drop(&mut self) {
        // SAFETY: made in `new`, and destroyed here only.
        let answer = unsafe { result::destroy_handle(self.0) };
        // After a failed kernel it refuses everything; the process ends soon.
        let _ = answer;
    }
}

/// Bytes of an element.
pub(crate) fn bytes_of(precision: Precision) -> usize {
    match precision {
        Precision::F32 | Precision::Tf32 => 4,
        Precision::Bf16 | Precision::F16 => 2,
    }
}

fn kind_of(precision: Precision) -> sys::cudaDataType {
    match precision {
        Precision::F32 | Precision::Tf32 => sys::cudaDataType::CUDA_R_32F,
        Precision::Bf16 => sys::cudaDataType::CUDA_R_16BF,
        Precision::F16 => sys::cudaDataType::CUDA_R_16F,
    }
}

/// Sums are kept in f32 throughout.
fn compute_of(precision: Precision) -> sys::cublasComputeType_t {
    match precision {
        Precision::Tf32 => sys::cublasComputeType_t::CUBLAS_COMPUTE_32F_FAST_TF32,
        Precision::F32 | Precision::Bf16 | Precision::F16 => sys::cublasComputeType_t::CUBLAS_COMPUTE_32F,
    }
}
