//! A plugin that goes wrong in every way that safe Rust can: panics in each stage, and reports that no host may believe.

use dyno_sdk::prelude::*;

/// A benchmark without state: what differs is one function of it.
macro_rules! faulty {
    ($(#[$attribute:meta])* $name:ident { $($item:item)* }) => {
        $(#[$attribute])*
        struct $name;

        impl Faulty for $name {
            $($item)*
        }

        impl Benchmark for $name {
            type Params = ();

            fn setup((): (), context: &Context) -> Result<Self, Failure> {
                <Self as Faulty>::setup(context)?;
                Ok(Self)
            }

            fn verify(&mut self, _: &Context) -> Result<(), Failure> {
                <Self as Faulty>::verify()
            }

            fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
                spin(iterations);
                <Self as Faulty>::report(iterations as f64)
            }

            fn process_results(&mut self, _: &[Sample], context: &Context) -> Result<(), Failure> {
                <Self as Faulty>::process_results(context)
            }
        }
    };
}

/// What can be made faulty.
trait Faulty {
    fn setup(_: &Context) -> Result<(), Failure> {
        Ok(())
    }

    fn verify() -> Result<(), Failure> {
        Ok(())
    }

    fn report(iterations: f64) -> Result<Report, Failure> {
        Ok(Report::new().items(iterations))
    }

    fn process_results(_: &Context) -> Result<(), Failure> {
        Ok(())
    }
}

/// A few nanoseconds of real work per iteration, so that a faulty benchmark can be calibrated like a good one.
fn spin(iterations: u64) {
    for i in 0..iterations {
        black_box(black_box(i).wrapping_mul(31));
    }
}

faulty! {
    /// Panics while it is set up.
    #[benchmark(name = "panic_in_setup", category = "hostile", hardware = ["cpu"])]
    PanicInSetup {
        fn setup(_: &Context) -> Result<(), Failure> {
            panic!("setup was asked to panic")
        }
    }
}

faulty! {
    /// Panics while it checks its answer.
    #[benchmark(name = "panic_in_verify", category = "hostile", hardware = ["cpu"])]
    PanicInVerify {
        fn verify() -> Result<(), Failure> {
            panic!("verify was asked to panic")
        }
    }
}

faulty! {
    /// Panics in the timed call.
    #[benchmark(name = "panic_in_execute", category = "hostile", hardware = ["cpu"])]
    PanicInExecute {
        fn report(iterations: f64) -> Result<Report, Failure> {
            let empty: [u8; 0] = [];
            Ok(Report::new().items(f64::from(empty[black_box(iterations as usize)])))
        }
    }
}

faulty! {
    /// Computes something wrong, and notices.
    #[benchmark(name = "wrong_answer", category = "hostile", hardware = ["cpu"])]
    WrongAnswer {
        fn verify() -> Result<(), Failure> {
            Err("2 + 2 is 5, expected 4".into())
        }
    }
}

faulty! {
    /// Reports work that is not a number.
    #[benchmark(name = "nan_work", category = "hostile", hardware = ["cpu"])]
    NanWork {
        fn report(_: f64) -> Result<Report, Failure> {
            Ok(Report::new().items(f64::NAN))
        }
    }
}

faulty! {
    /// Reports infinitely many bytes.
    #[benchmark(name = "infinite_work", category = "hostile", hardware = ["cpu"])]
    InfiniteWork {
        fn report(_: f64) -> Result<Report, Failure> {
            Ok(Report::new().bytes(f64::INFINITY))
        }
    }
}

faulty! {
    /// Reports fewer than no operations.
    #[benchmark(name = "negative_work", category = "hostile", hardware = ["cpu"])]
    NegativeWork {
        fn report(iterations: f64) -> Result<Report, Failure> {
            Ok(Report::new().flop(-iterations))
        }
    }
}

faulty! {
    /// Reports more work than any machine could do.
    #[benchmark(name = "absurd_work", category = "hostile", hardware = ["cpu"])]
    AbsurdWork {
        fn report(_: f64) -> Result<Report, Failure> {
            Ok(Report::new().flop(1e300).device_ns(1e300))
        }
    }
}

faulty! {
    /// Reports a metric that is not a number.
    #[benchmark(name = "nan_metric", category = "hostile", hardware = ["cpu"],
        metrics = [metric("quality", better = "higher")])]
    NanMetric {
        fn process_results(context: &Context) -> Result<(), Failure> {
            context.metric("quality", f64::NAN);
            Ok(())
        }
    }
}

faulty! {
    /// Reports a metric that it does not declare.
    #[benchmark(name = "undeclared_metric", category = "hostile", hardware = ["cpu"],
        metrics = [metric("quality", better = "higher")])]
    UndeclaredMetric {
        fn process_results(context: &Context) -> Result<(), Failure> {
            context.metric("quantity", 1.0);
            Ok(())
        }
    }
}

faulty! {
    /// Cannot run here, and says so.
    #[benchmark(name = "skips_itself", category = "hostile", hardware = ["cpu"])]
    SkipsItself {
        fn setup(_: &Context) -> Result<(), Failure> {
            Err(Failure::skipped("this machine has no flux capacitor"))
        }
    }
}

faulty! {
    /// Dies of a panic in a thread of its own.
    #[benchmark(name = "unwraps_none_in_thread", category = "hostile", hardware = ["cpu"])]
    UnwrapsNoneInThread {
        fn setup(_: &Context) -> Result<(), Failure> {
            let thread = std::thread::Builder::new().name("helper".to_owned());
            let helper = thread.spawn(|| black_box(None::<u32>).expect("the helper found a number"))?;
            let number = helper.join().expect("the helper came back");
            Err(Failure::error(format!("the helper found {number}")))
        }
    }
}

faulty! {
    /// Does nothing wrong.
    #[benchmark(name = "good", category = "hostile", hardware = ["cpu"])]
    Good {}
}

/// Panics while it is cleaned up.
#[benchmark(name = "panic_in_drop", category = "hostile", hardware = ["cpu"])]
struct PanicInDrop;

impl Benchmark for PanicInDrop {
    type Params = ();

    fn setup((): (), _: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        spin(iterations);
        Ok(Report::new().items(iterations as f64))
    }
}

impl Drop for PanicInDrop {
    fn drop(&mut self) {
        panic!("drop was asked to panic");
    }
}

export_plugin! {
    id: "rust-panics",
    benchmarks: [
        PanicInSetup, PanicInVerify, PanicInExecute, PanicInDrop, WrongAnswer, NanWork, InfiniteWork, NegativeWork,
        AbsurdWork, NanMetric, UndeclaredMetric, SkipsItself, UnwrapsNoneInThread, Good,
    ]
}
