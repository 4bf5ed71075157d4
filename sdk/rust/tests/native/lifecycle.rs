//! Every stage through the table: what arrives, what comes back, and what becomes of errors and panics.

use dyno_plugin_api::abi::{
    DYNO_ERROR, DYNO_LOG_DEBUG, DYNO_LOG_ERROR, DYNO_LOG_INFO, DYNO_LOG_WARN, DYNO_OK, DYNO_SKIPPED,
};
use dyno_sdk::{ParamEnum, Params};

use crate::{
    host::{Case, Value},
    plugin::{Everything, Layout},
};

/// Parameters as a host passes them, all different from their defaults.
fn everything() -> Vec<(&'static str, Value)> {
    vec![
        ("n", Value::Integer(10)),
        ("small", Value::Integer(-128)),
        ("large", Value::Integer(5)),
        ("ratio", Value::Float(0.25)),
        ("exponent", Value::Float(2.5)),
        ("flag", Value::Bool(false)),
        ("text", Value::Text("")),
        ("layout", Value::Text("row_major")),
        ("type", Value::Integer(4)),
    ]
}

fn fault(stage: &'static str, panics: bool) -> [(&'static str, Value); 2] {
    [("stage", Value::Text(stage)), ("panics", Value::Bool(panics))]
}

#[test]
fn a_good_case_goes_through_its_whole_life() {
    let mut case = Case::new("good");
    assert_eq!(case.setup(&everything()), (DYNO_OK, None));
    assert_eq!(case.told().progress, [0.25]);
    let device = "device Device { name: \"cuda:3\", index: 3, threads: 0 }";
    assert_eq!(case.told().log, [(DYNO_LOG_INFO, device.to_owned()), (DYNO_LOG_DEBUG, "ü".to_owned())]);

    assert_eq!(case.verify(), (DYNO_OK, None));
    let expected = Everything {
        n: 10,
        small: -128,
        large: 5,
        ratio: 0.25,
        exponent: 2.5,
        flag: false,
        text: String::new(),
        layout: Layout::RowMajor,
        r#type: 4,
    };
    assert_eq!(case.told().log[2], (DYNO_LOG_WARN, format!("{expected:?}")));

    assert_eq!(case.prepare(100), (DYNO_OK, None));
    let (outcome, report) = case.execute(100);
    assert_eq!(outcome, (DYNO_OK, None));
    assert_eq!((report.items, report.bytes, report.flop, report.device_ns), (100.0, 200.0, 300.0, 400.0));
    assert_eq!(report.checksum, 7 ^ 100, "the seed is the host's");
    assert_eq!(report.size as usize, size_of_val(&report), "the size is the host's");

    assert_eq!(case.process_results(&[(1, 2), (10, 40)]), (DYNO_OK, None));
    assert_eq!(case.told().metrics, [("rate".to_owned(), 0.25)]);
    assert_eq!(case.process_results(&[]), (DYNO_ERROR, Some("no samples".to_owned())));
    assert_eq!(case.cleanup(), None);
}

#[test]
fn cancelling_and_skipping_reach_both_sides() {
    let mut case = Case::new("good");
    case.told().cancelled = true;
    assert_eq!(case.setup(&everything()), (DYNO_SKIPPED, Some("cancelled".to_owned())));
    drop(case);
    assert_eq!(Case::new("skips").setup(&[]), (DYNO_SKIPPED, Some("no flux capacitor".to_owned())));
}

#[test]
fn a_parameter_that_does_not_fit_is_named() {
    for (name, value, expected) in [
        ("small", Value::Integer(128), "parameter `small`: Integer(128) does not fit i8"),
        ("n", Value::Integer(-1), "parameter `n`: Integer(-1) does not fit usize"),
        ("flag", Value::Integer(1), "parameter `flag`: Integer(1) does not fit bool"),
        (
            "layout",
            Value::Text("diagonal"),
            "parameter `layout`: `diagonal` is not one of row_major, col\"umn",
        ),
        ("layout", Value::Bool(true), "parameter `layout`: Bool(true) is not a text"),
    ] {
        let mut params = everything();
        params.iter_mut().filter(|(other, _)| *other == name).for_each(|param| param.1 = value);
        assert_eq!(Case::new("good").setup(&params), (DYNO_ERROR, Some(expected.to_owned())));
    }
    let (status, reason) = Case::new("good").setup(&everything()[1..]);
    assert_eq!(status, DYNO_ERROR);
    assert!(reason.unwrap().starts_with("the host did not pass the parameter `n`"));
}

#[test]
fn a_host_table_that_is_too_short_is_refused_without_touching_it() {
    assert_eq!(Case::new("good").setup_with_short_host(), (DYNO_ERROR, None));
}

/// Runs the stages of `faulty` until one fails.
fn first_failure(stage: &'static str, panics: bool) -> (&'static str, String) {
    let mut case = Case::new("faulty");
    let failed =
        |(status, reason): (i32, Option<String>)| (status != DYNO_OK).then(|| reason.expect("a reason"));
    if let Some(reason) = failed(case.setup(&fault(stage, panics))) {
        return ("setup", reason);
    }
    let stages = [
        ("verify", failed(case.verify())),
        ("prepare", failed(case.prepare(1))),
        ("execute", failed(case.execute(1).0)),
        ("process_results", failed(case.process_results(&[(1, 1)]))),
    ];
    let (recorder, before) = (case.told, case.told().log.len());
    let cleanup = case.cleanup();
    if cleanup.is_some() {
        let log = &recorder.lock().unwrap_or_else(std::sync::PoisonError::into_inner).log;
        assert_eq!(log[before..].iter().map(|line| line.0).collect::<Vec<_>>(), [DYNO_LOG_ERROR]);
    }
    let all = stages.into_iter().chain([("cleanup", cleanup)]);
    let mut failures = all.filter_map(|(stage, reason)| reason.map(|reason| (stage, reason)));
    let first = failures.next().expect("some stage fails");
    assert_eq!(failures.next(), None, "and only that one");
    first
}

#[test]
fn an_error_of_each_stage_comes_back_as_it_is() {
    for stage in ["setup", "verify", "prepare", "execute", "process_results"] {
        assert_eq!(first_failure(stage, false), (stage, format!("error in {stage}")));
    }
}

#[test]
fn a_panic_in_each_stage_becomes_an_error_with_message_and_place() {
    for stage in ["setup", "verify", "prepare", "execute", "process_results", "drop"] {
        let (failed, reason) = first_failure(stage, true);
        assert_eq!(failed, if stage == "drop" { "cleanup" } else { stage });
        assert!(reason.starts_with("panicked at "), "{reason}");
        assert!(reason.contains("plugin.rs:"), "{reason}");
        assert!(reason.ends_with(&format!(": panic in {stage}")), "{reason}");
    }
}

#[test]
fn a_panic_of_a_helper_thread_is_told_with_its_echo() {
    let (stage, reason) = first_failure("thread", true);
    assert_eq!(stage, "setup");
    assert!(reason.contains("the helper came back: Any"), "{reason}");
    assert!(reason.contains("; before that, thread `helper` panicked at "), "{reason}");
    assert!(reason.ends_with("panic in a helper"), "{reason}");
}

#[test]
fn defaults_are_those_of_the_attributes() {
    let expected = Everything {
        n: 4096,
        small: -3,
        large: u64::try_from(i64::MAX).unwrap(),
        ratio: 0.5,
        exponent: 2.0,
        flag: true,
        text: "a\\b\n".to_owned(),
        layout: Layout::Column,
        r#type: 1,
    };
    assert_eq!(Everything::defaults(), expected);
    assert_eq!(Layout::CHOICES, ["row_major", "col\"umn"]);
    assert_eq!(Layout::from_choice("row_major"), Some(Layout::RowMajor));
    assert_eq!(Layout::from_choice("RowMajor"), None);
    assert_eq!(Layout::Column.as_str(), "col\"umn");
}
