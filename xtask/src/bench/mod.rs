//! `cargo xtask bench`: dyno's own speed, each figure beside its floor or peer, into `docs/benchmarks.md`.

pub(crate) fn run(_arguments: &[String]) -> Result<(), String> {
    Ok(())
}
