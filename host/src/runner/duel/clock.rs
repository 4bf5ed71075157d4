//! Whose clock tells how long a slice took.

use dyno_core::model::Sample;

/// A clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// The host's: wall time of the call.
    Wall,
    /// The device's own: what the plugin reports. The wall time of such a call has more in it than what is compared, such as
    /// emptying a cache between iterations.
    Device,
}

impl Clock {
    /// The device's, where it told the time of every one of these slices.
    pub(super) fn of<'a>(slices: impl IntoIterator<Item = &'a Sample>) -> Self {
        let by_device = slices.into_iter().all(|slice| slice.device_ns_per_iteration().is_some());
        if by_device { Self::Device } else { Self::Wall }
    }

    /// Time of one iteration [ns]. `None` where the device did not tell it.
    pub(super) fn ns(self, slice: &Sample) -> Option<f64> {
        match self {
            Self::Wall => Some(slice.ns_per_iteration()),
            Self::Device => slice.device_ns_per_iteration(),
        }
    }

    /// The metric that this clock measures.
    pub(super) fn metric(self) -> &'static str {
        match self {
            Self::Wall => "time",
            Self::Device => "device_time",
        }
    }
}

#[cfg(test)]
mod tests {
    use dyno_core::model::Work;

    use super::*;

    #[test]
    fn the_device_is_believed_where_it_tells_all_times_and_the_host_elsewhere() {
        let slice = |device_ns| Sample {
            iterations: 4,
            wall_ns: 400,
            cpu_ns: 400,
            device_ns,
            work: Work::default(),
            checksum: 0,
            preemptions: 0,
        };
        assert_eq!(Clock::of(&[slice(100.0), slice(120.0)]), Clock::Device);
        assert_eq!(Clock::of(&[slice(100.0), slice(0.0)]), Clock::Wall);
        assert_eq!(
            (Clock::Wall.ns(&slice(100.0)), Clock::Device.ns(&slice(100.0))),
            (Some(100.0), Some(25.0))
        );
        assert_eq!(Clock::Device.ns(&slice(0.0)), None);
    }
}
