//! The models of a run by hardware: for each, the batch size with the most items per second, which a sweep is after.

use std::collections::BTreeMap;

use dyno_core::{
    model::{CaseRecord, CaseStatus, ParamValue, RunRecord},
    units,
};

/// A table with a row for each model and a column for each device.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ModelTable {
    /// `model`, then the devices in the order of the cases.
    pub(super) head: Vec<String>,
    /// The model, then a cell for each device; empty for a pair without a case.
    pub(super) rows: Vec<Vec<String>>,
}

impl ModelTable {
    /// What its numbers are, for people.
    pub(super) const MEANING: &str = "Items per second, at the batch size that has the most.";

    /// The table of a run; `None` if no case has a parameter `model`.
    pub(super) fn of(record: &RunRecord) -> Option<Self> {
        let mut devices: Vec<String> = Vec::new();
        let mut models: Vec<String> = Vec::new();
        let mut best: BTreeMap<(usize, usize), &CaseRecord> = BTreeMap::new();
        for case in &record.cases {
            let Some(ParamValue::Text(model)) = case.params.get("model") else { continue };
            let place = (number(&mut models, model), number(&mut devices, &record.device_label(case)));
            let known = best.entry(place).or_insert(case);
            if rate(case) > rate(known) {
                *known = case;
            }
        }
        let rows = models.into_iter().enumerate().map(|(row, model)| {
            let cells = (0..devices.len())
                .map(|column| best.get(&(row, column)).map_or_else(String::new, |case| cell(case)));
            std::iter::once(model).chain(cells).collect()
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let head = std::iter::once("model".to_owned()).chain(devices).collect();
        (!rows.is_empty()).then_some(Self { head, rows })
    }
}

/// The place of a name in a list, at whose end it is put if it is new.
fn number(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|it| it == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

/// Items per second; below all others for a case without.
fn rate(case: &CaseRecord) -> f64 {
    case.metric("items_per_second").map_or(-1.0, |metric| metric.median)
}

fn cell(case: &CaseRecord) -> String {
    let Some(metric) = case.metric("items_per_second") else {
        // Its reason stands below, with the cases that did not complete.
        return match case.status {
            CaseStatus::Completed => String::new(),
            _ => case.status.word().replace('_', " "),
        };
    };
    let rate = units::value(metric.median, &metric.unit);
    match case.params.get("batch_size") {
        Some(batch) => format!("{rate} (batch_size={batch})"),
        None => rate,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{super::tests::record, *};

    /// A case of a model at a batch size, with so many items per second; 0: it did not complete.
    fn case(model: &str, device: &str, batch: i64, rate: f64) -> CaseRecord {
        let mut case = record().cases.remove(0);
        case.device = device.into();
        let params = Arc::make_mut(&mut case.params);
        params.insert("model".to_owned(), ParamValue::Text(model.to_owned()));
        params.insert("batch_size".to_owned(), ParamValue::Integer(batch));
        let mut metric = case.metrics[0].clone();
        (metric.name, metric.unit, metric.median) = ("items_per_second".into(), "items/s".into(), rate);
        case.metrics = vec![metric];
        if rate == 0.0 {
            case.metrics.clear();
            case.status = CaseStatus::Cancelled;
        }
        case
    }

    #[test]
    fn a_sweep_shows_its_best_batch_size_for_each_model_and_device() {
        let mut run = record();
        assert_eq!(ModelTable::of(&run), None, "no case has a model");
        run.cases = vec![
            case("bert", "cpu", 1, 10.0),
            case("bert", "cpu", 8, 25.0),
            case("bert", "cpu", 16, 20.0),
            case("bert", "cuda:0", 1, 0.0),
            case("vit", "cpu", 1, 5.0),
        ];
        let table = ModelTable::of(&run).unwrap();
        assert_eq!(table.head, ["model", "cpu", "cuda:0"]);
        assert_eq!(
            table.rows,
            [
                ["bert", "25.00 items/s (batch_size=8)", "cancelled"],
                ["vit", "5.000 items/s (batch_size=1)", ""]
            ]
        );
    }
}
