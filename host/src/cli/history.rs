//! `dyno history`: a benchmark over all stored runs, with the points where its performance changed.

use std::process::ExitCode;

use dyno_core::{
    model::{Point, Series},
    stats::ChangeOptions,
    text, units,
};
use textplots::{Chart, LabelBuilder, LabelFormat, Plot, Shape};

use super::{
    Failure,
    args::{HistoryArgs, values},
    exit_code::End,
    output,
};
use crate::app::App;

/// Size of the plot, in the dots of braille characters: 2 × 4 to a character.
const WIDTH: u32 = 140;
const HEIGHT: u32 = 48;

pub(super) fn execute(app: &App, args: &HistoryArgs, json: bool) -> Result<ExitCode, Failure> {
    if let Some(run) = &args.accept {
        let run =
            app.results().accept_change(&args.benchmark, run, args.note.as_deref().unwrap_or_default())?;
        output::note(&format!("accepted the change of `{}` that begins with run {run}", args.benchmark));
    }
    let defaults = ChangeOptions::default();
    let options = ChangeOptions {
        min_magnitude: values::change("--min-change", args.min_change.as_deref(), defaults.min_magnitude)?,
        ..defaults
    };
    let all = app.results().history(&args.benchmark, &args.metric, &options)?;
    if json {
        output::json(&all)?;
        return Ok(End::Good.into());
    }
    let texts: Vec<String> = all.iter().map(shown).collect();
    output::text(&texts.join("\n"))?;
    Ok(End::Good.into())
}

fn shown(series: &Series) -> String {
    let mut out = format!(
        "{} · {} · machine {}\n",
        text::shown(&series.label),
        text::shown(&series.metric),
        text::shown(&series.machine)
    );
    if series.points.len() > 1 {
        out.push_str(&plot(series));
    }
    if let (Some(first), Some(last)) = (series.points.first(), series.points.last()) {
        out.push_str(&format!(
            "{} from {} to {}; {} first, {} last\n",
            units::count(series.points.len(), "run"),
            when(first),
            when(last),
            units::value(first.median, &series.unit),
            units::value(last.median, &series.unit)
        ));
    }
    for change in &series.changes {
        let Some(point) = series.points.get(change.index) else { continue };
        let effect = change.effect.map(|effect| format!(" ({:+.2} %)", effect * 100.0)).unwrap_or_default();
        out.push_str(&format!(
            "  {} {} → {}{effect} from {}, run {}{}\n",
            change.verdict,
            units::value(change.before, &series.unit),
            units::value(change.after, &series.unit),
            when(point),
            change.run,
            change
                .accepted
                .as_ref()
                .map(|note| format!(", accepted: {}", text::sentence(note)))
                .unwrap_or_default()
        ));
    }
    if series.changes.is_empty() {
        out.push_str("  no change of its level\n");
    }
    if let Some((baseline, now)) = series.levels().filter(|(baseline, _)| *baseline != 0.0) {
        out.push_str(&format!(
            "  level {} now, {:+.2} % against the accepted one\n",
            units::value(now, &series.unit),
            (now / baseline - 1.0) * 100.0
        ));
    }
    out
}

/// Commit where it is known, else the time.
fn when(point: &Point) -> String {
    match &point.source {
        Some(source) => format!(
            "{}{}",
            source.commit.get(..10).unwrap_or(&source.commit),
            if source.dirty { " (changed)" } else { "" }
        ),
        None => point.created_at.clone(),
    }
}

fn plot(series: &Series) -> String {
    let most = series.points.iter().map(|point| point.median.abs()).fold(0.0, f64::max);
    let (factor, unit) = units::scale_of(most, &series.unit);
    let scaled = |value: f64| (value / factor) as f32;
    let line: Vec<(f32, f32)> = series
        .points
        .iter()
        .enumerate()
        .map(|(number, point)| (number as f32, scaled(point.median)))
        .collect();
    let low = line.iter().map(|(_, value)| *value).fold(f32::INFINITY, f32::min);
    let high = line.iter().map(|(_, value)| *value).fold(f32::NEG_INFINITY, f32::max);
    let marks: Vec<(f32, f32)> = series
        .changes
        .iter()
        .flat_map(|change| {
            (0..24).map(move |step| (change.index as f32, low + (high - low) * step as f32 / 23.0))
        })
        .collect();
    let end = (line.len().max(2) - 1) as f32;
    let margin = ((high - low) * 0.05).max(high.abs() * 0.01).max(f32::MIN_POSITIVE);
    let mut chart = Chart::new_with_y_range(WIDTH, HEIGHT, 0.0, end, low - margin, high + margin);
    let (shape, marked) = (Shape::Lines(&line), Shape::Points(&marks));
    let unit_of_axis = unit.clone();
    // Enough digits that the ends of the axis differ.
    let digits = (2.0 - (high - low).max(f32::MIN_POSITIVE).log10()).ceil().clamp(0.0, 6.0) as usize;
    let chart = chart
        .lineplot(&shape)
        .lineplot(&marked)
        .x_label_format(LabelFormat::Custom(Box::new(|run| format!("run {}", run as u64 + 1))))
        .y_label_format(LabelFormat::Custom(Box::new(move |value| {
            format!("{value:.digits$} {unit_of_axis}")
        })));
    chart.axis();
    chart.figures();
    let dots = if series.changes.is_empty() { "" } else { "; columns of dots are changes" };
    format!("{low:.4} to {high:.4} {unit} over {}{dots}\n{chart}", units::count(line.len(), "run"))
}
