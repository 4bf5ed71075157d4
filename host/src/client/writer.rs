//! The process that wrote a server's file: whether it still lives, and whether it is the one that listens at its address.
//!
//! A server that was killed leaves its file behind. Whoever gets its port next would be sent the token of everybody who finds
//! that file, so this is looked at before every call.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
};

use super::server_file::ServerFile;
use crate::proc;

/// State of a socket that listens, in the tables of the kernel.
const LISTENS: &str = "0A";

/// A process that wrote a server's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Writer {
    pid: u32,
    ticks: u64,
    user: u32,
    address: SocketAddr,
}

impl Writer {
    /// The writer of a file that belongs to `user`; `None` where the file says too little, or was written before this
    /// machine started.
    pub(super) fn of(file: &ServerFile, user: u32) -> Option<Self> {
        let uri: ureq::http::Uri = file.url.parse().ok()?;
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
        let address = SocketAddr::new(host.parse().ok()?, uri.port_u16()?);
        let is_of_today = file.ticks > 0 && proc::boot()? == file.boot;
        is_of_today.then_some(Self { pid: file.pid, ticks: file.ticks, user, address })
    }

    /// Whether it lives, and every socket that a connection to its address could reach is its own.
    pub(super) fn listens(&self) -> bool {
        if proc::began(self.pid) != Some(self.ticks) || user_of(self.pid) != Some(self.user) {
            return false;
        }
        let sockets = listening(self.address);
        let is_its_own = |socket: &Socket| match owns(self.pid, socket.inode) {
            Some(owned) => owned,
            // Descriptors of other users are not shown: then it is its user's at least.
            None => socket.user == self.user,
        };
        !sockets.is_empty() && sockets.iter().all(is_its_own)
    }
}

/// The effective user of a process.
fn user_of(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Whether a process has a socket open; `None` where this user may not know.
fn owns(pid: u32, inode: u64) -> Option<bool> {
    let name = format!("socket:[{inode}]");
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let is_it = |path: &Path| fs::read_link(path).is_ok_and(|target| target.as_os_str() == name.as_str());
    Some(entries.flatten().any(|entry| is_it(&entry.path())))
}

/// A socket that listens.
#[derive(Debug, PartialEq, Eq)]
struct Socket {
    user: u32,
    inode: u64,
}

/// The sockets of this machine that a connection to an address could reach.
fn listening(to: SocketAddr) -> Vec<Socket> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    tables
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|text| reached(&text, to))
        .collect()
}

/// Of a table of the kernel, the listening sockets that a connection to an address could reach.
fn reached(table: &str, to: SocketAddr) -> Vec<Socket> {
    let read = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, state, _, _, _, user, _, inode, ..] = fields.as_slice() else { return None };
        let (address, port) = local.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let address = address_of(address)?;
        let could =
            *state == LISTENS && port == to.port() && (address.is_unspecified() || address == to.ip());
        could.then_some(Socket { user: user.parse().ok()?, inode: inode.parse().ok()? })
    };
    table.lines().skip(1).filter_map(read).collect()
}

/// An address as the kernel writes it: words of 32 bits in hexadecimal, each in the byte order of the machine.
fn address_of(text: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let digits = text.get(at..at + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    match text.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (place, at) in bytes.chunks_exact_mut(4).zip([0, 8, 16, 24]) {
                place.copy_from_slice(&word(at)?);
            }
            let address = Ipv6Addr::from(bytes);
            Some(address.to_ipv4_mapped().map_or(address.into(), Into::into))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_the_kernel_are_read() {
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
        let line = |local: &str, state: &str, user: u32, inode: u64| {
            format!(
                "   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  {user}        0 {inode} 1 0 100"
            )
        };
        let little = u32::from_ne_bytes([127, 0, 0, 1]);
        let table = [
            head.to_owned(),
            line(&format!("{little:08X}:1F90"), "0A", 1000, 11),
            line(&format!("{little:08X}:1F90"), "01", 1000, 12),
            line(&format!("{little:08X}:1F91"), "0A", 1000, 13),
            line("00000000:1F90", "0A", 0, 14),
            line("nonsense:1F90", "0A", 0, 15),
            "cut".to_owned(),
        ]
        .join("\n");
        let found = reached(&table, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(found, [Socket { user: 1000, inode: 11 }, Socket { user: 0, inode: 14 }]);
        let words =
            [0, 0, 0, u32::from_ne_bytes([0, 0, 0, 1])].map(|word: u32| format!("{word:08X}")).concat();
        assert_eq!(address_of(&words), Some("::1".parse().unwrap()));
        assert_eq!(address_of("00"), None);
    }

    #[test]
    fn the_user_of_a_process_and_what_it_has_open_are_known() {
        let me = std::process::id();
        assert_eq!(user_of(me), Some(nix::unistd::geteuid().as_raw()));
        assert!(proc::boot().is_some_and(|boot| boot.len() > 8));
        assert_eq!(owns(me, u64::MAX), Some(false));
    }
}
