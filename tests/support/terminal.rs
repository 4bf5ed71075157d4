//! A pseudo-terminal of any width and kind, for what only a terminal shows.

use std::{
    fs::File,
    io::Read,
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    process::{Command, Stdio},
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
