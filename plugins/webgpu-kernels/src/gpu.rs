//! Inside the plugin: an opened adapter: its arrays, its pipelines, and the way back to the host's memory.

use std::sync::mpsc;

use dyno_sdk::prelude::*;
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, Buffer, BufferDescriptor, BufferUsages, CommandEncoder,
    CommandEncoderDescriptor, ComputePipeline, ComputePipelineDescriptor, Device, DeviceDescriptor, Features,
    Limits, MapMode, PipelineCompilationOptions, PollType, Queue, ShaderModuleDescriptor, ShaderSource,
};

use crate::{adapter, faults::Faults};

const MIB: f64 = (1u64 << 20) as f64;

/// The most that one array may take, whatever the adapter could bind [bytes]: the host holds a copy while it checks.
const ARRAY_LIMIT: u64 = 1 << 30;

/// A device with its queue, and what it can do.
#[derive(Debug)]
pub(crate) struct Gpu {
    pub(crate) device: Device,
    pub(crate) queue: Queue,
    pub(crate) limits: Limits,
    /// Whether passes can be timed by the device.
    pub(crate) times_passes: bool,
    /// Whether copies between passes can be.
    pub(crate) times_copies: bool,
    faults: Faults,
}

impl Gpu {
    /// Opens the adapter that the case was given.
    pub(crate) fn open(context: &Context) -> Result<Self, Failure> {
        let adapter = adapter::choose(context.device().index)?;
        let described = adapter::describe(&adapter.get_info());
        let limits = adapter.limits();
        let features =
            adapter.features() & (Features::TIMESTAMP_QUERY | Features::TIMESTAMP_QUERY_INSIDE_ENCODERS);
        let times_passes = features.contains(Features::TIMESTAMP_QUERY);
        let times_copies = features.contains(Features::TIMESTAMP_QUERY_INSIDE_ENCODERS);
        context.info(format!(
            "adapter: {described}; {}",
            match (times_passes, times_copies) {
                (true, true) => "it times passes and copies",
                (true, false) => "it times passes, not copies",
                (false, _) => "it tells no times: device_time is absent",
            }
        ));
        let (device, queue) = pollster::block_on(adapter.request_device(&DeviceDescriptor {
            label: Some("dyno"),
            required_features: features,
            // All that the adapter has: the defaults are those of the weakest device.
            required_limits: limits.clone(),
            ..DeviceDescriptor::default()
        }))
        .map_err(|error| Failure::error(format!("the adapter {described} gives no device: {error}")))?;
        let faults = Faults::of(&device);
        Ok(Self { device, queue, limits, times_passes, times_copies, faults })
    }

    /// Fails when the device has complained since the last question.
    pub(crate) fn check(&self, doing: impl FnOnce() -> String) -> Result<(), Failure> {
        self.faults.check(doing)
    }

    /// An array in the adapter's memory that shaders and copies can use, of so many words. Zero where nothing is put.
    pub(crate) fn array(&self, name: &str, words: usize) -> Result<Buffer, Failure> {
        let bytes = words as u64 * 4;
        self.fits(name, bytes)?;
        let buffer = self.device.create_buffer(&BufferDescriptor {
            label: Some(name),
            size: bytes,
            usage: BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.check(|| format!("making the array `{name}` of {:.0} MiB", (bytes as f64 / MIB).ceil()))?;
        Ok(buffer)
    }

    /// Whether an array of that size can be: else the case cannot run here.
    pub(crate) fn fits(&self, name: &str, bytes: u64) -> Result<(), Failure> {
        let binding = self.limits.max_storage_buffer_binding_size;
        let (limit, whose) = [
            (binding, "this adapter binds at most {} MiB (max_storage_buffer_binding_size)"),
            (self.limits.max_buffer_size, "this adapter makes buffers of at most {} MiB (max_buffer_size)"),
            (ARRAY_LIMIT, "at most {} MiB are allowed"),
        ]
        .into_iter()
        .min_by_key(|(limit, _)| *limit)
        .unwrap_or((ARRAY_LIMIT, ""));
        if bytes <= limit {
            return Ok(());
        }
        let whose = whose.replace("{}", &format!("{:.0}", (limit as f64 / MIB).floor()));
        Err(Failure::skipped(format!(
            "the array `{name}` needs {:.0} MiB, {whose}; choose smaller parameters",
            (bytes as f64 / MIB).ceil()
        )))
    }

    /// An array that holds these numbers.
    pub(crate) fn filled(&self, name: &str, words: usize, values: &[f32]) -> Result<Buffer, Failure> {
        let buffer = self.array(name, words)?;
        self.put(&buffer, values)?;
        Ok(buffer)
    }

    /// Writes numbers to the beginning of an array.
    pub(crate) fn put(&self, buffer: &Buffer, values: &[f32]) -> Result<(), Failure> {
        self.queue.write_buffer(buffer, 0, bytemuck::cast_slice(values));
        self.check(|| "filling an array".to_owned())
    }

    /// The first numbers of an array.
    pub(crate) fn take(&self, buffer: &Buffer, words: usize) -> Result<Vec<f32>, Failure> {
        let staging = self.landing("result", words as u64 * 4)?;
        let mut encoder = self.encoder();
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, words as u64 * 4);
        self.queue.submit([encoder.finish()]);
        self.mapped(&staging, bytemuck::pod_collect_to_vec)
    }

    /// A buffer that the host can read.
    pub(crate) fn landing(&self, name: &str, bytes: u64) -> Result<Buffer, Failure> {
        let buffer = self.device.create_buffer(&BufferDescriptor {
            label: Some(name),
            size: bytes,
            usage: BufferUsages::COPY_DST | BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        self.check(|| format!("making room for the {name}"))?;
        Ok(buffer)
    }

    /// Waits until everything submitted is done, and looks at a buffer.
    pub(crate) fn mapped<T>(&self, buffer: &Buffer, read: impl FnOnce(&[u8]) -> T) -> Result<T, Failure> {
        let (sender, receiver) = mpsc::channel();
        buffer.map_async(MapMode::Read, .., move |outcome| {
            // The receiver is gone only when the wait below has failed.
            let _ = sender.send(outcome);
        });
        let waited = self.device.poll(PollType::wait_indefinitely());
        // What went wrong on the device says more than that waiting failed.
        self.check(|| "running on the adapter".to_owned())?;
        waited.map_err(|error| Failure::error(format!("waiting for the adapter: {error}")))?;
        match receiver.try_recv() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(Failure::error(format!("reading from the adapter: {error}"))),
            Err(_) => return Err(Failure::error("the adapter did not hand its result over")),
        }
        let view = buffer
            .get_mapped_range(..)
            .map_err(|error| Failure::error(format!("reading from the adapter: {error}")))?;
        let value = read(&view);
        drop(view);
        buffer.unmap();
        Ok(value)
    }

    pub(crate) fn encoder(&self) -> CommandEncoder {
        self.device.create_command_encoder(&CommandEncoderDescriptor { label: Some("dyno") })
    }

    /// Compiles an entry point with these constants.
    pub(crate) fn pipeline(
        &self,
        source: &str,
        entry: &str,
        constants: &[(&str, f64)],
    ) -> Result<ComputePipeline, Failure> {
        let module = self.device.create_shader_module(ShaderModuleDescriptor {
            label: Some(entry),
            source: ShaderSource::Wgsl(source.into()),
        });
        let pipeline = self.device.create_compute_pipeline(&ComputePipelineDescriptor {
            label: Some(entry),
            layout: None,
            module: &module,
            entry_point: Some(entry),
            compilation_options: PipelineCompilationOptions {
                constants,
                ..PipelineCompilationOptions::default()
            },
            cache: None,
        });
        self.check(|| format!("compiling the kernel `{entry}`"))?;
        Ok(pipeline)
    }

    /// Binds buffers to the numbers that a kernel gives them.
    pub(crate) fn bind(
        &self,
        pipeline: &ComputePipeline,
        buffers: &[(u32, &Buffer)],
    ) -> Result<BindGroup, Failure> {
        let entries: Vec<BindGroupEntry<'_>> = buffers
            .iter()
            .map(|(binding, buffer)| BindGroupEntry {
                binding: *binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let group = self.device.create_bind_group(&BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        self.check(|| "binding the arrays of a kernel".to_owned())?;
        Ok(group)
    }
}
