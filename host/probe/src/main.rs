//! The `dyno-probe` binary: asks one kind of driver what devices there are, and prints the answer as one JSON document.
//!
//! Drivers crash, hang and print. They may do so here: the host starts this program once per kind, bounds it, and
//! reports any failure as the reason why that kind is unavailable.

mod driver;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use dyno_core::model::DeviceKind;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (kind, rest) = (arguments.next(), arguments.next());
    let kind = kind.as_deref().and_then(DeviceKind::from_word);
    let (Some(kind), None) = (kind, rest) else {
        let kinds: Vec<&str> = DeviceKind::ALL.iter().map(|kind| kind.word()).collect();
        // A failed write is ignored: standard error may be closed.
        let _ = writeln!(io::stderr(), "usage: dyno-probe KIND, where KIND is one of {}", kinds.join(", "));
        return ExitCode::from(2);
    };
    let written =
        serde_json::to_vec(&driver::probe(kind)).map_err(io::Error::from).and_then(|mut document| {
            document.push(b'\n');
            let mut out = io::stdout().lock();
            out.write_all(&document)?;
            out.flush()
        });
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
