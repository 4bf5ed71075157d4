//! The layout of every ABI struct, as data: for the hash in descriptors, and for the static asserts of the C header.

use crate::abi::{
    DynoBenchmark, DynoDevice, DynoHost, DynoParam, DynoPlugin, DynoReport, DynoSample, DynoStr,
};

/// One struct of the ABI.
#[derive(Debug, Clone, Copy)]
pub struct StructLayout {
    /// Name, the same in Rust and in C.
    pub name: &'static str,
    /// Size [bytes].
    pub size: usize,
    /// Alignment [bytes].
    pub align: usize,
    /// Fields in order.
    pub fields: &'static [FieldLayout],
}

/// One field of an ABI struct.
#[derive(Debug, Clone, Copy)]
pub struct FieldLayout {
    /// Name, the same in Rust and in C.
    pub name: &'static str,
    /// Distance from the start of the struct [bytes].
    pub offset: usize,
    /// Size [bytes].
    pub size: usize,
}

/// The size of the field that `_field` selects: only its type is used.
const fn field_size<S, F>(_field: fn(&S) -> &F) -> usize {
    size_of::<F>()
}

macro_rules! layouts {
    ($($name:ident { $($field:ident),* $(,)? })*) => {
        /// Every struct that crosses the boundary.
        pub const STRUCTS: &[StructLayout] = &[$(StructLayout {
            name: stringify!($name),
            size: size_of::<$name>(),
            align: align_of::<$name>(),
            fields: &[$(FieldLayout {
                name: stringify!($field),
                offset: core::mem::offset_of!($name, $field),
                size: field_size(|it: &$name| &it.$field),
            }),*],
        }),*];

        /// Fails to compile when a struct gains a field that the table above does not name.
        const _: () = {
            $(#[allow(dead_code, reason = "it is the type check that matters")]
            fn $name($name { $($field: _),* }: $name) {})*
        };
    };
}

#[allow(non_snake_case, reason = "the exhaustiveness check names its functions after the structs")]
mod table {
    use super::*;

    layouts! {
        DynoStr { ptr, len }
        DynoParam { name, kind, reserved, integer, number, text }
        DynoDevice { size, index, name, threads, reserved }
        DynoHost { size, abi_version, context, seed, device, log, progress, cancelled, metric, fail }
        DynoReport { size, reserved, items, bytes, flop, device_ns, checksum }
        DynoSample { iterations, wall_ns }
        DynoBenchmark { size, reserved, name, setup, verify, prepare, execute, process_results, cleanup }
        DynoPlugin { size, abi_version, layout_hash, descriptor, benchmarks, benchmark_count }
    }
}

pub use table::STRUCTS;

/// FNV-1a over (name, size, align, then name, offset and size per field) of every struct.
pub const LAYOUT_HASH: u64 = hash(STRUCTS);

/// The layouts of this ABI version, oldest first: a plugin that was built with any of them is read. Structs only grow at their
/// end; whoever lets one grow adds the new hash behind the others. Those of processors with 64-bit pointers: components have other
/// pointers, but no table.
pub const KNOWN_LAYOUTS: [u64; 1] = [0x47cf_47cb_fc66_55e5];

#[cfg(target_pointer_width = "64")]
const _: () =
    assert!(KNOWN_LAYOUTS[KNOWN_LAYOUTS.len() - 1] == LAYOUT_HASH, "a struct changed: see KNOWN_LAYOUTS");

/// Whether a plugin with that layout can be read.
#[must_use]
pub fn is_known(layout: u64) -> bool {
    KNOWN_LAYOUTS.contains(&layout)
}

/// [`LAYOUT_HASH`] as it stands in descriptors: `0x` and sixteen lower-case hexadecimal digits.
pub const LAYOUT_HASH_TEXT: &str = {
    const BYTES: [u8; 18] = hexadecimal(LAYOUT_HASH);
    match core::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => panic!("hexadecimal digits are UTF-8"),
    }
};

const fn hash(structs: &[StructLayout]) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325;
    let mut i = 0;
    while i < structs.len() {
        let item = &structs[i];
        state = text(state, item.name);
        state = number(state, item.size);
        state = number(state, item.align);
        let mut j = 0;
        while j < item.fields.len() {
            let field = &item.fields[j];
            state = text(state, field.name);
            state = number(state, field.offset);
            state = number(state, field.size);
            j += 1;
        }
        i += 1;
    }
    state
}

const fn text(mut state: u64, text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        state = byte(state, bytes[i]);
        i += 1;
    }
    // A byte that no name contains, so that moving a letter from one name to the next changes the hash.
    byte(state, 0)
}

const fn number(mut state: u64, number: usize) -> u64 {
    let bytes = (number as u64).to_le_bytes();
    let mut i = 0;
    while i < bytes.len() {
        state = byte(state, bytes[i]);
        i += 1;
    }
    state
}

const fn byte(state: u64, byte: u8) -> u64 {
    (state ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3)
}

const fn hexadecimal(value: u64) -> [u8; 18] {
    let digits = b"0123456789abcdef";
    let mut out = [b'0'; 18];
    out[1] = b'x';
    let mut i = 0;
    while i < 16 {
        out[2 + i] = digits[((value >> (60 - 4 * i)) & 0xf) as usize];
        i += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_sees_names_sizes_and_offsets() {
        const A: &[FieldLayout] = &[FieldLayout { name: "a", offset: 0, size: 8 }];
        const B: &[FieldLayout] = &[FieldLayout { name: "a", offset: 8, size: 8 }];
        let with = |name, size, fields| hash(&[StructLayout { name, size, align: 8, fields }]);
        let base = with("S", 16, A);
        assert_ne!(base, with("T", 16, A));
        assert_ne!(base, with("S", 24, A));
        assert_ne!(base, with("S", 16, B));
        assert_eq!(base, with("S", 16, A));
    }

    #[test]
    fn the_text_is_the_hash() {
        assert_eq!(LAYOUT_HASH_TEXT, format!("{LAYOUT_HASH:#018x}"));
    }
}
