//! Text from a plugin's memory.
#![allow(unsafe_code, reason = "a loader: it reads what foreign pointers point to")]

use dyno_plugin_api::abi::DynoStr;

/// Maximum length of a text from a native plugin [bytes]; longer text is cut.
const MAX_BYTES: usize = 1 << 20;

/// A text of the plugin, copied. Bytes that are not UTF-8 are replaced.
///
/// # Safety
/// `text` must be empty, or point to `len` readable bytes.
pub(super) unsafe fn copy(text: DynoStr) -> String {
    if text.ptr.is_null() || text.len == 0 {
        return String::new();
    }
    // SAFETY: the caller vouches for `len` bytes; fewer are taken.
    let bytes = unsafe { std::slice::from_raw_parts(text.ptr, text.len.min(MAX_BYTES)) };
    String::from_utf8_lossy(bytes).into_owned()
}

/// A text of ours, lent to the plugin for as long as `text` lives.
pub(super) fn lend(text: &str) -> DynoStr {
    DynoStr { ptr: text.as_ptr(), len: text.len() }
}
