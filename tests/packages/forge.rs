//! Packages that `dyno pack` would never make.

use std::io::{self, Read, Write};

use dyno_core::text::hex;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// An entry of an archive: its name, the letter of its kind, and its bytes.
pub(crate) type Entry = (String, u8, Vec<u8>);

pub(crate) fn entry(path: &str, kind: u8, bytes: &[u8]) -> Entry {
    (path.to_owned(), kind, bytes.to_owned())
}

/// A package with one component, whose manifest can be changed.
#[derive(Clone)]
pub(crate) struct Forged {
    pub(crate) manifest: Value,
    bytes: Vec<u8>,
}

impl Forged {
    pub(crate) fn of(name: &str, wasm: &[u8]) -> Self {
        let sha256 = hex(&Sha256::digest(wasm));
        let manifest = json!({
            "schema": "dyno.package", "version": 1, "plugin": {"id": name, "version": "1.0.0"}, "benchmarks": [name],
            "files": [{
                "path": "wasm/p.wasm", "sha256": sha256, "size_bytes": wasm.len(), "role": "plugin", "target": "any",
                "abi": {"kind": "wasm", "version": 1},
            }],
        });
        Self { manifest, bytes: wasm.to_owned() }
    }

    pub(crate) fn path(&self) -> String {
        self.manifest["files"][0]["path"].as_str().expect("a path").to_owned()
    }

    pub(crate) fn package(&self) -> Vec<u8> {
        let manifest = self.manifest.to_string();
        forged(&[
            entry("dyno-package.json", b'0', manifest.as_bytes()),
            entry(&self.path(), b'0', &self.bytes),
        ])
    }
}

/// The header of an entry, whatever its name is.
fn header(path: &str, kind: u8, size: u64) -> [u8; 512] {
    let mut header = tar::Header::new_ustar();
    let name = &mut header.as_old_mut().name;
    name[..path.len()].copy_from_slice(path.as_bytes());
    header.as_old_mut().linkflag = [kind];
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_cksum();
    *header.as_bytes()
}

/// An archive of these entries.
pub(crate) fn forged(entries: &[Entry]) -> Vec<u8> {
    let mut out = gzip();
    for (path, kind, bytes) in entries {
        add(&mut out, path, *kind, bytes);
    }
    end(out)
}

fn gzip() -> GzEncoder<Vec<u8>> {
    GzEncoder::new(Vec::new(), Compression::fast())
}

fn add(out: &mut impl Write, path: &str, kind: u8, bytes: &[u8]) {
    out.write_all(&header(path, kind, bytes.len() as u64)).expect("memory");
    out.write_all(bytes).expect("memory");
    out.write_all(&vec![0; bytes.len().next_multiple_of(512) - bytes.len()]).expect("memory");
}

fn end(mut out: GzEncoder<Vec<u8>>) -> Vec<u8> {
    out.write_all(&[0; 1024]).and_then(|()| out.finish()).expect("memory")
}

/// An archive whose entries say that so many bytes follow. Far fewer do, which is enough for one who believes it.
pub(crate) fn zeros(entries: &[(&str, u64)]) -> Vec<u8> {
    let mut out = gzip();
    for (path, size) in entries {
        out.write_all(&header(path, b'0', *size)).expect("memory");
        io::copy(&mut io::repeat(0).take(16 << 20), &mut out).expect("memory");
    }
    out.finish().expect("memory")
}

/// The same behind a manifest.
pub(crate) fn zeros_behind(manifest: &str, path: &str, size: u64) -> Vec<u8> {
    let mut out = gzip();
    add(&mut out, "dyno-package.json", b'0', manifest.as_bytes());
    out.write_all(&header(path, b'0', size)).expect("memory");
    io::copy(&mut io::repeat(0).take(16 << 20), &mut out).expect("memory");
    out.finish().expect("memory")
}

/// A good archive with something behind its end, which its hashes do not cover.
pub(crate) fn trailing(package: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(package).read_to_end(&mut plain).expect("a good package");
    plain.extend(vec![0; 512 << 10]);
    let mut out = gzip();
    out.write_all(&plain).and_then(|()| out.finish()).expect("memory")
}
