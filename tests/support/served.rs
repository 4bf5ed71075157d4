//! A server of the real binary in an arena, and those who talk to it.

use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver},
    },
    time::{Duration, Instant},
};

use dyno_core::model::{RunRecord, RunStatus};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tungstenite::{Message, WebSocket, client::IntoClientRequest, stream::MaybeTlsStream};

use super::{arena::Arena, eventually::eventually};

/// A server that ends with the test.
pub(crate) struct Served {
    child: Option<Child>,
    pub(crate) url: String,
    pub(crate) token: Option<String>,
    /// Lines of its log.
    logged: Arc<AtomicU64>,
}

/// The text of that name in an answer.
#[track_caller]
pub(crate) fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {value}"))
}

impl Served {
    /// Starts `dyno serve` and waits until it answers.
    #[track_caller]
    pub(crate) fn start(arena: &Arena, arguments: &[&str]) -> Self {
        let mut command = arena.command(&["serve", "--port", "0"]);
        command.args(arguments);
        Self::of(command)
    }

    /// The same, with a limit on open files.
    #[track_caller]
    pub(crate) fn with_files(arena: &Arena, files: u32) -> Self {
        Self::of(arena.behind(&format!("ulimit -n {files}; exec \"$@\""), &["serve", "--port", "0"]))
    }

    /// Starts a command that becomes a server, and waits until it answers.
    #[track_caller]
    pub(crate) fn of(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("dyno is built");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
        out.read_line(&mut line).expect("the output is text");
        let mut log = BufReader::new(child.stderr.take().expect("it is piped"));
        let Some(url) =
            line.split_whitespace().find(|word| word.starts_with("http://") || word.starts_with("https://"))
        else {
            let mut said = String::new();
            let _ = log.read_to_string(&mut said);
            panic!("the server did not start: {line}{said}");
        };
        let logged = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&logged);
        std::thread::spawn(move || {
            for _ in log.lines().map_while(Result::ok) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { url: url.trim_end_matches(',').to_owned(), child: Some(child), token: None, logged }
    }

    /// Lines that it has logged so far.
    pub(crate) fn logged(&self) -> u64 {
        self.logged.load(Ordering::Relaxed)
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("the address has a port")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Ends it; gives its exit code.
    pub(crate) fn end(mut self, signal: Signal) -> Option<i32> {
        let mut child = self.child.take()?;
        kill(Pid::from_raw(i32::try_from(child.id()).ok()?), signal).ok()?;
        child.wait().ok()?.code()
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        header: Option<(&str, &str)>,
    ) -> (u16, Vec<u8>) {
        self.attempt(method, path, body, header).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn attempt(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        header: Option<(&str, &str)>,
    ) -> Result<(u16, Vec<u8>), ureq::Error> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(120)))
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build()
            .into();
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let answer = match body {
            Some(body) => agent.run(
                request
                    .header("content-type", "application/json")
                    .body(body.to_owned())
                    .expect("it is a request"),
            ),
            None => agent.run(request.body(()).expect("it is a request")),
        };
        let mut answer = answer?;
        let bytes = answer.body_mut().read_to_vec()?;
        Ok((answer.status().as_u16(), bytes))
    }

    /// What an answer says that it is.
    #[track_caller]
    pub(crate) fn media_type(&self, path: &str) -> String {
        let answer = ureq::get(format!("{}{path}", self.url)).call();
        let answer = answer.unwrap_or_else(|error| panic!("{path}: {error}"));
        let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        kind.unwrap_or_else(|| panic!("{path} has no media type")).to_owned()
    }

    /// Processor time that it has used so far, in hundredths of a second.
    pub(crate) fn processor_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("it lives");
        // Its name may hold anything, and ends with the last parenthesis.
        let (_, fields) = stat.rsplit_once(')').expect("the kernel's format");
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
    }

    /// Calls; gives status and text. A body of null is none.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> (u16, String) {
        let text = (!body.is_null()).then(|| body.to_string());
        let (status, bytes) = self.request(method, path, text.as_deref(), None);
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(crate) fn raw(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let (status, bytes) = self.request(method, path, Some(body), None);
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(crate) fn with_header(&self, method: &str, path: &str, name: &str, value: &str) -> (u16, String) {
        let (status, bytes) = self.request(method, path, None, Some((name, value)));
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    #[track_caller]
    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        let (status, bytes) = self.request("GET", path, None, None);
        assert!((200..300).contains(&status), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
        bytes
    }

    #[track_caller]
    pub(crate) fn text(&self, path: &str) -> String {
        String::from_utf8_lossy(&self.bytes(path)).into_owned()
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        let text = self.text(path);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let (status, text) = self.call("POST", path, body);
        assert!((200..300).contains(&status), "{path} {body}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
    }

    /// Waits for the end of a run.
    #[track_caller]
    pub(crate) fn wait(&self, id: &str) -> RunRecord {
        let mut record = None;
        eventually("the run ends", || {
            let (status, text) = self.call("GET", &format!("/api/runs/{id}"), &Value::Null);
            assert_eq!(status, 200, "{text}");
            let found: RunRecord = serde_json::from_str(&text).expect("it is a result");
            let ended = !matches!(found.status, RunStatus::Queued | RunStatus::Running);
            record = Some(found);
            ended
        });
        record.expect("it was found")
    }

    #[track_caller]
    pub(crate) fn websocket(&self, path: &str) -> Socket {
        let address = format!("{}{path}", self.url.replace("http://", "ws://"));
        let request = address.as_str().into_client_request().expect("it is an address");
        let (socket, _) = tungstenite::connect(request).unwrap_or_else(|error| panic!("{path}: {error}"));
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit is possible");
        }
        Socket(socket)
    }

    /// The same where it may be refused, by this status.
    pub(crate) fn try_websocket(&self, path: &str) -> Result<Socket, u16> {
        let address = format!("{}{path}", self.url.replace("http://", "ws://"));
        match tungstenite::connect(address.as_str()) {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// Sends this, and says nothing more; what is heard, and whether the server ended the conversation. `HOST` stands for
    /// its name.
    pub(crate) fn converse(&self, said: &str, until: Instant) -> (String, bool) {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).expect("it listens");
        stream.write_all(said.replace("HOST", host).as_bytes()).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a time limit is possible");
        let (mut heard, mut some) = (Vec::new(), [0; 4_096]);
        while Instant::now() < until {
            match stream.read(&mut some) {
                Ok(0) => return (String::from_utf8_lossy(&heard).into_owned(), true),
                Ok(count) => heard.extend_from_slice(&some[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return (String::from_utf8_lossy(&heard).into_owned(), true),
            }
        }
        (String::from_utf8_lossy(&heard).into_owned(), false)
    }

    /// Listens to server-sent events in the background.
    pub(crate) fn events(&self, path: &str) -> Events {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).expect("it listens");
        let host = self.url.trim_start_matches("http://");
        let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\naccept: text/event-stream\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("it listens");
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).expect("it answers");
        assert!(line.contains("200"), "{line}");
        let (send, receive) = mpsc::channel();
        std::thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                let Some(data) = line.strip_prefix("data:") else { continue };
                let Ok(value) = serde_json::from_str(data.trim()) else { continue };
                if send.send(value).is_err() {
                    return;
                }
            }
        });
        Events(receive)
    }

    /// Posts, and leaves before the answer.
    pub(crate) fn leave(&self, path: &str, body: &Value, after: Duration) {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).expect("it listens");
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("it listens");
        std::thread::sleep(after);
    }

    /// Begins a request and never ends it; whether the server closes the connection in that time.
    pub(crate) fn dawdle(&self, patience: Duration) -> bool {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).expect("it listens");
        stream.write_all(b"GET /api/runs HTTP/1.1\r\nhost: loc").expect("it listens");
        stream.set_read_timeout(Some(patience)).expect("a time limit is possible");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).is_ok()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The client's end of a WebSocket.
pub(crate) struct Socket(WebSocket<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// The next message, whatever it is.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Message {
        self.0.read().expect("the connection lives")
    }

    #[track_caller]
    pub(crate) fn next_json(&mut self) -> Value {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return serde_json::from_str(&text).expect("it speaks JSON"),
                Ok(Message::Close(_)) => panic!("the server closed"),
                Ok(_) => {}
                // A signal that another test meant for its own children.
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("the server does not speak: {error}"),
            }
        }
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).expect("the server listens");
    }

    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.0.read(), Ok(Message::Close(_)) | Err(_))
    }
}

/// Server-sent events as they come.
pub(crate) struct Events(Receiver<Value>);

impl Events {
    pub(crate) fn next(&mut self, until: Instant) -> Option<Value> {
        self.0.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
    }
}
