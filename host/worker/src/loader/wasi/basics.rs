//! What several interfaces share: a bound, a moment, and refusing.

use std::time::Duration;

use wasmtime::{
    Result,
    component::{ComponentType, Lift, LinkerInstance, Lower, Val},
};

/// Most bytes of randomness in one call, and how many a stream takes or gives at once.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// A moment of the wall clock, since 1970.
#[derive(ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

impl From<Duration> for Datetime {
    fn from(since: Duration) -> Self {
        Self { seconds: since.as_secs(), nanoseconds: since.subsec_nanos() }
    }
}

/// Defines a function that answers every call with an error.
pub(super) fn refuse<T: 'static>(
    instance: &mut LinkerInstance<'_, T>,
    name: &str,
    code: &'static str,
) -> Result<()> {
    instance.func_new(name, move |mut store, _, params, results| {
        // What was lent for the call is given back.
        for param in params {
            if let Val::Resource(lent) = param {
                lent.resource_drop(&mut store)?;
            }
        }
        for result in results {
            *result = Val::Result(Err(Some(Box::new(Val::Enum(code.to_owned())))));
        }
        Ok(())
    })
}
