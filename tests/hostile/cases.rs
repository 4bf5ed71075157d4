//! The corpus as a table: every fault with the end that it must have. Each line is a test of its name.

use dyno_core::model::Stage::{self, Calibrate, Cleanup, Load, ProcessResults, Sample, Setup, Verify};

use super::check;

/// How a source becomes a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// `native/NAME.c` or `.cpp`.
    Native,
    /// `escape/NAME.c`.
    Escape,
    /// `wasm/NAME.wat`.
    Wasm,
}

/// What must become of a plugin that runs between two good ones.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// Its case fails at one of these stages, and the reason holds one of these fragments.
    Failed(&'static [Stage], &'static [&'static str]),
    /// Its case times out at this stage.
    TimedOut(Stage),
    /// It cannot run here, for a reason that holds this fragment; no fault.
    Skipped(&'static str),
    /// No fault of its own, as long as the host bears it.
    Completed,
    /// The catalog lists it among its problems with a sentence that holds this fragment, and runs nothing of it.
    Broken(&'static str),
}

use End::{Broken, Completed, Failed, Skipped, TimedOut};

macro_rules! cases {
    ($($module:ident, $source:ident, $all:ident { $($name:ident => $end:expr,)* })*) => {
        $(
            /// The names of all faults of this technology.
            pub(crate) const $all: &[&str] = &[$(stringify!($name)),*];

            mod $module {
                use super::*;

                $(#[test]
                fn $name() {
                    check(Source::$source, stringify!($name), $end);
                })*
            }
        )*
    };
}

cases! {
    native, Native, NATIVE {
        // It dies.
        segfault_in_initialiser => Failed(&[Load], &["SIGSEGV"]),
        exit_in_initialiser => Failed(&[Load], &["exit code 0"]),
        segfault_in_setup => Failed(&[Setup], &["SIGSEGV"]),
        segfault_in_execute => Failed(&[Calibrate], &["SIGSEGV"]),
        segfault_in_cleanup => Failed(&[Cleanup], &["SIGSEGV"]),
        segfault_in_exit_handler => Failed(&[Cleanup], &["SIGSEGV"]),
        abort_in_setup => Failed(&[Setup], &["SIGABRT"]),
        divide_by_zero => Failed(&[Calibrate], &["SIGFPE"]),
        illegal_instruction => Failed(&[Calibrate], &["SIGILL", "SIGTRAP"]),
        exit_zero => Failed(&[Calibrate], &["exit code 0"]),
        exit_code => Failed(&[Setup], &["exit code 77"]),
        execs_another_program => Failed(&[Setup], &["exit code 9", "Operation not permitted"]),
        overflow_stack => Failed(&[Calibrate], &["SIGSEGV", "SIGABRT"]),
        throws_across => Failed(&[Calibrate], &["SIGABRT"]),
        kills_its_group => Failed(&[Calibrate], &["SIGKILL"]),
        ends_its_thread => Failed(&[Calibrate], &["SIGABRT", "exit code"]),
        jumps_out => Failed(&[Calibrate], &["SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL"]),
        raises_core_limit_and_aborts => Failed(&[Setup], &["SIGABRT"]),

        // It does not end.
        hang_in_initialiser => TimedOut(Load),
        loop_forever => TimedOut(Calibrate),
        loop_in_verify => TimedOut(Verify),
        slows_down => TimedOut(Sample),
        block_in_syscall => TimedOut(Setup),
        ignores_sigterm => TimedOut(Calibrate),
        blocks_all_signals => TimedOut(Calibrate),
        stops_itself => TimedOut(Calibrate),
        traced_by_its_child => TimedOut(Setup),
        cleanup_hangs => TimedOut(Cleanup),
        exit_handler_hangs => Failed(&[Cleanup], &["did not end"]),

        // It takes too much.
        eat_memory => Failed(&[Setup], &["more than its limit", "SIGABRT"]),
        raises_limits_and_eats_memory => Failed(&[Setup], &["more than its limit", "SIGABRT"]),
        child_eats_memory => TimedOut(Setup),
        flood_stdout => TimedOut(Calibrate),
        flood_stderr_without_newline => TimedOut(Calibrate),
        flood_log => TimedOut(Calibrate),
        flood_stdout_then_finish => Completed,
        log_huge_line => Completed,
        garbage_on_stdout => Completed,

        // It leaves things behind.
        child_lingers => Failed(&[Cleanup], &["left 1 running"]),
        child_lingers_parent_exits => Failed(&[Setup], &["exit code 5"]),
        daemon_lingers => TimedOut(Setup),
        children_multiply => Failed(&[Cleanup], &["running processes behind"]),
        litters => Completed,
        asks_in_vain => Completed,
        unlinks_its_own_file => Completed,
        overwrites_its_own_file => Completed,

        // It meddles with the channel.
        close_all_descriptors => Failed(&[Setup], &["closed the worker's channel", "exit code"]),
        write_to_all_descriptors => Failed(&[Setup], &["not a valid message"]),
        forges_answers => Failed(&[Setup], &["does not fit the stage"]),
        forges_long_logs => Completed,
        forges_many_logs => Failed(&[Setup], &["more than 1001 log lines"]),
        forges_a_fault_of_the_host => Failed(&[Load], &["cannot write: full"]),

        // It lies.
        nan_work => Failed(&[Calibrate, Sample], &["NaN bytes of work"]),
        infinite_work => Failed(&[Calibrate, Sample], &["inf bytes of work"]),
        negative_work => Failed(&[Calibrate, Sample], &["-1 bytes of work"]),
        absurd_work => Failed(&[Calibrate, Sample], &["more than any machine can do"]),
        nan_device_time => Failed(&[Calibrate, Sample], &["device time"]),
        nan_metric => Failed(&[ProcessResults], &["NaN for the metric `extra`"]),
        nan_progress => Completed,
        overwrites_the_report => Failed(&[Calibrate, Sample], &["NaN"]),
        unknown_return_value => Failed(&[Calibrate], &["77"]),
        wrong_result => Failed(&[Verify], &["the output differs from the reference"]),
        fails_with_a_reason => Failed(&[Setup], &["the moon is in the wrong phase"]),
        fails_without_a_reason => Failed(&[Calibrate], &["gave no reason"]),
        skips => Skipped("this machine has no abacus"),

        // It is written wrongly: what is timed is not what its author meant.
        no_loop => Failed(&[Calibrate], &["more than any machine can do", "does not grow with the iterations"]),
        no_loop_work_of_one => Failed(&[Calibrate], &["does not grow with the iterations"]),
        result_not_kept => Failed(&[Calibrate], &["more than any machine can do", "does not grow with the iterations"]),
        result_not_kept_no_work => Failed(&[Calibrate], &["does not grow with the iterations"]),
        hoisted_loop => Failed(&[Calibrate], &["more than any machine can do", "does not grow with the iterations"]),
        cached_work => Failed(&[Calibrate], &["more than any machine can do", "only the first iteration does the work"]),
        work_of_one_iteration => Failed(&[Calibrate], &["the reported work is the same"]),
        state_grows => Completed,
        prints_each_iteration => Completed,
        prints_each_call => Completed,
        endless_thread => Completed,
        thread_per_call => Completed,
        process_per_call => Failed(&[Cleanup], &["running processes behind"]),
        file_per_call => Completed,

        // It breaks the contract.
        other_layout_in_descriptor => Failed(&[Load], &["0x00000000deadbeef"]),
        other_layout_in_table => Failed(&[Load], &["0x00000000deadbeef"]),
        other_abi_version_in_table => Failed(&[Load], &["99"]),
        lacks_the_symbol => Failed(&[Load], &["dyno_plugin_v1"]),
        undefined_symbol => Failed(&[Load], &["this_function_exists_nowhere"]),
        benchmark_not_in_table => Failed(&[Load], &["another_name"]),
        null_setup => Failed(&[Load], &["`setup` of entry 0 of the plugin's table is null"]),
        null_execute => Failed(&[Load], &["`execute` of entry 0 of the plugin's table is null"]),
        null_cleanup => Failed(&[Load], &["`cleanup` of entry 0 of the plugin's table is null"]),
        null_table => Failed(&[Load], &["instead of a table"]),
        null_benchmarks => Failed(&[Load], &["lists 1 benchmarks"]),
        short_table => Failed(&[Load], &["has 4 bytes"]),
        lacks_the_descriptor => Broken("descriptor"),
        bad_json => Broken("not JSON"),
        descriptor_with_escapes => Broken("must start with a lower-case letter"),
        deeply_nested_descriptor => Broken("not JSON"),
    }

    // It reaches out of its process.
    escape, Escape, ESCAPE {
        // Files.
        reads_the_list_of_users => Failed(&[Setup], &["Permission denied"]),
        reads_the_folder_above => Failed(&[Setup], &["Permission denied"]),
        reads_the_files_of_its_host => Failed(&[Setup], &["Permission denied"]),
        reads_the_environment_of_its_host => Failed(&[Setup], &["Permission denied"]),
        opens_the_memory_of_its_host => Failed(&[Setup], &["Permission denied"]),
        uses_the_rights_of_root => Failed(&[Setup], &["Permission denied"]),
        writes_outside => Failed(&[Setup], &["Permission denied"]),
        moves_a_file_out => Failed(&[Setup], &["Permission denied", "cross-device"]),
        links_a_file_out => Failed(&[Setup], &["Permission denied", "cross-device"]),
        shares_memory_by_a_file => Failed(&[Setup], &["Permission denied"]),
        changes_a_mode => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: chmod)"]),
        watches_files => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: inotify_init1)"]),
        opens_by_a_handle => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: name_to_handle_at)"]),
        finds_open_descriptors => Failed(&[Setup], &["Bad file descriptor"]),
        // Other processes.
        reads_the_memory_of_its_host => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: process_vm_readv)"]),
        shares_memory_by_a_key => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: shmget)"]),
        traces_its_host => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: ptrace)"]),
        signals_its_host => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: kill)"]),
        queues_a_signal => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: rt_sigqueueinfo)"]),
        signals_a_thread_of_its_host => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: tgkill)"]),
        signals_by_a_descriptor => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: pidfd_open)"]),
        signals_everybody => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: kill)"]),
        limits_its_host => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: prlimit64)"]),
        pins_its_host => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: sched_setaffinity)"]),
        slows_its_host => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: setpriority)"]),
        outlives_its_host => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: prctl)"]),
        // Its child made the call.
        execs_a_shell => Failed(&[Setup], &["Operation not permitted"]),
        execs_memory => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: execveat)"]),
        // The network, and services.
        connects_by_tcp => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: socket)"]),
        connects_to_a_service => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: socket)"]),
        listens_to_the_kernel => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: socket)"]),
        writes_to_a_service => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: socketpair)"]),
        joins_its_host => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: setpgid)"]),
        slows_its_user => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: setpriority)"]),
        signals_by_a_file => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: fcntl)"]),
        signals_by_a_request => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: ioctl)"]),
        // The kernel.
        makes_a_call_of_a_newer_kernel => Failed(&[Setup], &["Function not implemented"]),
        mounts => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: mount)"]),
        makes_a_namespace => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: unshare)"]),
        clones_into_a_namespace => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: clone)"]),
        clones_unseen => Failed(&[Setup], &["Function not implemented"]),
        changes_its_root => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: chroot)"]),
        uses_io_uring => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: io_uring_setup)"]),
        counts_events => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: perf_event_open)"]),
        loads_into_the_kernel => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: bpf)"]),
        keeps_a_key => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: add_key)"]),
        handles_page_faults => Failed(&[Setup], &["Operation not permitted (the worker refuses plugins the system calls that it made: userfaultfd)"]),
        // A kernel without those calls has another signal.
        makes_a_call_of_another_machine => Failed(&[Setup], &["SIGSYS", "SIGSEGV"]),
    }

    wasm, Wasm, WASM {
        endless_loop => TimedOut(Calibrate),
        endless_start => TimedOut(Load),
        grows_memory => Failed(&[Setup], &["not allowed to grow", "unreachable", "more than its limit"]),
        huge_declared_memory => Failed(&[Load], &["memory"]),
        deep_recursion => Failed(&[Calibrate], &["call stack exhausted"]),
        trap => Failed(&[Calibrate], &["unreachable"]),
        trap_in_start => Failed(&[Load], &["unreachable"]),
        trap_in_cleanup => Failed(&[Cleanup], &["unreachable"]),
        reads_out_of_bounds => Failed(&[Calibrate], &["out of bounds"]),
        divides_by_zero => Failed(&[Calibrate], &["divide by zero"]),
        nan_work => Failed(&[Calibrate, Sample], &["NaN items of work"]),
        result_out_of_bounds => Failed(&[Calibrate], &["out of bounds"]),
        result_of_no_kind => Failed(&[Calibrate], &["discriminant"]),
        reason_not_utf8 => Failed(&[Setup], &["utf-8"]),
        fails_with_a_reason => Failed(&[Setup], &["the moon is in the wrong phase"]),
        invalid_code => Failed(&[Load], &["not valid"]),
        missing_export => Failed(&[Load], &["lifecycle"]),
        other_signature => Failed(&[Load], &["type mismatch"]),
        ungranted_import => Failed(&[Load], &["imports `their:own/registry@1.0.0`, which dyno does not offer"]),
        other_wasi => Failed(&[Load], &["wasi:filesystem/preopens"]),
        calls_the_network => Failed(&[Setup], &["it called `wasi:sockets/instance-network@0.2.3#instance-network`"]),
        ends_itself => Failed(&[Setup], &["it ended itself with `exit`"]),
        core_module => Broken("component"),
    }
}
