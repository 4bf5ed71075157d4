//! What tree-sitter alone takes for files: reading them, and parsing them on all processors. Prints the median time of some turns [s].
//!
//! `cargo run --release -p dyno-analyze --example bare_parse -- GRAMMAR LIST`, GRAMMAR being `python` or `cuda`, and LIST a file with a path
//! per line.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::{
    error::Error,
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Instant,
};

use tree_sitter::{Language, Parser};

/// How often all files are parsed.
const TURNS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let grammar: Language = match arguments.next().as_deref() {
        Some("python") => tree_sitter_python::LANGUAGE.into(),
        Some("cuda") => tree_sitter_cuda::LANGUAGE.into(),
        other => return Err(format!("{other:?} is not a grammar; give python or cuda").into()),
    };
    let list = fs::read_to_string(arguments.next().ok_or("give a file with paths")?)?;
    let paths: Vec<&str> = list.lines().collect();
    let mut seconds = (0..TURNS).map(|_| parse_all(&grammar, &paths)).collect::<Result<Vec<_>, _>>()?;
    seconds.sort_by(f64::total_cmp);
    println!("{}", seconds[TURNS / 2]);
    Ok(())
}

/// Parses all files, and drops each tree at once.
fn parse_all(grammar: &Language, paths: &[&str]) -> Result<f64, Box<dyn Error>> {
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    let parse = || -> Result<(), String> {
        let mut parser = Parser::new();
        parser.set_language(grammar).map_err(|error| error.to_string())?;
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            let text = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
            parser.parse(&text, None).ok_or_else(|| format!("{path}: no tree"))?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..thread::available_parallelism()?.get()).map(|_| scope.spawn(parse)).collect();
        for thread in threads {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok::<_, Box<dyn Error>>(())
    })?;
    Ok(begun.elapsed().as_secs_f64())
}
