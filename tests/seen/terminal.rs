//! A pseudo-terminal of any width and kind, for what only a terminal shows.

use std::{
    fs::File,
    io::Read,
    os::fd::AsFd,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    pty::{Winsize, openpty},
};

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
    let size = |ws_col| Winsize { ws_row: 50, ws_col, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = openpty(Some(&size(columns)), None).expect("a pseudo-terminal can be had");
    let side = || Stdio::from(pty.slave.try_clone().expect("a descriptor can be doubled"));
    command.stdout(side()).stderr(side());
    let mut child = command.spawn().expect("dyno is built");
    drop(command);
    drop(pty.slave);
    let mut screen = File::from(pty.master);
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
            let mut size = rustix::termios::tcgetwinsize(&screen).expect("a terminal has a size");
            size.ws_col = columns;
            rustix::termios::tcsetwinsize(&screen, size).expect("a terminal can be resized");
            resize = None;
        }
    }
    let code = child.wait().expect("a child can be waited for").code();
    Screen { text: String::from_utf8_lossy(&bytes).replace('\r', ""), code }
}
