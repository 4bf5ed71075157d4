//! A pseudo-terminal of any width and kind, for what only a terminal shows.

use std::{
    fs::File,
    io::{Read, Write},
    num::NonZero,
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt},
};
use rustix::termios::{Winsize, tcgetwinsize, tcsetwinsize};

/// Nothing here takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a command wrote to a terminal, and its exit code.
pub(crate) struct Screen {
    pub(crate) text: String,
    pub(crate) code: Option<i32>,
}

/// Runs a command on a terminal that is `columns` wide. When `resize` is given and its text has appeared, the terminal gets
/// the width beside it.
pub(crate) fn run(mut command: Command, columns: u16, resize: Option<(&str, u16)>) -> Screen {
    let (mut screen, side) = open(columns);
    let double = || Stdio::from(side.try_clone().expect("a descriptor can be doubled"));
    command.stdout(double()).stderr(double());
    let mut child = command.spawn().expect("dyno is built");
    drop(command);
    drop(side);
    let mut bytes = Vec::new();
    let mut resize = resize;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ready = {
            let mut watched = [PollFd::new(screen.as_fd(), PollFlags::POLLIN)];
            poll(&mut watched, PollTimeout::from(1000u16)).unwrap_or(0)
        };
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!("dyno hangs\n{}", String::from_utf8_lossy(&bytes));
        }
        if ready == 0 {
            continue;
        }
        let mut piece = [0; 4096];
        // When the last process has closed the other side, reading fails.
        match screen.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(length) => bytes.extend(&piece[..length]),
        }
        if let Some((text, columns)) = resize
            && String::from_utf8_lossy(&bytes).contains(text)
        {
            let mut size = tcgetwinsize(&screen).expect("a terminal has a size");
            size.ws_col = columns;
            tcsetwinsize(&screen, size).expect("a terminal can be resized");
            resize = None;
        }
    }
    let code = child.wait().expect("a child can be waited for").code();
    Screen { text: String::from_utf8_lossy(&bytes).replace('\r', ""), code }
}

/// Both sides of a new terminal. Children of other tests inherit neither: the terminal ends with the command.
fn open(columns: u16) -> (PtyMaster, File) {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let screen = posix_openpt(flags).expect("a pseudo-terminal can be had");
    grantpt(&screen).and_then(|()| unlockpt(&screen)).expect("a pseudo-terminal can be had");
    let path = ptsname_r(&screen).expect("the other side has a name");
    let side = File::options().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(path);
    let side = side.expect("the other side can be opened");
    let size = Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&side, size).expect("a terminal can be resized");
    (screen, side)
}

/// A program with a screen of its own, and somebody who types.
pub(crate) struct Terminal {
    screen: PtyMaster,
    child: Child,
    /// What the terminal shows, as one that understands its commands does.
    shown: vt100::Parser,
}

impl Terminal {
    /// Starts a program on a terminal of 100 columns and 30 lines.
    pub(crate) fn start(mut command: Command) -> Self {
        let (lines, columns) =
            (const { NonZero::new(30_u16).unwrap() }, const { NonZero::new(100_u16).unwrap() });
        let (screen, side) = open(columns.get());
        let size = Winsize { ws_row: lines.get(), ws_col: columns.get(), ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&side, size).expect("a terminal can be resized");
        let double = || Stdio::from(side.try_clone().expect("a descriptor can be doubled"));
        command.stdin(double()).stdout(double()).stderr(double());
        let child = command.spawn().expect("dyno is built");
        Self { screen, child, shown: vt100::Parser::new(lines, columns, 0) }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.screen.write_all(keys.as_bytes()).expect("the terminal is open");
    }

    /// What is on the screen now.
    pub(crate) fn text(&self) -> String {
        self.shown.screen().contents()
    }

    /// Waits until the screen shows something; gives all of it.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, what: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        while !self.text().contains(what) {
            assert!(Instant::now() < deadline, "the screen never shows `{what}`:\n{}", self.text());
            assert!(self.read(), "dyno ended and the screen does not show `{what}`:\n{}", self.text());
        }
        self.text()
    }

    /// Waits for the end; gives the exit code, and what is on the terminal then.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        while self.read() {
            assert!(Instant::now() < deadline, "dyno does not end:\n{}", self.text());
        }
        let code = self.child.wait().expect("a child can be waited for").code();
        (code, self.text())
    }

    /// Reads what has been written, if something is within a moment; whether there is still somebody who may write.
    fn read(&mut self) -> bool {
        let ready = {
            let mut watched = [PollFd::new(self.screen.as_fd(), PollFlags::POLLIN)];
            poll(&mut watched, PollTimeout::from(200u16)).unwrap_or(0)
        };
        if ready == 0 {
            return true;
        }
        let mut piece = [0; 4096];
        match self.screen.read(&mut piece) {
            Ok(0) | Err(_) => false,
            Ok(length) => {
                self.shown.process(&piece[..length]);
                true
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that has failed leaves no session behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
