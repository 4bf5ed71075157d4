//! The terms of a comparison of two builds: its means, its options, and its news.

use std::{path::PathBuf, time::Duration};

use dyno_core::model::{CaseComparison, Event, PluginRef, Settings};

use crate::{
    catalog::ContentStore,
    lease::Leases,
    runner::{Cancel, Workers},
};

/// What a comparison works with.
#[derive(Debug)]
pub struct Duel<'a> {
    /// Where verified bytes are kept.
    pub content: &'a ContentStore,
    /// The program of workers, and what plugins may do.
    pub worker: Workers,
    /// Where compiled WASM code is kept.
    pub code_cache: PathBuf,
    /// The rights to devices.
    pub leases: Leases,
    /// The user's wish to stop.
    pub cancel: Cancel,
}

/// How to compare.
#[derive(Debug, Clone)]
pub struct DuelOptions {
    /// How to measure.
    pub settings: Settings,
    /// Smallest relative change that matters.
    pub threshold: f64,
    /// Chance of a wrong alarm, over all cases together.
    pub alpha: f64,
    /// Wall time for each case; what one leaves over, others may use.
    pub budget: Duration,
}

/// How a comparison goes on.
#[derive(Debug)]
pub enum DuelNews<'a> {
    /// Where it stands after a pair.
    Pair {
        /// The case of the pair.
        case: &'a CaseComparison,
        /// Cases that are decided.
        decided: usize,
        /// All cases.
        cases: usize,
    },
    /// A component is compiled, because no compiled code of it is cached.
    Compiling {
        /// The component.
        plugin: &'a PluginRef,
    },
    /// Another process holds the device.
    Waiting {
        /// Its name.
        device: &'a str,
        /// The process that holds it.
        holder: String,
    },
    /// The duel waits for something outside of it.
    Event(&'a Event),
}
