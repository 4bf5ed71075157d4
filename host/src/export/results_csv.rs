//! A table of results over many runs, as CSV.

use dyno_core::model::ResultRow;

use super::csv::{Field, better, row};

const HEAD: &str = "run,case,created_at,plugin,version,kind,benchmark,category,device,params,metric,unit,better,median,low,high,\
                    mean,launches,samples,sha256";

/// Results as CSV: a row per case and metric.
#[must_use]
pub fn results_csv(rows: &[ResultRow]) -> String {
    let mut out = format!("{HEAD}\r\n");
    for it in rows {
        let params: Vec<String> = it.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let ends = it.interval.map(|interval| (interval.low, interval.high)).unzip();
        let fields: [Field<'_>; 20] = [
            it.run.as_str().into(),
            it.case.into(),
            it.created_at.as_str().into(),
            it.plugin.as_str().into(),
            it.version.as_str().into(),
            it.kind.as_str().into(),
            it.benchmark.as_str().into(),
            it.category.as_str().into(),
            it.device.as_str().into(),
            params.join(" ").into(),
            it.metric.as_str().into(),
            it.unit.as_str().into(),
            better(it.better).into(),
            it.median.into(),
            ends.0.into(),
            ends.1.into(),
            it.mean.into(),
            it.launches.into(),
            it.samples.into(),
            it.sha256.as_str().into(),
        ];
        row(&mut out, fields);
    }
    out
}

#[cfg(test)]
mod tests {
    use dyno_core::model::{Better, Params};

    use super::*;

    #[test]
    fn text_of_plugins_is_never_a_formula() {
        let it = ResultRow {
            run: "r".into(),
            case: 3,
            created_at: "2026-01-01T00:00:00Z".into(),
            plugin: "=cmd()".into(),
            version: "1.0.0".into(),
            sha256: "ab".into(),
            kind: "wasm".into(),
            benchmark: "a,b".into(),
            category: "c".into(),
            params: Params::default(),
            device: "cpu".into(),
            metric: "time".into(),
            unit: "ns".into(),
            better: Better::Lower,
            median: 1.5,
            interval: None,
            mean: -2.0,
            launches: 2,
            samples: 9,
        };
        let text = results_csv(&[it]);
        let expected =
            "r,3,2026-01-01T00:00:00Z,'=cmd(),1.0.0,wasm,\"a,b\",c,cpu,,time,ns,lower,1.5,,,-2,2,9,ab\r\n";
        assert_eq!(text.lines().count(), 2);
        assert!(text.ends_with(expected), "{text}");
        assert_eq!(HEAD.split(',').count(), 20);
    }
}
