//! Timings written by hand: which are benchmarks, by which clock, and whether they wait for a GPU.

mod support;

use dyno_analyze::Flaw;
use support::{benchmarks, found, has};

/// Two readings of a clock around some code, in a function.
fn timed(name: &str, work: &str) -> String {
    format!(
        "import time\n\ndef {name}(n):\n    start = time.perf_counter()\n    {work}\n    end = time.perf_counter()\n    \
         return end - start\n"
    )
}

#[test]
fn code_that_reads_a_clock_twice_is_no_benchmark_by_that_alone() {
    assert_eq!(found("app.py", &timed("run", "result = test(n)")), [""; 0]);
    let ordinary = [
        // unittest/runner.py
        "def run(self, test):\n    start = time.perf_counter()\n    test(self)\n    stop = time.perf_counter()\n    \
         self.stream.writeln('Ran in %.3fs' % (stop - start))\n",
        // Logging of requests as they come.
        "def serve():\n    while True:\n        start = time.perf_counter()\n        handle(accept())\n        \
         log(time.perf_counter() - start)\n",
        "def all(jobs):\n    start = time.perf_counter()\n    for job in jobs:\n        job()\n    \
         log(time.perf_counter() - start)\n",
        // A retry.
        "def fetch(url):\n    for attempt in range(3):\n        start = time.perf_counter()\n        get(url)\n        \
         log(time.perf_counter() - start)\n",
        // A limit.
        "def test(self):\n    for _ in range(3):\n        start = time.perf_counter()\n        work()\n        \
         passed = time.perf_counter() - start\n        if passed > 3:\n            raise TimeoutError\n",
        // A clock is tested.
        "def test(self):\n    for _ in range(3):\n        start = time.perf_counter()\n        time.sleep(1)\n        \
         log(time.perf_counter() - start)\n",
        "def test(self):\n    for i in range(len(self.tests)):\n        start = time.perf_counter()\n        \
         self.tests[i]()\n        log(time.perf_counter() - start)\n",
    ];
    for text in ordinary {
        assert_eq!(found("app.py", &format!("import time\n{text}")), [""; 0], "{text}");
    }
    let rust = "fn handle(queue: &Queue) {\n    while let Some(job) = queue.pop() {\n        let start = Instant::now();\n        \
                job.run();\n        info!(\"{:?}\", start.elapsed());\n    }\n}\n";
    assert_eq!(found("app.rs", rust), [""; 0]);
}

#[test]
fn work_that_goes_on_or_is_tried_again_is_not_repeated() {
    let read = "time.perf_counter()";
    let python = [
        // A retry is left when it succeeds.
        format!(
            "for i in range(5):\n        t = {read}\n        try:\n            data = get(url)\n            log({read} - t)\n            \
             return data\n        except IOError:\n            pass"
        ),
        format!(
            "for i in range(5):\n        t = {read}\n        ok = send(url)\n        log({read} - t)\n        if ok:\n            break"
        ),
        format!(
            "t = {read}\n    for i in range(5):\n        if send(url):\n            break\n    log({read} - t)"
        ),
        // Each epoch trains what the last one left.
        format!("for epoch in range(9):\n        t = {read}\n        run(model)\n        log({read} - t)"),
        format!(
            "for epoch in range(9):\n        t = {read}\n        run(model)\n        all.append({read} - t)"
        ),
        format!(
            "for i in range(num_epochs):\n        t = {read}\n        run(model)\n        log({read} - t)"
        ),
        format!(
            "for i in range(n):\n        t = {read}\n        train_one(model, i)\n        log({read} - t)"
        ),
        format!("t = {read}\n    for epoch in range(9):\n        run(model)\n    log({read} - t)"),
        // Where a program spends its time.
        format!(
            "total = 0\n    for url in urls:\n        t = {read}\n        load(url)\n        total += {read} - t\n    \
             log(total / len(urls))"
        ),
        format!(
            "all = []\n    for url in urls:\n        t = {read}\n        download(url)\n        all.append({read} - t)\n    \
             log(sum(all) / len(all))"
        ),
    ];
    for body in python {
        let text = format!("import time\ndef work(n, url, urls, model):\n    {body}\n");
        assert_eq!(found("app.py", &text), [""; 0], "{text}");
        assert_eq!(found("benchmarks/app.py", &text).len(), 1, "{text}");
    }
    let rust = "fn load(url: &str) -> Result<Data, Error> {\n    for _ in 0..3 {\n        let start = Instant::now();\n        \
                if let Ok(data) = get(url) {\n            info!(\"{:?}\", start.elapsed());\n            return Ok(data);\n        }\n    \
                }\n    Err(Error)\n}\n";
    assert_eq!(found("app.rs", rust), [""; 0]);
    let c = "int load(int n) {\n    for (int i = 0; i < 3; i++) {\n        double a = omp_get_wtime();\n        int ok = get(n);\n        \
             report(omp_get_wtime() - a);\n        if (ok) return 0;\n    }\n    return -1;\n}\n";
    assert_eq!(found("app.c", c), [""; 0]);
}

#[test]
fn a_benchmark_may_end_early_for_other_reasons() {
    let read = "time.perf_counter()";
    for body in [
        // A limit of time, with samples.
        format!(
            "for i in range(99):\n        t = {read}\n        run()\n        all.append({read} - t)\n        if sum(all) > 3:\n            break"
        ),
        format!(
            "for i in range(9):\n        t = {read}\n        if run() is None:\n            return None\n        log({read} - t)"
        ),
        format!("for _ in range(9):\n        t = {read}\n        train(model)\n        log({read} - t)"),
        format!(
            "for i in range(9):\n        t = {read}\n        for x in xs:\n            if run(x):\n                break\n        log({read} - t)"
        ),
        format!(
            "for _ in range(9):\n        t = {read}\n        download(url)\n        all.append({read} - t)"
        ),
    ] {
        let text = format!("import time\ndef work(n, xs):\n    {body}\n");
        assert_eq!(benchmarks("app.py", &text).len(), 1, "{text}");
    }
    let c = "int run(int n) {\n    for (int i = 0; i < 3; i++) {\n        double a = omp_get_wtime();\n        int rc = get(n);\n        \
             if (rc) return -1;\n        report(omp_get_wtime() - a);\n    }\n    return 0;\n}\n";
    assert_eq!(benchmarks("app.c", c).len(), 1);
}

#[test]
fn repeated_work_is_a_benchmark() {
    let repeated = [
        (
            "a.py",
            "import time\ndef f(n):\n    for _ in range(n):\n        t = time.perf_counter()\n        work()\n        log(time.perf_counter() - t)\n",
        ),
        (
            "a.py",
            "import time\ndef f(n):\n    for size in [10, 100]:\n        t = time.perf_counter()\n        work(size)\n        log(time.perf_counter() - t)\n",
        ),
        (
            "a.py",
            "import time\ndef f(n):\n    for case in cases:\n        t = time.perf_counter()\n        work(case)\n        e = time.perf_counter() - t\n        all.append(e)\n",
        ),
        (
            "a.py",
            "import time\ndef f(n):\n    t = time.perf_counter()\n    for i in range(n):\n        work(i)\n    log(time.perf_counter() - t)\n",
        ),
        (
            "a.py",
            "import time\ndef f(n):\n    best = 9\n    for _ in range(n):\n        t = time.perf_counter()\n        work()\n        e = time.perf_counter() - t\n        if e < best:\n            best = e\n",
        ),
        (
            "a.rs",
            "fn f() {\n    let start = Instant::now();\n    for _ in 0..100 {\n        work();\n    }\n    report(start.elapsed());\n}\n",
        ),
        (
            "a.c",
            "void f(int n) {\n    double a = omp_get_wtime();\n    for (int i = 0; i < n; i++) work(i);\n    double b = omp_get_wtime();\n    report(b - a);\n}\n",
        ),
    ];
    for (name, text) in repeated {
        assert_eq!(benchmarks(name, text).len(), 1, "{text}");
    }
}

#[test]
fn a_name_says_that_something_is_measured() {
    for name in ["bench", "measure_io", "time_sort", "run_perf", "Speed"] {
        assert_eq!(found("app.py", &timed(name, "work(n)")), [format!("{name}:3 [one:4 warm-up:4]")]);
    }
    for path in ["benchmark.py", "benchmarks/io.py", "perf-tests/a.py", "tools/timing.py"] {
        assert_eq!(found(path, &timed("run", "work(n)")), ["run:3 [one:4 warm-up:4]"], "{path}");
    }
    for path in ["performer.py", "runtime.py", "time.py", "time_io.py"] {
        assert_eq!(found(path, &timed("perform", "work(n)")), [""; 0], "{path}");
    }
    // Beside the benchmarks of a framework stand others.
    let beside = format!("{}def test_it(benchmark):\n    benchmark(work)\n", timed("run", "work(n)"));
    assert_eq!(found("app.py", &beside).len(), 2);
    let beside = format!("{}import timeit\ndef other():\n    timeit.repeat('x')\n", timed("run", "work(n)"));
    assert_eq!(found("app.py", &beside), ["other:10 []"]);
}

#[test]
fn the_code_of_a_module_is_a_unit_of_its_own() {
    let text = "\
import time

def work(n):
    start = n
    return start

if __name__ == '__main__':
    work(1)
    for _ in range(9):
        start = time.time()
        work(2)
        print(time.time() - start)
";
    assert_eq!(found("script.py", text), ["<module>:10 [clock:10]"]);
    let once = "import time\nt = time.perf_counter()\nwork(2)\nprint(time.perf_counter() - t)\n";
    assert_eq!(found("script.py", once), [""; 0]);
    assert_eq!(found("bench.py", once), ["<module>:2 [one:2 warm-up:2]"]);
    let whole = &benchmarks("bench.py", once)[0];
    assert_eq!((whole.end_line, whole.subject.as_str()), (4, "<module>"));
    // What a function times is not the module's.
    let inner = format!("{}\nmeasure(3)\n", timed("measure", "work(n)"));
    assert_eq!(found("script.py", &inner), ["measure:3 [one:4 warm-up:4]"]);
}

/// A benchmark in Python whose clock is read as `read`.
fn python_clock(import: &str, read: &str) -> String {
    format!("{import}\ndef bench():\n    t = {read}\n    work()\n    return {read} - t\n")
}

/// A benchmark in C++ whose clock is read as `read`.
fn cpp_clock(before: &str, read: &str, difference: &str) -> String {
    format!("{before}\nvoid bench() {{\n    {read}\n    work();\n    report({difference});\n}}\n")
}

#[test]
fn clocks_are_known_under_other_names() {
    for (import, read, settable) in [
        ("from time import time as now", "now()", true),
        ("from time import perf_counter as now", "now()", false),
        ("from time import monotonic as time", "time()", false),
        ("import time as t", "t.time()", true),
        ("import time as t", "t.perf_counter()", false),
        ("import time\nnow = time.time", "now()", true),
        ("import time\nnow = time.perf_counter", "now()", false),
        ("from timeit import default_timer as timer", "timer()", false),
        ("from datetime import datetime as dt", "dt.now()", true),
        ("import time", "time.clock_gettime(time.CLOCK_REALTIME)", true),
        ("import time", "time.clock_gettime(time.CLOCK_MONOTONIC)", false),
    ] {
        let text = python_clock(import, read);
        assert_eq!(has("a.py", &text, Flaw::NonMonotonicClock), settable, "{text}");
    }
    for (before, read, difference, settable) in [
        ("using C = std::chrono::steady_clock;", "const auto s{C::now()};", "C::now() - s", false),
        (
            "using Clock = std::chrono::high_resolution_clock;",
            "auto s(Clock::now());",
            "Clock::now() - s",
            true,
        ),
        ("typedef std::chrono::system_clock C;", "C::time_point s = C::now();", "C::now() - s", true),
        (
            "",
            "std::chrono::system_clock::time_point s{std::chrono::system_clock::now()};",
            "std::chrono::system_clock::now() - s",
            true,
        ),
        (
            "",
            "LARGE_INTEGER s, e; QueryPerformanceCounter(&s); run(); QueryPerformanceCounter(&e);",
            "e.QuadPart - s.QuadPart",
            false,
        ),
        (
            "",
            "timespec s, e; clock_gettime(CLOCK_REALTIME, &s); run(); clock_gettime(CLOCK_REALTIME, &e);",
            "e.tv_sec - s.tv_sec",
            true,
        ),
        (
            "",
            "timespec s, e; clock_gettime(CLOCK_MONOTONIC_RAW, &s); run(); clock_gettime(CLOCK_MONOTONIC_RAW, &e);",
            "e.tv_sec - s.tv_sec",
            false,
        ),
    ] {
        let text = cpp_clock(before, read, difference);
        assert_eq!(has("a.cpp", &text, Flaw::NonMonotonicClock), settable, "{text}");
    }
    let rust = "use std::time::SystemTime as Clock;\nfn bench() {\n    let t = Clock::now();\n    work();\n    \
                report(t.elapsed());\n}\n";
    assert!(has("a.rs", rust, Flaw::NonMonotonicClock));
}

#[test]
fn processor_time_is_remarked_on_and_no_problem() {
    for (name, text) in [
        ("a.py", python_clock("import time", "time.process_time()")),
        ("a.cpp", cpp_clock("", "clock_t s = clock();", "clock() - s")),
        (
            "a.cpp",
            cpp_clock(
                "",
                "timespec s, e; clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &s); run(); clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &e);",
                "e.tv_sec - s.tv_sec",
            ),
        ),
    ] {
        let all = benchmarks(name, &text);
        assert!(all[0].timing.contains("processor time"), "{}", all[0].timing);
        assert!(!has(name, &text, Flaw::NonMonotonicClock), "{text}");
    }
}

/// A benchmark on a GPU in PyTorch.
fn on_gpu(before: &str, region: &str) -> String {
    format!(
        "import time\nimport torch\na = b = None\ndef bench(a, b):\n    a, b = a.cuda(), b.cuda()\n    {before}\n    \
         for _ in range(9):\n        t = time.perf_counter()\n        {region}\n        log(time.perf_counter() - t)\n"
    )
}

#[test]
fn operators_are_work_for_a_gpu() {
    for (before, region, flaws) in [
        ("c = a @ b", "c = a @ b; torch.cuda.synchronize()", ""),
        ("c = a @ b", "c = a @ b", "sync:8"),
        ("c = a * b", "c = a * b", "sync:8"),
        ("pass", "c = a @ b; torch.cuda.synchronize()", "warm-up:8"),
        ("c = b @ a", "c = a @ b; torch.cuda.synchronize()", "warm-up:8"),
        // A wait before the work is not the one after it.
        ("c = a @ b", "torch.cuda.synchronize(); c = a @ b", "sync:8"),
        ("c = a * b", "torch.cuda.synchronize(); c = a * b", "sync:8"),
        ("model(a)", "torch.cuda.synchronize(); c = model(a)", "sync:8"),
        ("model(a)", "torch.cuda.synchronize(); c = model(a); torch.cuda.synchronize()", ""),
        ("model(a)", "c = model(a); torch.cuda.synchronize(); log.info(c)", ""),
        ("model(a)", "c = model(a).cpu()", ""),
        ("model(a)", "c = model(a).cpu(); d = model(a)", "sync:8"),
    ] {
        assert_eq!(
            found("a.py", &on_gpu(before, region)),
            [format!("bench:4 [{flaws}]")],
            "{before} / {region}"
        );
    }
    let cuda = |region: &str| {
        format!(
            "void bench(float *x, int n) {{\n    k<<<1, 256>>>(x);\n    for (int i = 0; i < n; i++) {{\n        \
             auto s = std::chrono::steady_clock::now();\n        {region}\n        \
             report(std::chrono::steady_clock::now() - s);\n    }}\n}}\n"
        )
    };
    assert_eq!(found("a.cu", &cuda("k<<<1, 256>>>(x); cudaDeviceSynchronize();")), ["bench:1 []"]);
    assert_eq!(found("a.cu", &cuda("cudaDeviceSynchronize(); k<<<1, 256>>>(x);")), ["bench:1 [sync:4]"]);
    assert_eq!(
        found("a.cu", &cuda("cudaDeviceSynchronize(); cublasSgemm(x);")),
        ["bench:1 [sync:4 warm-up:4]"]
    );
}

/// A benchmark whose clock are events of a GPU.
fn events(import: &str, make: &str, compare: &str) -> String {
    format!(
        "{import}\ndef bench(a, b):\n    s, e = {make}, {make}\n    work(a)\n    for _ in range(9):\n        s.record()\n        \
         work(a.cuda())\n        e.record()\n        {compare}\n"
    )
}

#[test]
fn events_that_a_gpu_records_are_a_clock() {
    for (import, make, compare) in [
        (
            "import torch",
            "torch.cuda.Event(enable_timing=True)",
            "torch.cuda.synchronize()\n        all.append(s.elapsed_time(e))",
        ),
        ("import torch", "torch.cuda.Event(enable_timing=True)", "e.synchronize(); print(s.elapsed_time(e))"),
        (
            "from torch.cuda import Event",
            "Event(enable_timing=True)",
            "e.synchronize(); print(s.elapsed_time(e))",
        ),
        ("import cupy as cp", "cp.cuda.Event()", "e.synchronize(); print(cp.cuda.get_elapsed_time(s, e))"),
        ("from numba import cuda", "cuda.event()", "e.synchronize(); print(cuda.event_elapsed_time(s, e))"),
    ] {
        let text = events(import, make, compare);
        assert_eq!(found("a.py", &text), ["bench:2 []"], "{text}");
        let one = &benchmarks("a.py", &text)[0];
        assert!(one.timing == "`cuda.Event` around each repetition" && one.gpu, "{one:?}");
    }
    let lacking =
        events("import torch", "torch.cuda.Event(enable_timing=True)", "all.append(s.elapsed_time(e))");
    assert_eq!(found("a.py", &lacking), ["bench:2 [sync:6]"]);
    assert!(benchmarks("a.py", &lacking)[0].problems[0].reason.starts_with("The events are compared"));
    // Events of lists are compared under other names.
    let lists = "\
import torch

def run(n, x):
    starts = [torch.cuda.Event(enable_timing=True) for _ in range(n)]
    ends = [torch.cuda.Event(enable_timing=True) for _ in range(n)]
    model(x.cuda())
    for i in range(n):
        starts[i].record()
        model(x.cuda())
        ends[i].record()
    torch.cuda.synchronize()
    return [a.elapsed_time(b) for a, b in zip(starts, ends)]
";
    assert_eq!(found("a.py", lists), ["run:3 []"]);
    // Other things are recorded too.
    for other in [
        "def bench(log):\n    log.record()\n    work()\n    log.record()\n",
        "import torch\ndef bench(log):\n    log.record()\n    work()\n    other.record()\n    log.elapsed_time(other)\n",
        "import torch\nE = torch.cuda.Event()\ndef bench(log):\n    log.record()\n    work()\n    log.record()\n",
    ] {
        assert_eq!(found("a.py", other), [""; 0], "{other}");
    }
}
