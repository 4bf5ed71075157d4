//! The corpus: complexity beside radon and lizard, benchmarks and their flaws, and what the suite before lost.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as the tests do")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use dyno_analyze::{Analysis, ArgumentKind, FileAnalysis, Flaw, Options, analyze};
use serde_json::Value;

fn corpus() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it for the tests that it runs"))
        .join("tests/corpus")
}

fn analysis(folder: &Path) -> Analysis {
    analyze(&Options::new(folder), &|_, _| {}, &|| false).unwrap()
}

fn of_text(name: &str, text: &str) -> Analysis {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    analysis(folder.path())
}

fn file<'a>(analysis: &'a Analysis, path: &str) -> &'a FileAnalysis {
    analysis.files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}"))
}

fn recorded(tool: &str) -> BTreeMap<String, Value> {
    let text = fs::read_to_string(corpus().join("recorded.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(all[tool]["files"].clone()).unwrap()
}

#[test]
fn python_has_the_complexity_that_radon_gives() {
    let analysis = analysis(&corpus());
    for (path, expected) in recorded("radon") {
        let facts = &file(&analysis, &path).facts;
        let found: BTreeMap<String, u64> = facts
            .functions
            .iter()
            .map(|function| {
                // radon gives the line of the first decorator as the function's own.
                (format!("{}@{}", function.name, function.line), function.complexity.cyclomatic.into())
            })
            .collect();
        let expected_functions: BTreeMap<String, u64> =
            serde_json::from_value(expected["functions"].clone()).unwrap();
        assert_eq!(found, expected_functions, "{path}");
        assert_eq!(u64::from(facts.lines.total), expected["lines"], "{path}");
        assert_eq!(u64::from(facts.lines.comment), expected["comment_lines"], "{path}");
        assert_eq!(u64::from(facts.lines.blank), expected["blank_lines"], "{path}");
    }
}

#[test]
fn the_other_languages_have_the_values_that_lizard_gives() {
    let analysis = analysis(&corpus());
    for (path, expected) in recorded("lizard") {
        let facts = &file(&analysis, &path).facts;
        let functions: BTreeMap<String, Value> =
            serde_json::from_value(expected["functions"].clone()).unwrap();
        let found = facts.functions.iter().filter(|function| function.complexity.cyclomatic > 1).count();
        let counted = functions.values().filter(|value| value["cyclomatic"].as_u64() > Some(1)).count();
        assert_eq!(found, counted, "{path}");
        for (key, value) in functions {
            let (name, line) = key.split_once('@').unwrap();
            let function = facts
                .functions
                .iter()
                .find(|function| function.name == name && function.line.to_string() == line)
                .unwrap_or_else(|| panic!("{path} has no {key}"));
            assert_eq!(u64::from(function.complexity.cyclomatic), value["cyclomatic"], "{path} {key}");
            assert_eq!(u64::from(function.code_lines), value["code_lines"], "{path} {key}");
            // lizard counts the arguments of a function pointer, and no `...`.
            if name != "switches" {
                assert_eq!(function.arguments.len() as u64, value["arguments"], "{path} {key}");
            }
        }
        assert_eq!(u64::from(facts.lines.code), expected["code_lines"], "{path}");
    }
}

#[test]
fn cognitive_complexity_follows_its_definition() {
    let python = "\
def sum_of_primes(limit):
    total = 0
    for i in range(1, limit):        # +1
        for j in range(2, i):        # +2
            if i % j == 0:           # +3
                break
        else:                        # +1
            total += i
    return total if total else 0     # +1

def words(n):
    match n:                         # +1
        case 1: return 1
        case _: return 2

def mixed(a, b, c, d):
    if a and b and c or d:           # +1, +2 for two sequences
        return mixed(1, 2, 3, 4)     # +1
    elif a:                          # +1
        pass
    else:                            # +1
        try:
            pass
        except ValueError:           # +2
            pass
";
    let analysis = of_text("a.py", python);
    let found: Vec<u32> =
        analysis.files[0].facts.functions.iter().map(|function| function.complexity.cognitive).collect();
    assert_eq!(found, [8, 1, 8]);
    let c = "\
int f(int a, int b) {
    if (a) {                 // +1
        switch (b) {         // +2
        case 1: goto out;    // +1
        }
    } else if (b) {          // +1
        while (a && b) { }   // +2, +1
    } else { }               // +1
out:
    return a ? 1 : 2;        // +1
}
";
    let analysis = of_text("a.c", c);
    assert_eq!(analysis.files[0].facts.functions[0].complexity.cognitive, 10);
    let rust = "\
fn f(a: Option<u32>) -> u32 {
    'outer: loop {                          // +1
        if let Some(1) = a && true && true {  // +2, +1
            continue 'outer;                // +1
        }
        let g = |x: u32| if x > 1 { 1 } else { 2 };  // +3, +1
    }
}
";
    let analysis = of_text("a.rs", rust);
    assert_eq!(analysis.files[0].facts.functions[0].complexity.cognitive, 9);
}

/// A benchmark with its flaws as `kind:line`.
fn flaws(analysis: &Analysis, path: &str) -> Vec<String> {
    let name = |kind| match kind {
        Flaw::NoWarmup => "warm-up",
        Flaw::MeanOfOne => "one",
        Flaw::SetupTimed => "setup",
        Flaw::NoDeviceSync => "sync",
        Flaw::NonMonotonicClock => "clock",
    };
    file(analysis, path)
        .facts
        .benchmarks
        .iter()
        .map(|found| {
            let mut flaws: Vec<String> = found
                .problems
                .iter()
                .map(|finding| format!("{}:{}", name(finding.kind), finding.line))
                .collect();
            flaws.sort();
            format!("{} {} [{}]", found.framework.label(), found.name, flaws.join(" "))
        })
        .collect()
}

#[test]
fn benchmarks_of_every_framework_are_found_with_their_flaws() {
    let analysis = analysis(&corpus().join("benchmarks"));
    assert_eq!(
        flaws(&analysis, "test_fixture.py"),
        [
            "pytest-benchmark test_sorting []",
            "pytest-benchmark test_once [one:12 warm-up:12]",
            "pytest-benchmark test_warm []",
        ]
    );
    assert_eq!(
        flaws(&analysis, "asv_suite.py"),
        ["asv SortSuite.time_sort [one:4 warm-up:5]", "asv SortSuite.peakmem_sort []"]
    );
    assert_eq!(
        flaws(&analysis, "original_style.py"),
        ["original suite text_classifier [clock:15 one:15 sync:14 warm-up:15]",]
    );
    assert_eq!(
        flaws(&analysis, "scripts.py"),
        [
            "timeit once [one:9 setup:9 warm-up:9]",
            "timeit once []",
            "hand-written good []",
            "hand-written bad [clock:26 one:26 setup:27 warm-up:26]",
            "hand-written gpu [sync:35 warm-up:35]",
            "hand-written gpu_right []",
            "hand-written whole_loop [one:53]",
            "hand-written dated [clock:66 one:66 warm-up:66]",
        ]
    );
    assert_eq!(
        flaws(&analysis, "criterion_bench.rs"),
        [
            "criterion parse []",
            "criterion sizes/sort [setup:12 warm-up:8]",
            "hand-written by_hand [one:25 warm-up:25]",
        ]
    );
    assert_eq!(flaws(&analysis, "divan_bench.rs"), ["divan fill [one:7]", "libtest old []"]);
    assert_eq!(
        flaws(&analysis, "google.cpp"),
        [
            "Google Benchmark BM_Fill [setup:8]",
            "Google Benchmark BM_Paused [one:24 setup:18 warm-up:24]",
            "Google Benchmark Fixture/Walk []",
            "hand-written by_hand [clock:36 one:36 warm-up:36]",
        ]
    );
    assert_eq!(
        flaws(&analysis, "timing.cu"),
        [
            "hand-written events []",
            "hand-written unsynchronised [one:21 sync:21 warm-up:21]",
            "hand-written synchronised [one:29 warm-up:29]",
        ]
    );
    assert_eq!(
        flaws(&analysis, "clock.c"),
        [
            "hand-written seconds [one:9 warm-up:9]",
            "hand-written wall [clock:18 one:18 setup:20 warm-up:18]",
            "hand-written processor [one:30 warm-up:30]",
        ]
    );
}

#[test]
fn parameters_are_found_with_their_values() {
    let analysis = analysis(&corpus().join("benchmarks"));
    let found = |path: &str, at: usize| -> Vec<String> {
        let benchmark = &file(&analysis, path).facts.benchmarks[at];
        benchmark.parameters.iter().map(|one| format!("{}={}", one.name, one.values.join("|"))).collect()
    };
    assert_eq!(found("test_fixture.py", 0), ["size=16|1024", "kind=\"a\"|\"b\"", "seed=1|2"]);
    assert_eq!(found("asv_suite.py", 0), ["n=10|1000", "algorithm=\"heap\"|\"quick\""]);
    assert_eq!(
        found("original_style.py", 0),
        ["models=\"bert\"|\"t5\"", "hardware=\"all\"", "batch_size=", "model="]
    );
    assert_eq!(found("scripts.py", 2), ["n=100"]);
    assert_eq!(found("criterion_bench.rs", 1), ["input=10|100|1000"]);
    assert_eq!(found("divan_bench.rs", 0), ["args=1|10|100"]);
    assert_eq!(found("google.cpp", 0), ["range(0)=8|16|64|256|1024|4096|8192|3"]);
}

#[test]
fn copied_benchmarks_are_found_by_their_structure() {
    let analysis = analysis(&corpus().join("benchmarks"));
    assert_eq!(analysis.duplicates.len(), 0, "{:?}", analysis.duplicates);
    let copy = |name: &str, size: u32| {
        format!(
            "def {name}(n):\n    total = []\n    for _ in range({size}):\n        s_{name} = time.perf_counter()\n        \
             work(n, {size})\n        total.append(time.perf_counter() - s_{name})\n    return sum(total) / len(total)\n\n"
        )
    };
    let analysis = of_text("copies.py", &format!("import time\n{}{}", copy("first", 1), copy("second", 22)));
    assert_eq!(analysis.duplicates.len(), 1);
    let names: Vec<&str> = analysis.duplicates[0].places.iter().map(|place| place.name.as_str()).collect();
    assert_eq!(names, ["first", "second"]);
    assert!(analysis.recommendations.iter().any(|found| found.title.starts_with("Merge 2 benchmarks")));
}

#[test]
fn nothing_is_lost_that_the_suite_before_lost() {
    let text = "\
from typing import Generic
import os.path as p

class A(Generic[T], base.B, 'Forward'):
    '''Documented.'''
    class Inner(A):
        async def deep(self): ...

    @staticmethod
    def fixed(first: int, /, second: Dict[str, int] | None = None, *rest: str, only, **named: bytes) -> 'A':
        ...

def outer():
    class A: pass
    async def waits(): pass

if condition:
    class A(Later): pass
class Later: pass
";
    let analysis = of_text("a.py", text);
    let facts = &analysis.files[0].facts;
    let classes: Vec<(&str, u32, Vec<&str>)> = facts
        .classes
        .iter()
        .map(|class| (class.qualified.as_str(), class.line, class.bases.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(
        classes,
        [
            ("A", 4, vec!["Generic[T]", "base.B", "'Forward'"]),
            ("A.Inner", 6, vec!["A"]),
            ("outer.A", 14, vec![]),
            ("A", 18, vec!["Later"]),
            ("Later", 19, vec![]),
        ]
    );
    let functions: Vec<(&str, bool)> =
        facts.functions.iter().map(|function| (function.qualified.as_str(), function.is_async)).collect();
    assert_eq!(
        functions,
        [("A.Inner.deep", true), ("A.fixed", false), ("outer", false), ("outer.waits", true)]
    );
    let fixed = &facts.functions[1];
    assert_eq!(fixed.decorators, ["staticmethod"]);
    assert_eq!(fixed.return_type.as_deref(), Some("'A'"));
    let arguments: Vec<(&str, ArgumentKind, Option<&str>, Option<&str>)> = fixed
        .arguments
        .iter()
        .map(|one| (one.name.as_str(), one.kind, one.annotation.as_deref(), one.default.as_deref()))
        .collect();
    assert_eq!(
        arguments,
        [
            ("first", ArgumentKind::PositionalOnly, Some("int"), None),
            ("second", ArgumentKind::Positional, Some("Dict[str, int] | None"), Some("None")),
            ("rest", ArgumentKind::VarPositional, Some("str"), None),
            ("only", ArgumentKind::KeywordOnly, None, None),
            ("named", ArgumentKind::VarKeyword, Some("bytes"), None),
        ]
    );
    // The outputs keep two classes of one name apart, and link a subclass whose base comes later.
    let folder = tempfile::tempdir().unwrap();
    let names = dyno_analyze::write(&analysis, folder.path()).unwrap();
    assert_eq!(
        names,
        [
            "class_hierarchy.json",
            "function_signatures.json",
            "dependencies.json",
            "complexity.json",
            "summary.json",
            "summary.md",
            "index.html",
        ]
    );
    let read = |name: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(folder.path().join(name)).unwrap()).unwrap()
    };
    let hierarchy = read("class_hierarchy.json");
    let keys: Vec<&str> = hierarchy.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["a.py::A", "a.py::A.Inner", "a.py::A@18#2", "a.py::Later", "a.py::outer.A"]);
    assert_eq!(hierarchy["a.py::Later"]["subclasses"][0], "a.py::A@18#2");
    assert_eq!(hierarchy["a.py::A"]["methods"], 1);
    assert_eq!(hierarchy["a.py::A"]["docstring"], true);
    let signatures = read("function_signatures.json");
    let args: Vec<&str> =
        signatures["a.py"][1]["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(
        args,
        ["first: int", "second: Dict[str, int] | None = None", "*rest: str", "only: Any", "**named: bytes",]
    );
    assert_eq!(read("dependencies.json")["a.py"]["imports"][1]["alias"], "p");
    assert_eq!(read("complexity.json")["a.py"]["cyclomatic_complexity"], 2);
    let summary = read("summary.json");
    for field in [
        "total_files_analyzed",
        "total_classes",
        "total_functions",
        "most_complex_files",
        "most_common_imports",
        "refactoring_recommendations",
    ] {
        assert!(!summary[field].is_null(), "{field}");
    }
}

#[test]
fn declarations_of_the_other_languages_are_read() {
    let analysis = analysis(&corpus());
    let bases = |path: &str, name: &str| {
        let class = file(&analysis, path).facts.classes.iter().find(|class| class.name == name).unwrap();
        (class.kind.clone(), class.bases.clone(), class.has_docstring)
    };
    assert_eq!(
        bases("shapes.cpp", "Stack"),
        ("class".to_owned(), vec!["std::vector<T>".to_owned(), "Base".to_owned()], false)
    );
    assert_eq!(bases("shapes.rs", "Counter"), ("struct".to_owned(), vec![], true));
    let written = |path: &str, name: &str| {
        let function =
            file(&analysis, path).facts.functions.iter().find(|function| function.name == name).unwrap();
        let arguments: Vec<String> = function
            .arguments
            .iter()
            .map(|one| format!("{}: {}", one.name, one.annotation.as_deref().unwrap_or("?")))
            .collect();
        format!(
            "{}({}) -> {}",
            function.qualified,
            arguments.join(", "),
            function.return_type.as_deref().unwrap_or("?")
        )
    };
    assert_eq!(
        written("shapes.c", "switches"),
        "switches(kind: int, make: char *(*)(int), ...: ?) -> char *"
    );
    assert_eq!(written("shapes.cpp", "pop"), "corpus::Stack::pop(otherwise: const T &) -> T");
    assert_eq!(
        written("shapes.cpp", "with_lambda"),
        "corpus::with_lambda(values: std::vector<int> &) -> int"
    );
    assert_eq!(written("shapes.rs", "count"), "Counter::count(&mut self: ?, name: &str) -> u32");
    assert_eq!(
        written("shapes.cu", "saxpy"),
        "saxpy(n: int, a: float, x: const float *, y: float *) -> void"
    );
}

#[test]
fn recommendations_are_derived_and_ranked() {
    let analysis = analysis(&corpus().join("benchmarks"));
    let titles: Vec<&str> = analysis.recommendations.iter().map(|found| found.title.as_str()).collect();
    assert_eq!(titles[0], "Move preparation out of the timed region of 6 benchmarks.");
    assert_eq!(titles[1], "Measure 5 benchmarks with a monotonic clock.");
    assert!(titles.iter().any(|title| title.starts_with("Wait for the GPU")), "{titles:?}");
    let ranks: Vec<usize> = analysis.recommendations.iter().map(|found| found.rank).collect();
    assert_eq!(ranks, (1..=titles.len()).collect::<Vec<_>>());
    assert!(
        analysis.recommendations.iter().all(|found| !found.files.is_empty() && !found.feature.is_empty())
    );
    assert_eq!(of_text("a.py", "x = 1\n").recommendations, []);
    // An argument without a value is not a parameter that becomes cases.
    let bench = |arguments: &str| {
        let text = format!(
            "import time\ndef bench({arguments}):\n    t = time.time()\n    work()\n    return time.time() - t\n"
        );
        let found = of_text("a.py", &text).recommendations;
        found.iter().map(|found| found.reason.clone()).collect::<Vec<_>>().join("\n")
    };
    assert!(!bench("size").contains("parameters, which become cases"), "{}", bench("size"));
    assert!(bench("size=3").contains("parameters, which become cases"), "{}", bench("size=3"));
}
