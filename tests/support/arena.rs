//! A place of its own for every run: plugins, database, leases, cache and temporary files in one folder; afterwards it
//! proves that nothing was left behind.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File},
    io::Read,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use dyno_core::model::RunRecord;
use serde_json::Value;
use tempfile::TempDir;

/// No run of the corpus may take longer, however busy the machine is: the host would be hanging.
const PATIENCE: Duration = Duration::from_secs(300);

/// The folder of one test.
pub(crate) struct Arena {
    root: TempDir,
    environment: Vec<(String, OsString)>,
}

/// How a command ended and what it said.
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pid: u32,
}

impl Outcome {
    /// Of a command that has ended.
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            pid: 0,
        }
    }

    /// The result of `dyno run --json`.
    pub(crate) fn record(&self) -> RunRecord {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("no result on standard output ({error}); exit code {:?}\n{}", self.code, self.shown())
        })
    }

    /// What `--json` of another command wrote.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("no JSON on standard output ({error}); exit code {:?}\n{}", self.code, self.shown())
        })
    }

    pub(crate) fn shown(&self) -> String {
        let head: String = self.stdout.chars().take(4000).collect();
        format!("stdout: {head}\nstderr: {}", self.stderr)
    }
}

impl Arena {
    pub(crate) fn new() -> Self {
        let worker = Path::new(env!("CARGO_BIN_EXE_dyno")).with_file_name("dyno-worker");
        assert!(
            worker.is_file(),
            "there is no worker beside dyno; run `cargo build --release -p dyno-worker`"
        );
        let root = tempfile::Builder::new()
            .prefix("dyno-hostile-")
            .tempdir()
            .expect("the temporary directory is writable");
        for folder in ["plugins", "work", "tmp", "cache", "leases", "home", "out"] {
            fs::create_dir(root.path().join(folder)).expect("the temporary directory is writable");
        }
        Self { root, environment: Vec::new() }
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.root.path().join(inside)
    }

    /// Puts a plugin into the plugin directory under that file name.
    pub(crate) fn add(&self, plugin: &Path, file_name: &str) -> PathBuf {
        let target = self.path("plugins").join(file_name);
        fs::copy(plugin, &target).unwrap_or_else(|error| panic!("cannot copy {}: {error}", plugin.display()));
        target
    }

    /// Sets an environment variable for every later `dyno`.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.environment.push((name.to_owned(), value.into()));
    }

    /// `dyno` with everything in the folders of this arena.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dyno"));
        // What a developer has set must not reach the tests.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("DYNO_") || name.starts_with("XDG_") {
                command.env_remove(&*name);
            }
        }
        command
            .args(arguments)
            .arg("--plugins")
            .arg(self.path("plugins"))
            .arg("--output")
            .arg(self.path("out"))
            .current_dir(self.path("work"))
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env("XDG_RUNTIME_DIR", self.path("tmp"))
            .env("DYNO_DB_PATH", self.path("out/dyno.duckdb"))
            .env("DYNO_CACHE", self.path("cache"))
            .env("DYNO_LEASES", self.path("leases"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// The same behind a line of the shell that ends with `"$@"`; its output is piped.
    pub(crate) fn behind(&self, line: &str, arguments: &[&str]) -> Command {
        let dyno = self.command(arguments);
        let mut words: Vec<_> = dyno.get_args().collect();
        if arguments.contains(&"--output") {
            // The arena's own, which stands last, would be a second one.
            words.truncate(words.len() - 2);
        }
        let mut command = Command::new("sh");
        command.args(["-c", line, "sh"]).arg(dyno.get_program()).args(words);
        if let Some(folder) = dyno.get_current_dir() {
            command.current_dir(folder);
        }
        for (name, value) in dyno.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `dyno` here and waits for its end. Panics when it does not end.
    pub(crate) fn dyno(&self, arguments: &[&str]) -> Outcome {
        self.outcome(self.command(arguments))
    }

    /// The same for a command of its own, such as one with another environment.
    pub(crate) fn outcome(&self, mut command: Command) -> Outcome {
        let file = |name: &str| File::create(self.path(name)).expect("the arena is writable");
        let mut child = command
            .arg("--db-path")
            .arg(self.path("out/dyno.duckdb"))
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .expect("dyno is built");
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                break Some(status);
            }
            if Instant::now() >= deadline {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let outcome = Outcome {
            code: status.and_then(|status| status.code()),
            stdout: self.text("stdout"),
            stderr: self.text("stderr"),
            pid: child.id(),
        };
        let status = status.unwrap_or_else(|| panic!("dyno hangs\n{}", outcome.shown()));
        assert!(status.signal().is_none(), "dyno itself died: {status}\n{}", outcome.shown());
        outcome
    }

    /// `dyno run` of these benchmarks, none of which is to time out, however busy the machine is.
    pub(crate) fn run(&self, benchmarks: &[&str]) -> Outcome {
        self.run_within("30s", benchmarks)
    }

    /// `dyno run` of these benchmarks, quickly, with that limit for every stage.
    pub(crate) fn run_within(&self, timeout: &str, benchmarks: &[&str]) -> Outcome {
        let mut arguments = vec!["run"];
        arguments.extend(benchmarks);
        arguments.extend(["--timeout", timeout, "--samples", "10", "--launches", "1"]);
        arguments.extend(["--memory", "128MiB", "--json"]);
        self.dyno(&arguments)
    }

    fn text(&self, name: &str) -> String {
        let mut bytes = Vec::new();
        File::open(self.path(name))
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .expect("the file was made above");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Panics when a run has left anything behind: a process, a lock that is held, a temporary file.
    pub(crate) fn assert_clean(&self, after: &Outcome) {
        let processes = self.processes(after.pid);
        assert!(processes.is_empty(), "processes were left behind: {processes:#?}");
        for folder in ["tmp", "work"] {
            let left = files(&self.path(folder));
            assert!(left.is_empty(), "files were left in {folder}: {left:?}");
        }
        for folder in ["cache", "out", "leases"] {
            let left: Vec<_> =
                files(&self.path(folder)).into_iter().filter(|file| is_partial(file)).collect();
            assert!(left.is_empty(), "unfinished files were left in {folder}: {left:?}");
        }
        for lock in files(&self.path("leases")) {
            let file = File::options().read(true).write(true).open(&lock).expect("a lease is a file of ours");
            assert!(file.try_lock().is_ok(), "the lease {} is still held", lock.display());
        }
    }

    /// The contents of the plugin directory, to be compared with itself later.
    pub(crate) fn plugin_bytes(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let read = |file: PathBuf| fs::read(&file).ok().map(|bytes| (file, bytes));
        files(&self.path("plugins")).into_iter().filter_map(read).collect()
    }

    /// Processes that come from our run: by where they work, and by the arguments of the worker, which a fork inherits.
    fn processes(&self, host: u32) -> Vec<String> {
        let marker = marker(host);
        let root = self.root.path().to_string_lossy().into_owned();
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()))
            .filter_map(|entry| {
                let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
                let command = String::from_utf8_lossy(&read("cmdline")).into_owned();
                let directory = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
                let ours = directory.to_string_lossy().starts_with(&root) || command.contains(&marker);
                ours.then(|| {
                    format!(
                        "{} `{}` in {}",
                        entry.file_name().to_string_lossy(),
                        command.replace('\0', " "),
                        directory.display()
                    )
                })
            })
            .collect()
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // `litters` takes permissions away; as root that changes nothing, as anyone else the folder could not be removed.
        let _ = Command::new("chmod").args(["-R", "u+rwX"]).arg(self.root.path()).status();
    }
}

/// Every file below a folder, except folders themselves.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path));
            // An empty folder is litter too.
            if fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_none()) {
                found.push(path);
            }
        } else {
            found.push(path);
        }
    }
    found
}

/// Names that only files in the making have.
fn is_partial(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.is_file() && (name.starts_with(".tmp") || name.ends_with(".partial") || name.ends_with(".tmp"))
}

/// The arguments of the workers of a host, which a fork inherits.
fn marker(host: u32) -> String {
    format!("--parent\0{host}\0")
}

/// Number of workers of a host that still live.
pub(crate) fn workers(host: u32) -> usize {
    let marker = marker(host);
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_one = |entry: &fs::DirEntry| {
        fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&marker))
    };
    processes.filter(is_one).count()
}

/// Whether this user may mount a file system that nobody else sees.
pub(crate) fn can_mount() -> bool {
    let can = Command::new("unshare").args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"]).output();
    let can = can.is_ok_and(|output| output.status.success());
    if !can {
        println!("skipped: this user may not mount a file system of its own (`unshare -m`)");
    }
    can
}

/// Whether whatever is started here ignores a hang-up, as under `nohup`: dyno then ignores it too, and is meant to.
pub(crate) fn hang_ups_are_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask =
        status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    let ignored = mask.is_some_and(|mask| mask & 1 == 1);
    if ignored {
        println!("skipped: hang-ups are ignored here, as under `nohup`");
    }
    ignored
}
