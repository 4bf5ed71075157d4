//! The command hook: a line for the shell, which gets the body on its standard input.

use std::{
    io::Write,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Longest time that the command may take.
const TIMEOUT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// Runs the line by `sh -c`, with the body on standard input and the event in `DYNO_EVENT`.
pub(super) fn run(line: &str, body: &str, cancelled: &dyn Fn() -> bool) -> Result<(), String> {
    let mut child = Command::new("sh")
        .args(["-c", line])
        .env("DYNO_EVENT", "regression")
        .stdin(Stdio::piped())
        // Standard output is ours: a program may be reading JSON there.
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("the notification command `{line}` cannot be started: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        let body = body.to_owned();
        // A command that never reads must not hold us: the thread ends with the pipe.
        let write = move || drop(input.write_all(body.as_bytes()));
        // Without it the command finds its input empty, and says so or fails.
        drop(std::thread::Builder::new().spawn(write));
    }
    let end = Instant::now() + TIMEOUT;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("the notification command `{line}` failed ({status})")),
            Ok(None) if Instant::now() < end && !cancelled() => std::thread::sleep(POLL),
            Ok(None) | Err(_) => {
                // It may have ended by itself at this very moment, which is as good.
                let _ = child.kill();
                let _ = child.wait();
                if cancelled() {
                    return Err(format!("the notification command `{line}` was ended: cancelled"));
                }
                return Err(format!(
                    "the notification command `{line}` took longer than {} s and was ended",
                    TIMEOUT.as_secs()
                ));
            }
        }
    }
}
