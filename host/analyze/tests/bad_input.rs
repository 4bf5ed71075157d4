//! What is no source, and what is too much of one: a sentence each, and the rest is still analysed.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as the tests do")]

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use dyno_analyze::{Analysis, AnalyzeError, Options, Problem, ProblemKind, analyze, write};

fn analysis(folder: &Path) -> Analysis {
    analyze(&Options::new(folder), &|_, _| {}, &|| false).unwrap()
}

fn problem<'a>(analysis: &'a Analysis, path: &str) -> &'a Problem {
    let found = analysis.problems.iter().find(|problem| problem.file == path);
    found.unwrap_or_else(|| panic!("no problem of {path} in {:?}", analysis.problems))
}

/// Every sentence is one: it begins with a capital letter and ends with a full stop.
fn is_sentence(text: &str) -> bool {
    text.starts_with(|first: char| first.is_uppercase()) && text.ends_with('.')
}

#[test]
fn each_bad_file_is_a_sentence_and_the_rest_is_analysed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::write(root.join("good.py"), "def f(a):\n    return a\n").unwrap();
    fs::write(root.join("binary.py"), b"\x7fELF\x00\x01\x02").unwrap();
    fs::write(root.join("latin.py"), b"# caf\xe9\ndef g(): pass\n").unwrap();
    let wide: Vec<u8> = "\u{feff}def h(): pass\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(root.join("wide.py"), wide).unwrap();
    fs::write(root.join("broken.py"), "def f(:\n    return )\n\nclass Kept:\n    pass\n").unwrap();
    // A hundred megabytes, of which the system stores one block.
    let mut large = fs::File::create(root.join("large.py")).unwrap();
    large.seek(SeekFrom::Start(100 << 20)).unwrap();
    large.write_all(b"\n").unwrap();
    symlink(".", root.join("around")).unwrap();
    symlink("itself.py", root.join("itself.py")).unwrap();
    symlink("missing.py", root.join("nowhere.py")).unwrap();
    symlink("/etc/passwd", root.join("outside.py")).unwrap();
    symlink("/etc/passwd", root.join("no source")).unwrap();
    fs::create_dir(root.join("folder.py")).unwrap();

    let analysis = analysis(root);
    let files: Vec<&str> = analysis.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(files, ["broken.py", "good.py", "latin.py", "wide.py"]);
    for (path, kind) in [
        ("binary.py", ProblemKind::Binary),
        ("latin.py", ProblemKind::Encoding),
        ("wide.py", ProblemKind::Encoding),
        ("broken.py", ProblemKind::Syntax),
        ("large.py", ProblemKind::TooLarge),
        ("around", ProblemKind::Loop),
        ("itself.py", ProblemKind::Loop),
        ("nowhere.py", ProblemKind::Unreadable),
        ("outside.py", ProblemKind::Outside),
    ] {
        let found = problem(&analysis, path);
        assert_eq!(found.kind, kind, "{path}");
        assert!(is_sentence(&found.reason), "{path}: {}", found.reason);
    }
    assert_eq!(problem(&analysis, "broken.py").line, Some(1));
    let broken = analysis.files.iter().find(|file| file.path == "broken.py").unwrap();
    assert_eq!(broken.facts.classes[0].name, "Kept");
    let latin = analysis.files.iter().find(|file| file.path == "latin.py").unwrap();
    assert_eq!(latin.facts.functions[0].name, "g");
}

#[test]
fn a_folder_that_cannot_be_read_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::write(closed.join("a.py"), "a = 1\n").unwrap();
    fs::write(folder.path().join("b.py"), "b = 1\n").unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let readable = fs::read_dir(&closed).is_ok();
    let analysis = analysis(folder.path());
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(analysis.files.iter().any(|file| file.path == "b.py"));
    // Root reads every folder; then there is nothing to be said.
    if !readable {
        assert_eq!(problem(&analysis, "closed").kind, ProblemKind::Unreadable);
    }
}

#[test]
fn ten_thousand_levels_do_not_overflow_the_stack() {
    const LEVELS: usize = 10_000;
    let folder = tempfile::tempdir().unwrap();
    let nested = |open: &str, middle: &str, close: &str| {
        format!("{}{middle}{}", open.repeat(LEVELS), close.repeat(LEVELS))
    };
    let python = format!("x = {}\n", nested("(", "1", ")"));
    fs::write(folder.path().join("a.py"), python).unwrap();
    let ifs: String = (0..200).map(|level| format!("{}if x:\n", " ".repeat(level))).collect();
    fs::write(folder.path().join("b.py"), format!("{ifs}{}pass\n", " ".repeat(200))).unwrap();
    fs::write(folder.path().join("c.c"), format!("void f(void) {{ {} }}\n", nested("{", ";", "}"))).unwrap();
    fs::write(folder.path().join("d.cpp"), format!("int x = {};\n", nested("(", "1", ")"))).unwrap();
    fs::write(folder.path().join("e.rs"), format!("fn f() {}\n", nested("{", "", "}"))).unwrap();
    fs::write(folder.path().join("f.cu"), format!("void f() {{ {} }}\n", nested("if (x) {", ";", "}")))
        .unwrap();
    let chain = "if (x) ; else ".repeat(LEVELS);
    fs::write(folder.path().join("g.c"), format!("void f(void) {{ {chain}; }}\n")).unwrap();
    let namespaces = nested("namespace n { ", "class A {};", "}");
    fs::write(folder.path().join("h.cpp"), namespaces).unwrap();
    fs::write(folder.path().join("i.py"), "(".repeat(LEVELS)).unwrap();
    let analysis = analysis(folder.path());
    assert_eq!(
        analysis.files.len()
            + analysis.problems.iter().filter(|one| one.kind == ProblemKind::TimedOut).count(),
        9
    );
    let deep = analysis.files.iter().find(|file| file.path == "f.cu").unwrap();
    assert_eq!(deep.facts.complexity.nesting as usize, LEVELS);
    let output = tempfile::tempdir().unwrap();
    write(&analysis, output.path()).unwrap();
}

#[test]
fn an_output_that_cannot_be_written_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = write(&analysis(folder.path()), &file).unwrap_err().to_string();
    assert!(error.contains("cannot be written") && error.contains("--output"), "{error}");
}

#[test]
fn outputs_replace_links_and_are_all_there_or_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let (root, output) = (folder.path().join("root"), folder.path().join("output"));
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::write(root.join("sub/a.py"), "def f(): pass\n").unwrap();
    let precious = folder.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    fs::create_dir(&output).unwrap();
    symlink(&precious, output.join("summary.md")).unwrap();
    let analysis = analysis(&root);
    let names = write(&analysis, &output).unwrap();
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    assert!(fs::read_to_string(output.join("summary.md")).unwrap().contains("1"));
    let is_readable = |name: &&str| {
        let about = fs::symlink_metadata(output.join(name)).unwrap();
        about.is_file() && about.permissions().mode() & 0o400 != 0
    };
    assert!(names.iter().all(is_readable) && fs::read_dir(&output).unwrap().count() == names.len());

    // The last one cannot be replaced.
    fs::remove_file(output.join("index.html")).unwrap();
    fs::create_dir(output.join("index.html")).unwrap();
    assert!(write(&analysis, &output).unwrap_err().to_string().contains("index.html"));
    assert_eq!(fs::read_dir(&output).unwrap().count(), names.len(), "no file under another name is left");
}

#[test]
fn names_of_files_stay_in_their_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a\n1 file\u{202e}.py"), "def f(:\n").unwrap();
    let analysis = analysis(folder.path());
    assert_eq!(analysis.problems[0].file, "a\u{fffd}1 file\u{fffd}.py");
}

#[test]
fn a_root_that_is_no_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.py");
    fs::write(&file, "").unwrap();
    let refused = |root: &Path| analyze(&Options::new(root), &|_, _| {}, &|| false).unwrap_err();
    assert!(matches!(refused(&file), AnalyzeError::NotAFolder { .. }));
    assert!(matches!(refused(&folder.path().join("missing")), AnalyzeError::Root { .. }));
    let cancelled = analyze(&Options::new(folder.path()), &|_, _| {}, &|| true).unwrap_err();
    assert!(matches!(cancelled, AnalyzeError::Cancelled));
}

#[test]
fn ignore_files_are_honoured() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".gitignore"), "made.py\n").unwrap();
    fs::write(folder.path().join("made.py"), "a = 1\n").unwrap();
    fs::write(folder.path().join("kept.py"), "a = 1\n").unwrap();
    let mut options = Options::new(folder.path());
    let files = |options: &Options| analyze(options, &|_, _| {}, &|| false).unwrap().files.len();
    assert_eq!(files(&options), 1);
    options.ignore_files = false;
    assert_eq!(files(&options), 2);
}

#[test]
fn facts_of_unchanged_bytes_are_taken_from_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.py"), "def f(): pass\n").unwrap();
    fs::write(folder.path().join("b.py"), "def g(): pass\n").unwrap();
    let mut options = Options::new(folder.path());
    options.cache = Some(folder.path().join("cache"));
    let known = |options: &Options| {
        let analysis = analyze(options, &|_, _| {}, &|| false).unwrap();
        let names: Vec<String> =
            analysis.files.iter().map(|file| file.facts.functions[0].name.clone()).collect();
        (analysis.known_files, names)
    };
    assert_eq!(known(&options), (0, vec!["f".to_owned(), "g".to_owned()]));
    assert_eq!(known(&options), (2, vec!["f".to_owned(), "g".to_owned()]));
    fs::write(folder.path().join("b.py"), "def h(): pass\n").unwrap();
    assert_eq!(known(&options), (1, vec!["f".to_owned(), "h".to_owned()]));
}

#[test]
fn names_of_hostile_files_stay_text_in_the_page() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("<script>alert(1)<.py"), "class A(b['<img>']): pass\n").unwrap();
    let output = tempfile::tempdir().unwrap();
    write(&analysis(folder.path()), output.path()).unwrap();
    let page = fs::read_to_string(output.path().join("index.html")).unwrap();
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    assert!(!page.contains("http://") && !page.contains("https://"), "nothing comes from elsewhere");
}

/// Sources with bytes removed, doubled and replaced, the same at each run.
#[test]
fn no_text_ends_the_analysis() {
    let corpus = PathBuf::from(
        std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it for the tests that it runs"),
    )
    .join("tests/corpus");
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    for origin in [corpus.clone(), corpus.join("benchmarks")] {
        for entry in fs::read_dir(origin).unwrap().flatten().filter(|entry| entry.path().is_file()) {
            let text = fs::read(entry.path()).unwrap();
            for turn in 0..40 {
                let mut text = text.clone();
                for _ in 0..1 + random(20) {
                    let at = random(text.len());
                    let end = (at + 1 + random(30)).min(text.len());
                    match random(3) {
                        0 => {
                            text.drain(at..end);
                        }
                        1 => {
                            let piece = text[at..end].to_vec();
                            text.splice(at..at, piece);
                        }
                        _ => text[at] = b"(){}[]\"'\\:,=-<>#\n\t&|.\xe9"[random(22)],
                    }
                }
                let name = format!("{turn}-{}", entry.file_name().to_string_lossy());
                fs::write(folder.path().join(name), text).unwrap();
                count += 1;
            }
        }
    }
    let analysis = analysis(folder.path());
    assert!(count > 500 && analysis.files.len() > count * 8 / 10, "{} of {count}", analysis.files.len());
    let output = tempfile::tempdir().unwrap();
    write(&analysis, output.path()).unwrap();
}

#[test]
fn folders_of_somebody_else_are_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let source = |path: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x = 1\n").unwrap();
    };
    for path in ["a.py", "venv/lib/b.py", "web/node_modules/c.py", "out/d.py", "other/e.py", "untagged/f.py"]
    {
        source(path);
    }
    fs::write(root.join("venv/pyvenv.cfg"), "home = /usr/bin\n").unwrap();
    fs::write(root.join("out/CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n# A cache.\n")
        .unwrap();
    fs::write(root.join("untagged/CACHEDIR.TAG"), "nothing of the kind\n").unwrap();
    let found = analysis(root);
    let files: Vec<&str> = found.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(files, ["a.py", "other/e.py", "untagged/f.py"]);
    assert_eq!(
        found.notes,
        [
            "Left out, because their code is not of this tree: 1 virtual environment of Python, 1 `node_modules` folder, \
          1 cache folder with a `CACHEDIR.TAG`. `--no-ignore` reads them too."
        ]
    );
    assert_eq!(found.problems, []);
    // The root is what the user means, and --no-ignore is everything.
    let inside = analysis(&root.join("venv"));
    assert_eq!((inside.files.len(), inside.notes.len()), (1, 0));
    let options = Options { ignore_files: false, ..Options::new(root) };
    assert_eq!(analyze(&options, &|_, _| {}, &|| false).unwrap().files.len(), 6);
}

#[test]
fn what_is_neither_file_nor_folder_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket.py")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe.py")).status().unwrap();
    assert!(made.success());
    // Also where the analyzer itself looks: at an ignore file, and at the tag of a cache.
    for file in ["ignoring/.gitignore", "tagged/CACHEDIR.TAG", "linked/.ignore"] {
        fs::create_dir(folder.path().join(file).parent().unwrap()).unwrap();
        fs::write(folder.path().join(file).with_file_name("a.py"), "x = 1\n").unwrap();
        if file.starts_with("linked") {
            symlink("/dev/zero", folder.path().join(file)).unwrap();
        } else {
            let made = std::process::Command::new("mkfifo").arg(folder.path().join(file)).status().unwrap();
            assert!(made.success());
        }
    }
    let found = analysis(folder.path());
    let files: Vec<&str> = found.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(files, ["tagged/a.py"]);
    for (path, what) in [
        ("socket.py", "a socket"),
        ("pipe.py", "a named pipe"),
        ("ignoring", "The `.gitignore` in"),
        ("linked", "is a device"),
    ] {
        let problem = problem(&found, path);
        assert_eq!(problem.kind, ProblemKind::Special);
        assert!(problem.reason.contains(what) && is_sentence(&problem.reason), "{}", problem.reason);
    }
    let beneath = analysis(&folder.path().join("ignoring"));
    assert!(beneath.files.is_empty() && problem(&beneath, ".").reason.contains("`--no-ignore`"));
}

#[test]
fn a_folder_without_sources_says_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.js"), "let x = 1\n").unwrap();
    let found = analysis(folder.path());
    assert_eq!(found.notes.len(), 1);
    assert!(found.notes[0].contains("`.py`") && found.notes[0].contains("`.cu`"), "{:?}", found.notes);
    let page = tempfile::tempdir().unwrap();
    write(&found, page.path()).unwrap();
    let text = fs::read_to_string(page.path().join("summary.md")).unwrap();
    assert!(text.contains(&found.notes[0]), "{text}");
    let text = fs::read_to_string(page.path().join("index.html")).unwrap();
    assert!(text.contains("<p>Nothing was analysed: ") && text.contains("<code>.cu</code>"), "{text}");
}

#[test]
fn a_file_system_without_new_folders_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let failed = write(&analysis(folder.path()), Path::new("/proc/analysis")).unwrap_err();
    assert!(failed.to_string().contains("the file system of `/proc` takes no new folders"), "{failed}");
}

#[test]
fn benchmarks_with_problems_are_the_first_of_lists_that_are_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let clean: String =
        (0..600).map(|at| format!("def test_{at}(benchmark):\n    benchmark(work)\n\n")).collect();
    fs::write(folder.path().join("test_a.py"), clean).unwrap();
    let flawed = "def test_flawed(benchmark):\n    benchmark.pedantic(work)\n";
    fs::write(folder.path().join("test_b.py"), flawed).unwrap();
    let output = tempfile::tempdir().unwrap();
    write(&analysis(folder.path()), output.path()).unwrap();
    for name in ["summary.md", "index.html"] {
        let page = fs::read_to_string(output.path().join(name)).unwrap();
        let first = |text: &str| page.find(text).unwrap_or(usize::MAX);
        let (flawed, clean) =
            (first("flawed").min(first("test\\_flawed")), first("test_0").min(first("test\\_0")));
        assert!(flawed < clean && clean < usize::MAX, "{name}: {flawed} {clean}");
    }
}
