//! Inside the plugin: the threads that a native case works with. A WASM component has one.

use dyno_sdk::prelude::*;
#[cfg(not(target_family = "wasm"))]
pub(crate) use gemm::Parallelism;

/// How to divide a product: not at all.
#[cfg(target_family = "wasm")]
#[derive(Clone, Copy)]
pub(crate) enum Parallelism {
    None,
}

/// A fixed number of threads, started once per case.
pub(crate) struct Team {
    #[cfg(not(target_family = "wasm"))]
    pool: Option<rayon::ThreadPool>,
}

impl Team {
    /// Starts `threads` threads; one thread is the caller itself.
    pub(crate) fn new(threads: usize, context: &Context) -> Result<Self, Failure> {
        let allowed = if cfg!(target_family = "wasm") { 1 } else { context.device().threads.max(1) as usize };
        if threads > allowed {
            let device = &context.device().name;
            return Err(Failure::skipped(if cfg!(target_family = "wasm") {
                format!("threads={threads}: a WASM component has one thread")
            } else {
                format!("threads={threads}: the case may use {allowed} on {device}")
            }));
        }
        Ok(Self {
            #[cfg(not(target_family = "wasm"))]
            pool: if threads == 1 {
                None
            } else {
                Some(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?)
            },
        })
    }

    /// How to divide a product.
    pub(crate) fn parallelism(&self) -> Parallelism {
        #[cfg(not(target_family = "wasm"))]
        if let Some(pool) = &self.pool {
            return Parallelism::Rayon(pool.current_num_threads());
        }
        Parallelism::None
    }

    /// Runs `work` where it reaches the threads.
    pub(crate) fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        #[cfg(not(target_family = "wasm"))]
        if let Some(pool) = &self.pool {
            return pool.install(work);
        }
        work()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_threads_than_the_device_lends_is_a_skip() {
        let context = dyno_sdk::testing::context(1);
        let failure = Team::new(2, &context).err().unwrap();
        assert!(failure.is_skipped());
        assert_eq!(failure.message(), "threads=2: the case may use 1 on cpu");
        let alone = Team::new(1, &context).unwrap();
        assert!(matches!(alone.parallelism(), Parallelism::None));
        assert_eq!(alone.run(|| 7), 7);
    }
}
