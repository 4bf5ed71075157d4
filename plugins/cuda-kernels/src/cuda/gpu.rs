//! Inside the plugin: the device of a case, with one stream of its own. Everything a case does is put into that stream,
//! which alone orders it; nothing is ever put into the default stream, which would wait for others and have others wait.

use std::sync::Arc;

use cudarc::{
    driver::{
        CudaContext, CudaEvent, CudaModule, CudaSlice, CudaStream, DevicePtr, DevicePtrMut, DeviceRepr,
        DriverError, result,
        sys::{CUdevice_attribute, CUevent, CUevent_flags, CUresult, culib},
    },
    nvrtc::Ptx,
};
use dyno_sdk::prelude::*;

use super::{
    Source,
    compile::Compiler,
    driver::probe,
    error::{self, driver},
    libraries::{self, Needed},
};
use crate::input::size;

/// Memory of the device.
pub(crate) type Buffer<T> = CudaSlice<T>;

/// A point in the stream whose time the device notes.
pub(crate) type Moment = CudaEvent;

/// Every byte of an output before it is written: no number in any float type, and no count that occurs.
const POISON: u8 = 0xff;

/// Time between two events [ms].
type Elapsed = unsafe extern "C" fn(*mut f32, CUevent, CUevent) -> CUresult;

/// A device, opened.
#[derive(Debug)]
pub(crate) struct Gpu {
    context: Arc<CudaContext>,
    pub(super) stream: Arc<CudaStream>,
    elapsed: Elapsed,
    driver: i32,
    multiprocessors: u32,
    cache_bytes: usize,
}

impl Gpu {
    /// Opens the device of the case, or says why it cannot be had.
    pub(crate) fn open(context: &Context) -> Result<Self, Failure> {
        let index = context.device().index;
        let driver = probe(index)?;
        let asked = || format!("device {index}");
        // The primary context, which cuBLAS uses as well. Current on this thread from here on; all stages of a case run
        // on one thread, and the bindings make it current again where it is not.
        let opened =
            CudaContext::new(index as usize).map_err(error::driver("cuDevicePrimaryCtxRetain", asked))?;
        // SAFETY: whatever uses a buffer is in the one stream that this type has, in which the buffer was made; so
        // nothing is left for events to order, and none of them gets between what is timed.
        unsafe { opened.disable_event_tracking() };
        let stream = opened.new_stream().map_err(error::driver("cuStreamCreate", asked))?;
        let attribute = |which| opened.attribute(which).map_err(error::driver("cuDeviceGetAttribute", asked));
        let multiprocessors = attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
        let cache = attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE)?;
        // The bindings of CUDA 13 ask for a second version of this function, which drivers before 12.8 do not have.
        // SAFETY: the driver is open, for good.
        let library = unsafe { culib() };
        // SAFETY: the type is that of the function in every driver.
        let elapsed = unsafe { library.get::<Elapsed>(b"cuEventElapsedTime\0") };
        let elapsed =
            *elapsed.map_err(|problem| format!("the driver has no cuEventElapsedTime: {problem}"))?;
        Ok(Self {
            stream,
            elapsed,
            driver,
            multiprocessors: multiprocessors.unsigned_abs(),
            cache_bytes: cache.unsigned_abs() as usize,
            context: opened,
        })
    }

    /// How many multiprocessors it has.
    pub(crate) fn multiprocessors(&self) -> u32 {
        self.multiprocessors
    }

    /// Size of its last-level cache [bytes].
    pub(crate) fn cache_bytes(&self) -> usize {
        self.cache_bytes
    }

    /// Compiles device code for this device and loads it.
    pub(crate) fn load(&self, source: Source) -> Result<Arc<CudaModule>, Failure> {
        let compiler = Compiler::open(self.driver, None)?;
        let (major, minor) = self
            .context
            .compute_capability()
            .map_err(driver("cuDeviceGetAttribute", || "the compute capability".to_owned()))?;
        let image = compiler.compile(source, compiler.target(major * 10 + minor)?)?;
        let asked = || format!("{} of device code", size(image.len()));
        self.context.load_module(Ptx::from_binary(image.clone())).map_err(driver("cuModuleLoadData", asked))
    }

    pub(super) fn open_blas(&self) -> Result<(), Failure> {
        libraries::open(Needed::Cublas, self.driver / 1000, None)
    }

    /// Memory for an output, full of poison.
    pub(crate) fn output<T: DeviceRepr>(&self, len: usize) -> Result<Buffer<T>, Failure> {
        let bytes = len * size_of::<T>();
        let asked = || match self.context.mem_get_info() {
            Ok((free, _)) => format!("{} ({} are free)", size(bytes), size(free)),
            Err(_) => size(bytes),
        };
        // SAFETY: it is written, with poison, before anybody reads it; every bit pattern is a value of the types used.
        let made = unsafe { self.stream.alloc::<T>(len) };
        let mut made = made.map_err(driver("cuMemAlloc", asked))?;
        self.poison(&mut made)?;
        Ok(made)
    }

    /// Overwrites an output with poison.
    pub(crate) fn poison<T: DeviceRepr>(&self, buffer: &mut Buffer<T>) -> Result<(), Failure> {
        self.fill(buffer, POISON)
    }

    /// Overwrites every byte.
    pub(crate) fn fill<T: DeviceRepr>(&self, buffer: &mut Buffer<T>, byte: u8) -> Result<(), Failure> {
        let bytes = buffer.num_bytes();
        let (place, _order) = buffer.device_ptr_mut(&self.stream);
        // SAFETY: the buffer is that long, was made in this stream, and is borrowed mutably.
        let answer = unsafe { result::memset_d8_async(place, byte, bytes, self.stream.cu_stream()) };
        answer.map_err(driver("cuMemsetD8Async", || size(bytes)))
    }

    /// A copy of host memory on the device.
    pub(crate) fn upload<T: DeviceRepr>(&self, values: &[T]) -> Result<Buffer<T>, Failure> {
        let mut made = self.output(values.len())?;
        self.write(values, &mut made)?;
        self.wait()?;
        Ok(made)
    }

    /// A copy of device memory on the host.
    pub(crate) fn download<T: DeviceRepr + Default + Clone>(
        &self,
        buffer: &Buffer<T>,
    ) -> Result<Vec<T>, Failure> {
        let mut values = vec![T::default(); buffer.len()];
        self.read(buffer, &mut values)?;
        self.wait()?;
        Ok(values)
    }

    /// Puts a copy to the device into the stream. From pageable memory, which the driver reads before this returns or has
    /// read when [`Self::wait`] returns: the memory must live until then.
    pub(crate) fn write<T: DeviceRepr>(&self, from: &[T], to: &mut Buffer<T>) -> Result<(), Failure> {
        let bytes = size_of_val(from);
        same_length(bytes, to.num_bytes())?;
        let (place, _order) = to.device_ptr_mut(&self.stream);
        // SAFETY: both are that long; callers wait for the stream before they let go of either.
        let answer = unsafe { result::memcpy_htod_async(place, from, self.stream.cu_stream()) };
        answer.map_err(driver("cuMemcpyHtoDAsync", || size(bytes)))
    }

    /// Puts a copy from the device into the stream; the same holds for its memory.
    pub(crate) fn read<T: DeviceRepr>(&self, from: &Buffer<T>, to: &mut [T]) -> Result<(), Failure> {
        let bytes = size_of_val(to);
        same_length(bytes, from.num_bytes())?;
        let (place, _order) = from.device_ptr(&self.stream);
        // SAFETY: both are that long; callers wait for the stream before they let go of either.
        let answer = unsafe { result::memcpy_dtoh_async(to, place, self.stream.cu_stream()) };
        answer.map_err(driver("cuMemcpyDtoHAsync", || size(bytes)))
    }

    /// Puts a copy inside the device into the stream.
    pub(crate) fn copy<T: DeviceRepr>(&self, from: &Buffer<T>, to: &mut Buffer<T>) -> Result<(), Failure> {
        let bytes = from.num_bytes();
        same_length(bytes, to.num_bytes())?;
        self.stream.memcpy_dtod(from, to).map_err(driver("cuMemcpyDtoDAsync", || size(bytes)))
    }

    /// Waits until everything in the stream is done. Errors of kernels come to light here.
    pub(crate) fn wait(&self) -> Result<(), Failure> {
        self.stream.synchronize().map_err(driver("cuStreamSynchronize", String::new))
    }

    /// A moment to be noted later.
    pub(crate) fn moment(&self) -> Result<Moment, Failure> {
        let made = self.context.new_event(Some(CUevent_flags::CU_EVENT_DEFAULT));
        made.map_err(driver("cuEventCreate", String::new))
    }

    /// Has the device note the time once everything before is done.
    pub(crate) fn note(&self, moment: &Moment) -> Result<(), Failure> {
        moment.record(&self.stream).map_err(driver("cuEventRecord", String::new))
    }

    /// Time between two moments that have been noted and have passed [ns].
    pub(crate) fn between_ns(&self, start: &Moment, end: &Moment) -> Result<f64, Failure> {
        let mut milliseconds = 0.0;
        // SAFETY: both events live, were made with timing in this context and recorded in one stream.
        let answer = unsafe { (self.elapsed)(&raw mut milliseconds, start.cu_event(), end.cu_event()) };
        let answer: Result<(), DriverError> = answer.result();
        answer.map_err(driver("cuEventElapsedTime", String::new))?;
        Ok(f64::from(milliseconds) * 1e6)
    }

    /// Memory of the host that does not move, for transfers.
    pub(crate) fn context(&self) -> &Arc<CudaContext> {
        &self.context
    }
}

fn same_length(from: usize, to: usize) -> Result<(), Failure> {
    if from == to {
        return Ok(());
    }
    Err(Failure::error(format!(
        "a copy of {from} bytes into {to}: both must be equal, which is a mistake of the plugin"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_unequal_length_are_refused() {
        assert!(same_length(4, 4).is_ok());
        assert!(same_length(4, 8).unwrap_err().message().contains("4 bytes into 8"));
    }
}
