//! Where a plugin file keeps its descriptor. Both the SDK (which writes it) and the catalog (which reads it) use these.

/// The ELF section that holds the descriptor of a native plugin.
pub const ELF: &str = ".dyno_descriptor";
/// The Mach-O section, as `segment,section`.
pub const MACH_O: &str = "__DATA,__dyno_desc";
/// The PE section.
pub const PE: &str = ".dynodsc";
/// The WebAssembly custom section.
pub const WASM: &str = "dyno-descriptor";

/// The ELF section in which the C header leaves one word about how a plugin was compiled: `debug` or `release`. It stands
/// beside the descriptor and not in it, because authors of C write that themselves, and only the compiler knows.
pub const ELF_BUILD: &str = ".dyno_build";

/// The longest descriptor that a host accepts, in bytes. A longer one is an error, not a truncation.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Joins string pieces while compiling: descriptors are constants, so that reading one never runs code.
///
/// `N` must be the sum of the lengths of `parts`; see [`length`].
#[must_use]
pub const fn concat<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut out = [0; N];
    let mut at = 0;
    let mut part = 0;
    while part < parts.len() {
        let bytes = parts[part].as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            out[at] = bytes[i];
            at += 1;
            i += 1;
        }
        part += 1;
    }
    assert!(at == N, "N must be the sum of the lengths of the parts");
    out
}

/// The sum of the lengths of `parts`, in bytes.
#[must_use]
pub const fn length(parts: &[&str]) -> usize {
    let mut total = 0;
    let mut part = 0;
    while part < parts.len() {
        total += parts[part].len();
        part += 1;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_joined_in_order() {
        const PARTS: &[&str] = &["{\"a\":", "1", "", "}"];
        const JOINED: [u8; length(PARTS)] = concat(PARTS);
        assert_eq!(&JOINED, b"{\"a\":1}");
    }
}
