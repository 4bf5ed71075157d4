//! A small load generator: connections that are kept, one request after the other on each; and a WebSocket.
//!
//! HTTP/1.1 by hand, as far as our own server speaks it, so that the generator costs next to nothing beside it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::median;
use crate::{
    bench::table::time,
    failure::{Failure, Outcome},
};

/// How long each path is loaded.
const LENGTH: Duration = Duration::from_secs(4);

/// What a load came to.
pub(super) struct Load {
    per_second: f64,
    /// Times of all requests [ns], sorted.
    times: Vec<f64>,
}

impl Load {
    /// Asks on so many connections at the same time, for [`LENGTH`]. `path` is given the number of the question.
    pub(super) fn on(
        address: &str,
        path: &(dyn Fn(u64) -> String + Sync),
        connections: usize,
    ) -> Outcome<Self> {
        let begin = Instant::now();
        let number = AtomicU64::new(0);
        let ask = || -> Outcome<Vec<f64>> {
            let mut connection = Connection::open(address)?;
            let mut times = Vec::new();
            while begin.elapsed() < LENGTH {
                let path = path(number.fetch_add(1, Ordering::Relaxed));
                let asked = Instant::now();
                let (status, _) = connection.ask("GET", &path, "")?;
                if status != 200 {
                    return Err(Failure::new(format!("`{path}` was answered with {status}")));
                }
                times.push(asked.elapsed().as_secs_f64() * 1e9);
            }
            Ok(times)
        };
        let all: Vec<Outcome<Vec<f64>>> = thread::scope(|scope| {
            let asking: Vec<_> = (0..connections).map(|_| scope.spawn(ask)).collect();
            asking
                .into_iter()
                .map(|one| one.join().unwrap_or_else(|_| Err(Failure::new("a connection panicked"))))
                .collect()
        });
        let seconds = begin.elapsed().as_secs_f64();
        let mut times: Vec<f64> = all.into_iter().collect::<Outcome<Vec<_>>>()?.concat();
        times.sort_by(f64::total_cmp);
        Ok(Self { per_second: times.len() as f64 / seconds, times })
    }

    /// Rate, median, 99th percentile.
    pub(super) fn shown(&self) -> String {
        let p99 = self.times.get(self.times.len() * 99 / 100).copied().unwrap_or(f64::NAN);
        format!("{:.0}/s, p50 {}, p99 {}", self.per_second, time(median(&mut self.times.clone())), time(p99))
    }
}

/// How long each of these calls takes [ns]. What it returns is dropped after that.
pub(super) fn times<T>(numbers: Range<u32>, mut call: impl FnMut(u32) -> Outcome<T>) -> Outcome<Vec<f64>> {
    let timed = numbers.map(|number| {
        let begin = Instant::now();
        let _kept = call(number)?;
        Ok(begin.elapsed().as_secs_f64() * 1e9)
    });
    timed.collect()
}

/// One GET.
pub(super) fn get(address: &str, path: &str) -> Outcome<Value> {
    once(address, "GET", path, "")
}

/// One POST of JSON.
pub(super) fn post(address: &str, path: &str, body: &str) -> Outcome<Value> {
    once(address, "POST", path, body)
}

fn once(address: &str, method: &str, path: &str, body: &str) -> Outcome<Value> {
    let (status, body) = Connection::open(address)?.ask(method, path, body)?;
    let text = String::from_utf8_lossy(&body);
    if !(200..300).contains(&status) {
        return Err(Failure::new(format!("`{method} {path}` was answered with {status}: {text}")));
    }
    serde_json::from_str(&text).map_err(|error| Failure::new(format!("`{path}` gave no JSON: {error}")))
}

pub(in crate::bench) struct Connection {
    address: String,
    reader: BufReader<TcpStream>,
}

impl Connection {
    pub(in crate::bench) fn open(address: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(address).map_err(|error| broken(address, &error))?;
        let patience = Some(Duration::from_secs(60));
        stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(patience))
            .map_err(|error| broken(address, &error))?;
        Ok(Self { address: address.to_owned(), reader: BufReader::new(stream) })
    }

    fn send(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.reader.get_mut().write_all(bytes).map_err(|error| broken(&self.address, &error))
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.reader.read_line(&mut line).map_err(|error| broken(&self.address, &error))?;
        Ok(line)
    }

    fn take(&mut self, length: usize) -> Outcome<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).map_err(|error| broken(&self.address, &error))?;
        Ok(bytes)
    }

    /// Status, and length of the body that follows; `None`: it comes in chunks.
    fn head(&mut self) -> Outcome<(u16, Option<usize>)> {
        let status = self.line()?;
        let code = status.split_whitespace().nth(1).and_then(|code| code.parse().ok());
        let code = code.ok_or_else(|| Failure::new(format!("the server answered `{}`", status.trim())))?;
        let mut length = Some(0);
        loop {
            let line = self.line()?.to_lowercase();
            if line.trim().is_empty() {
                return Ok((code, length));
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok();
            } else if line.starts_with("transfer-encoding:") {
                length = None;
            }
        }
    }

    pub(in crate::bench) fn ask(&mut self, method: &str, path: &str, body: &str) -> Outcome<(u16, Vec<u8>)> {
        self.tell(method, path, body)?;
        self.answer()
    }

    /// The same with a token, which a server without tokens ignores.
    pub(super) fn ask_as(
        &mut self,
        token: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> Outcome<(u16, Vec<u8>)> {
        let header = format!("authorization: Bearer {token}\r\n");
        self.request(method, path, &header, body)?;
        self.answer()
    }

    /// Asks without waiting for the answer.
    pub(super) fn tell(&mut self, method: &str, path: &str, body: &str) -> Outcome<()> {
        self.request(method, path, "", body)
    }

    fn request(&mut self, method: &str, path: &str, header: &str, body: &str) -> Outcome<()> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n{header}content-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.send(request.as_bytes())
    }

    pub(super) fn answer(&mut self) -> Outcome<(u16, Vec<u8>)> {
        let (status, length) = self.head()?;
        if let Some(length) = length {
            return Ok((status, self.take(length)?));
        }
        let mut body = Vec::new();
        loop {
            let size = self.line()?;
            let size = usize::from_str_radix(size.trim(), 16)
                .map_err(|_| Failure::new(format!("a chunk of `{}` bytes came", size.trim())))?;
            body.extend(self.take(size)?);
            self.line()?;
            if size == 0 {
                return Ok((status, body));
            }
        }
    }
}

/// A WebSocket.
pub(super) fn upgrade(address: &str, path: &str) -> Outcome<Connection> {
    let mut connection = Connection::open(address)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    connection.send(request.as_bytes())?;
    let (status, _) = connection.head()?;
    if status != 101 {
        return Err(Failure::new(format!("`{path}` is not a WebSocket: {status}")));
    }
    Ok(connection)
}

/// Times from `ping` to its answer [ns].
pub(super) fn ping(address: &str, path: &str, times: usize) -> Outcome<Vec<f64>> {
    let mut connection = upgrade(address, path)?;
    // A whole text message of four bytes, masked by zeros.
    let frame = [&[0x81, 0x84, 0, 0, 0, 0][..], b"ping"].concat();
    let mut all = Vec::with_capacity(times);
    for _ in 0..times {
        let asked = Instant::now();
        connection.send(&frame)?;
        let head = connection.take(2)?;
        connection.take(usize::from(head[1] & 0x7f))?;
        all.push(asked.elapsed().as_secs_f64() * 1e9);
    }
    Ok(all)
}

fn broken(address: &str, error: &std::io::Error) -> Failure {
    Failure::new(format!("the connection to {address} broke: {error}"))
}
