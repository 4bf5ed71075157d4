//! `dyno doctor`: what makes this machine measure well or badly, and how to improve it; and the comparison of two
//! machines.

use std::process::ExitCode;

use dyno_core::{
    model::{Doctor, DoctorComparison, NoiseReport, Severity},
    units,
};

use super::{
    Failure,
    args::DoctorArgs,
    exit_code::End,
    grid::{Grid, Role},
    output, table, target, terminal,
};
use crate::app::App;

/// Number of the noisiest cases that are shown.
const CASES: usize = 5;

pub(super) fn execute(app: &App, args: &DoctorArgs, json: bool) -> Result<ExitCode, Failure> {
    if let Some(path) = &args.save {
        target::check_file("--save", path)?;
    }
    let saved = args.compare.iter().map(|path| app.doctor().saved(path)).collect::<Result<Vec<_>, _>>()?;
    // Comparing two files needs no readings of this machine, unless they are to be saved.
    let here = (saved.len() < 2 || args.save.is_some()).then(|| app.doctor().examine());
    if let (Some(path), Some(here)) = (&args.save, &here) {
        app.doctor().save(here, path)?;
    }
    let comparison = match (saved.as_slice(), &here) {
        ([first, second, ..], _) => Some(app.doctor().compare(first, second)),
        ([first], Some(here)) => Some(app.doctor().compare(first, here)),
        _ => None,
    };
    match (&comparison, &here) {
        (Some(comparison), _) if json => output::json(comparison)?,
        (Some(comparison), _) => output::text(&terminal::folded(&beside(comparison)))?,
        (None, Some(here)) if json => output::json(here)?,
        (None, Some(here)) => output::text(&terminal::folded(&findings(here)))?,
        (None, None) => {}
    }
    Ok(End::Good.into())
}

fn findings(doctor: &Doctor) -> String {
    let machine = &doctor.machine;
    let mut out = format!("{} ({}, {})\n\n", machine.hostname, machine.cpu.model, machine.os);
    for finding in doctor.findings.iter().filter(|finding| finding.severity != Severity::Good) {
        out.push_str(&format!("{:<8} {}: {}\n", finding.severity.word(), finding.topic, finding.text));
        if let Some(command) = &finding.command {
            out.push_str(&format!("         $ {command}\n"));
        }
        if let Some(advice) = &finding.advice {
            out.push_str(&format!("         {advice}\n"));
        }
    }
    let good: Vec<String> = doctor
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Good)
        .map(|finding| format!("{:<8} {}: {}\n", "good", finding.topic, finding.text))
        .collect();
    out.push_str(&good.concat());
    out.push('\n');
    out.push_str(&noise(&doctor.noise));
    let count = |severity| doctor.findings.iter().filter(|finding| finding.severity == severity).count();
    out.push_str(&format!(
        "{}, {}, {}, {} good",
        units::count(count(Severity::Problem), "problem"),
        units::count(count(Severity::Warning), "warning"),
        units::count(count(Severity::Note), "note"),
        count(Severity::Good)
    ));
    out
}

/// The noisiest cases of equal builds.
fn noise(noise: &NoiseReport) -> String {
    if noise.cases.is_empty() {
        return String::new();
    }
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    let mut rows = table::new(&["equal builds of", "comparisons", "alarms (≤ at 95 %)", "spread of pairs"]);
    for case in noise.cases.iter().take(CASES) {
        rows.add_row([
            case.label.clone(),
            case.comparisons.to_string(),
            format!("{} ({})", case.alarms, percent(case.upper_bound)),
            percent(case.spread),
        ]);
    }
    let more = noise.cases.len().saturating_sub(CASES);
    let more =
        if more == 0 { String::new() } else { format!("and {}\n", units::count(more, "quieter case")) };
    format!("{rows}\n{more}\n")
}

fn beside(comparison: &DoctorComparison) -> String {
    let head = format!("1: {}\n2: {}\n\n", comparison.first, comparison.second);
    let verdict = format!("comparable: {}; {}", comparison.comparable.word(), comparison.reason);
    if comparison.differences.is_empty() {
        return format!("{head}{verdict}");
    }
    let mut rows =
        Grid::new([("", Role::Needed), ("1", Role::Prose), ("2", Role::Prose), ("comparable", Role::Needed)]);
    for difference in &comparison.differences {
        rows.add_row([
            difference.topic.clone(),
            difference.first.clone(),
            difference.second.clone(),
            difference.matters.word().to_owned(),
        ]);
    }
    format!("{head}{rows}\n\n{verdict}")
}
