//! A stream of events, heard in a thread of its own: whoever waits for the next can look after other things meanwhile.

use std::{
    io::{self, BufRead, BufReader, Read},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use super::{Connection, ServerError};

/// Events that are heard ahead of whoever takes them.
const AHEAD: usize = 256;
/// Longest line of a stream [bytes].
const LONGEST: u64 = 64 << 20;

/// What is heard on a stream.
#[derive(Debug)]
pub enum Heard {
    /// An event, JSON.
    Event(String),
    /// The server lives, and has nothing to tell.
    Alive,
    /// The stream broke.
    Broken(ServerError),
}

impl Connection {
    /// Listens to a stream of events. What is heard comes through the channel, which closes when the stream ends; a thread
    /// that nobody listens to any more ends by itself.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn follow(&self, path: &str) -> io::Result<Receiver<Heard>> {
        let (tell, heard) = sync_channel(AHEAD);
        let (connection, path) = (self.clone(), path.to_owned());
        thread::Builder::new().name("events".to_owned()).spawn(move || {
            if let Err(error) = connection.hear(&path, &tell) {
                // Nobody listens: nobody is told.
                let _ = tell.send(Heard::Broken(error));
            }
        })?;
        Ok(heard)
    }

    /// Tells what a stream says until it ends, or nobody listens any more.
    fn hear(&self, path: &str, tell: &SyncSender<Heard>) -> Result<(), ServerError> {
        let mut reader = BufReader::new(self.stream(path)?);
        loop {
            let mut line = Vec::new();
            let read = reader.by_ref().take(LONGEST).read_until(b'\n', &mut line);
            if read.map_err(|error| self.unreachable(&error))? == 0 {
                return Ok(());
            }
            if !line.ends_with(b"\n") {
                return Err(self.unreadable(&"a line of its events is too long, or was cut off"));
            }
            let heard = match line.strip_prefix(b"data:") {
                Some(data) => Heard::Event(String::from_utf8_lossy(data).trim().to_owned()),
                None => Heard::Alive,
            };
            if tell.send(heard).is_err() {
                return Ok(());
            }
        }
    }
}
