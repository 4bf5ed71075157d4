//! Measuring: when to read the clock, how many iterations a sample has, which samples count.

mod calibrate;
mod clock;
mod sample;

pub(crate) use calibrate::{calibrate, warm_up};
pub(crate) use clock::{Clock, SystemClock};
pub(crate) use sample::{Sampler, timed};

#[cfg(test)]
mod mock;
