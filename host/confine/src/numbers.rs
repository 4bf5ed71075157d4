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
    let mut steps: Vec<Step> = (0..).zip(answers.iter().copied()).collect();
    steps.dedup_by_key(|(_, answer)| *answer);
    let mut given: Vec<u32> = steps.iter().filter_map(|(_, answer)| *answer).collect();
    given.sort_unstable();
    given.dedup();
    let mut program = vec![
        instruction(LOAD, MACHINE, 0, 0),
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, THIS_MACHINE, 1, 0),
        instruction(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_KILL_PROCESS, 0, 0),
        instruction(LOAD, NUMBER, 0, 0),
    ];
    // Behind the comparisons, of which there is one between any two steps, each answer is given in one place. Then the judge begins.
    let first = program.len() + steps.len().saturating_sub(1);
    let place = |answer| first + given.iter().position(|known| answer == Some(*known)).unwrap_or(given.len());
    halve(&steps, &place, &mut program).map_err(|_| {
        format!("the filter of system calls cannot be made: {} steps are too many", steps.len())
    })?;
    program.extend(given.iter().map(|answer| instruction(libc::BPF_RET | libc::BPF_K, *answer, 0, 0)));
    program.extend(judge);
    Ok(program)
}

/// A number, and the answer from there on.
type Step = (u32, Option<u32>);

/// Adds the comparisons that find the step of a number. `place`: where its answer is given.
fn halve(
    steps: &[Step],
    place: &impl Fn(Option<u32>) -> usize,
    program: &mut BpfProgram,
) -> Result<(), TryFromIntError> {
    if steps.len() < 2 {
        return Ok(());
    }
    let at = program.len();
    let (low, high) = steps.split_at(steps.len() / 2);
    program.push(instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, high[0].0, 0, 0));
    let mut half = |steps: &[Step]| -> Result<u8, TryFromIntError> {
        let to = if let [(_, answer)] = steps { place(*answer) } else { program.len() };
        halve(steps, place, program)?;
        (to - at - 1).try_into()
    };
    let (below, above) = (half(low)?, half(high)?);
    (program[at].jf, program[at].jt) = (below, above);
    Ok(())
}

/// An instruction. A comparison that is true skips the next `jt` instructions, and one that is false the next `jf`.
fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: code as u16, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JUDGED: u32 = 11;

    fn judge() -> BpfProgram {
        vec![instruction(libc::BPF_RET | libc::BPF_K, JUDGED, 0, 0)]
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

    #[test]
    fn each_answer_is_given_in_one_place() {
        let answers: Vec<Option<u32>> =
            (0..100).map(|number| Some(number % 4).filter(|it| *it > 0)).collect();
        let program = program(&answers, judge()).unwrap();
        assert_eq!(program.len(), 4 + 99 + 3 + 1);
        assert!(
            (0..100)
                .all(|number| run(&program, THIS_MACHINE, number)
                    == answers[number as usize].unwrap_or(JUDGED))
        );
    }
}
