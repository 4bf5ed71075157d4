//! `dyno list --models`: the models that the benchmarks run, and the hardware that can run them.

use std::process::ExitCode;

use dyno_core::units;
use indexmap::IndexSet;

use super::{
    Failure, args,
    grid::{Grid, Role},
    list, output, table, terminal,
};
use crate::app::{App, Model, ModelHardware, ModelKind, Severity};

pub(super) fn execute(app: &App, args: &args::ListArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let catalog = app.plugins().listed()?;
    let wanted: Vec<String> = args.filters().map(str::to_lowercase).collect();
    let mut models = app.plugins().models(&catalog)?;
    models.retain(|model| model.kind == ModelKind::Model && is_about(model, &wanted));
    if as_json {
        output::json(&models)?;
        return list::end(&catalog);
    }
    if models.is_empty() {
        let what = if wanted.is_empty() { String::new() } else { format!(" matches `{}`", wanted.join(" ")) };
        output::note(&format!("no model{what}; `dyno list` lists the benchmarks"));
    } else {
        output::text(&shown(&models, args.all_columns))?;
    }
    for problem in catalog.problems.iter().filter(|it| args.all || it.severity != Severity::Aside) {
        output::note(&format!("note: {problem}"));
    }
    list::end(&catalog)
}

/// Whether name, family, modality, benchmark or tags contain every one of these texts.
fn is_about(model: &Model, wanted: &[String]) -> bool {
    let Model { name, family, modality, benchmark, tags, .. } = model;
    let about = format!("{name} {family} {modality} {benchmark} {}", tags.join(" ")).to_lowercase();
    wanted.iter().all(|text| about.contains(text))
}

/// The table, and below it why hardware cannot run a model.
fn shown(models: &[Model], all_columns: bool) -> String {
    let benchmarks: IndexSet<&str> = models.iter().map(|model| model.benchmark.as_str()).collect();
    let is_one = benchmarks.len() == 1;
    let mut grid = Grid::new([
        ("model", Role::Needed),
        ("family", Role::Needed),
        ("modality", Role::Needed),
        ("parameters", Role::Needed),
        ("precisions", Role::Needed),
        ("runs on", Role::Needed),
        ("priority", Role::Extra),
        ("benchmark", Role::Needed),
    ]);
    for model in models {
        let benchmark = if is_one { "" } else { model.benchmark.as_str() };
        grid.add_row([
            model.name.clone(),
            model.family.clone(),
            model.modality.clone(),
            model.parameters.map(count).unwrap_or_default(),
            model.precisions.join(", "),
            runs_on(model),
            model.priority.map(|tier| tier.to_string()).unwrap_or_default(),
            benchmark.to_owned(),
        ]);
    }
    let mut lines = vec![grid.complete(all_columns, table::ALL_COLUMNS).to_string()];
    let below = is_one.then(|| benchmarks.first().map(|name| format!("benchmark: {name}"))).flatten();
    let reasons: IndexSet<String> =
        models.iter().flat_map(|model| &model.hardware).filter_map(reason).collect();
    let below: Vec<String> = below.into_iter().chain(reasons).map(|line| terminal::folded(&line)).collect();
    if !below.is_empty() {
        lines.push(String::new());
        lines.extend(below);
    }
    lines.join("\n")
}

/// The hardware of this machine that runs a model, each kind with its precisions if it has not all of the model's.
fn runs_on(model: &Model) -> String {
    let shown = |it: &ModelHardware| match it.precisions.as_slice() {
        some if some.is_empty() || *some == model.precisions => it.kind.clone(),
        some => format!("{} ({})", it.kind, some.join(", ")),
    };
    let kinds: Vec<String> = model.hardware.iter().filter(|it| it.available).map(shown).collect();
    if kinds.is_empty() { "nothing here".to_owned() } else { kinds.join(", ") }
}

fn reason(hardware: &ModelHardware) -> Option<String> {
    hardware.reason.as_ref().map(|why| format!("{} is not available: {why}", hardware.kind))
}

/// A number of weights, with one decimal. // eg: `4.4 M`
fn count(parameters: u64) -> String {
    match units::scale_of(parameters as f64, "") {
        (_, prefix) if prefix.is_empty() => parameters.to_string(),
        (factor, prefix) => format!("{:.1} {prefix}", parameters as f64 / factor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str, benchmark: &str, parameters: Option<u64>) -> Model {
        let hardware = |kind: &str, reason: Option<&str>, precisions: &[&str]| ModelHardware {
            kind: kind.to_owned(),
            available: reason.is_none(),
            reason: reason.map(str::to_owned),
            precisions: precisions.iter().map(|it| (*it).to_owned()).collect(),
        };
        Model {
            name: name.to_owned(),
            family: "bert".to_owned(),
            kind: ModelKind::Model,
            modality: "text".to_owned(),
            benchmark: benchmark.to_owned(),
            parameters,
            priority: None,
            tags: vec!["Small".to_owned()],
            precisions: vec!["fp32".to_owned(), "bf16".to_owned()],
            hardware: vec![
                hardware("cpu", None, &["fp32", "bf16"]),
                hardware("cuda", Some("there is no driver"), &["fp32"]),
                hardware("webgpu", None, &["fp32"]),
            ],
        }
    }

    #[test]
    fn a_reason_and_the_only_benchmark_stand_once_below_the_table() {
        let models = [model("bert-tiny", "zoo/run", Some(4_385_920)), model("bert", "zoo/run", None)];
        let text = shown(&models, false);
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(
            lines,
            [
                "model      family  modality  parameters  precisions  runs on",
                "─────────  ──────  ────────  ──────────  ──────────  ──────────────────",
                "bert-tiny  bert    text      4.4 M       fp32, bf16  cpu, webgpu (fp32)",
                "bert       bert    text                  fp32, bf16  cpu, webgpu (fp32)",
                "",
                "benchmark: zoo/run",
                "cuda is not available: there is no driver",
            ]
        );
        let others = shown(&[model("a", "zoo/run", None), model("b", "zoo/walk", None)], false);
        assert!(others.contains("zoo/walk") && !others.contains("benchmark:"), "{others}");
    }

    #[test]
    fn weights_are_counted_with_one_decimal() {
        let shown = [999, 1_000, 86_567_656, 1_100_048_384].map(count);
        assert_eq!(shown, ["999", "1.0 k", "86.6 M", "1.1 G"]);
    }

    #[test]
    fn a_filter_is_about_everything_that_names_a_model() {
        let model = model("bert-tiny", "zoo/run", None);
        let is_found = |words: &[&str]| {
            is_about(&model, &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        assert!(is_found(&[]) && is_found(&["small", "zoo", "text"]) && !is_found(&["bert", "image"]));
    }
}
