//! How a native benchmark reaches the worker: safe functions over the host table of the ABI.

use std::ptr::NonNull;

use dyno_plugin_api::abi::{
    DYNO_ERROR, DYNO_LOG_DEBUG, DYNO_LOG_ERROR, DYNO_LOG_INFO, DYNO_LOG_WARN, DYNO_SKIPPED, DynoDevice,
    DynoHost, DynoStr,
};

use crate::{Context, Device, Failure, Level};

/// A pointer to the host's table; null if there is no host.
#[derive(Debug, Clone, Copy)]
pub struct Link(Option<NonNull<DynoHost>>);

// SAFETY: the contract lets every function of the host's table be called from any thread.
unsafe impl Send for Link {}
// SAFETY: as above; the table itself is never written by the plugin.
unsafe impl Sync for Link {}

pub(super) fn text(text: &str) -> DynoStr {
    DynoStr { ptr: text.as_ptr(), len: text.len() }
}

/// # Safety
/// `text` must describe readable bytes that live as long as `'a`, or have length 0.
pub(super) unsafe fn read_text<'a>(text: DynoStr) -> std::borrow::Cow<'a, str> {
    if text.ptr.is_null() || text.len == 0 {
        return "".into();
    }
    // SAFETY: not null, and the caller vouches for `len` bytes.
    let bytes = unsafe { std::slice::from_raw_parts(text.ptr, text.len) };
    String::from_utf8_lossy(bytes)
}

impl Link {
    /// A link that drops everything.
    pub(crate) const fn nowhere() -> Self {
        Self(None)
    }

    /// # Safety
    /// `host` must be null or the table that the host passed to `setup`, valid until `cleanup` returns; what is made
    /// here must not be used after that.
    pub(super) unsafe fn new(host: *const DynoHost) -> Self {
        let Some(host) = NonNull::new(host.cast_mut()) else { return Self(None) };
        // SAFETY: not null, and every version of the table starts with its size.
        let size = unsafe { host.cast::<u32>().read() };
        Self((size as usize >= size_of::<DynoHost>()).then_some(host))
    }

    fn table(&self) -> Option<&DynoHost> {
        // SAFETY: `new` was promised a table that outlives this link, and has checked that it is whole.
        self.0.map(|host| unsafe { host.as_ref() })
    }

    /// The context that `setup` gets; `None` when the host's table is absent or too short.
    pub(super) fn context(self) -> Option<Context> {
        let table = self.table()?;
        // SAFETY: null, or the device that the host describes for as long as the table lives.
        let device = unsafe { table.device.as_ref() }.map_or_else(Device::default, read_device);
        Some(Context::new(self, table.seed, device))
    }

    pub(crate) fn log(self, level: Level, message: &str) {
        let Some(host) = self.table() else { return };
        let level = match level {
            Level::Error => DYNO_LOG_ERROR,
            Level::Warn => DYNO_LOG_WARN,
            Level::Info => DYNO_LOG_INFO,
            Level::Debug => DYNO_LOG_DEBUG,
        };
        // SAFETY: a function of the host's table with its own context; the text lives until it returns.
        unsafe { (host.log)(host.context, level, text(message)) }
    }

    pub(crate) fn progress(self, fraction: f64) {
        let Some(host) = self.table() else { return };
        // SAFETY: a function of the host's table with its own context.
        unsafe { (host.progress)(host.context, fraction) }
    }

    pub(crate) fn cancelled(self) -> bool {
        // SAFETY: a function of the host's table with its own context.
        self.table().is_some_and(|host| unsafe { (host.cancelled)(host.context) } != 0)
    }

    pub(crate) fn metric(self, name: &str, value: f64) {
        let Some(host) = self.table() else { return };
        // SAFETY: a function of the host's table with its own context; the text lives until it returns.
        unsafe { (host.metric)(host.context, text(name), value) }
    }

    /// Tells the host why a stage failed, and returns the stage's status.
    pub(super) fn fail(self, failure: &Failure) -> i32 {
        if let Some(host) = self.table() {
            // SAFETY: a function of the host's table with its own context; the text lives until it returns.
            unsafe { (host.fail)(host.context, text(failure.message())) }
        }
        if failure.is_skipped() { DYNO_SKIPPED } else { DYNO_ERROR }
    }
}

fn read_device(device: &DynoDevice) -> Device {
    // SAFETY: the name lives as long as the device, which outlives this call.
    let name = unsafe { read_text(device.name) }.into_owned();
    Device { name, index: device.index, threads: device.threads }
}
