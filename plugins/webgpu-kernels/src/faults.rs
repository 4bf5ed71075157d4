//! Inside the plugin: what the adapter complains about, as sentences. wgpu reports errors to a callback and would panic
//! without one; here they are kept until the stage that caused them asks.

use std::sync::{Arc, Mutex, PoisonError};

use dyno_sdk::prelude::*;
use wgpu::{Device, DeviceLostReason, Error};

/// The first complaint since the last question; later ones are mostly its echo.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Option<String>>>);

impl Faults {
    /// Listens to a device.
    pub(crate) fn of(device: &Device) -> Self {
        let faults = Self::default();
        let heard = faults.clone();
        device.on_uncaptured_error(Arc::new(move |error| heard.note(sentence(&error))));
        let heard = faults.clone();
        device.set_device_lost_callback(move |reason, message| {
            // Dropping a device loses it as well, on purpose.
            if reason == DeviceLostReason::Unknown {
                heard.note(format!(
                    "the device was lost ({}): its driver reset it, or it was unplugged; the kernel's log says more",
                    one_line(&message)
                ));
            }
        });
        faults
    }

    fn note(&self, fault: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
    }

    /// Fails when there was a complaint, with what was being done. // eg: "making array `a`"
    pub(crate) fn check(&self, doing: impl FnOnce() -> String) -> Result<(), Failure> {
        let fault = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.map_or(Ok(()), |fault| Err(Failure::error(format!("{}: {fault}", doing()))))
    }
}

/// An error of wgpu on one line: it draws them as a tree over several.
fn sentence(error: &Error) -> String {
    match error {
        Error::OutOfMemory { source } => {
            format!("the adapter has no memory left ({}); choose smaller parameters", chain(source.as_ref()))
        }
        Error::Validation { description, .. } => {
            format!("the adapter refused a call: {}", one_line(description))
        }
        Error::Internal { description, .. } => {
            format!("the driver failed: {}", one_line(description))
        }
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    one_line(&text)
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_told_once_with_what_was_being_done() {
        let faults = Faults::default();
        assert!(faults.check(|| "x".into()).is_ok());
        faults.note("it broke".into());
        faults.note("its echo".into());
        let message = faults.check(|| "making array `a`".into()).unwrap_err().to_string();
        assert_eq!(message, "making array `a`: it broke");
        assert!(faults.check(|| "x".into()).is_ok());
    }

    #[test]
    fn errors_of_every_kind_become_one_line() {
        let source = || Box::new(std::io::Error::other("cause"));
        let error = Error::Validation {
            source: source(),
            description: "Validation Error\n\n  Caused by:\n    x\n".into(),
        };
        assert_eq!(sentence(&error), "the adapter refused a call: Validation Error; Caused by:; x");
        let error = Error::OutOfMemory { source: source() };
        assert_eq!(sentence(&error), "the adapter has no memory left (cause); choose smaller parameters");
    }
}
