//! A web server of one folder, on this machine.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    thread,
};

/// The server, for as long as the test runs.
pub(crate) struct Web {
    pub(crate) url: String,
}

/// Serves a folder. A path `/redirect` leads to another machine.
pub(crate) fn serve(folder: &Path) -> Web {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound address"));
    let folder = folder.to_owned();
    // It waits in the kernel for requests, and ends with the process of the tests.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(stream, &folder);
        }
    });
    Web { url }
}

fn answer(mut stream: TcpStream, folder: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split_whitespace().nth(1).unwrap_or_default().trim_start_matches('/');
    if path == "redirect" {
        return stream.write_all(
            b"HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/x.dyno\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        );
    }
    let file: PathBuf = folder.join(path);
    let (status, bytes) = match fs::read(file) {
        Ok(bytes) => ("200 OK", bytes),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", bytes.len())?;
    stream.write_all(&bytes)
}
