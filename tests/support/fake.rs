//! Something that listens where a server is expected: it writes down what it is sent, and answers what a test tells it to.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::Value;

/// A request: its first line without the version, and its head.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) line: String,
    pub(crate) head: String,
}

/// What is answered.
pub(crate) enum Answer {
    Json(Value),
    /// A stream of events that ends at once.
    NoEvents,
    /// A stream of events that says nothing, and goes on.
    Silence,
}

/// The listener.
pub(crate) struct Fake {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Fake {
    /// Answers on a port of its own.
    pub(crate) fn start(answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a port is free"), answer)
    }

    /// Answers on this listener. `answer` gets the line of a request, and how often it was heard before.
    pub(crate) fn on(
        listener: TcpListener,
        answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (all, answer) = (Arc::clone(&heard), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (all, answer) = (Arc::clone(&all), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &all, &*answer));
            }
        });
        Self { url, heard }
    }

    /// What it was sent so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("no test panics in it").clone()
    }

    /// How often it was asked for this.
    pub(crate) fn count(&self, line: &str) -> usize {
        self.heard().iter().filter(|heard| heard.line == line).count()
    }
}

fn serve(mut stream: TcpStream, all: &Mutex<Vec<Heard>>, answer: &dyn Fn(&str, usize) -> Answer) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
    let Ok(copy) = stream.try_clone() else { return };
    let mut reader = BufReader::new(copy);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).is_ok_and(|read| read == 0) || head.len() > 64 * 1024 {
            break;
        }
    }
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:").map(str::to_owned));
    let length: u64 = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let _ = reader.take(length).read_to_end(&mut Vec::new());
    let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    let before = {
        let mut all = all.lock().expect("no test panics in it");
        let before = all.iter().filter(|heard: &&Heard| heard.line == line).count();
        all.push(Heard { line: line.clone(), head });
        before
    };
    let (kind, body) = match answer(&line, before) {
        Answer::Json(value) => ("application/json", value.to_string()),
        Answer::NoEvents => ("text/event-stream", String::new()),
        Answer::Silence => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n");
            thread::sleep(Duration::from_secs(600));
            return;
        }
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}
