//! A filter that looks at the number of a system call alone. When a filter is installed, the kernel runs it once for every number, to
//! find the calls that it can allow without asking again. A list of comparisons would take each of these runs through the whole list;
//! this filter is a binary search.

use nix::libc;
use seccompiler::{BpfProgram, sock_filter};

/// Offset of the number in the data that the kernel gives a filter.
const NUMBER: u32 = 0;

/// A filter that answers each number with the element at that place, such as `SECCOMP_RET_ALLOW`, and all numbers behind them with the last.
///
/// # Errors
/// A sentence, if the answers change so often that a jump of the filter would be too long.
pub(super) fn program(answers: &[u32]) -> Result<BpfProgram, String> {
    // Each answer with the number that it begins at.
    let mut steps: Vec<(u32, u32)> = (0..).zip(answers.iter().copied()).collect();
    steps.dedup_by_key(|(_, answer)| *answer);
    let mut program = vec![step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, NUMBER, 0)];
    halve(&steps, &mut program).map_err(|_| {
        format!("the filter of system calls cannot be made: {} steps are too many", steps.len())
    })?;
    Ok(program)
}

fn halve(steps: &[(u32, u32)], program: &mut BpfProgram) -> Result<(), std::num::TryFromIntError> {
    match steps {
        [] => {}
        [(_, answer)] => program.push(step(libc::BPF_RET | libc::BPF_K, *answer, 0)),
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

    /// What the kernel would make of it.
    fn run(program: &BpfProgram, number: u32) -> u32 {
        let mut at = 1;
        loop {
            let it = &program[at];
            if u32::from(it.code) == libc::BPF_RET | libc::BPF_K {
                return it.k;
            }
            at += 1 + usize::from(if number >= it.k { it.jt } else { it.jf });
        }
    }

    #[test]
    fn every_number_has_the_answer_that_was_given_for_it() {
        let mut answers = [7; 401];
        answers[400] = 9;
        for number in [0, 1, 2, 57, 59, 60, 398, 399] {
            answers[number] = 5;
        }
        let program = program(&answers).unwrap();
        for number in (0..2_000).chain([u32::MAX - 1, u32::MAX]) {
            let expected = answers.get(number as usize).copied().unwrap_or(9);
            assert_eq!(run(&program, number), expected, "{number}");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_is_refused() {
        let answers: Vec<u32> = (0..2_000).map(|number| number % 2).collect();
        assert!(program(&answers).unwrap_err().contains("2000 steps"));
        let most = &answers[..256];
        let program = program(most).unwrap();
        assert!((0..256).all(|number| run(&program, number) == number % 2));
    }
}
