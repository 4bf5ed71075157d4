//! Running other programs: each is shown before it runs, and a failure names it.

use std::{
    io::{self, BufRead, BufReader},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::failure::{Failure, Outcome};

/// How often a program with a deadline is looked at.
const POLL: Duration = Duration::from_millis(50);

/// Announces a step.
pub(crate) fn say(step: &str) {
    println!("==> {step}");
}

/// Runs a program with this terminal as its own.
pub(crate) fn run(command: &mut Command) -> Outcome<()> {
    println!("  $ {}", shown(command));
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` failed ({status})", shown(command))).next("its output is above"))
}

/// Runs a program and hands every line of its output on, both to the terminal and to `line`.
/// Both streams share a pipe, so that the lines keep their order. Returns whether the program succeeded.
pub(crate) fn run_lines(command: &mut Command, mut line: impl FnMut(&str)) -> Outcome<bool> {
    println!("  $ {}", shown(command));
    let lost = |error: io::Error| Failure::new(format!("the output of a program was lost: {error}"));
    let (reader, writer) = io::pipe().map_err(lost)?;
    command.stdin(Stdio::null()).stdout(writer.try_clone().map_err(lost)?).stderr(writer);
    let mut child = command.spawn().map_err(|error| not_started(command, &error))?;
    // The command keeps its ends of the pipe open: without this, the end of the output would never come.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    for text in BufReader::new(reader).split(b'\n') {
        let text = text.map_err(lost)?;
        let text = String::from_utf8_lossy(&text);
        println!("{text}");
        line(&text);
    }
    Ok(child.wait().map_err(lost)?.success())
}

/// Whether a program is there and succeeds; shows nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a program prints, without the white space around it; shows nothing but its errors.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| not_started(command, &error))?;
    if !output.status.success() {
        return Err(Failure::new(format!("`{}` failed ({})", shown(command), output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What a program prints, or nothing where it cannot be asked.
pub(crate) fn output_if_any(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a program that may wait for a network that never answers. Returns whether it succeeded in time.
pub(crate) fn run_within(limit: Duration, command: &mut Command) -> bool {
    println!("  $ {}", shown(command));
    let Ok(mut child) = command.stdin(Stdio::null()).spawn() else {
        println!("    {} cannot be started", command.get_program().display());
        return false;
    };
    let end = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < end => thread::sleep(POLL),
            _ => break,
        }
    }
    println!("    no end after {} s: given up", limit.as_secs());
    // It may end by itself at this very moment, which is as good.
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// A command as it could be typed.
fn shown(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        value.map(|value| format!("{}={}", name.display(), quoted(&value.to_string_lossy())))
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    variables.chain(words.map(|word| quoted(&word.to_string_lossy()))).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains(char::is_whitespace) { format!("'{word}'") } else { word.to_owned() }
}

fn not_started(command: &Command, error: &io::Error) -> Failure {
    Failure::new(format!("`{}` cannot be started: {error}", command.get_program().display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_could_be_typed() {
        let mut command = Command::new("cc");
        command.arg("-o").arg("a file").env("LANG", "C");
        assert_eq!(shown(&command), "LANG=C cc -o 'a file'");
    }

    #[test]
    fn lines_of_both_streams_keep_their_order() {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        command.arg("-c").arg("echo one; echo two >&2; echo three; exit 3");
        let succeeded = run_lines(&mut command, |line| lines.push(line.to_owned())).unwrap();
        assert!(!succeeded);
        assert_eq!(lines, ["one", "two", "three"]);
    }

    #[test]
    fn a_failure_names_the_program() {
        let failure = run(&mut Command::new("no-such-program-anywhere")).unwrap_err().to_string();
        assert!(failure.contains("no-such-program-anywhere"), "{failure}");
    }
}
