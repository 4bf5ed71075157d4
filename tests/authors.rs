//! User story: an author who knows nothing of dyno makes a plugin, from an empty folder to a stored result.

use std::{fs, io, net::TcpListener, path::Path, thread};

use dyno_core::model::CaseStatus;

use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

/// Exit codes: the request, the check.
const USAGE: i32 = 2;
const FAILED: i32 = 4;

fn good(outcome: &Outcome) -> &str {
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    &outcome.stdout
}

fn refused(arena: &Arena, arguments: &[&str]) -> String {
    let outcome = arena.dyno(arguments);
    assert_eq!(outcome.code, Some(USAGE), "{}", outcome.shown());
    assert_eq!(outcome.stderr.matches("error: ").count(), 1, "one sentence:\n{}", outcome.stderr);
    outcome.stderr
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries.map(|entry| name(entry.expect("it can be read"))).collect();
    names.sort();
    names
}

/// From `dyno new` to a stored result.
fn made_and_run(arena: &Arena, language: &str, benchmark: &str, more: &[&str]) {
    let name = format!("my-{language}");
    let wrote = arena.dyno(&[&["new", &name, "--lang", language], more].concat());
    assert!(good(&wrote).contains(&format!("dyno run {name}/{benchmark}")), "{}", wrote.shown());
    let built = arena.dyno(&["build", &name]);
    assert!(good(&built).contains("0 failed"), "{}", built.shown());
    let ran =
        arena.dyno(&["run", &format!("{name}/{benchmark}"), "--launches", "2", "--samples", "5", "--json"]);
    good(&ran);
    assert_eq!(ran.record().cases[0].plugin.id, name);
    // Once more: nothing of the first build is in the way.
    good(&arena.dyno(&["build", &name, "--no-check"]));
}

#[test]
fn from_an_empty_folder_to_a_result_in_c_and_cpp() {
    if !(fixtures::has_compiler("cc") && fixtures::has_compiler("c++")) {
        println!("skipped: there is no C and C++ compiler on this machine");
        return;
    }
    let arena = Arena::new();
    made_and_run(&arena, "c", "sum_c", &[]);
    made_and_run(&arena, "cpp", "sort_cpp", &[]);
    assert_eq!(files(&arena.path("plugins")), ["my-c.so", "my-cpp.so"]);
    // Version control sees the sources and nothing that was made of them.
    assert_eq!(fs::read_to_string(arena.path("work/my-c/build/.gitignore")).unwrap(), "*\n");
}

#[test]
fn from_an_empty_folder_to_a_result_in_rust_native_and_wasm() {
    let mut arena = Arena::new();
    // Cargo finds its packages where it put them for this build, and asks no network.
    let home = std::env::var_os("CARGO_HOME")
        .or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo").into()));
    let Some(home) = home else {
        println!("skipped: there is no home folder with Cargo's packages");
        return;
    };
    arena.set("CARGO_HOME", home);
    if let Some(toolchains) = std::env::var_os("RUSTUP_HOME")
        .or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".rustup").into()))
    {
        arena.set("RUSTUP_HOME", toolchains);
    }
    arena.set("CARGO_NET_OFFLINE", "true");
    // What was compiled for the last test is used again.
    arena.set("CARGO_TARGET_DIR", fixtures::kept("my-rust"));
    let wrote = arena.dyno(&["new", "my-rust", "--lang", "rust", "--wasm"]);
    assert!(good(&wrote).contains("takes dyno-sdk from "), "{}", wrote.shown());
    fs::copy(fixtures::root().join("Cargo.lock"), arena.path("work/my-rust/Cargo.lock")).unwrap();
    let has_wasm = std::process::Command::new("rustc")
        .args(["--print", "target-libdir", "--target", "wasm32-unknown-unknown"])
        .output()
        .is_ok_and(|said| Path::new(String::from_utf8_lossy(&said.stdout).trim()).is_dir());
    if !has_wasm {
        println!("skipped in part: Rust's library for wasm32-unknown-unknown is not installed");
        let said = refused(&arena, &["build", "my-rust", "--engine", "wasm"]);
        assert!(said.contains("rustup target add"), "{said}");
    }
    let engine = if has_wasm { "auto" } else { "native" };
    let built = arena.dyno(&["build", "my-rust", "--engine", engine]);
    assert!(good(&built).contains("0 failed"), "{}", built.shown());
    let ran =
        arena.dyno(&["run", "my-rust/sum", "--engine", "all", "--launches", "2", "--samples", "5", "--json"]);
    good(&ran);
    assert_eq!(ran.record().cases.len(), if has_wasm { 2 } else { 1 });
}

/// An arena whose `PATH` has the tool, or none, with a sentence.
fn arena_with(tool: &str) -> Option<Arena> {
    let Some(found) = fixtures::guest_tool(tool) else {
        println!(
            "skipped: there is no `{tool}` on this machine (`cargo xtask test` fetches it where it can)"
        );
        return None;
    };
    let mut arena = Arena::new();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = found.parent().into_iter().map(Path::to_owned).chain(std::env::split_paths(&path));
    arena.set("PATH", std::env::join_paths(folders).expect("paths from PATH"));
    Some(arena)
}

#[test]
fn from_an_empty_folder_to_a_result_in_javascript() {
    let Some(arena) = arena_with("componentize-js") else { return };
    made_and_run(&arena, "js", "lookup_js", &[]);
    assert_eq!(files(&arena.path("plugins")), ["my-js.wasm"]);
    let inspected = arena.dyno(&["inspect", "my-js", "--json"]);
    let imports = inspected.json()[0]["imports"].to_string();
    assert!(imports.contains("wasi:clocks/") && !imports.contains("wasi:http"), "{imports}");
}

#[test]
fn from_an_empty_folder_to_a_result_in_python() {
    let Some(arena) = arena_with("componentize-py") else { return };
    made_and_run(&arena, "python", "sort_python", &[]);
    // An interpreter brings imports along that no plugin may call.
    let inspected = arena.dyno(&["inspect", "my-python"]);
    assert!(good(&inspected).contains("not offered: it imports `wasi:sockets/"), "{}", inspected.shown());
}

#[test]
fn from_an_empty_folder_to_a_result_in_c_for_wasm() {
    if !fixtures::has_c_library_for_wasi() {
        println!("skipped: there is no C library for WASI on this machine");
        return;
    }
    let Some(arena) = arena_with("clang") else { return };
    made_and_run(&arena, "c-wasm", "sum_c_wasm", &[]);
}

#[test]
fn a_plugin_in_cuda_is_built_without_a_device_and_says_what_it_lacks() {
    let Some(arena) = arena_with("nvcc") else { return };
    good(&arena.dyno(&["new", "my-cuda", "--lang", "cuda"]));
    let built = arena.dyno(&["build", "my-cuda"]);
    assert!(good(&built).contains("0 failed"), "{}", built.shown());
    assert_eq!(files(&arena.path("plugins")), ["my-cuda.so"]);
}

/// A call in Python that must fail with one of these errors.
const REFUSED_IN_PYTHON: &str = r#"
def refused(call, *errors):
    try:
        call()
    except OSError as error:
        assert error.errno in errors, (call, error)
        return
    raise AssertionError("it was not refused")
"#;

/// The stages after `setup` of a plugin in Python, whose checksum is what that left in `token`.
const REST_IN_PYTHON: &str = r#"
    def verify(self):
        pass

    def prepare(self, iterations):
        pass

    def execute(self, iterations):
        for _ in range(iterations):
            sum(range(100))
        return Report(items=float(iterations), bytes=0.0, flop=0.0, checksum=token)

    def process_results(self, samples):
        pass

    def cleanup(self):
        pass
"#;

/// A plugin in a script language whose parameter says what goes wrong.
fn scripted(arena: &Arena, folder: &str, file: &str, script: &str, faults: &[&str]) {
    let choices = faults.iter().map(|fault| format!("\"{fault}\"")).collect::<Vec<_>>().join(", ");
    let descriptor = format!(
        "schema = \"dyno.descriptor/1\"\n[plugin]\nid = \"{folder}\"\nversion = \"1.0.0\"\n[abi]\nkind = \"wasm\"\nversion = 1\n\
         [[benchmarks]]\nname = \"faulty\"\nhardware = [\"cpu\"]\n[[benchmarks.params]]\nname = \"fault\"\ntype = \"enum\"\n\
         choices = [{choices}]\ndefault = \"{}\"\n",
        faults[0]
    );
    let place = arena.path("work").join(folder);
    fs::create_dir(&place).expect("the arena is new");
    fs::write(place.join("descriptor.toml"), descriptor).expect("it can be written");
    fs::write(place.join(file), script).expect("it can be written");
    good(&arena.dyno(&["build", folder, "--no-check"]));
}

fn ended(arena: &Arena, fault: &str) -> (Outcome, String) {
    let ran = arena.dyno(&[
        "run",
        "faulty",
        "-p",
        &format!("fault={fault}"),
        "--launches",
        "1",
        "--samples",
        "3",
        "--seed",
        "7",
        "--json",
    ]);
    let status = format!("{:?}", ran.record().cases[0].status);
    (ran, status)
}

#[test]
fn an_exception_of_javascript_arrives_with_its_message() {
    let Some(arena) = arena_with("componentize-js") else { return };
    let script = r"
        let fault;
        export const lifecycle = {
            setup(benchmark, params, seed) {
                fault = params[0].value.val;
                if (fault === 'throws') throw new Error('the sky is falling');
            },
            verify() { if (fault === 'fails') throw { tag: 'error', val: 'größer als erlaubt' }; },
            prepare(iterations) {},
            execute(iterations) {
                console.log('hello from JavaScript');
                let sum = 0;
                for (let i = 0n; i < iterations; i++) for (let k = 0; k < 100; k++) sum += k;
                return { items: Number(iterations), bytes: 0, flop: 0, checksum: BigInt(sum) };
            },
            processResults(samples) {},
            cleanup() {},
        };";
    scripted(&arena, "scripted-js", "app.js", script, &["none", "throws", "fails"]);
    let (ran, status) = ended(&arena, "none");
    assert_eq!(status, "Completed", "{}", ran.shown());
    let launch = &ran.record().cases[0].launches[0];
    // This was the first run of these bytes. Compiling them takes 300 MB, which are not the plugin's.
    assert!(
        launch.peak_memory_bytes.is_some_and(|bytes| bytes < 150 << 20),
        "{:?}",
        launch.peak_memory_bytes
    );
    let output = &launch.output;
    assert!(output.iter().any(|line| line.text == "hello from JavaScript"), "{output:?}");
    assert!(ended(&arena, "throws").1.contains("the sky is falling"));
    assert!(ended(&arena, "fails").1.contains("message: \"größer als erlaubt\""));
}

#[test]
fn what_python_loses_between_calls_is_found() {
    let Some(arena) = arena_with("componentize-py") else { return };
    good(&arena.dyno(&["new", "lost", "--lang", "python"]));
    let file = arena.path("work/lost/app.py");
    let script = fs::read_to_string(&file).unwrap();
    // Without the one object for all calls, what `setup` keeps is gone, and what the class has stands in for it.
    let (head, rest) = script.split_once("    _one = None\n").expect("the template keeps one object");
    let (_, rest) = rest.split_once("        return cls._one\n").expect("the template keeps one object");
    fs::write(&file, format!("{head}    numbers = [0.5]\n{rest}")).unwrap();
    good(&arena.dyno(&["build", "lost", "--no-check"]));
    // Whether two calls take as long is seen in one of each: what runs beside them may stretch either.
    let noted = |_| {
        let checked = arena.dyno(&["check", "lost", "--budget", "500ms"]);
        good(&checked).contains("`n` changes nothing: with 1 and with 100000")
    };
    assert!((0..8).any(noted), "`n` changes nothing, and nobody noticed");
}

#[test]
fn an_exception_of_python_arrives_with_its_message_and_its_randomness_is_that_of_the_case() {
    let Some(arena) = arena_with("componentize-py") else { return };
    let script = r#"
import os, socket, time
from componentize_py_types import Err
from wit_world import exports
from wit_world.imports.types import Failure_Skipped, Report

fault = token = None

class Lifecycle(exports.Lifecycle):
    def setup(self, benchmark, params, seed):
        global fault, token
        token = int.from_bytes(os.urandom(7), "little")
        fault = params[0].value.value
        if fault == "raises":
            raise ValueError("the sky is falling")
        if fault == "skips":
            raise Err(Failure_Skipped("größer als hier"))
        if fault == "reads":
            open("/etc/passwd")
        if fault == "connects":
            socket.socket()
        if fault == "exits":
            os._exit(3)
        assert os.environ.get("HOME") is None
        start = time.monotonic()
        time.sleep(0.01)
        assert time.monotonic() - start >= 0.01
"#;
    scripted(
        &arena,
        "scripted-py",
        "app.py",
        &format!("{script}{REST_IN_PYTHON}"),
        &["none", "raises", "skips", "reads", "connects", "exits"],
    );
    let checksum = || {
        let (ran, status) = ended(&arena, "none");
        assert_eq!(status, "Completed", "{}", ran.shown());
        ran.record().cases[0].launches[0].samples[0].checksum
    };
    assert_eq!(checksum(), checksum());
    let says = |fault, fragment: &str| {
        let (ran, status) = ended(&arena, fault);
        assert!(status.contains(fragment), "{status}\n{}", ran.shown());
    };
    says("raises", "ValueError: the sky is falling");
    says("skips", "größer als hier");
    says("reads", "FileNotFoundError");
    says("connects", "it called `wasi:sockets/");
    says("exits", "it ended itself with `exit`");
}

#[test]
fn a_component_reads_what_it_was_granted_and_nothing_else() {
    let Some(mut arena) = arena_with("componentize-py") else { return };
    let (data, beside) = (arena.path("data"), arena.path("beside"));
    fs::create_dir_all(data.join("sub")).unwrap();
    fs::create_dir(&beside).unwrap();
    // More than one read of a stream takes.
    fs::write(data.join("sub/weights"), "0123456789".repeat(300_000)).unwrap();
    fs::write(beside.join("named"), "named").unwrap();
    fs::write(beside.join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink(&beside, data.join("out")).unwrap();
    std::os::unix::fs::symlink("sub/weights", data.join("link")).unwrap();
    nix::unistd::mkfifo(&data.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let script = r#"
import errno, os
from wit_world import exports
from wit_world.imports.types import Report

DATA, BESIDE = "@DATA@", "@BESIDE@"
token = 0

class Lifecycle(exports.Lifecycle):
    def setup(self, benchmark, params, seed):
        assert os.environ["DYNO_TEST_WORD"] == "granted", os.environ
        assert "HOME" not in os.environ
        assert sorted(os.listdir(DATA)) == ["link", "out", "pipe", "sub"], os.listdir(DATA)
        whole = "0123456789" * 300_000
        with open(DATA + "/sub/weights") as file:
            assert file.read() == whole
            file.seek(2_999_995)
            assert file.read() == "56789"
        assert open(DATA + "/link").read() == whole
        assert os.readlink(DATA + "/link") == "sub/weights" and os.path.islink(DATA + "/link")
        assert os.path.getsize(DATA + "/sub/weights") == 3_000_000 and os.path.getmtime(DATA + "/sub") > 1e9
        assert open(BESIDE + "/named").read() == "named"
        NOT_HERE = (errno.ENOENT, errno.EPERM, errno.EACCES, errno.ENOTCAPABLE)
        refused(lambda: open(BESIDE + "/secret"), *NOT_HERE)
        refused(lambda: open(DATA + "/out/secret"), *NOT_HERE)
        refused(lambda: os.listdir(DATA + "/out"), *NOT_HERE)
        refused(lambda: open(DATA + "/../beside/secret"), *NOT_HERE)
        refused(lambda: open("/etc/passwd"), *NOT_HERE)
        refused(lambda: open(DATA + "/missing"), errno.ENOENT)
        refused(lambda: open(DATA + "/pipe"), errno.ENOTSUP)
        refused(lambda: open(DATA + "/new", "w"), errno.EROFS)
        refused(lambda: open(DATA + "/sub/weights", "r+"), errno.EROFS)
        refused(lambda: os.mkdir(DATA + "/folder"), errno.EROFS)
        refused(lambda: os.remove(DATA + "/sub/weights"), errno.EROFS)
        refused(lambda: os.rename(DATA + "/link", DATA + "/other"), errno.EROFS)
        refused(lambda: os.symlink("sub", DATA + "/another"), errno.EROFS)
"#;
    let script = script
        .replace("@DATA@", &data.display().to_string())
        .replace("@BESIDE@", &beside.display().to_string());
    let place = arena.path("work/reading");
    fs::create_dir(&place).unwrap();
    let capabilities = [format!("read:{}", data.display()), "env:DYNO_TEST_WORD".to_owned()];
    fs::write(
        place.join("descriptor.toml"),
        format!(
            "schema = \"dyno.descriptor/1\"\ncapabilities = {capabilities:?}\n[plugin]\nid = \"reading\"\nversion = \"1.0.0\"\n\
             [abi]\nkind = \"wasm\"\nversion = 1\n[[benchmarks]]\nname = \"reading\"\nhardware = [\"cpu\"]\n\
             [[benchmarks.params]]\nname = \"file\"\ntype = \"string\"\ndefault = \"{}\"\n",
            beside.join("named").display()
        ),
    )
    .unwrap();
    fs::write(place.join("app.py"), [REFUSED_IN_PYTHON, &script, REST_IN_PYTHON].concat()).unwrap();
    good(&arena.dyno(&["build", "reading", "--no-check"]));
    arena.set("DYNO_TEST_WORD", "granted");
    let run = ["run", "reading", "--launches", "1", "--samples", "3", "--json"];
    let ran = arena.dyno(&run);
    let case = &ran.record().cases[0];
    assert_eq!(case.status, CaseStatus::Completed, "{}", ran.shown());
    let expected = [&capabilities[0], &format!("read:{}", beside.join("named").display()), &capabilities[1]];
    assert_eq!(case.launches[0].granted.iter().collect::<Vec<_>>(), expected);

    arena.set("DYNO_PROFILE", "server");
    good(&arena.dyno(&["lock"]));
    let ran = arena.dyno(&run);
    let case = &ran.record().cases[0];
    assert!(format!("{:?}", case.status).contains("KeyError: \'DYNO_TEST_WORD\'"), "{}", ran.shown());
    assert!(case.launches[0].granted.is_empty(), "{:?}", case.launches[0].granted);
}

#[test]
fn a_component_connects_to_what_it_was_granted_and_to_nothing_else() {
    let Some(mut arena) = arena_with("componentize-py") else { return };
    let (echo, secret) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let here = echo.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in echo.incoming().flatten() {
            thread::spawn(move || io::copy(&mut stream.try_clone()?, &mut stream));
        }
    });
    let script = r#"
import encodings.idna, errno, select, socket
from wit_world import exports
from wit_world.imports.types import Report

SECRET = @SECRET@
token = 0

class Lifecycle(exports.Lifecycle):
    def setup(self, benchmark, params, seed):
        host, port = params[0].value.value.rsplit(":", 1)
        port = int(port)
        for _ in range(40):
            with socket.create_connection((host, port)) as echo:
                assert echo.getpeername() == ("127.0.0.1", port), echo.getpeername()
                echo.sendall(b"hello")
                assert echo.makefile("rb").read(5) == b"hello"
        # More than the buffers of the kernel and of one call hold, in both directions at once.
        whole = bytes(range(256)) * 40_000
        with socket.create_connection(("localhost", port)) as echo:
            echo.setblocking(False)
            sent, received = 0, bytearray()
            while len(received) < len(whole):
                wants = [echo] if sent < len(whole) else []
                readable, writable, _ = select.select([echo], wants, [], 60)
                assert readable or writable, "nothing is ready"
                if readable:
                    received += echo.recv(1 << 16)
                if writable:
                    sent += echo.send(whole[sent:sent + (1 << 16)])
            assert received == whole
            echo.setblocking(True)
            echo.shutdown(socket.SHUT_WR)
            assert echo.recv(1) == b""
        refused(lambda: socket.create_connection(("127.0.0.1", SECRET)), errno.EACCES, errno.EPERM)
        refused(lambda: socket.create_connection(("127.0.0.2", port)), errno.EACCES, errno.EPERM)
        refused(lambda: socket.create_server(("127.0.0.1", 0)), errno.EOPNOTSUPP, errno.ENOTSUP)
        try:
            socket.create_connection(("elsewhere.example", port))
        except socket.gaierror:
            return
        raise AssertionError("a name that was not granted was found")
"#;
    let script = script.replace("@SECRET@", &secret.local_addr().unwrap().port().to_string());
    let place = arena.path("work/connecting");
    fs::create_dir(&place).unwrap();
    fs::write(
        place.join("descriptor.toml"),
        format!(
            "schema = \"dyno.descriptor/1\"\ncapabilities = [\"connect\", \"connect:localhost:{}\"]\n[plugin]\n\
             id = \"connecting\"\nversion = \"1.0.0\"\n[abi]\nkind = \"wasm\"\nversion = 1\n[[benchmarks]]\n\
             name = \"connecting\"\nhardware = [\"cpu\"]\n[[benchmarks.params]]\nname = \"endpoint\"\n\
             type = \"string\"\ndefault = \"\"\n",
            here.port()
        ),
    )
    .unwrap();
    fs::write(place.join("app.py"), [REFUSED_IN_PYTHON, &script, REST_IN_PYTHON].concat()).unwrap();
    good(&arena.dyno(&["build", "connecting", "--no-check"]));
    let endpoint = format!("endpoint={here}");
    let run = ["run", "connecting", "-p", &endpoint, "--launches", "1", "--samples", "3", "--json"];
    let ran = arena.dyno(&run);
    let case = &ran.record().cases[0];
    assert_eq!(case.status, CaseStatus::Completed, "{}", ran.shown());
    let launch = &case.launches[0];
    let both = [format!("connect:{here}"), format!("connect:localhost:{}", here.port())];
    assert_eq!(launch.granted, both);
    assert!(launch.missing.iter().any(|why| why.contains("it may connect to")), "{:?}", launch.missing);
    let refused = format!("a connection to `{}`", secret.local_addr().unwrap());
    assert!(launch.output.iter().any(|line| line.text.contains(&refused)), "{:?}", launch.output);
    let demanding = arena.dyno(&[&run[..], &["--require-isolation", "no_network"]].concat());
    let status = format!("{:?}", demanding.record().cases[0].status);
    assert!(status.contains("`no_network` is required"), "{status}");

    arena.set("DYNO_PROFILE", "server");
    good(&arena.dyno(&["lock"]));
    let ran = arena.dyno(&run);
    let case = &ran.record().cases[0];
    assert!(format!("{:?}", case.status).contains("it called `wasi:sockets/"), "{}", ran.shown());
    assert!(case.launches[0].granted.is_empty(), "{:?}", case.launches[0].granted);
    secret.set_nonblocking(true).unwrap();
    assert!(secret.accept().is_err(), "nothing reached what was not granted");
}

#[test]
fn a_folder_that_is_there_or_a_name_that_no_tool_takes_is_refused() {
    let arena = Arena::new();
    good(&arena.dyno(&["new", "mine", "--lang", "c"]));
    let before = fs::read(arena.path("work/mine/mine.c")).unwrap();
    assert!(refused(&arena, &["new", "mine", "--lang", "cpp"]).contains("is there already"));
    assert_eq!(fs::read(arena.path("work/mine/mine.c")).unwrap(), before);
    assert!(refused(&arena, &["new", "../up", "--lang", "c"]).contains("like `my-kernels`"));
    assert!(refused(&arena, &["new", "other", "--lang", "rust", "--sdk", "mine"]).contains("is not the SDK"));
    assert_eq!(files(&arena.path("work")), ["mine"]);
}

#[test]
fn what_cannot_be_built_is_a_sentence_and_leaves_nothing() {
    let mut arena = Arena::new();
    let folder = arena.path("work/k");
    fs::create_dir(&folder).unwrap();
    assert!(refused(&arena, &["build", "k"]).contains("does not say how to build it"));
    assert!(refused(&arena, &["build", "nowhere"]).contains("`nowhere`"));
    // A command of the folder's own: what fails, what never ends, what makes something else.
    let declare = |command: &str| {
        let text = format!("[build]\ncommand = [\"sh\", \"-c\", \"{command}\"]\noutput = [\"out/k.so\"]\n");
        fs::write(folder.join("plugin.toml"), text).unwrap();
    };
    declare("echo broken >&2; exit 3");
    let said = refused(&arena, &["build", "k"]);
    assert!(said.contains("broken\n") && said.contains("`sh` ended with exit code 3"), "{said}");
    declare("sleep 1000");
    let said = refused(&arena, &["build", "k", "--build-timeout", "1s"]);
    assert!(said.contains("longer than 1 s") && said.contains("--build-timeout"), "{said}");
    declare("true");
    assert!(refused(&arena, &["build", "k"]).contains("did not make that file"));
    declare("mkdir -p out; echo no plugin > out/k.so");
    assert!(refused(&arena, &["build", "k"]).contains("was built, but"));
    fs::write(folder.join("plugin.toml"), "[build]\ncommand = [\"no-such-tool\"]\noutput = [\"k.so\"]\n")
        .unwrap();
    assert!(refused(&arena, &["build", "k"]).contains("`no-such-tool` is not installed"));
    fs::remove_file(folder.join("plugin.toml")).unwrap();
    fs::write(folder.join("k.c"), "int x;").unwrap();
    arena.set("CC", "no-such-compiler");
    let said = refused(&arena, &["build", "k"]);
    assert!(said.contains("`no-such-compiler` is not installed") && said.contains("CC names it"), "{said}");
    assert_eq!(files(&arena.path("plugins")), [] as [&str; 0]);
}

#[test]
fn a_plugin_that_breaks_a_promise_is_built_and_not_put_into_place() {
    if !fixtures::has_compiler("cc") {
        println!("skipped: there is no C compiler on this machine");
        return;
    }
    let arena = Arena::new();
    good(&arena.dyno(&["new", "mine", "--lang", "c"]));
    good(&arena.dyno(&["build", "mine"]));
    let before = arena.plugin_bytes();
    let source = arena.path("work/mine/mine.c");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace("return sum(it) == expected", "return sum(it) != expected")).unwrap();
    let outcome = arena.dyno(&["build", "mine"]);
    assert_eq!(outcome.code, Some(FAILED), "{}", outcome.shown());
    assert!(outcome.stdout.contains("failed   verify"), "{}", outcome.shown());
    assert_eq!(arena.plugin_bytes(), before, "the good one stays");
    good(&arena.dyno(&["build", "mine", "--no-check"]));
    assert_ne!(arena.plugin_bytes(), before);
}
