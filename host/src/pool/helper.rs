//! A short program that is asked one question: bounded in time, memory and output, and dead afterwards.

use std::{
    fmt,
    fs::File,
    io::{self, ErrorKind, Read},
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::CommandExt,
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use dyno_core::model::Exit;
use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use super::{
    family::{self, Kin},
    output::printable,
    signal,
};
use crate::{fault::Resource, proc::resident_bytes};

/// How often memory and end are looked at.
const TICK: Duration = Duration::from_millis(10);
/// How much of what it complains is kept [bytes].
const MAX_COMPLAINT: usize = 4096;

/// What to ask, and within what bounds.
#[derive(Debug, Clone)]
pub struct HelperCommand {
    /// The program.
    pub program: PathBuf,
    /// The question.
    pub arguments: Vec<String>,
    /// Longest time.
    pub patience: Duration,
    /// Most memory [bytes].
    pub memory_limit_bytes: u64,
    /// Longest answer [bytes].
    pub max_answer_bytes: usize,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum HelperFault {
    /// It cannot be started.
    NotStarted(io::Error),
    /// The user gave up.
    Cancelled,
    /// It took too long.
    TimedOut(Duration),
    /// It used too much memory [bytes].
    OverMemory(u64),
    /// It said too much [bytes].
    TooLong(usize),
    /// It did not end well; the last line that it complained.
    Died(Exit, Option<String>),
}

impl HelperFault {
    /// Whether it says nothing about what was to be asked: the machine had no process or descriptor left, or the user gave
    /// up.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::NotStarted(error) => Resource::of(error).is_exhausted(),
            Self::Cancelled => true,
            Self::TimedOut(_) | Self::OverMemory(_) | Self::TooLong(_) | Self::Died(..) => false,
        }
    }
}

impl fmt::Display for HelperFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(error) => write!(f, "it cannot be started: {error}"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::TimedOut(patience) => {
                write!(f, "it did not answer within {} s and was killed", patience.as_secs_f64())
            }
            Self::OverMemory(limit) => write!(
                f,
                "it used more than {} of memory and was killed",
                dyno_core::units::bytes(*limit as f64)
            ),
            Self::TooLong(limit) => {
                write!(
                    f,
                    "it answered with more than {} and was killed",
                    dyno_core::units::bytes(*limit as f64)
                )
            }
            Self::Died(exit, None) => write!(f, "it ended with {exit}"),
            Self::Died(exit, Some(said)) => write!(f, "it ended with {exit} and said: {said}"),
        }
    }
}

/// Runs the program in a process group of its own with an empty environment, as workers run, and returns what it wrote
/// to standard output.
///
/// # Errors
/// When it crashes, hangs, swells or babbles.
pub fn ask_helper(command: &HelperCommand, cancelled: &dyn Fn() -> bool) -> Result<Vec<u8>, HelperFault> {
    let child = family::spawn(Kin::Probe, || {
        Command::new(&command.program)
            .args(&command.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
    });
    let bounds = Bounds {
        patience: command.patience,
        memory_limit_bytes: command.memory_limit_bytes,
        max_answer_bytes: command.max_answer_bytes,
    };
    Helper::new(child.map_err(HelperFault::NotStarted)?).listen(&bounds, cancelled)
}

/// What a program that is asked something may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) patience: Duration,
    pub(super) memory_limit_bytes: u64,
    pub(super) max_answer_bytes: usize,
}

/// A program that was asked something. It is over when this is dropped.
pub(super) struct Helper {
    child: Child,
    answer: Pipe,
    complaint: Pipe,
}

/// A pipe that is read as far as there is something in it.
struct Pipe {
    file: Option<File>,
    bytes: Vec<u8>,
}

impl Pipe {
    fn new(end: Option<OwnedFd>) -> Self {
        // A pipe that cannot be made non-blocking is not read at all: nobody may hang the host.
        let usable = end.filter(|end| fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).is_ok());
        Self { file: usable.map(File::from), bytes: Vec::new() }
    }

    /// Reads what is there, but keeps no more than `most` bytes, and one to tell that there were more.
    fn read(&mut self, most: usize) {
        let mut chunk = [0; 16 * 1024];
        while let Some(file) = &mut self.file {
            match file.read(&mut chunk) {
                Ok(0) => self.file = None,
                Ok(count) => {
                    let room = (most + 1).saturating_sub(self.bytes.len()).min(count);
                    self.bytes.extend(chunk.get(..room).unwrap_or_default());
                    if room < count {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.file = None,
            }
        }
    }
}

impl Helper {
    /// A child whose answer is its standard output, and whose complaint its standard error, where these are pipes.
    pub(super) fn new(mut child: Child) -> Self {
        let answer = Pipe::new(child.stdout.take().map(OwnedFd::from));
        let complaint = Pipe::new(child.stderr.take().map(OwnedFd::from));
        Self { child, answer, complaint }
    }

    /// Waits for the end of the program and gives its answer.
    pub(super) fn listen(
        mut self,
        bounds: &Bounds,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<u8>, HelperFault> {
        let deadline = Instant::now() + bounds.patience;
        loop {
            self.wait_for_bytes(TICK);
            let ended = self.child.try_wait().ok().flatten();
            self.answer.read(bounds.max_answer_bytes);
            self.complaint.read(MAX_COMPLAINT);
            if self.answer.bytes.len() > bounds.max_answer_bytes {
                return Err(HelperFault::TooLong(bounds.max_answer_bytes));
            }
            match ended.map(signal::exit) {
                Some(Exit::Code(0)) => return Ok(std::mem::take(&mut self.answer.bytes)),
                Some(exit) => return Err(HelperFault::Died(exit, self.last_complaint())),
                None if cancelled() => return Err(HelperFault::Cancelled),
                None if Instant::now() >= deadline => return Err(HelperFault::TimedOut(bounds.patience)),
                None => {}
            }
            if resident_bytes(self.child.id()).is_some_and(|used| used > bounds.memory_limit_bytes) {
                return Err(HelperFault::OverMemory(bounds.memory_limit_bytes));
            }
        }
    }

    /// The last line on standard error that says anything.
    fn last_complaint(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.complaint.bytes);
        let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
        Some(printable(line.trim()).chars().take(300).collect())
    }

    fn wait_for_bytes(&self, at_most: Duration) {
        let pipes = [&self.answer, &self.complaint];
        let mut fds: Vec<PollFd<'_>> = pipes
            .iter()
            .filter_map(|pipe| pipe.file.as_ref())
            .map(|file| PollFd::new(file.as_fd(), PollFlags::POLLIN))
            .collect();
        if fds.is_empty() {
            // It closed both and goes on: only its end is left to wait for.
            std::thread::sleep(at_most.min(Duration::from_millis(1)));
            return;
        }
        // An interruption is as good as an answer: the loop looks again.
        let _ = poll(&mut fds, PollTimeout::try_from(at_most).unwrap_or(PollTimeout::MAX));
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        family::end(&mut self.child);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(script: &str, patience_ms: u64) -> Result<Vec<u8>, String> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("helper");
        // A shell started on a file that is being written elsewhere would be "busy": the file is a script for `sh`.
        std::fs::write(&program, script).unwrap();
        ask_helper(
            &HelperCommand {
                program: PathBuf::from("/bin/sh"),
                arguments: vec![program.display().to_string()],
                patience: Duration::from_millis(patience_ms),
                memory_limit_bytes: 256 << 20,
                max_answer_bytes: 1000,
            },
            &|| false,
        )
        .map_err(|fault| fault.to_string())
    }

    #[test]
    fn an_answer_is_what_was_written() {
        assert_eq!(ask("echo hello", 60_000).unwrap(), b"hello\n");
        // What it leaves running does not keep the host waiting.
        assert_eq!(ask("/bin/sleep 1000 & echo hello", 60_000).unwrap(), b"hello\n");
    }

    #[test]
    fn every_way_to_misbehave_is_a_sentence() {
        let said = |script, patience_ms| ask(script, patience_ms).unwrap_err();
        assert!(said("kill -SEGV $$", 60_000).contains("SIGSEGV"));
        assert!(
            said("echo one >&2; echo broken >&2; exit 3", 60_000).ends_with("exit code 3 and said: broken")
        );
        assert!(said("while :; do :; done", 100).contains("did not answer within 0.1 s"));
        assert!(said("exec >&- 2>&-; while :; do :; done", 100).contains("did not answer"));
        assert!(
            said("while :; do echo 0123456789012345678901234567890123456789; done", 60_000)
                .contains("more than")
        );
        assert!(said("while :; do echo babble >&2; done", 300).contains("did not answer"));
    }

    #[test]
    fn a_program_that_is_not_there_says_so() {
        let command = HelperCommand {
            program: PathBuf::from("/nowhere/dyno-probe"),
            arguments: Vec::new(),
            patience: Duration::from_secs(1),
            memory_limit_bytes: 1 << 20,
            max_answer_bytes: 1,
        };
        assert!(ask_helper(&command, &|| false).unwrap_err().to_string().contains("cannot be started"));
    }
}
