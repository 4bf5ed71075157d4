//! The filter of system calls: what no benchmark needs is refused, and which calls were refused is remembered.

#![allow(
    unsafe_code,
    reason = "the filter and the signal's handler are installed by system calls without a safe door"
)]

use std::{
    collections::BTreeMap,
    io, process, ptr,
    sync::atomic::{AtomicU64, Ordering},
};

use nix::{
    libc,
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use super::{connect, numbers};

macro_rules! calls {
    ($($(#[$cfg:meta])? $name:ident)*) => { &[$($(#[$cfg])? (stringify!($name), libc::$name)),*] };
}

/// What is refused whatever its arguments.
const REFUSED: &[(&str, libc::c_long)] = calls![
    // Other processes.
    SYS_ptrace SYS_process_vm_readv SYS_process_vm_writev SYS_process_madvise SYS_process_mrelease SYS_kcmp
    SYS_pidfd_open SYS_pidfd_getfd SYS_pidfd_send_signal SYS_rt_sigqueueinfo SYS_tkill SYS_migrate_pages SYS_move_pages
    SYS_setpgid
    // Other programs.
    SYS_execve SYS_execveat
    // Namespaces, mounts, roots.
    SYS_unshare SYS_setns SYS_mount SYS_umount2 SYS_pivot_root SYS_chroot SYS_move_mount SYS_open_tree SYS_fsopen
    SYS_fsconfig SYS_fsmount SYS_fspick SYS_mount_setattr SYS_swapon SYS_swapoff SYS_quotactl
    SYS_quotactl_fd
    // The kernel.
    SYS_bpf SYS_perf_event_open SYS_userfaultfd SYS_init_module SYS_finit_module SYS_delete_module SYS_kexec_load
    SYS_reboot SYS_syslog SYS_acct SYS_add_key SYS_request_key SYS_keyctl SYS_seccomp SYS_personality
    SYS_settimeofday SYS_clock_settime SYS_adjtimex SYS_clock_adjtime SYS_sethostname SYS_setdomainname SYS_vhangup
    SYS_lookup_dcookie SYS_nfsservctl
    // System calls that no filter sees.
    SYS_io_uring_setup SYS_io_uring_enter SYS_io_uring_register
    // The network, and every service of this machine that is reached by a socket.
    SYS_socket SYS_connect SYS_bind SYS_listen SYS_accept SYS_accept4
    // What is shared with other processes of the user.
    SYS_shmget SYS_shmat SYS_shmctl SYS_msgget SYS_msgctl SYS_msgsnd SYS_msgrcv SYS_semget SYS_semctl SYS_semop SYS_semtimedop
    SYS_mq_open SYS_mq_unlink
    // Properties of files, which the rules for files do not cover, and watching them.
    SYS_fchmod SYS_fchmodat SYS_fchown SYS_fchownat SYS_utimensat SYS_setxattr SYS_lsetxattr SYS_fsetxattr
    SYS_removexattr SYS_lremovexattr SYS_fremovexattr SYS_inotify_init1 SYS_inotify_add_watch SYS_fanotify_init
    SYS_fanotify_mark SYS_open_by_handle_at SYS_name_to_handle_at SYS_fchmodat2
    // Limits of the processes of this user.
    SYS_ioprio_set
    #[cfg(target_arch = "x86_64")] SYS_chmod
    #[cfg(target_arch = "x86_64")] SYS_chown
    #[cfg(target_arch = "x86_64")] SYS_lchown
    #[cfg(target_arch = "x86_64")] SYS_utime
    #[cfg(target_arch = "x86_64")] SYS_utimes
    #[cfg(target_arch = "x86_64")] SYS_futimesat
    #[cfg(target_arch = "x86_64")] SYS_inotify_init
    #[cfg(target_arch = "x86_64")] SYS_kexec_file_load
    #[cfg(target_arch = "x86_64")] SYS_iopl
    #[cfg(target_arch = "x86_64")] SYS_ioperm
    #[cfg(target_arch = "x86_64")] SYS_modify_ldt
    #[cfg(target_arch = "x86_64")] SYS_uselib
    #[cfg(target_arch = "x86_64")] SYS_ustat
    #[cfg(target_arch = "x86_64")] SYS_sysfs
];

/// What concerns a process, by the place of its number among the arguments: only this one, or 0, which means the caller.
const OWN_PROCESS: &[((&str, libc::c_long), u8)] = &[
    (("SYS_kill", libc::SYS_kill), 0),
    (("SYS_tgkill", libc::SYS_tgkill), 0),
    (("SYS_rt_tgsigqueueinfo", libc::SYS_rt_tgsigqueueinfo), 0),
    (("SYS_prlimit64", libc::SYS_prlimit64), 0),
    (("SYS_sched_setaffinity", libc::SYS_sched_setaffinity), 0),
    (("SYS_sched_setscheduler", libc::SYS_sched_setscheduler), 0),
    (("SYS_sched_setparam", libc::SYS_sched_setparam), 0),
    (("SYS_sched_setattr", libc::SYS_sched_setattr), 0),
    (("SYS_setpriority", libc::SYS_setpriority), 1),
];

/// What connects by itself with the flag `MSG_FASTOPEN`, by the place of the flags among the arguments.
const SENDING: &[((&str, libc::c_long), u8)] = &[
    (("SYS_sendto", libc::SYS_sendto), 3),
    (("SYS_sendmsg", libc::SYS_sendmsg), 2),
    (("SYS_sendmmsg", libc::SYS_sendmmsg), 3),
];

/// Requests of `prctl` that would undo a layer.
const PRCTL: [libc::c_int; 5] = [
    libc::PR_SET_PDEATHSIG,
    libc::PR_SET_DUMPABLE,
    libc::PR_SET_PTRACER,
    libc::PR_SET_CHILD_SUBREAPER,
    libc::PR_SET_SPECULATION_CTRL,
];

/// Requests to files that have the kernel signal another process, or hold up others who open the file.
const FCNTL: [libc::c_int; 4] = [libc::F_SETOWN, F_SETOWN_EX, libc::F_SETLEASE, libc::F_NOTIFY];
const F_SETOWN_EX: libc::c_int = 15;
/// Requests to sockets that do the first of these: `FIOSETOWN`, `SIOCSPGRP`.
const IOCTL: [libc::c_int; 2] = [0x8901, 0x8902];

/// What is refused for some values of an argument, by its place.
const BY_ARGUMENT: &[((&str, libc::c_long), u8, &[libc::c_int])] = &[
    (("SYS_prctl", libc::SYS_prctl), 0, &PRCTL),
    (("SYS_fcntl", libc::SYS_fcntl), 1, &FCNTL),
    (("SYS_ioctl", libc::SYS_ioctl), 1, &IOCTL),
];

/// Namespaces that `clone` makes.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWCGROUP,
];

/// Most numbers of system calls that are remembered.
const NUMBERS: usize = 1024;

/// Which calls were refused, a bit for each number.
static SEEN: [AtomicU64; NUMBERS / 64] = [const { AtomicU64::new(0) }; NUMBERS / 64];

/// Installs the filter for this process, whose only thread this is, and everything that it starts. A call that it refuses fails
/// with `EPERM`, and is remembered. `network`: sockets of TCP can be made, and [`connect`] sees to what they reach.
///
/// # Errors
/// A sentence, if the kernel refuses it.
pub(super) fn filter(network: bool) -> Result<(), String> {
    let refused = |what: &str, error: &dyn std::fmt::Display| {
        format!("the kernel refused the filter of system calls ({what}): {error}")
    };
    let action = SigAction::new(
        SigHandler::SigAction(remember),
        SaFlags::SA_SIGINFO | SaFlags::SA_NODEFER,
        SigSet::empty(),
    );
    // SAFETY: the handler reads what the kernel gives it, sets a bit and a register, and calls nothing.
    unsafe { sigaction(Signal::SIGSYS, &action) }.map_err(|error| refused("sigaction", &error))?;
    let judged = rules(network)?;
    let answers = by_number(&judged);
    let program = numbers::program(&answers, program(judged)?)?;
    install(&program).map_err(|error| refused("seccomp", &error))
}

/// The list of refused calls covers all numbers below this one, which is `setxattrat` of Linux 6.13 on every machine.
const KNOWN: usize = 463;

/// The answer to each number, whatever the arguments; `None`: by its arguments, as for all calls in `judged`.
/// Calls that cannot be judged are answered as unknown: `clone3`, which has its flags in memory (the C library then uses `clone`), calls of
/// newer kernels, and the second set of numbers that a kernel for `x86_64` may have.
fn by_number(judged: &BTreeMap<i64, Vec<SeccompRule>>) -> [Option<u32>; KNOWN + 1] {
    const NO_SUCH_CALL: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

    let mut answers = [Some(libc::SECCOMP_RET_ALLOW); KNOWN + 1];
    for (_, number) in REFUSED {
        answers[*number as usize] = Some(libc::SECCOMP_RET_TRAP);
    }
    for number in judged.keys() {
        answers[*number as usize] = None;
    }
    answers[libc::SYS_clone3 as usize] = Some(NO_SUCH_CALL);
    answers[KNOWN] = Some(NO_SUCH_CALL);
    answers
}

/// The names of the calls that were refused since the last time, in the order of their numbers.
#[must_use]
pub fn take_refused_calls() -> Vec<String> {
    let mut seen: Vec<libc::c_long> = Vec::new();
    for (word, bits) in SEEN.iter().enumerate() {
        let bits = bits.swap(0, Ordering::Relaxed);
        seen.extend((0..64).filter(|bit| bits >> bit & 1 == 1).map(|bit| word as libc::c_long * 64 + bit));
    }
    seen.into_iter().map(name).collect()
}

fn name(number: libc::c_long) -> String {
    let others = [("SYS_clone", libc::SYS_clone), ("SYS_socketpair", libc::SYS_socketpair)];
    let requests = BY_ARGUMENT.iter().map(|(call, _, _)| call);
    let sending = SENDING.iter().map(|(call, _)| call);
    let all = REFUSED
        .iter()
        .chain(OWN_PROCESS.iter().map(|(call, _)| call))
        .chain(sending)
        .chain(requests)
        .chain(&others);
    let found = all.copied().find(|(_, known)| *known == number);
    found.map_or_else(|| number.to_string(), |(name, _)| name.trim_start_matches("SYS_").to_owned())
}

/// The calls that are refused for some arguments.
fn rules(network: bool) -> Result<BTreeMap<i64, Vec<SeccompRule>>, String> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let own = process::id();
    // Its own group may be named by the number, too.
    let ours = [0, u64::from(own), u64::from(own.wrapping_neg())];
    for ((_, number), argument) in OWN_PROCESS {
        let others = ours.map(|ours| condition(*argument, SeccompCmpOp::Ne, ours));
        rules.insert(*number, vec![rule(others.into_iter().collect::<Result<_, String>>()?)?]);
    }
    // Nor a group or a user, of which 0 is the caller's.
    let not_a_process = condition(0, SeccompCmpOp::Ne, u64::from(libc::PRIO_PROCESS))?;
    rules.entry(libc::SYS_setpriority).or_default().push(rule(vec![not_a_process])?);
    let equal = |argument, values: &[libc::c_int]| -> Result<Vec<SeccompRule>, String> {
        values
            .iter()
            .map(|value| rule(vec![condition(argument, SeccompCmpOp::Eq, u64::from(value.cast_unsigned()))?]))
            .collect()
    };
    for ((_, number), argument, values) in BY_ARGUMENT {
        rules.insert(*number, equal(*argument, values)?);
    }
    let made = |bit: libc::c_int| {
        let bit = u64::from(bit.cast_unsigned());
        rule(vec![condition(0, SeccompCmpOp::MaskedEq(bit), bit)?])
    };
    rules.insert(libc::SYS_clone, NAMESPACES.map(made).into_iter().collect::<Result<_, String>>()?);
    let pairs = other_sockets(&[libc::AF_UNIX], &[libc::SOCK_STREAM, libc::SOCK_SEQPACKET], &[0])?;
    rules.insert(libc::SYS_socketpair, pairs);
    if network {
        let families = [libc::AF_INET, libc::AF_INET6];
        let tcp = other_sockets(&families, &[libc::SOCK_STREAM], &[0, libc::IPPROTO_TCP])?;
        rules.insert(libc::SYS_socket, tcp);
        let opens = u64::from(libc::MSG_FASTOPEN.cast_unsigned());
        for ((_, number), flags) in SENDING {
            rules
                .insert(*number, vec![rule(vec![condition(*flags, SeccompCmpOp::MaskedEq(opens), opens)?])?]);
        }
    }
    Ok(rules)
}

/// Every socket but those of these families and protocols, and of a kind that is connected before anything is sent: datagrams name
/// whom they are for, where no filter sees it.
fn other_sockets(
    families: &[libc::c_int],
    kinds: &[libc::c_int],
    protocols: &[libc::c_int],
) -> Result<Vec<SeccompRule>, String> {
    /// The bits of the second argument that say which kind of socket it is.
    const KIND: u64 = 0xf;

    let number = |value: libc::c_int| u64::from(value.cast_unsigned());
    let none_of = |argument: u8, values: &[libc::c_int]| {
        let others = values.iter().map(|value| condition(argument, SeccompCmpOp::Ne, number(*value)));
        rule(others.collect::<Result<_, String>>()?)
    };
    let others = (0..=KIND).filter(|kind| !kinds.iter().any(|known| number(*known) == *kind));
    let of_kind = |kind| rule(vec![condition(1, SeccompCmpOp::MaskedEq(KIND), kind)?]);
    let mut rules = others.map(of_kind).collect::<Result<Vec<_>, String>>()?;
    rules.push(none_of(0, families)?);
    rules.push(none_of(2, protocols)?);
    Ok(rules)
}

fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, String> {
    SeccompRule::new(conditions).map_err(|error| not_made(&error))
}

fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, String> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
        .map_err(|error| not_made(&error))
}

fn not_made(error: &dyn std::fmt::Display) -> String {
    format!("the filter of system calls cannot be made: {error}")
}

fn program(rules: BTreeMap<i64, Vec<SeccompRule>>) -> Result<BpfProgram, String> {
    let machine = std::env::consts::ARCH.try_into().map_err(|error: BackendError| not_made(&error))?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Trap, machine);
    filter.and_then(TryInto::try_into).map_err(|error: BackendError| not_made(&error))
}

fn install(program: &BpfProgram) -> io::Result<()> {
    let header = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(io::Error::other)?,
        filter: program.as_ptr().cast::<libc::sock_filter>().cast_mut(),
    };
    // Without the flag, kernels before 5.16 switch a mitigation of speculation on that slows down what is measured.
    // SAFETY: the header describes instructions that outlive the call, which the kernel copies and checks.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW,
            &raw const header,
        )
    };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Called instead of a call that the filter refuses: makes it fail with `EPERM`, or connects to what was granted.
extern "C" fn remember(_: libc::c_int, about: *mut libc::siginfo_t, context: *mut libc::c_void) {
    /// The beginning of `siginfo_t` for this signal.
    #[repr(C)]
    struct About {
        signal: [libc::c_int; 3],
        address: *mut libc::c_void,
        call: libc::c_int,
        machine: libc::c_uint,
    }
    // SAFETY: the kernel gives the handler of this signal such an account of it.
    let call = unsafe { (*about.cast::<About>()).call };
    // SAFETY: the kernel gives a handler the registers that the thread goes on with, which nothing else refers to meanwhile.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext };
    let [first, second, third] = arguments(registers);
    let connected = (libc::c_long::from(call) == libc::SYS_connect)
        .then(|| {
            connect::answer(first as libc::c_int, ptr::with_exposed_provenance(second), third as u32 as usize)
        })
        .flatten();
    let answer = connected.unwrap_or(-libc::EPERM);
    if answer == -libc::EPERM
        && let Some(word) = SEEN.get(call as usize / 64)
    {
        word.fetch_or(1 << (call as usize % 64), Ordering::Relaxed);
    }
    #[cfg(target_arch = "x86_64")]
    {
        registers.gregs[libc::REG_RAX as usize] = libc::c_longlong::from(answer);
    }
    #[cfg(target_arch = "aarch64")]
    {
        registers.regs[0] = i64::from(answer).cast_unsigned();
    }
}

/// The first arguments of a system call.
fn arguments(registers: &libc::mcontext_t) -> [usize; 3] {
    #[cfg(target_arch = "x86_64")]
    return [libc::REG_RDI, libc::REG_RSI, libc::REG_RDX].map(|at| registers.gregs[at as usize] as usize);
    #[cfg(target_arch = "aarch64")]
    return [0, 1, 2].map(|at| registers.regs[at] as usize);
}
