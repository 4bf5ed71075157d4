//! Tests on the first adapter of this machine, software or not: every kernel, at sizes that fit no workgroup.
#![allow(clippy::print_stderr, reason = "a test that is skipped says why")]

use dyno_sdk::{Benchmark, testing};

use crate::{
    adapter,
    copy::{Copy, CopyParams, Method},
    geometry::WORKGROUP,
    gpu::Gpu,
    matmul_tiled::{MatmulTiled, MatmulTiledParams},
    reduction::{Reduction, ReductionParams},
    softmax::{Softmax, SoftmaxParams},
    stream_triad::{StreamTriad, StreamTriadParams},
};

/// Sizes around the edges of vectors, workgroups and the largest number of groups of `reduction`.
const SIZES: [usize; 8] = [1, 3, 4, 255, 257, 1025, 65_537, 1024 * 4 * WORKGROUP as usize + 5];

/// Whether tests can run here. Without an adapter they say so and do nothing else.
fn has_adapter() -> bool {
    let found = !adapter::all().is_empty();
    if !found {
        eprintln!(
            "skipped: no Vulkan adapter; `cargo xtask setup` installs Debian's mesa-vulkan-drivers as root"
        );
    }
    found
}

/// Runs every stage twice: equal seeds make equal work, and what it reports grows with the iterations.
#[track_caller]
fn passes<B: Benchmark>(params: impl Fn() -> B::Params) {
    let run = |iterations| match testing::run::<B>(params(), iterations) {
        Ok(report) => report.device_ns(0.0),
        Err(failure) => panic!("{}: {failure}", B::NAME),
    };
    let twice = run(2);
    assert_eq!(twice, run(2), "{}", B::NAME);
    let thrice = run(3);
    assert_ne!(twice.checksum(0), thrice.checksum(0), "{}", B::NAME);
    assert_ne!(twice, twice.checksum(0), "{} has no checksum", B::NAME);
}

#[test]
fn copy_is_right_at_every_size_by_both_methods() {
    if has_adapter() {
        for n in SIZES {
            passes::<Copy>(|| CopyParams { n, method: Method::Kernel });
            passes::<Copy>(|| CopyParams { n, method: Method::Command });
        }
    }
}

#[test]
fn stream_triad_is_right_at_every_size() {
    if has_adapter() {
        for n in SIZES {
            passes::<StreamTriad>(|| StreamTriadParams { n });
        }
    }
}

#[test]
fn reduction_is_right_at_every_size() {
    if has_adapter() {
        for n in SIZES {
            passes::<Reduction>(|| ReductionParams { n });
        }
    }
}

#[test]
fn softmax_is_right_at_every_shape() {
    if has_adapter() {
        for (rows, columns) in [(1, 1), (3, 7), (2, 255), (5, 257), (70_001, 3), (1, 100_003)] {
            passes::<Softmax>(|| SoftmaxParams { rows, columns });
        }
    }
}

#[test]
fn matmul_tiled_is_right_at_every_shape() {
    if has_adapter() {
        for (m, n, k) in [(1, 1, 1), (64, 64, 16), (65, 63, 17), (3, 130, 100), (200, 5, 1), (129, 129, 129)]
        {
            passes::<MatmulTiled>(|| MatmulTiledParams { n, m, k });
        }
    }
}

#[test]
fn the_device_tells_a_time_that_fits_into_the_wall_time() {
    if !has_adapter() {
        return;
    }
    let context = testing::context(1);
    let times = Gpu::open(&context).unwrap();
    if !times.times_passes {
        eprintln!("skipped: this adapter has no timestamps");
        return;
    }
    let mut triad = StreamTriad::setup(StreamTriadParams { n: 1_000_003 }, &context).unwrap();
    triad.prepare(5).unwrap();
    let start = std::time::Instant::now();
    let report = triad.execute(5).unwrap();
    let wall_ns = start.elapsed().as_nanos() as f64;
    let none = report.device_ns(0.0);
    assert_ne!(report, none, "no time was told");
    // The field cannot be read from outside the SDK: a bound shows in the text.
    let text = format!("{report:?}");
    let device_ns: f64 = text
        .split("device_ns: ")
        .nth(1)
        .and_then(|rest| rest.split(',').next())
        .and_then(|number| number.parse().ok())
        .unwrap();
    assert!(device_ns > 0.0 && device_ns <= wall_ns, "{device_ns} ns within {wall_ns} ns");
}

#[test]
fn a_size_beyond_the_adapter_is_a_skip_that_names_the_limit() {
    if !has_adapter() {
        return;
    }
    let gpu = Gpu::open(&testing::context(1)).unwrap();
    let failure = gpu.fits("a", u64::MAX).unwrap_err();
    assert!(failure.is_skipped() && failure.message().contains("choose smaller parameters"), "{failure}");
    let params = SoftmaxParams { rows: 1_048_576, columns: 1_048_576 };
    let failure = testing::run::<Softmax>(params, 1).unwrap_err();
    assert!(failure.is_skipped() && failure.message().contains("`output` needs 4194304 MiB"), "{failure}");
}

#[test]
fn what_the_device_refuses_is_a_sentence_and_the_device_goes_on() {
    if !has_adapter() {
        return;
    }
    let gpu = Gpu::open(&testing::context(1)).unwrap();
    let message = gpu.pipeline("fn broken( {", "broken", &[]).unwrap_err().to_string();
    assert!(message.starts_with("compiling the kernel `broken`: the adapter refused a call"), "{message}");
    assert!(!message.contains('\n'), "{message}");
    let array = gpu.filled("x", 4, &[1.0, 2.0, 3.0, 4.0]).unwrap();
    // Too much for it.
    assert!(gpu.put(&array, &[0.0; 5]).unwrap_err().to_string().contains("filling an array"));
    assert_eq!(gpu.take(&array, 4).unwrap(), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn a_lost_device_is_a_sentence() {
    if !has_adapter() {
        return;
    }
    let gpu = Gpu::open(&testing::context(1)).unwrap();
    let array = gpu.filled("x", 4, &[1.0; 4]).unwrap();
    gpu.device.destroy();
    assert!(!gpu.take(&array, 4).unwrap_err().message().is_empty());
}
