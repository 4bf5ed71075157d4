//! Measuring: reading the clock, the number of iterations of a sample, and which samples count.

mod calibrate;
mod clock;
mod counters;
mod growth;
mod sample;
mod scenario;

pub(crate) use calibrate::{Goal, calibrate, warm_up};
pub(crate) use clock::{Clock, SystemClock};
pub(crate) use counters::{Counters, Counts};
pub(crate) use sample::{Batch, Sampler, Tally, timed};
pub(crate) use scenario::{Demand, play};

#[cfg(test)]
mod mock;
