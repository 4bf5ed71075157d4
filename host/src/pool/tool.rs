//! A program of the user's that is run for its answer or its effect: `git`, the command that is told of a regression. It has the
//! user's environment and folder, and what it leaves running is left alone.

use std::{
    io::{self, Seek, Write},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    time::Duration,
};

use super::{
    family::{self, Kin},
    helper::{Bounds, Helper, HelperFault},
};

/// What to run, and within what bounds.
#[derive(Debug, Clone, Copy)]
pub struct ToolCommand<'a> {
    /// The program, which is looked for in `PATH`.
    pub program: &'a str,
    /// Its arguments.
    pub arguments: &'a [&'a str],
    /// Variables beside those of this process.
    pub environment: &'a [(&'a str, &'a str)],
    /// What it finds on its standard input.
    pub input: &'a [u8],
    /// What becomes of its output.
    pub output: ToolOutput,
    /// Longest time.
    pub patience: Duration,
}

/// What becomes of the output of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolOutput {
    /// Standard output is its answer, of at most so many bytes; what it complains is thrown away.
    Answer(usize),
    /// Its user sees what it complains; standard output is thrown away, for a program may be reading JSON there.
    Shown,
}

/// Runs a tool and waits for its end; gives its answer.
///
/// # Errors
/// When it cannot be started, fails, takes too long, answers too much, or the user gives up. Its process group is ended then.
pub fn run_tool(command: &ToolCommand<'_>, cancelled: &dyn Fn() -> bool) -> Result<Vec<u8>, HelperFault> {
    let (stdout, stderr, max_answer_bytes) = match command.output {
        ToolOutput::Answer(most) => (Stdio::piped(), Stdio::null(), most),
        ToolOutput::Shown => (Stdio::null(), Stdio::inherit(), 0),
    };
    let stdin = input(command.input).map_err(HelperFault::NotStarted)?;
    let child = family::spawn(Kin::Tool, || {
        Command::new(command.program)
            .args(command.arguments)
            .envs(command.environment.iter().copied())
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .spawn()
    });
    let bounds = Bounds { patience: command.patience, memory_limit_bytes: u64::MAX, max_answer_bytes };
    Helper::new(child.map_err(HelperFault::NotStarted)?).listen(&bounds, cancelled)
}

/// A file without a name that holds the input: a tool that never reads it holds nobody.
fn input(bytes: &[u8]) -> io::Result<Stdio> {
    if bytes.is_empty() {
        return Ok(Stdio::null());
    }
    let mut file = tempfile::tempfile()?;
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use std::{fs, thread};

    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };

    use super::*;

    fn sh(line: &str, input: &[u8], patience_ms: u64) -> Result<Vec<u8>, HelperFault> {
        let command = ToolCommand {
            program: "sh",
            arguments: &["-c", line],
            environment: &[("WORD", "hello")],
            input,
            output: ToolOutput::Answer(1000),
            patience: Duration::from_millis(patience_ms),
        };
        run_tool(&command, &|| false)
    }

    #[test]
    fn a_tool_reads_its_input_and_answers_within_its_bounds() {
        assert_eq!(sh("cat; echo $WORD", b"one\n", 60_000).unwrap(), b"one\nhello\n");
        // More than a pipe holds, and nobody reads it.
        assert_eq!(sh("echo $WORD", &vec![b'x'; 1 << 20], 60_000).unwrap(), b"hello\n");
        assert!(matches!(sh("exit 3", b"", 60_000), Err(HelperFault::Died(..))));
        assert!(matches!(sh("while :; do :; done", b"", 100), Err(HelperFault::TimedOut(_))));
        assert!(matches!(sh("while :; do echo $WORD; done", b"", 60_000), Err(HelperFault::TooLong(_))));
    }

    #[test]
    fn the_end_of_a_worker_touches_no_tool_and_nothing_that_one_left_running() {
        family::beside_strangers();
        let left = sh("setsid sleep 600 > /dev/null 2>&1 & echo $!", b"", 60_000).unwrap();
        let left = Pid::from_raw(String::from_utf8(left).unwrap().trim().parse().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let (began, goes_on) = (folder.path().join("began"), folder.path().join("goes-on"));
        let line = format!(
            "touch '{}'; until [ -e '{}' ]; do sleep 0.01; done; echo $WORD",
            began.display(),
            goes_on.display()
        );
        let tool = thread::spawn(move || sh(&line, b"", 60_000));
        while !began.exists() && !tool.is_finished() {
            thread::sleep(Duration::from_millis(1));
        }
        let mut worker =
            family::spawn(Kin::Worker, || Command::new("true").process_group(0).spawn()).unwrap();
        assert_eq!(family::end(&mut worker).left_behind, 0);
        fs::write(&goes_on, "").unwrap();
        assert_eq!(tool.join().unwrap().unwrap(), b"hello\n");
        assert!(kill(left, None).is_ok(), "what a tool left running was ended");
        kill(left, Signal::SIGKILL).unwrap();
    }
}
