//! A filter that looks at the number of a system call alone. The kernel runs a filter for every number there is when it is
//! installed, in order to know which calls it need never be asked about: so this one halves what is left at each step.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{BpfProgram, sock_filter};

/// What happens from a number on, up to the next one that is named: the answer of a filter. // eg: `SECCOMP_RET_ALLOW`
pub(super) type Answers = BTreeMap<u32, u32>;

/// The place of the number in what a filter is given.
const NUMBER: u32 = 0;

/// Names one number, and leaves those behind it as they were.
pub(super) fn answer(answers: &mut Answers, number: u32, with: u32) {
    let behind = answers.range(..=number + 1).next_back().map(|(_, answer)| *answer);
    answers.insert(number, with);
    if let Some(behind) = behind {
        answers.insert(number + 1, behind);
    }
}

/// The filter that gives these answers, the first of which is for 0.
///
/// # Errors
/// A sentence, if there are more of them than a filter can jump over.
pub(super) fn program(answers: &Answers) -> Result<BpfProgram, String> {
    let mut steps: Vec<(u32, u32)> = answers.iter().map(|(from, answer)| (*from, *answer)).collect();
    // Neighbours with the same answer are one.
    steps.dedup_by_key(|(_, answer)| *answer);
    let mut program = vec![step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, NUMBER, 0)];
    halve(&steps, &mut program).map_err(|_| {
        format!("the filter of system calls cannot be made: {} steps are too many", steps.len())
    })?;
    Ok(program)
}

fn halve(steps: &[(u32, u32)], program: &mut BpfProgram) -> Result<(), std::num::TryFromIntError> {
    let (low, high) = steps.split_at(steps.len() / 2);
    match (low, high) {
        ([], [(_, answer), ..]) => program.push(step(libc::BPF_RET | libc::BPF_K, *answer, 0)),
        (_, [(from, _), ..]) => {
            let place = program.len();
            program.push(step(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, *from, 0));
            halve(low, program)?;
            program[place].jt = u8::try_from(program.len() - place - 1)?;
            halve(high, program)?;
        }
        (_, []) => {}
    }
    Ok(())
}

/// An instruction, which jumps over so many others if it is a comparison that is true.
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
        let mut answers = Answers::from([(0, 7), (400, 9)]);
        let named = [0, 1, 2, 57, 59, 60, 398, 399, 400, 1_000];
        for number in named {
            answer(&mut answers, number, 5);
        }
        let program = program(&answers).unwrap();
        for number in (0..2_000).chain([u32::MAX - 1, u32::MAX]) {
            let expected = match number {
                _ if named.contains(&number) => 5,
                0..400 => 7,
                _ => 9,
            };
            assert_eq!(run(&program, number), expected, "{number}");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_is_refused() {
        let answers: Answers = (0..2_000).map(|number| (number, number % 2)).collect();
        assert!(program(&answers).unwrap_err().contains("2000 steps"));
        let most: Answers = (0..256).map(|number| (number, number % 2)).collect();
        let program = program(&most).unwrap();
        assert!((0..256).all(|number| run(&program, number) == number % 2));
    }
}
