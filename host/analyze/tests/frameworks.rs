//! Benchmarks of frameworks in all the ways that these allow: decorators, markers, attributes and registrations.

mod support;

use dyno_analyze::Flaw;
use support::{benchmarks, facts, found, has, parameters};

#[test]
fn the_fixture_of_pytest_is_called_in_many_ways() {
    let decorator = "\
import pytest

def test_decorated(benchmark):
    @benchmark
    def result():
        return work()
    assert result == 3

class TestIt:
    @pytest.fixture(autouse=True)
    def prepare(self, benchmark):
        self.benchmark = benchmark

    def test_attribute(self):
        self.benchmark(work, 1)

    def test_once(self):
        self.benchmark.pedantic(work, warmup_rounds=1)

    def test_other(self):
        work(1)

class Other:
    def run(self):
        self.benchmark(1)

def helper(benchmark):
    # benchmark(work)
    return 'benchmark(work)'
";
    assert_eq!(
        found("test_a.py", decorator),
        ["test_decorated:3 []", "test_attribute:14 []", "test_once:17 [one:18]"]
    );
}

#[test]
fn markers_of_pytest_are_judged_at_their_lines() {
    let text = "\
import time
import pytest

@pytest.mark.benchmark(group='a', timer=time.time)
def test_timer(benchmark):
    benchmark(work)

@pytest.mark.benchmark(
    min_rounds=1,
    warmup=False,
)
@pytest.mark.parametrize('n', [1, 2])
def test_rounds(benchmark, n):
    benchmark(work, n)

@pytest.mark.benchmark(warmup=True, min_rounds=10, timer=time.perf_counter)
def test_good(benchmark):
    benchmark(work)

@pytest.mark.benchmark(timer=time.process_time)
class TestAll:
    def test_method(self, benchmark):
        benchmark(work)

@pytest.mark.benchmark(warmup='off')
class TestCold:
    def test_method(self, benchmark):
        benchmark(work)
";
    assert_eq!(
        found("test_a.py", text),
        [
            "test_timer:5 [clock:4]",
            "test_rounds:13 [one:8 warm-up:8]",
            "test_good:17 []",
            "test_method:22 []",
            "test_method:27 [warm-up:25]",
        ]
    );
    let all = benchmarks("test_a.py", text);
    assert!(all[0].timing.contains("`time.time`") && all[3].timing.contains("processor time"), "{all:?}");
    let whole = "import time\nimport pytest\npytestmark = pytest.mark.benchmark(timer=time.time)\ndef test_a(benchmark):\n    \
                 benchmark(work)\n";
    assert_eq!(found("test_a.py", whole), ["test_a:4 [clock:3]"]);
}

#[test]
fn data_that_is_built_in_a_measured_function_is_setup() {
    for (body, line) in [
        (
            "    @benchmark\n    def run():\n        data = [random.random() for _ in range(9)]\n        data.sort()\n",
            Some(5),
        ),
        (
            "    def run():\n        data = np.random.rand(9)\n        sort(data)\n    benchmark(run)\n",
            Some(4),
        ),
        ("    benchmark(lambda: sort([random.random() for _ in range(9)]))\n", Some(3)),
        ("    data = [random.random() for _ in range(9)]\n    benchmark(sort, data)\n", None),
        ("    benchmark(lambda: sort(data))\n", None),
        ("    def run():\n        return random.random()\n    benchmark(run)\n", None),
    ] {
        let text = format!("import random\ndef test(benchmark):\n{body}");
        let expected = line.map(|line| format!("setup:{line}")).unwrap_or_default();
        assert_eq!(found("test_a.py", &text), [format!("test:2 [{expected}]")], "{text}");
    }
    let asv = "class TimeSuite:\n    def time_sort(self):\n        data = [i * 3 for i in range(9)]\n        sort(data)\n\n    \
               def peakmem_sort(self):\n        data = [i * 3 for i in range(9)]\n        sort(data)\n";
    assert_eq!(found("a.py", asv), ["TimeSuite.time_sort:2 [setup:3]", "TimeSuite.peakmem_sort:6 []"]);
}

#[test]
fn functions_of_asv_are_found_with_their_attributes() {
    let text = "\
def setup():
    pass

def time_sort(n):
    sort(n)

time_sort.params = [10, 100]
time_sort.param_names = ['n']
time_sort.repeat = 1

def track_size():
    return 3

def mem_list():
    return [0] * 10

def peakmem_list():
    [0] * 10

peakmem_list.repeat = 1
";
    assert_eq!(
        found("a.py", text),
        ["time_sort:4 [one:9]", "track_size:11 []", "mem_list:14 []", "peakmem_list:17 []"]
    );
    let first = &benchmarks("a.py", text)[0];
    assert_eq!(
        (first.parameters[0].name.as_str(), first.parameters[0].values.join("|")),
        ("n", "10|100".to_owned())
    );
    // Nothing but its name says that this is one.
    let bare = "def time_left(end):\n    return end - now()\n\ndef track_album(album):\n    return album\n";
    assert_eq!(found("player.py", bare), [""; 0]);
    assert_eq!(found("benchmarks/io.py", "def time_read():\n    read()\n"), ["time_read:1 []"]);
}

#[test]
fn attributes_of_asv_have_their_own_lines() {
    let text = "\
import time

class Base:
    params = [[1, 2], ['a']]
    param_names = ['n', 'kind']
    timer = time.time

class TimeSort(Base):
    # warmup_time = 3
    number = 1
    repeat = (1, 1, 10.0)
    warmup_time = 0

    def setup(self, n, kind):
        repeat = 3

    def time_sort(self, n, kind):
        sort(n)

    def peakmem_sort(self, n, kind):
        sort(n)

    def track_sort(self, n, kind):
        return 3

class Timeout:
    def time_left(self):
        return 1
";
    assert_eq!(
        found("a.py", text),
        [
            "TimeSort.time_sort:17 [clock:6 one:11 warm-up:12]",
            "TimeSort.peakmem_sort:20 []",
            "TimeSort.track_sort:23 []",
        ]
    );
    for one in benchmarks("a.py", text) {
        let names: Vec<&str> = one.parameters.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["n", "kind"], "{}", one.name);
    }
}

#[test]
fn decorators_of_asv_runner_give_parameters() {
    let text = "\
from asv_runner.benchmarks.mark import SkipNotImplemented, parameterize, skip_benchmark, skip_for_params

@parameterize({'n': [10, 100], \"kind\": ['a: b', 'c']})
class Sorting:
    params = [1]
    param_names = ['old']

    def time_sort(self, n, kind):
        if n > 10:
            raise SkipNotImplemented
        sort(n)

class Derived(Sorting):
    def time_again(self, n, kind):
        sort(n)

class Other(Sorting):
    params = [7, 8]
    param_names = ['m']

    @skip_for_params([(8,)])
    def time_other(self, m):
        sort(m)

@mark.parameterize_func_with({'n': range(3)})
def time_one(n):
    sort(n)

@skip_benchmark
def time_none():
    sort(1)
";
    let all = benchmarks("a.py", text);
    let shown = |at: usize| -> String {
        let parameters: Vec<String> =
            all[at].parameters.iter().map(|one| format!("{}={}", one.name, one.values.join("|"))).collect();
        format!("{} {}", all[at].name, parameters.join(" "))
    };
    let expected = [
        "Sorting.time_sort n=10|100 kind='a: b'|'c'",
        "Derived.time_again n=10|100 kind='a: b'|'c'",
        "Other.time_other m=7",
        "time_one n=range(3)",
        "time_none ",
    ];
    assert_eq!((0..all.len()).map(shown).collect::<Vec<_>>(), expected);
    assert!(all[4].timing.ends_with("skips it by `skip_benchmark`"), "{}", all[4].timing);
    // The decorator alone says that it is one.
    let alone = "@mark.parameterize({'n': [1]})\nclass Keys:\n    def time_keys(self, n):\n        keys(n)\n";
    assert_eq!(parameters("a.py", alone), ["n=1"]);
}

#[test]
fn only_what_timeit_has_is_called_timeit() {
    for (import, call) in [
        ("import timeit", "timeit.timeit('x')"),
        ("import timeit as ti", "ti.repeat('x')"),
        ("from timeit import timeit", "timeit('x')"),
        ("from timeit import repeat as again", "again('x')"),
        ("import timeit", "timeit.Timer('a.b(1)').autorange()"),
        ("from timeit import Timer as T", "T('x').timeit()"),
        ("import timeit", "t = timeit.Timer('x')\n    t.repeat()"),
        ("from timeit import Timer", "self.t = Timer('x')\n    self.t.timeit()"),
    ] {
        let text = format!("{import}\ndef f(self):\n    {call}\n");
        assert_eq!(benchmarks("a.py", &text).len(), 1, "{text}");
    }
    for (import, call) in [
        ("import timeit\nfrom itertools import repeat", "repeat('x')"),
        ("import timeit", "self.timeit('x')"),
        ("import timeit", "retry_timer.repeat('x')"),
        ("import timeit", "Timer('x').timeit()"),
        ("import timeit\nfrom threading import Timer", "t = Timer(3, f)\n    t.repeat()"),
        ("from . import timeit", "timeit.timeit('x')"),
        ("import timeit", "# t = timeit.Timer('x')\n    t.repeat()"),
    ] {
        let text = format!("{import}\ndef f(self):\n    {call}\n");
        assert_eq!(found("a.py", &text), [""; 0], "{text}");
    }
}

#[test]
fn the_timer_of_timeit_is_judged() {
    for (call, settable) in [
        ("timeit.repeat('x', timer=time.time)", true),
        ("timeit.repeat('x', 'y', time.time)", true),
        ("timeit.repeat('x', timer=now)", true),
        ("timeit.repeat('x', timer=time.perf_counter)", false),
        ("timeit.repeat('x')", false),
    ] {
        let text = format!("import time, timeit\nfrom time import time as now\ndef f():\n    {call}\n");
        assert_eq!(has("a.py", &text, Flaw::NonMonotonicClock), settable, "{text}");
    }
    let processor = "import time, timeit\ntimeit.repeat('x', timer=time.process_time)\n";
    assert!(benchmarks("a.py", processor)[0].timing.contains("processor time"));
}

/// A benchmark of Google's with this registration.
fn google(registration: &str) -> String {
    format!(
        "static void BM_A(benchmark::State &state) {{\n    for (auto _ : state) work();\n}}\nBENCHMARK(BM_A){registration};\n"
    )
}

#[test]
fn registrations_of_google_benchmark_are_parameters_with_values() {
    for (registration, expected) in [
        ("->RangeMultiplier(8)->Range(8, 8 << 10)", vec!["range(0)=8|64|512|4096|8192"]),
        ("->Range(1, 1 << 6)", vec!["range(0)=1|8|64"]),
        ("->Range(0, 8)", vec!["range(0)=0|1|8"]),
        ("->RangeMultiplier(2)->Ranges({{1, 4}, {128, 256}})", vec!["range(0)=1|2|4", "range(1)=128|256"]),
        ("->ArgsProduct({{1, 2}, {3, 4}})", vec!["range(0)=1|2", "range(1)=3|4"]),
        (
            "->ArgsProduct({benchmark::CreateRange(8, 128, 4), benchmark::CreateDenseRange(1, 4, 1), {7}})",
            vec!["range(0)=8|16|64|128", "range(1)=1|2|3|4", "range(2)=7"],
        ),
        ("->DenseRange(0, 1024, 512)", vec!["range(0)=0|512|1024"]),
        ("->DenseRange(1, 3)", vec!["range(0)=1|2|3"]),
        ("->Arg(1)\n    ->Arg(1 << 4)->Unit(benchmark::kMillisecond)", vec!["range(0)=1|16"]),
        ("->Args({1, 2})->Args({1, 3})->ArgNames({\"rows\", \"columns\"})", vec!["rows=1", "columns=2|3"]),
        ("->ArgName(\"n\")->Arg(4)->ThreadRange(1, 4)", vec!["n=4", "threads=1|2|4"]),
        ("->Threads(2)->Threads(8)", vec!["threads=2|8"]),
        // What only the compiler knows stays as it is written.
        ("->Range(kFirst, kLast)", vec!["range(0)=kFirst … kLast"]),
        ("->Arg(kFirst)", vec!["range(0)=kFirst"]),
        ("->RangeMultiplier(4)->Unit(benchmark::kMillisecond)->UseRealTime()->Apply(Custom)", vec![]),
    ] {
        assert_eq!(parameters("a.cpp", &google(registration)), expected, "{registration}");
    }
}

#[test]
fn a_function_of_criterion_has_the_group_that_it_is_called_on() {
    let text = "\
fn all(c: &mut Criterion) {
    let mut group = c.benchmark_group(\"sort\");
    group.warm_up_time(Duration::ZERO);
    for size in [10, 100] {
        group.bench_with_input(BenchmarkId::new(\"quick\", size), &size, |b, &n| b.iter(|| sort(n)));
    }
    group.finish();
    c.bench_function(\"alone\", |b| b.iter(|| work()));
    for n in &[7, 8] {
        c.bench_with_input(BenchmarkId::new(\"input\", n), n, |b, n| b.iter(|| work(n)));
    }
    // let mut group = c.benchmark_group(\"old\");
    let mut group: BenchmarkGroup<'_, WallTime> = c.benchmark_group(\"search\");
    group.sample_size(20).bench_function(\"linear\", |b| b.iter(|| find()));
    let mut other_group = c.benchmark_group(\"other\");
    group.bench_function(\"binary\", |b| b.iter(|| find()));
    c.benchmark_group(\"direct\").bench_function(\"one\", |b| b.iter(|| find()));
    c.bench_function(\"last\", |b| b.iter(|| work()));
    let g = group.sample_size(20);
    g.bench_function(\"alias\", |b| b.iter(|| work()));
}
";
    assert_eq!(
        found("a.rs", text),
        [
            "sort/quick:5 [warm-up:3]",
            "alone:8 []",
            "input:10 []",
            "search/linear:14 []",
            "search/binary:16 []",
            "direct/one:17 []",
            "last:18 []",
            "search/alias:20 []",
        ]
    );
    let values: Vec<Vec<String>> =
        benchmarks("a.rs", text).into_iter().flat_map(|one| one.parameters).map(|one| one.values).collect();
    assert_eq!(values, [["10", "100"], ["7", "8"]]);
}

/// How many places of a source in C++ the grammar cannot read, and the parameters of its benchmarks.
fn gaps(text: &str) -> (u32, Vec<String>) {
    let facts = facts("a.cpp", text);
    let parameters = facts.benchmarks.iter().flat_map(|one| &one.parameters);
    (facts.gap_count, parameters.map(|one| one.values.join("|")).collect())
}

#[test]
fn a_registration_that_is_read_is_not_listed_as_unreadable() {
    let benchmark =
        "template <class T> void BM_A(benchmark::State &state) {\n    for (auto _ : state) work();\n}\n";
    for (registration, values) in [
        ("BENCHMARK_TEMPLATE(BM_A, int);", ""),
        ("BENCHMARK_TEMPLATE(BM_A, int)", ""),
        ("BENCHMARK_TEMPLATE(BM_A, unsigned long)->Arg(8);", "8"),
        (
            "BENCHMARK_TEMPLATE(BM_A, int)\n    ->Arg(8)\n    ->Range(1, 64)->Unit(benchmark::kMillisecond) ;",
            "8|1|64",
        ),
        ("BENCHMARK_TEMPLATE1(BM_A, int)->Arg(8);", "8"),
        ("BENCHMARK_TEMPLATE2(BM_A, int, const char *)->Arg(8);", "8"),
        ("BENCHMARK_TEMPLATE1_CAPTURE(BM_A, int, name, 3)->Arg(8);", "8"),
        ("BENCHMARK_TEMPLATE(BM_A, double)->Arg(8);\nBENCHMARK(BM_A<char>)->Arg(9);", "8"),
    ] {
        let text = format!("{benchmark}{registration}\nint after() {{ return 1; }}\n");
        let values: Vec<&str> = Some(values).filter(|values| !values.is_empty()).into_iter().collect();
        let (count, found) = gaps(&text);
        assert_eq!((count, found.iter().map(String::as_str).collect::<Vec<_>>()), (0, values), "{text}");
        // What stands beside it is still listed.
        assert!(gaps(&format!("{text}int before(int, {{ ;\n")).0 > 0, "{text}");
    }
    let fixture = "BENCHMARK_TEMPLATE_METHOD_F(F, A)(benchmark::State &state) { for (auto _ : state) work(); }\n\
                   BENCHMARK_TEMPLATE_INSTANTIATE_F(F, A, int)->Arg(3);\n";
    assert_eq!(gaps(fixture), (0, vec!["3".to_owned()]));
    assert!(gaps("MACRO(BM_A, int)->Arg(8);\n").0 > 0);
}
