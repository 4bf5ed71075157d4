//! A function for each name in DuckDB's C interface that jumps to wherever its slot points: to the library once it is open.
//!
//! The linker resolves every call of DuckDB to these functions, so the program does not need the library in order to
//! start. A jump changes neither registers that carry arguments nor the stack, so one form fits every signature.

/// The instructions that jump to the address in a slot.
#[cfg(target_arch = "x86_64")]
macro_rules! jump {
    ($slot:expr) => {
        concat!("jmp qword ptr [rip + ", $slot, "]\n")
    };
}

/// The instructions that jump to the address in a slot. The calling convention leaves `x16` to code between two functions.
#[cfg(target_arch = "aarch64")]
macro_rules! jump {
    ($slot:expr) => {
        concat!("adrp x16, ", $slot, "\nldr x16, [x16, :lo12:", $slot, "]\nbr x16\n")
    };
}

/// A function and its slot. It is hidden, so that the library, which calls its own functions by name, does not get ours.
macro_rules! trampoline {
    ($name:ident) => {
        concat!(
            ".globl ",
            stringify!($name),
            "\n.hidden ",
            stringify!($name),
            "\n.type ",
            stringify!($name),
            ", @function\n",
            stringify!($name),
            ":\n",
            $crate::deferred::trampoline::jump!(concat!(".L", stringify!($name))),
            ".size ",
            stringify!($name),
            ", . - ",
            stringify!($name),
            "\n.pushsection .data.dyno_duckdb, \"aw\"\n.L",
            stringify!($name),
            ": .quad {unopened}\n.popsection"
        )
    };
}

/// Defines functions of these names, and their slots in the same order.
macro_rules! trampolines {
    ($($name:ident)*) => {
        /// The names of the functions, in the order of [`SLOTS`].
        pub(super) const NAMES: [&str; [$(stringify!($name)),*].len()] = [$(stringify!($name)),*];

        std::arch::global_asm!(
            ".pushsection .data.dyno_duckdb, \"aw\"",
            ".balign 8",
            ".globl dyno_duckdb_slots",
            ".hidden dyno_duckdb_slots",
            "dyno_duckdb_slots:",
            ".popsection",
            ".pushsection .text.dyno_duckdb, \"ax\"",
            ".balign 16",
            $($crate::deferred::trampoline::trampoline!($name),)*
            ".popsection",
            unopened = sym $crate::deferred::trampoline::unopened,
        );
    };
}

pub(super) use {jump, trampoline, trampolines};

/// Where every slot points before the library is open. A jump into an empty slot would crash without a word.
pub(super) extern "C" fn unopened() -> ! {
    unreachable!("DuckDB was called before its library was opened");
}
