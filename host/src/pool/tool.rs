//! A program of the user's that is run for its answer or its effect: `git`, a compiler, the command that is told of a
//! regression. It has the user's environment, and what it leaves running is left alone.

use std::{
    fs::File,
    io::{self, Seek, Write},
    os::{fd::AsFd, unix::process::CommandExt},
    path::Path,
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
    /// The folder that it works in; the current one without.
    pub folder: Option<&'a Path>,
    /// Variables beside those of this process.
    pub environment: &'a [(&'a str, &'a str)],
    /// What it finds on its standard input.
    pub input: &'a [u8],
    /// Its standard output is its answer, of at most so many bytes; without, it is treated like what it complains.
    pub answer: Option<usize>,
    /// What becomes of what it complains.
    pub complaints: Complaints<'a>,
    /// Longest time.
    pub patience: Duration,
}

/// What becomes of the standard error of a tool.
#[derive(Debug, Clone, Copy)]
pub enum Complaints<'a> {
    /// It is thrown away.
    Dropped,
    /// Its user sees it, on this process' standard error: a program may be reading JSON from standard output.
    Shown,
    /// It is appended to a file.
    Kept(&'a File),
}

impl Complaints<'_> {
    fn stdio(self) -> io::Result<Stdio> {
        Ok(match self {
            Self::Dropped => Stdio::null(),
            Self::Shown => io::stderr().as_fd().try_clone_to_owned()?.into(),
            Self::Kept(file) => file.try_clone()?.into(),
        })
    }
}

/// Runs a tool and waits for its end; gives its answer.
///
/// # Errors
/// When it cannot be started, fails, takes too long, answers too much, or the user gives up. Its process group is ended then.
pub fn run_tool(command: &ToolCommand<'_>, cancelled: &dyn Fn() -> bool) -> Result<Vec<u8>, HelperFault> {
    let streams = || {
        let stdout = command.answer.map_or_else(|| command.complaints.stdio(), |_| Ok(Stdio::piped()))?;
        Ok((input(command.input)?, stdout, command.complaints.stdio()?))
    };
    let (stdin, stdout, stderr) = streams().map_err(HelperFault::NotStarted)?;
    let child = family::spawn(Kin::Tool, || {
        let mut tool = Command::new(command.program);
        if let Some(folder) = command.folder {
            tool.current_dir(folder);
        }
        tool.args(command.arguments)
            .envs(command.environment.iter().copied())
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .spawn()
    });
    let max_answer_bytes = command.answer.unwrap_or(0);
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

    use dyno_core::model::Exit;
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };

    use super::*;

    fn sh(line: &str, input: &[u8], patience_ms: u64) -> Result<Vec<u8>, HelperFault> {
        let command = ToolCommand {
            program: "sh",
            arguments: &["-c", line],
            folder: None,
            environment: &[("WORD", "hello")],
            input,
            answer: Some(1000),
            complaints: Complaints::Dropped,
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
    fn what_a_tool_says_is_kept_in_the_order_it_was_said() {
        let folder = tempfile::tempdir().unwrap();
        let said = File::options().create_new(true).append(true).open(folder.path().join("said")).unwrap();
        let command = ToolCommand {
            program: "sh",
            arguments: &["-c", "pwd; echo two >&2; echo three; exit 3"],
            folder: Some(folder.path()),
            environment: &[],
            input: &[],
            answer: None,
            complaints: Complaints::Kept(&said),
            patience: Duration::from_secs(60),
        };
        assert!(matches!(run_tool(&command, &|| false), Err(HelperFault::Died(Exit::Code(3), None))));
        let at = folder.path().canonicalize().unwrap();
        let expected = format!("{}\ntwo\nthree\n", at.display());
        assert_eq!(fs::read_to_string(folder.path().join("said")).unwrap(), expected);
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
