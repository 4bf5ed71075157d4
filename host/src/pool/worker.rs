//! One worker process: its channel, its output, its end. Dropping it kills its whole process group.

use std::{
    io::{self, ErrorKind, IoSlice, Read, Write},
    os::{
        fd::{AsFd, AsRawFd, OwnedFd, RawFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    path::PathBuf,
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use dyno_core::{
    model::{Exit, Layout, Stream},
    protocol::{self, FrameError, Reply, Request},
    units,
};
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        personality::{self, Persona},
        signal::Signal,
        socket::{ControlMessage, MsgFlags, sendmsg},
    },
};

use super::{
    Captured,
    believed::{Said, cut},
    control_group::{ControlGroup, ungrouped},
    family::{self, Ending, Kin, pid_of},
    interruption::Interruption,
    out_of_memory,
    output::{Flow, LineReader, printable},
    signal,
};
use crate::{
    fault::{HostFault, Place},
    proc::resident_bytes,
};

/// How often the host looks up while a worker works: for cancellation, memory and a death without a farewell.
const TICK: Duration = Duration::from_millis(50);
/// How long a cancelled worker may take to stop by itself.
const GRACE: Duration = Duration::from_secs(2);
/// How long a worker that closed its channel may take to end, so that its exit can be told.
const LAST_BREATH: Duration = Duration::from_millis(500);
/// Most that is read from the channel at once [bytes].
const CHUNK_BYTES: usize = 64 * 1024;

/// How to start a worker.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The `dyno-worker` binary.
    pub program: PathBuf,
    /// An empty directory to work in.
    pub directory: PathBuf,
    /// Whether it runs with address randomisation.
    pub layout: Layout,
    /// Most memory that it may use [bytes].
    pub memory_limit_bytes: u64,
}

/// What a worker says without being asked.
#[derive(Debug)]
pub enum Unsolicited {
    /// The plugin says how far its stage has come, 0 to 1.
    Progress(f64),
    /// The plugin logged a line.
    Log(String),
}

/// A running worker.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    channel: UnixStream,
    inbox: Vec<u8>,
    /// Where bytes of the channel are read to.
    chunk: Box<[u8]>,
    stdout: Option<LineReader<ChildStdout>>,
    stderr: Option<LineReader<ChildStderr>>,
    captured: Captured,
    said: Said,
    memory_limit_bytes: u64,
    /// When its memory and its end were last looked at; `None`: not since it was asked for another stage.
    looked: Option<Instant>,
    /// Whether code of the plugin may have run in it: then it may say anything.
    is_foreign: bool,
    /// Time that the plugin's code has once it is entered.
    after_entering: Option<Duration>,
    ended: Option<Exit>,
    /// Whether it was ended, and what came of that.
    is_over: bool,
    /// Processes that it had started and that outlived it.
    left_behind: usize,
    /// Processes that the kernel had ended for want of memory when this one was started.
    kills_before: Option<u64>,
    /// Whether it is still there, although it was killed.
    is_stuck: bool,
    /// What it is handed after the next request.
    parcel: Vec<OwnedFd>,
    /// The bounds of all its processes together.
    group: Option<ControlGroup>,
    /// The sentence if the kernel refused them where they are to be had.
    refused_group: Option<String>,
}

/// How a worker ended.
#[derive(Debug)]
pub struct Farewell {
    /// How its process ended; `None`: it had to be killed.
    pub exit: Option<Exit>,
    /// What it wrote.
    pub captured: Captured,
    /// Processes that it had started, that outlived it, and that were killed.
    pub left_behind: usize,
    /// Why what is measured next on its device may be disturbed: it did not even end when it was killed.
    pub stuck: Option<String>,
}

impl Worker {
    /// Starts a worker in a process group of its own, with an empty environment.
    ///
    /// # Errors
    /// When the binary cannot be run, or the machine has no process or descriptor left.
    pub fn spawn(command: &WorkerCommand) -> Result<Self, HostFault> {
        let no_channel =
            |error: io::Error| HostFault::new("cannot make a channel to the worker", &error, Place::Machine);
        let (ours, theirs) = UnixStream::pair().map_err(no_channel)?;
        ours.set_nonblocking(true).map_err(no_channel)?;
        let kills_before = out_of_memory::kills();
        let spawned = with_layout(command.layout, || {
            family::spawn(Kin::Worker, || {
                Command::new(&command.program)
                    .args(["--parent", &std::process::id().to_string()])
                    .env_clear()
                    .current_dir(&command.directory)
                    .stdin(Stdio::from(OwnedFd::from(theirs)))
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .process_group(0)
                    .spawn()
            })
        });
        let mut child = spawned.map_err(|error| not_started(command, &error))?;
        // Before it is told of a plugin: until then it starts nothing that would be left out.
        let (group, refused_group) = match ControlGroup::around(child.id(), command.memory_limit_bytes) {
            Ok(group) => (group, None),
            Err(refusal) => (None, Some(refusal)),
        };
        let stdout =
            child.stdout.take().filter(nonblocking).map(|pipe| LineReader::new(pipe, Stream::Stdout));
        let stderr =
            child.stderr.take().filter(nonblocking).map(|pipe| LineReader::new(pipe, Stream::Stderr));
        Ok(Self {
            child,
            channel: ours,
            inbox: Vec::new(),
            chunk: vec![0; CHUNK_BYTES].into(),
            stdout,
            stderr,
            captured: Captured::default(),
            said: Said::default(),
            memory_limit_bytes: command.memory_limit_bytes,
            looked: None,
            is_foreign: false,
            after_entering: None,
            ended: None,
            is_over: false,
            left_behind: 0,
            kills_before,
            is_stuck: false,
            parcel: Vec::new(),
            group,
            refused_group,
        })
    }

    /// Sends a request; [`Self::listen`] waits for the answer.
    ///
    /// # Errors
    /// When the worker does not take it; it is then of no more use.
    pub fn request(
        &mut self,
        request: &Request,
        deadline: Instant,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(), Interruption> {
        let frame = protocol::encode(request).map_err(Interruption::Babbled)?;
        // A comparison asks for thousands of samples, one by one: looking at each would take longer than some of them.
        if !matches!(request, Request::Sample(_)) {
            self.looked = None;
        }
        self.send(&frame, deadline, cancelled)?;
        let parcel = std::mem::take(&mut self.parcel);
        if !parcel.is_empty() {
            self.hand_over(&parcel, deadline, cancelled)?;
        }
        Ok(())
    }

    /// Hands descriptors over after the next request.
    pub fn hand_over_next(&mut self, descriptors: Vec<OwnedFd>) {
        self.parcel = descriptors;
    }

    /// Sends descriptors with a byte that has no meaning.
    fn hand_over(
        &mut self,
        parcel: &[OwnedFd],
        deadline: Instant,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(), Interruption> {
        let descriptors: Vec<RawFd> = parcel.iter().map(AsRawFd::as_raw_fd).collect();
        let part = [ControlMessage::ScmRights(&descriptors)];
        loop {
            match sendmsg::<()>(
                self.channel.as_raw_fd(),
                &[IoSlice::new(&[0])],
                &part,
                MsgFlags::MSG_NOSIGNAL,
                None,
            ) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => self.await_room(deadline, cancelled)?,
                Err(_) => return Err(self.last_words()),
            }
        }
    }

    /// Writes a whole frame, as fast as the worker takes it: one of some hundred kilobytes does not fit into the channel.
    fn send(
        &mut self,
        frame: &[u8],
        deadline: Instant,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(), Interruption> {
        let mut rest = frame;
        while !rest.is_empty() {
            match self.channel.write(rest) {
                Ok(count) if count > 0 => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.await_room(deadline, cancelled)?;
                }
                Ok(_) | Err(_) => return Err(self.last_words()),
            }
        }
        Ok(())
    }

    /// Waits until the channel takes more.
    fn await_room(&mut self, deadline: Instant, cancelled: &dyn Fn() -> bool) -> Result<(), Interruption> {
        if cancelled() {
            return Err(Interruption::Cancelled);
        }
        let now = Instant::now();
        if now >= deadline {
            return Err(Interruption::TimedOut);
        }
        if let Some(exit) = self.poll_exit() {
            return Err(self.died(exit));
        }
        self.wait((deadline - now).min(TICK), PollFlags::POLLOUT);
        Ok(())
    }

    /// Memory of its process now [bytes].
    #[must_use]
    pub fn resident_bytes(&self) -> Option<u64> {
        resident_bytes(self.child.id())
    }

    /// Why it has no control group of its own; `None` if it has one.
    #[must_use]
    pub fn ungrouped(&self) -> Option<&str> {
        match (&self.group, &self.refused_group) {
            (Some(_), _) => None,
            (None, Some(refusal)) => Some(refusal),
            (None, None) => ungrouped(),
        }
    }

    /// The sentence if it was to have a control group, and the kernel refused it.
    #[must_use]
    pub fn refused_group(&self) -> Option<&str> {
        self.refused_group.as_deref()
    }

    /// Whether code of the plugin may have run in it.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.is_foreign
    }

    /// The time that the plugin's code has for an answer once it is entered, instead of what is left to the deadline then: the
    /// host's own work before it may take longer.
    pub fn limit_after_entering(&mut self, limit: Duration) {
        self.after_entering = Some(limit);
    }

    /// Waits for the next answer: `Log` and `Progress` go to `heard`.
    ///
    /// # Errors
    /// When none comes; the worker is then of no more use.
    pub fn listen(
        &mut self,
        deadline: Instant,
        cancelled: &dyn Fn() -> bool,
        heard: &mut dyn FnMut(Unsolicited),
    ) -> Result<Reply, Interruption> {
        let mut deadline = deadline;
        let mut asked_to_stop = false;
        loop {
            while let Some(reply) = self.next_reply().map_err(Interruption::Babbled)? {
                self.said.count(&reply)?;
                match cut(reply) {
                    Reply::Progress { fraction } => heard(Unsolicited::Progress(fraction.clamp(0.0, 1.0))),
                    Reply::Log { level, text } => {
                        let line = printable(&format!("{level}: {text}"));
                        self.captured.push(Stream::Log, line.clone());
                        heard(Unsolicited::Log(line));
                    }
                    Reply::Entering => {
                        if let (false, Some(limit)) = (self.is_foreign, self.after_entering) {
                            deadline = Instant::now() + limit;
                        }
                        self.is_foreign = true;
                    }
                    Reply::HostFailed { doing, code, said } => return self.host_failed(&doing, code, &said),
                    reply => return Ok(reply),
                }
            }
            if cancelled() && !asked_to_stop {
                asked_to_stop = true;
                family::ask_to_stop(pid_of(&self.child));
                deadline = deadline.min(Instant::now() + GRACE);
            }
            let now = Instant::now();
            if now >= deadline {
                return Err(if asked_to_stop { Interruption::Cancelled } else { Interruption::TimedOut });
            }
            if self.wait_for_bytes((deadline - now).min(TICK)) == Flow::Ended {
                let words = self.last_words();
                return Err(if asked_to_stop { Interruption::Cancelled } else { words });
            }
            if self.looked.is_some_and(|looked| looked.elapsed() < TICK) {
                continue;
            }
            self.looked = Some(Instant::now());
            if let Some(used) = resident_bytes(self.child.id()).filter(|used| *used > self.memory_limit_bytes)
            {
                return Err(Interruption::OverMemory {
                    together: false,
                    used,
                    limit: self.memory_limit_bytes,
                });
            }
            if let Some(exit) = self.poll_exit() {
                self.take_all_bytes();
                // A child that it forked may hold the channel open: its end counts, not the channel's.
                if !matches!(protocol::split(&self.inbox), Ok(Some(_))) {
                    return Err(if asked_to_stop { Interruption::Cancelled } else { self.died(exit) });
                }
            }
        }
    }

    /// Waits for the worker to end by itself until the deadline, then ends it and whatever it started.
    #[must_use]
    pub fn finish(mut self, deadline: Instant) -> Farewell {
        while self.poll_exit().is_none() && Instant::now() < deadline {
            // The channel is done with: only the end and the output matter.
            self.wait_for_bytes(Duration::from_millis(1));
            self.inbox.clear();
        }
        let exit = self.poll_exit();
        self.end();
        let stuck = self.is_stuck.then(|| {
            format!(
                "the worker (process {}) did not end within {} s after it was killed: it is stuck in the kernel, most likely in a \
                 driver; what is measured next on this device may be disturbed until it ends",
                self.child.id(),
                family::PATIENCE.as_secs()
            )
        });
        Farewell { exit, captured: std::mem::take(&mut self.captured), left_behind: self.left_behind, stuck }
    }

    /// The last lines that the plugin wrote.
    #[must_use]
    pub fn last_output(&self) -> Vec<String> {
        self.captured.last_lines()
    }

    /// Kills the worker with everything it started, and reads what it still had to say.
    fn end(&mut self) {
        // Only once: its number may be another's by then.
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        // It is dropped here: what multiplies is best ended at once, before orphans are hunted one by one.
        let others = self.group.take().map(|group| group.others(self.child.id()));
        let Ending { status, is_stuck, left_behind } = family::end(&mut self.child);
        if let Some(status) = status {
            self.ended.get_or_insert(signal::exit(status));
        }
        // A group knows whose processes are whose even where other workers run.
        (self.is_stuck, self.left_behind) = (is_stuck, others.unwrap_or(left_behind));
        // Every writer is dead: what is in the pipes is all there will be. A bound, in case one escaped.
        for _ in 0..64 {
            let before = (self.stdout.is_some(), self.stderr.is_some());
            self.read_output(true, true);
            if before == (false, false) {
                break;
            }
        }
    }

    /// What a worker says of the host counts while only code of ours has run in it.
    fn host_failed(&self, doing: &str, code: Option<i32>, said: &str) -> Result<Reply, Interruption> {
        let doing = printable(doing);
        if self.is_foreign {
            return Ok(Reply::Failed { message: format!("{doing}: {}", printable(said)) });
        }
        Err(Interruption::Host(match code {
            Some(code) => HostFault::new(doing, &io::Error::from_raw_os_error(code), Place::Machine),
            None => HostFault::other(doing, printable(said), Place::Machine),
        }))
    }

    /// How a worker that no longer answers ended, once it has had time to.
    fn last_words(&mut self) -> Interruption {
        let deadline = Instant::now() + LAST_BREATH;
        while Instant::now() < deadline {
            if let Some(exit) = self.poll_exit() {
                // Everything it wrote is in the pipes by now.
                for _ in 0..16 {
                    self.read_output(true, true);
                }
                return self.died(exit);
            }
            self.wait_for_bytes(Duration::from_millis(2));
            // Nobody reads any more what it sends instead of ending.
            self.inbox.clear();
        }
        Interruption::LeftChannel
    }

    /// A worker that the kernel ended for want of memory says nothing about the plugin, which had kept its own limit: the
    /// host watches that.
    fn died(&self, exit: Exit) -> Interruption {
        let is_killed = matches!(exit, Exit::Signal { number, .. } if number == Signal::SIGKILL as i32);
        if is_killed && let Some(used) = self.group.as_ref().and_then(ControlGroup::ran_out_of_memory) {
            return Interruption::OverMemory { together: true, used, limit: self.memory_limit_bytes };
        }
        let kills = out_of_memory::kills().zip(self.kills_before);
        if !is_killed || kills.is_none_or(|(now, before)| now <= before) {
            return Interruption::Died(exit);
        }
        let limit = units::bytes(self.memory_limit_bytes as f64);
        let doing = format!("the kernel ended the worker, which may use up to {limit} (--memory)");
        Interruption::Host(HostFault::new(doing, &Errno::ENOMEM.into(), Place::Machine))
    }

    fn poll_exit(&mut self) -> Option<Exit> {
        if self.ended.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            self.ended = Some(signal::exit(status));
        }
        self.ended.clone()
    }

    fn next_reply(&mut self) -> Result<Option<Reply>, FrameError> {
        let Some((payload, length)) = protocol::split(&self.inbox)? else { return Ok(None) };
        let reply = protocol::decode(payload)?;
        self.inbox.drain(..length);
        Ok(Some(reply))
    }

    /// Takes in what a dead worker left in its channel and pipes.
    fn take_all_bytes(&mut self) {
        for _ in 0..64 {
            let before = self.inbox.len();
            if self.wait_for_bytes(Duration::ZERO) == Flow::Ended || self.inbox.len() == before {
                break;
            }
        }
    }

    /// Waits until anything comes from the worker, at most so long, and takes it in. `Ended`: the channel is closed.
    fn wait_for_bytes(&mut self, at_most: Duration) -> Flow {
        if self.wait(at_most, PollFlags::POLLIN) { self.read_channel() } else { Flow::Open }
    }

    /// Waits until something can be done with the channel, or its output has come, at most so long, and takes the output in. Gives
    /// whether something can be done with the channel.
    fn wait(&mut self, at_most: Duration, wanted: PollFlags) -> bool {
        let (mut out_ready, mut err_ready) = (false, false);
        let channel_ready = {
            let mut fds = vec![PollFd::new(self.channel.as_fd(), wanted)];
            if let Some(reader) = &self.stdout {
                fds.push(PollFd::new(reader.source().as_fd(), PollFlags::POLLIN));
            }
            if let Some(reader) = &self.stderr {
                fds.push(PollFd::new(reader.source().as_fd(), PollFlags::POLLIN));
            }
            let timeout = PollTimeout::try_from(at_most).unwrap_or(PollTimeout::MAX);
            if poll(&mut fds, timeout).unwrap_or(0) > 0 {
                let ready = |index: usize| fds.get(index).and_then(PollFd::any).unwrap_or(false);
                out_ready = self.stdout.is_some() && ready(1);
                err_ready = self.stderr.is_some() && ready(1 + usize::from(self.stdout.is_some()));
                ready(0)
            } else {
                false
            }
        };
        self.read_output(out_ready, err_ready);
        channel_ready
    }

    fn read_output(&mut self, out_ready: bool, err_ready: bool) {
        if out_ready
            && let Some(reader) = &mut self.stdout
            && reader.take_chunk(&mut self.captured) == Flow::Ended
        {
            self.stdout = None;
        }
        if err_ready
            && let Some(reader) = &mut self.stderr
            && reader.take_chunk(&mut self.captured) == Flow::Ended
        {
            self.stderr = None;
        }
    }

    fn read_channel(&mut self) -> Flow {
        match self.channel.read(&mut self.chunk) {
            Ok(0) => Flow::Ended,
            Ok(count) => {
                self.inbox.extend(&self.chunk[..count]);
                Flow::Open
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                Flow::Open
            }
            Err(_) => Flow::Ended,
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

/// Why a worker was not started: its program, its folder, or what every process needs.
fn not_started(command: &WorkerCommand, error: &io::Error) -> HostFault {
    let doing = format!("cannot start the worker `{}`", command.program.display());
    if error.raw_os_error() == Some(Errno::ENOENT as i32) && command.program.exists() {
        let folder = command.directory.display();
        return HostFault::new(format!("{doing} in `{folder}`"), error, Place::Temporary);
    }
    HostFault::new(doing, error, Place::Worker)
}

/// A pipe that cannot be made non-blocking is not read at all: a plugin must not be able to hang the host.
fn nonblocking(pipe: &impl AsFd) -> bool {
    fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).is_ok()
}

/// Runs `spawn` with the address randomisation that its child is to inherit, and restores ours.
fn with_layout<T>(layout: Layout, spawn: impl FnOnce() -> T) -> T {
    let before = personality::get().ok();
    if let Some(before) = before {
        let wanted = match layout {
            Layout::Fixed => before | Persona::ADDR_NO_RANDOMIZE,
            Layout::Random => before & !Persona::ADDR_NO_RANDOMIZE,
        };
        // Where the kernel refuses (some containers do), the worker says so: `fixed_layout` is not among its layers.
        let _ = personality::set(wanted);
    }
    let result = spawn();
    if let Some(before) = before {
        let _ = personality::set(before);
    }
    result
}

#[cfg(test)]
mod tests {
    use std::{fs, net::Shutdown, os::unix::fs::PermissionsExt};

    use tempfile::TempDir;

    use super::*;

    /// A script in place of a worker.
    fn started(script: &str) -> (Worker, TempDir) {
        family::beside_strangers();
        let folder = tempfile::tempdir().unwrap();
        let (text, program) = (folder.path().join("text"), folder.path().join("program"));
        fs::write(&text, format!("#!/bin/sh\n{script}\n")).unwrap();
        // Copied by another process: a file that this one has open for writing could not be run.
        assert!(Command::new("cp").args([&text, &program]).status().unwrap().success());
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let command = WorkerCommand {
            program,
            directory: folder.path().to_owned(),
            layout: Layout::Random,
            memory_limit_bytes: 1 << 30,
        };
        (Worker::spawn(&command).unwrap(), folder)
    }

    #[test]
    fn a_request_longer_than_the_channel_arrives_as_it_is_taken() {
        let (mut worker, folder) = started("/bin/sleep 0.2; exec /bin/cat > taken");
        let late = Instant::now() + Duration::from_secs(120);
        let frame: Vec<u8> = (0..3u32 << 18).flat_map(u32::to_le_bytes).collect();
        worker.send(&frame, late, &|| false).unwrap();
        worker.channel.shutdown(Shutdown::Write).unwrap();
        let farewell = worker.finish(late);
        assert_eq!((farewell.exit, farewell.stuck), (Some(Exit::Code(0)), None));
        assert!(fs::read(folder.path().join("taken")).unwrap() == frame, "other bytes arrived");
    }

    #[test]
    fn a_request_that_is_not_taken_is_waited_for_within_bounds() {
        let frame = vec![0; 3 << 20];
        let (mut worker, _folder) = started("exec /bin/sleep 1000");
        let soon = Instant::now() + Duration::from_millis(100);
        assert!(matches!(worker.send(&frame, soon, &|| false), Err(Interruption::TimedOut)));
        let late = Instant::now() + Duration::from_secs(120);
        assert!(matches!(worker.send(&frame, late, &|| true), Err(Interruption::Cancelled)));
        assert_eq!(worker.finish(Instant::now()).exit, None, "it had to be killed");
        let (mut worker, _folder) = started("exit 3");
        assert!(matches!(worker.send(&frame, late, &|| false), Err(Interruption::Died(Exit::Code(3)))));
    }
}
