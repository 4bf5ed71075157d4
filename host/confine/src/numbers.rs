//! A filter that looks at the number of a system call first. When a filter is installed, the kernel runs it once for every number, to
//! find the calls that it can allow without asking again. A list of comparisons would take each of these runs through the whole list;
//! this filter is a binary search, which leads to such a list only for the few calls whose arguments matter.

use std::num::TryFromIntError;

use nix::libc;
use seccompiler::{BpfProgram, sock_filter};

/// Offset of the number in the data that the kernel gives a filter.
const NUMBER: u32 = 0;
/// Offset of the kind of machine that the number is for.
const MACHINE: u32 = 4;
/// `AUDIT_ARCH_…` of the machine that this is compiled for: its number in ELF, and that it has 64 bits and begins with the lowest.
#[cfg(target_arch = "x86_64")]
const THIS_MACHINE: u32 = libc::EM_X86_64 as u32 | 0xc000_0000;
#[cfg(target_arch = "aarch64")]
const THIS_MACHINE: u32 = libc::EM_AARCH64 as u32 | 0xc000_0000;

/// A filter that answers each number with the element at that place, such as `SECCOMP_RET_ALLOW`, and all numbers behind them with the
/// last. Where that is `None`, `judge` answers. Calls with the numbers of another machine kill the process.
///
/// # Errors
/// A sentence, if the answers change so often that a jump of the filter would be too long.
pub(super) fn program(answers: &[Option<u32>], judge: BpfProgram) -> Result<BpfProgram, String> {
    const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;

    // Each answer with the number that it begins at.
    let mut steps: Vec<(u32, Option<u32>)> = (0..).zip(answers.iter().copied()).collect();
    steps.dedup_by_key(|(_, answer)| *answer);
    let mut program = vec![
        step(LOAD, MACHINE, 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, THIS_MACHINE, 1),
        step(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_KILL_PROCESS, 0),
        step(LOAD, NUMBER, 0),
    ];
    halve(&steps, &mut program).map_err(|_| {
        format!("the filter of system calls cannot be made: {} steps are too many", steps.len())
    })?;
    let end = program.len();
    for (place, step) in program.iter_mut().enumerate().filter(|(_, step)| step.code == TO_THE_JUDGE) {
        step.k = (end - place - 1) as u32;
    }
    program.extend(judge);
    Ok(program)
}

/// A jump, to where the comparisons of arguments begin.
const TO_THE_JUDGE: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;

fn halve(steps: &[(u32, Option<u32>)], program: &mut BpfProgram) -> Result<(), TryFromIntError> {
    match steps {
        [] => {}
        [(_, Some(answer))] => program.push(step(libc::BPF_RET | libc::BPF_K, *answer, 0)),
        [(_, None)] => program.push(step(TO_THE_JUDGE.into(), 0, 0)),
        _ => {
            let (low, high) = steps.split_at(steps.len() / 2);
            let place = program.len();
            program.push(step(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, high[0].0, 0));
            halve(low, program)?;
            program[place].jt = u8::try_from(program.len() - place - 1)?;
            halve(high, program)?;
        }
    }
    Ok(())
}

/// An instruction. A comparison that is true skips the next `over` instructions.
fn step(code: u32, k: u32, over: u8) -> sock_filter {
    sock_filter { code: code as u16, jt: over, jf: 0, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JUDGED: u32 = 11;

    fn judge() -> BpfProgram {
        vec![step(libc::BPF_RET | libc::BPF_K, JUDGED, 0)]
    }

    /// What the kernel would make of it.
    fn run(program: &BpfProgram, machine: u32, number: u32) -> u32 {
        let (mut at, mut held) = (0, 0);
        loop {
            let it = &program[at];
            at += 1;
            match u32::from(it.code) {
                code if code == libc::BPF_LD | libc::BPF_W | libc::BPF_ABS => {
                    held = if it.k == MACHINE { machine } else { number };
                }
                code if code == libc::BPF_JMP | libc::BPF_JA => at += it.k as usize,
                code if code == libc::BPF_JMP | libc::BPF_JEQ => {
                    at += usize::from(if held == it.k { it.jt } else { it.jf });
                }
                code if code == libc::BPF_JMP | libc::BPF_JGE => {
                    at += usize::from(if held >= it.k { it.jt } else { it.jf });
                }
                _ => return it.k,
            }
        }
    }

    #[test]
    fn every_number_has_the_answer_that_was_given_for_it() {
        let mut answers = [Some(7); 401];
        answers[400] = Some(9);
        for number in [0, 1, 2, 57, 59, 60, 398, 399] {
            answers[number] = Some(5);
        }
        for number in [3, 58, 200] {
            answers[number] = None;
        }
        let program = program(&answers, judge()).unwrap();
        for number in (0..2_000).chain([u32::MAX - 1, u32::MAX]) {
            let expected = answers.get(number as usize).copied().unwrap_or(Some(9)).unwrap_or(JUDGED);
            assert_eq!(run(&program, THIS_MACHINE, number), expected, "{number}");
        }
    }

    #[test]
    fn the_numbers_of_another_machine_mean_other_calls_and_are_not_looked_up() {
        let program = program(&[Some(libc::SECCOMP_RET_ALLOW)], judge()).unwrap();
        // That of 32 bits, which a kernel for x86-64 also answers.
        for machine in [libc::EM_386.into(), 0x4000_0003, 0, u32::MAX] {
            assert_eq!(run(&program, machine, 0), libc::SECCOMP_RET_KILL_PROCESS);
        }
    }

    #[test]
    fn a_filter_that_cannot_be_is_refused() {
        let answers: Vec<Option<u32>> = (0..2_000).map(|number| Some(number % 2)).collect();
        assert!(program(&answers, judge()).unwrap_err().contains("2000 steps"));
        let most = &answers[..256];
        let program = program(most, judge()).unwrap();
        assert!((0..256).all(|number| run(&program, THIS_MACHINE, number) == number % 2));
    }
}
