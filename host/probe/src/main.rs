//! The `dyno-probe` binary: asks one kind of driver what devices there are, and prints the answer as one JSON document.
//!
//! Drivers crash, hang and print. They may do so here: the host starts this program once per kind, bounds it, and
//! reports any failure as the reason why that kind is unavailable.

mod behind;
mod driver;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use dyno_core::model::DeviceKind;

/// Asks for the layers behind which plugins run.
const CONFINED: &str = "--confined";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (kind, how, rest) = (arguments.next(), arguments.next(), arguments.next());
    let kind = kind.as_deref().and_then(DeviceKind::from_word);
    let is_confined = match how.as_deref() {
        None => Some(false),
        Some(CONFINED) => Some(true),
        Some(_) => None,
    };
    let (Some(kind), Some(is_confined), None) = (kind, is_confined, rest) else {
        let kinds: Vec<&str> = DeviceKind::ALL.iter().map(|kind| kind.word()).collect();
        // A failed write is ignored: standard error may be closed.
        let _ = writeln!(
            io::stderr(),
            "usage: dyno-probe KIND [{CONFINED}], where KIND is one of {}",
            kinds.join(", ")
        );
        return ExitCode::from(2);
    };
    if is_confined {
        behind::go_behind_the_layers();
    }
    let written =
        serde_json::to_vec(&driver::probe(kind)).map_err(io::Error::from).and_then(|mut document| {
            document.push(b'\n');
            let mut out = io::stdout().lock();
            out.write_all(&document)?;
            out.flush()
        });
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
