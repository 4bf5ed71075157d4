//! Inside the plugin: one iteration as commands of the adapter; many of them recorded, submitted and timed together.

use dyno_sdk::prelude::*;
use wgpu::{
    BindGroup, Buffer, BufferDescriptor, BufferUsages, CommandBuffer, ComputePassDescriptor,
    ComputePassTimestampWrites, ComputePipeline, QuerySet, QuerySetDescriptor, QueryType,
};

use crate::gpu::Gpu;

/// One start of a kernel.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) pipeline: ComputePipeline,
    pub(crate) bindings: BindGroup,
    /// Workgroups in x and y.
    pub(crate) groups: (u32, u32),
}

/// What an iteration does.
#[derive(Debug)]
pub(crate) enum Iteration {
    /// Starts kernels, each after the one before it has ended.
    Kernels(Vec<Step>),
    /// Copies an array by the adapter's own copy command.
    Copy { from: Buffer, to: Buffer, bytes: u64 },
}

/// What `execute` can report of its iterations.
#[derive(Debug)]
pub(crate) struct Done {
    /// Time by the device's own clock [ns]; 0 where it has none.
    pub(crate) device_ns: f64,
    /// Of a few words of the output.
    pub(crate) checksum: u64,
}

/// Bytes of two timestamps, at the beginning of what comes back.
const STAMPS: u64 = 16;
/// Most bytes of either end of the output that come back after them.
const SAMPLE: u64 = 32;

/// Iterations on an opened adapter, and the array that they write.
#[derive(Debug)]
pub(crate) struct Work {
    gpu: Gpu,
    iteration: Iteration,
    output: Buffer,
    timer: Option<Timer>,
    landing: Buffer,
    /// What `prepare` recorded, for so many iterations. A recording can be submitted once.
    recorded: Option<(u64, CommandBuffer)>,
}

/// Where the device writes its clock.
#[derive(Debug)]
struct Timer {
    queries: QuerySet,
    resolved: Buffer,
    /// Length of a tick [ns].
    tick_ns: f64,
}

impl Work {
    pub(crate) fn new(gpu: Gpu, iteration: Iteration, output: Buffer) -> Result<Self, Failure> {
        let has_clock = match iteration {
            Iteration::Kernels(_) => gpu.times_passes,
            Iteration::Copy { .. } => gpu.times_copies,
        };
        let timer = has_clock.then(|| Timer {
            queries: gpu.device.create_query_set(&QuerySetDescriptor {
                label: None,
                ty: QueryType::Timestamp,
                count: 2,
            }),
            resolved: gpu.device.create_buffer(&BufferDescriptor {
                label: Some("timestamps"),
                size: STAMPS,
                usage: BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
            tick_ns: f64::from(gpu.queue.get_timestamp_period()),
        });
        let landing = gpu.landing("report", STAMPS + 2 * SAMPLE)?;
        gpu.check(|| "making the device's timer".to_owned())?;
        Ok(Self { gpu, iteration, output, timer, landing, recorded: None })
    }

    /// Fills the output with what is never right, so that a kernel which writes nothing is found out.
    pub(crate) fn poison(&self) -> Result<(), Failure> {
        let words = usize::try_from(self.output.size() / 4)?;
        self.gpu.put(&self.output, &vec![f32::NAN; words])
    }

    /// The first numbers of the output.
    pub(crate) fn output(&self, words: usize) -> Result<Vec<f32>, Failure> {
        self.gpu.take(&self.output, words)
    }

    /// Records so many iterations, for the next `run`. Recording is the processor's work and therefore not timed.
    pub(crate) fn prepare(&mut self, iterations: u64) -> Result<(), Failure> {
        self.recorded = Some((iterations, self.record(iterations)?));
        Ok(())
    }

    /// Submits so many iterations and waits for the last.
    pub(crate) fn run(&mut self, iterations: u64) -> Result<Done, Failure> {
        let recording = match self.recorded.take() {
            Some((recorded, recording)) if recorded == iterations => recording,
            _ => self.record(iterations)?,
        };
        self.gpu.queue.submit([recording]);
        let tick_ns = self.timer.as_ref().map(|timer| timer.tick_ns);
        self.gpu.mapped(&self.landing, |bytes| {
            let (stamps, sample) = bytes.split_at(STAMPS as usize);
            let words: Vec<u64> = bytemuck::pod_collect_to_vec(stamps);
            // A clock that was reset in between says nothing.
            let ticks = words[1].saturating_sub(words[0]);
            let checksum = bytemuck::pod_collect_to_vec::<u8, u64>(sample)
                .into_iter()
                .fold(0, |sum: u64, word| sum.rotate_left(7) ^ word);
            Done { device_ns: tick_ns.map_or(0.0, |tick_ns| ticks as f64 * tick_ns), checksum }
        })
    }

    fn record(&self, iterations: u64) -> Result<CommandBuffer, Failure> {
        let mut encoder = self.gpu.encoder();
        match &self.iteration {
            Iteration::Kernels(steps) => {
                let timestamp_writes = self.timer.as_ref().map(|timer| ComputePassTimestampWrites {
                    query_set: &timer.queries,
                    beginning_of_pass_write_index: Some(0),
                    end_of_pass_write_index: Some(1),
                });
                let mut pass =
                    encoder.begin_compute_pass(&ComputePassDescriptor { label: None, timestamp_writes });
                for _ in 0..iterations {
                    for step in steps {
                        pass.set_pipeline(&step.pipeline);
                        pass.set_bind_group(0, &step.bindings, &[]);
                        pass.dispatch_workgroups(step.groups.0, step.groups.1, 1);
                    }
                }
            }
            Iteration::Copy { from, to, bytes } => {
                let stamp = |encoder: &mut wgpu::CommandEncoder, index| {
                    if let Some(timer) = &self.timer {
                        encoder.write_timestamp(&timer.queries, index);
                    }
                };
                stamp(&mut encoder, 0);
                for _ in 0..iterations {
                    encoder.copy_buffer_to_buffer(from, 0, to, 0, *bytes);
                }
                stamp(&mut encoder, 1);
            }
        }
        // Behind the second timestamp: the device's time is of the work alone.
        if let Some(timer) = &self.timer {
            encoder.resolve_query_set(&timer.queries, 0..2, &timer.resolved, 0);
            encoder.copy_buffer_to_buffer(&timer.resolved, 0, &self.landing, 0, STAMPS);
        }
        let length = self.output.size().min(SAMPLE);
        encoder.copy_buffer_to_buffer(&self.output, 0, &self.landing, STAMPS, length);
        let last = self.output.size() - length;
        encoder.copy_buffer_to_buffer(&self.output, last, &self.landing, STAMPS + SAMPLE, length);
        let recording = encoder.finish();
        self.gpu.check(|| "recording the iterations".to_owned())?;
        Ok(recording)
    }
}
