//! What one turn of an empty benchmark loop costs as dyno reports it, as criterion does, and as divan does.

use std::{fs, process::Command};

use serde_json::Value;

use super::{
    Bench, Needs,
    host::{Host, median_time},
    measure::median,
    table::{row, table, time},
};
use crate::{
    failure::{Failure, Outcome},
    process, project,
};

pub(super) const BENCH: Bench =
    Bench { name: "loops", title: "The empty loop, beside criterion and divan", needs: Needs::Nothing, run };

/// Turns that the three take.
const TURNS: usize = 3;

fn run(host: &Host) -> Outcome<String> {
    let target = host.scratch().join("loops");
    let mut command = host.project.cargo("build");
    command
        .args(["--release", "--manifest-path", "xtask/peers/loops/Cargo.toml", "--target-dir"])
        .arg(&target);
    process::run(&mut command)?;
    let peer = |name: &str| {
        let mut command = Command::new(target.join("release").join(name));
        command.current_dir(&target).env("CRITERION_HOME", target.join("criterion")).arg("--bench");
        command
    };
    let (mut ours, mut criterion, mut own, mut divan) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        for case in
            host.cases(&["cpu-kernels/noop", "--engine", "native", "--launches", "3", "--time", "1s"])?
        {
            ours.push(median_time(&case)?);
        }
        process::output(&mut peer("criterion"))?;
        for (name, values) in [("same_loop", &mut criterion), ("own_loop", &mut own)] {
            let path = target.join("criterion/noop").join(name).join("new/estimates.json");
            values.push(estimate(&fs::read(&path).map_err(|error| Failure::file("read", &path, &error))?)?);
        }
        divan.push(divan_median(&process::output(&mut peer("divan"))?)?);
    }
    let ours = median(&mut ours);
    let cycle = cycle_ns();
    let mut rows = vec![row(["what", "time of one turn", "dyno minus this"])];
    rows.push(row(["dyno, `noop`, native", &time(ours), ""]));
    for (name, values) in [
        ("criterion, the same loop", &mut criterion),
        ("divan, the same loop", &mut divan),
        ("criterion, its own loop around `black_box`", &mut own),
    ] {
        let theirs = median(values);
        let cycles =
            cycle.map_or_else(String::new, |cycle| format!(" ({:+.2} cycles)", (ours - theirs) / cycle));
        rows.push(row([name, &time(theirs), &format!("{:+.3} ns{cycles}", ours - theirs)]));
    }
    Ok(format!(
        "Aim: within one cycle. Cycles are of the frequency that the system names.\n\n{}",
        table(&rows)
    ))
}

/// The median in criterion's file [ns].
fn estimate(bytes: &[u8]) -> Outcome<f64> {
    let value: Option<Value> = serde_json::from_slice(bytes).ok();
    value
        .and_then(|value| value["median"]["point_estimate"].as_f64())
        .ok_or_else(|| Failure::new("criterion's estimates hold no median"))
}

/// The median in divan's table [ns per turn]; its columns are fastest, slowest, median, mean.
fn divan_median(text: &str) -> Outcome<f64> {
    let line = text.lines().find(|line| line.contains("same_loop"));
    let cell = line.and_then(|line| line.split('│').nth(2)).map(str::trim).unwrap_or_default();
    let (number, unit) = cell.split_once(' ').unwrap_or_default();
    let scale = match unit {
        "ns" => 1.0,
        "µs" => 1e3,
        "ms" => 1e6,
        _ => f64::NAN,
    };
    match number.parse::<f64>() {
        Ok(number) if scale.is_finite() => Ok(number * scale / TURNS_OF_A_CALL),
        _ => Err(Failure::new(format!("divan's table has no median:\n{text}"))),
    }
}

/// Turns of the loop in one call that divan times; the same number stands in `peers/loops/src/divan.rs`.
const TURNS_OF_A_CALL: f64 = 1_000_000.0;

/// Length of a cycle as the system names it [ns].
fn cycle_ns() -> Option<f64> {
    let text = String::from_utf8(project::read("/proc/cpuinfo".as_ref()).ok()?).ok()?;
    let line = text.lines().find(|line| line.starts_with("cpu MHz"))?;
    Some(1e3 / line.split_once(':')?.1.trim().parse::<f64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_divan_is_read_with_its_unit() {
        let text = "divan         fastest       │ slowest       │ median        │ mean          │ samples │ iters\n\
                    ╰─ same_loop  250.1 µs      │ 300 µs        │ 251.5 µs      │ 252 µs        │ 100     │ 100\n";
        assert!((divan_median(text).unwrap() - 0.2515).abs() < 1e-9);
        assert!(divan_median("nothing").is_err());
    }
}
