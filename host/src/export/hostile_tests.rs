//! What every format keeps to whatever is in a record: each string that is free text is made hostile, each number is made
//! one that statistics do not survive. A new field is covered without being named here.

use std::sync::Arc;

use dyno_core::{
    model::{
        Better, COMPARISON_SCHEMA, COMPARISON_VERSION, CaseComparison, Comparison, Design, Interval,
        MetricComparison, RunRecord, Verdict,
    },
    text::visible,
};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{ComparisonFormat, Format, Rendered, json, read};

fn record() -> RunRecord {
    serde_json::from_str(include_str!("testdata/record.json")).expect("the test's own record is valid")
}

fn metric(name: &str, verdict: Verdict, effect: f64) -> MetricComparison {
    let document = serde_json::json!({
        "name": name, "unit": "ns", "better": "lower", "baseline": 100.0, "candidate": 100.0 * (1.0 + effect),
        "launches": [5, 5], "effect": effect, "p_value": 0.01, "detectable": 0.02, "verdict": verdict,
        "interval": {"low": effect - 0.01, "high": effect + 0.01, "confidence": 0.99},
        "remark": "why it is so",
    });
    serde_json::from_value(document).expect("the test's own metric is valid")
}

/// A comparison with every verdict, a new and a removed case, and as many cases as asked for.
fn comparison(cases: usize) -> Comparison {
    let verdicts = [Verdict::Regressed, Verdict::Improved, Verdict::Inconclusive, Verdict::Equivalent];
    let case = |number: usize| -> CaseComparison {
        let effect = 0.1 + number as f64 / 1e5;
        let metrics = verdicts.map(|verdict| {
            metric(verdict.word(), verdict, if verdict == Verdict::Improved { -effect } else { effect })
        });
        let document =
            serde_json::json!({"label": format!("case-{number} n=1 (native, cpu)"), "metrics": metrics});
        serde_json::from_value(document).expect("the test's own case is valid")
    };
    let document = serde_json::json!({
        "schema": COMPARISON_SCHEMA, "version": COMPARISON_VERSION, "design": Design::Stored, "threshold": 0.05,
        "alpha": 0.01, "baseline": "run 1", "candidate": "run 2", "differences": ["governor: a then, b now"],
        "cases": (0..cases).map(case).collect::<Vec<_>>(), "added": ["new one"], "removed": ["old one"],
        "unjudged": [
            {"label": "bad one", "key": {"benchmark": "bad one"},
             "why": {"kind": "failed", "side": "candidate", "stage": "setup", "message": "the moon is wrong"}},
            {"label": "odd one", "key": {"benchmark": "odd one"},
             "why": {"kind": "skipped", "side": "candidate", "message": "no such device"}},
        ],
    });
    serde_json::from_value(document).expect("the test's own comparison is valid")
}

/// Everything in every format that is text, with the name of the format.
fn all(record: &RunRecord, comparison: &Comparison) -> Vec<(String, String)> {
    let runs = Format::ALL.into_iter().filter_map(|format| match format.render(record).unwrap() {
        Rendered::Text(text) => Some((format!("run {}", format.name()), text)),
        Rendered::ByDatabase => None,
    });
    let comparisons = ComparisonFormat::ALL.into_iter().flat_map(|format| {
        [false, true]
            .map(|every| (format!("comparison {}", format.name()), format.render(comparison, every).unwrap()))
    });
    runs.chain(comparisons).collect()
}

/// Replaces every string, and every name in a map, that may be any text: what a type refuses stays as it was.
fn poisoned<T: Serialize + DeserializeOwned>(value: &T, text: &str) -> T {
    fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    leaves(value, &format!("{at}/{key}"), found);
                }
            }
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    leaves(item, &format!("{at}/{place}"), found);
                }
            }
            Value::String(_) => found.push(at.to_owned()),
            _ => {}
        }
    }
    let mut document = serde_json::to_value(value).unwrap();
    let mut found = Vec::new();
    leaves(&document, "", &mut found);
    let mut changed = 0;
    for pointer in found {
        let mut tried = document.clone();
        *tried.pointer_mut(&pointer).unwrap() = text.into();
        if serde_json::from_value::<T>(tried.clone()).is_ok() {
            document = tried;
            changed += 1;
        }
    }
    assert!(changed >= 5, "hardly anything was replaced");
    serde_json::from_value(document).unwrap()
}

/// The same metrics with other names, so that a document may tell them apart.
fn renamed(mut record: RunRecord, text: &str) -> RunRecord {
    for case in &mut record.cases {
        Arc::make_mut(&mut case.params)
            .insert(text.to_owned(), dyno_core::model::ParamValue::Text(text.to_owned()));
        for launch in &mut case.launches {
            launch.custom.insert(text.to_owned(), 1.0);
        }
    }
    record
}

/// A small reader of XML 1.0: tags are balanced, attributes quoted and given once, every character is allowed, and
/// entities are the known ones.
fn well_formed(text: &str) -> Result<(), String> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}');
    if let Some(c) = text.chars().find(|c| !allowed(*c)) {
        return Err(format!("{c:?} is not allowed"));
    }
    let mut open: Vec<String> = Vec::new();
    let mut rest = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").ok_or("no head")?;
    while let Some(start) = rest.find('<') {
        if !rest[..start].trim().is_empty() {
            return Err(format!("text outside of tags: {:?}", &rest[..start]));
        }
        let (tag, after) = rest[start + 1..].split_once('>').ok_or("a tag has no end")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut seen = Vec::new();
        while !attributes.is_empty() {
            let (key, value) =
                attributes.split_once("=\"").ok_or_else(|| format!("{attributes:?} is no attribute"))?;
            let (value, more) = value.split_once('"').ok_or("an attribute has no end")?;
            if value.contains('<') || seen.contains(&key) {
                return Err(format!("`{key}` is twice or has markup in it"));
            }
            for piece in value.split('&').skip(1) {
                let entity = piece.split_once(';').ok_or("a bare ampersand")?.0;
                if !["amp", "lt", "gt", "quot", "#39"].contains(&entity) {
                    return Err(format!("unknown entity {entity}"));
                }
            }
            seen.push(key);
            attributes = more.trim_start();
        }
        if !is_empty {
            open.push(name.to_owned());
        }
    }
    if open.is_empty() && rest.trim().is_empty() {
        Ok(())
    } else {
        Err(format!("{open:?} are open, then {rest:?}"))
    }
}

/// Reads RFC 4180; every row must end.
pub(super) fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => field.push(chars.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {
                chars.next();
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    assert!(row.is_empty() && field.is_empty() && !quoted, "the last row has no end");
    rows
}

/// Series of an OpenMetrics text, each line taken apart as the format says.
fn series(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    assert!(text.ends_with("# EOF\n"));
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels) = line.split_once('{').unwrap();
        assert!(
            name.starts_with("dyno_") && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'),
            "{name}"
        );
        let (mut quoted, mut chars, mut end) = (false, labels.char_indices(), None);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' if quoted => assert!(matches!(chars.next(), Some((_, '\\' | '"' | 'n'))), "{line}"),
                '"' => quoted = !quoted,
                '}' if !quoted => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
        }
        let end = end.unwrap_or_else(|| panic!("labels have no end: {line}"));
        let value: f64 = labels[end + 1..].trim().parse().unwrap_or_else(|_| panic!("no value: {line}"));
        assert!(value.is_finite(), "{line}");
        found.push(line[..line.len() - labels.len() + end].to_owned());
    }
    found
}

/// How a document is built, without its words: a line per line, with what it begins with and how many cells it has.
fn shape(markdown: &str) -> Vec<(String, usize)> {
    let starts = ["# ", "## ", "### ", "- **", "- ", "| ", "> ", "<"];
    markdown
        .lines()
        // Indented is what a plugin wrote, as a block of code.
        .filter(|line| !line.starts_with("  "))
        .map(|line| {
            let start = starts.iter().find(|start| line.starts_with(**start)).copied().unwrap_or_default();
            (start.to_owned(), line.replace("\\|", "").matches('|').count())
        })
        .collect()
}

/// What must hold of every format.
fn check_all(record: &RunRecord, comparison: &Comparison) {
    for (name, text) in all(record, comparison) {
        // A word joiner is ours: it parts mentions and addresses in Markdown.
        let bad = text.chars().find(|c| !matches!(c, '\n' | '\r' | '\u{2060}') && visible(*c) != *c);
        assert_eq!(bad, None, "{name}: {text:?}");
        match name.rsplit(' ').next().unwrap() {
            "csv" | "samples-csv" => {
                let rows = parse_csv(&text);
                assert_eq!(text.matches("\r\n").count(), rows.len(), "{name}: a row is not a line");
                assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{name}: {text}");
                let formula = |field: &&String| {
                    field.trim_start().starts_with(['=', '+', '-', '@']) && field.parse::<f64>().is_err()
                };
                assert_eq!(rows.iter().flatten().find(formula), None, "{name}");
            }
            "junit" => assert_eq!(well_formed(&text), Ok(()), "{name}: {text}"),
            "openmetrics" => {
                let mut all = series(&text);
                let before = all.len();
                all.sort();
                all.dedup();
                assert_eq!(all.len(), before, "{name}: a series is there twice: {text}");
            }
            "github" => {
                let (last, commands) =
                    text.lines().collect::<Vec<_>>().split_last().map(|(a, b)| (*a, b.to_vec())).unwrap();
                assert!(!last.starts_with("::"), "{last}");
                for line in commands {
                    let rest = ["::error title=", "::warning title=", "::notice title="]
                        .iter()
                        .find_map(|start| line.strip_prefix(start));
                    let (title, _) = rest.unwrap_or_else(|| panic!("{line}")).split_once("::").unwrap();
                    assert!(!title.contains([':', ',']), "{line}");
                }
            }
            "json" | "bmf" | "gbench" | "github-benchmark" => {
                assert!(serde_json::from_str::<Value>(&text).is_ok(), "{name}: {text}");
            }
            "html" => {
                for bad in ["<script", "<img", "javascript:alert", "NaN", "inf\""] {
                    assert!(!text.contains(bad), "{name}: {bad}");
                }
            }
            _ => {}
        }
    }
}

const NASTY: [&str; 12] = [
    "a\nb\r\nc",
    "\u{1b}[31mred\u{7}\u{9b}",
    "=cmd()",
    "\t@x",
    "a|b`c`<script>alert(1)</script>",
    "\"',;&%:",
    "::error title=x::y ##[add-mask]z",
    "\u{202e}\u{2066}\u{2028}\u{fffe}\u{ffff}\u{0}",
    "日本語 👩\u{200d}👩\u{200d}👧",
    "] ]]> --> </details> ![x](http://example.org)",
    "\\",
    "",
];

#[test]
fn no_text_becomes_structure_in_any_format() {
    check_all(&record(), &comparison(2));
    for text in NASTY {
        check_all(&renamed(poisoned(&record(), text), text), &poisoned(&comparison(2), text));
    }
}

#[test]
fn the_outline_of_markdown_is_the_same_whatever_the_text() {
    let text = |format: Format, record: &RunRecord| match format.render(record).unwrap() {
        Rendered::Text(text) => text,
        Rendered::ByDatabase => String::new(),
    };
    let markdown = |record: &RunRecord| shape(&text(Format::Markdown, record));
    let compared = |it: &Comparison| shape(&ComparisonFormat::Markdown.render(it, false).unwrap());
    let (one, two) = (markdown(&poisoned(&record(), "x")), compared(&poisoned(&comparison(2), "x")));
    for nasty in NASTY.into_iter().filter(|text| !text.is_empty()) {
        assert_eq!(markdown(&poisoned(&record(), nasty)), one, "{nasty:?}");
        assert_eq!(compared(&poisoned(&comparison(2), nasty)), two, "{nasty:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_same_for_any_text(text in any::<String>(), more in "[,;\"'\r\n\t=+@<>&|`:%\\\\#\\[\u{0}-\u{1f}\u{7f}-\u{9f}\u{202a}-\u{202e}\u{fff0}-\u{ffff}]{0,12}") {
        for text in [text, more] {
            check_all(&renamed(poisoned(&record(), &text), &text), &poisoned(&comparison(1), &text));
        }
    }
}

/// Every number of a run that may be a fraction.
fn with_number(number: f64) -> RunRecord {
    let mut run = record();
    for case in &mut run.cases {
        for metric in &mut case.metrics {
            for value in
                [&mut metric.median, &mut metric.mean, &mut metric.mad, &mut metric.min, &mut metric.max]
            {
                *value = number;
            }
            metric.std_dev = Some(number);
            metric.rsd_within = Some(number);
            metric.rsd_between = Some(number);
            metric.interval = Some(Interval { low: number, high: number, confidence: 0.95 });
            metric.percentiles.iter_mut().for_each(|it| it.value = number);
        }
        // A parameter is finite: what is read as one is checked.
        if number.is_finite() {
            Arc::make_mut(&mut case.params)
                .insert("float".to_owned(), dyno_core::model::ParamValue::Float(number));
        }
        for launch in &mut case.launches {
            launch.energy_j = Some(number);
            launch.custom.insert("own".to_owned(), number);
            launch.counters.insert("cycles".to_owned(), vec![number]);
            for sample in &mut launch.samples {
                sample.device_ns = number;
                sample.work.items = number;
                sample.work.bytes = number;
                sample.work.flop = number;
            }
            launch.environment.disturbance = Some(number);
        }
    }
    run
}

fn compared_with(number: f64) -> Comparison {
    let mut it = comparison(2);
    for metric in it.cases.iter_mut().flat_map(|case| &mut case.metrics) {
        metric.better = if number > 1.0 { Better::Higher } else { Better::Lower };
        metric.baseline = number;
        metric.candidate = -number;
        metric.effect = Some(number);
        metric.interval = Some(Interval { low: -number, high: number, confidence: 0.99 });
        metric.p_value = Some(number);
        metric.detectable = Some(number);
    }
    it
}

#[test]
fn no_number_that_is_none_leaves_by_any_format() {
    let hostile = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        1e308,
        f64::MIN_POSITIVE,
        5e-324,
        -5e-324,
        0.0,
        -0.0,
        -1.0,
        0.1 + 0.2,
    ];
    for number in hostile {
        let (run, comparison) = (with_number(number), compared_with(number));
        check_all(&run, &comparison);
        for (name, text) in all(&run, &comparison) {
            // Words of ours have these letters in them; numbers stand alone.
            let words = text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '+' | '.' | '_'));
            let bad: Vec<&str> = words
                .filter(|word| {
                    let word = word.trim_start_matches(['-', '+']);
                    ["nan", "inf", "infinity"].iter().any(|it| word.eq_ignore_ascii_case(it))
                })
                .collect();
            assert!(bad.is_empty(), "{name} with {number}: {bad:?}");
        }
        let written = json(&run).unwrap();
        assert!(read(&written).is_ok(), "{number}: a result file must read back");
    }
}

#[test]
fn a_comment_fits_and_begins_with_the_worst() {
    let mut many = comparison(5_000);
    many.removed = (0..5_000).map(|number| format!("gone {number}")).collect();
    many.differences = (0..5_000).map(|number| format!("differs {number}")).collect();
    let text = ComparisonFormat::Markdown.render(&many, false).unwrap();
    assert!(text.len() < 65_000, "{}", text.len());
    // The largest regression is that of the last case.
    let first = text.lines().find(|line| line.starts_with("| regressed")).unwrap();
    assert!(first.contains("case-4999 "), "{first}");
    assert!(text.contains(" more rows of failures and changes are left out here; `dyno compare`"), "{text}");
    assert!(text.contains("and 4980 more"), "{text}");
    let mut hostile = comparison(400);
    for case in &mut hostile.cases {
        case.label = "|".repeat(30_000);
    }
    assert!(ComparisonFormat::Markdown.render(&hostile, false).unwrap().len() < 65_000);
    let all = ComparisonFormat::Csv.render(&many, false).unwrap();
    assert_eq!(
        parse_csv(&all).len(),
        1 + 4 * 5_000 + 2 + 1 + 5_000,
        "a format for programs leaves nothing out"
    );
}

#[test]
fn annotations_and_lines_of_a_terminal_are_counted_where_they_are_too_many() {
    let many = comparison(5_000);
    let github = ComparisonFormat::Github.render(&many, false).unwrap();
    assert_eq!(github.lines().filter(|line| line.starts_with("::")).count(), 30, "{github}");
    assert!(github.contains("::4992 more are not shown"), "{github}");
    let first: Vec<&str> = github.lines().take(2).collect();
    assert!(first[0].contains("the moon is wrong") && first[1].contains("case-4999 "), "{github}");
    let text = ComparisonFormat::Text.render(&many, false).unwrap();
    assert!(text.lines().count() < 250 && text.contains("and 14900 more; --all"), "{text}");
    assert!(ComparisonFormat::Text.render(&many, true).unwrap().lines().count() > 40_000);
}

#[test]
fn long_text_is_cut_in_tables_and_whole_in_documents() {
    let long = "x".repeat(5_000);
    let run = poisoned(&record(), &long);
    let text = |format: Format| match format.render(&run).unwrap() {
        Rendered::Text(text) => text,
        Rendered::ByDatabase => String::new(),
    };
    let longest = text(Format::Markdown).lines().max_by_key(|line| line.len()).unwrap_or_default().to_owned();
    assert!(
        longest.chars().count() < 2 * dyno_core::text::SENTENCE + 100,
        "{} characters: {}",
        longest.len(),
        longest.get(..400).unwrap_or_default()
    );
    for whole in [Format::Json, Format::Csv, Format::Junit, Format::Openmetrics] {
        assert!(text(whole).contains(&long), "{}", whole.name());
    }
}

#[test]
fn integers_that_a_float_cannot_hold_are_exact_in_every_format() {
    let mut run = record();
    for (number, case) in (0..).zip(&mut run.cases) {
        let value = [9_007_199_254_740_993, i64::MIN, i64::MAX][number % 3];
        Arc::make_mut(&mut case.params).insert("i".to_owned(), dyno_core::model::ParamValue::Integer(value));
    }
    for (name, text) in all(&run, &comparison(0)) {
        let is_series = !name.starts_with("run") || ["gbench", "github"].iter().any(|it| name.ends_with(it));
        if !is_series {
            assert!(text.contains("9007199254740993"), "{name}: {text}");
        }
    }
    assert!(json(&run).unwrap().contains("-9223372036854775808"));
}

#[test]
fn every_format_of_a_comparison_says_what_failed_and_what_was_not_judged() {
    let it = comparison(1);
    for format in ComparisonFormat::ALL {
        let text = format.render(&it, false).unwrap();
        let expected = match format {
            // It has no word for it, as the documents say.
            ComparisonFormat::Bmf => continue,
            ComparisonFormat::Openmetrics => [
                "{case=\"bad one\",dyno_case_status=\"failed\"} 1",
                "{case=\"odd one\",dyno_case_status=\"not_judged\"} 1",
            ],
            _ => ["the moon is wrong", "no such device"],
        };
        for words in expected {
            assert!(text.contains(words), "{} lacks {words}: {text}", format.name());
        }
    }
    let junit = ComparisonFormat::Junit.render(&it, false).unwrap();
    assert!(junit.contains("failures=\"2\""), "the regression and what failed: {junit}");
    let github = ComparisonFormat::Github.render(&it, false).unwrap();
    assert!(
        github.starts_with("::error title=dyno failed::bad one: the candidate failed in setup"),
        "{github}"
    );
}
