//! Descriptors that the host itself inherited, such as a pipe of the shell that started it: no plugin is to find them.

#![allow(unsafe_code, reason = "only a system call without a safe door closes descriptors that nobody owns")]

use nix::libc;

/// Closes every descriptor but the three that every program has. Says whether the kernel did so.
pub(crate) fn close_inherited() -> bool {
    // SAFETY: this is called before this process has opened anything, so nothing in it owns one of them.
    let answer = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
    answer == 0
}
