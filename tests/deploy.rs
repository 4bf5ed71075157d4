//! User story: an operator installs the server by the recipe in `examples/deploy`, in a folder tree of its own, and it starts.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::support::{arena::Arena, fixtures};

/// A release as `cargo xtask dist` makes it, as far as the recipe needs it, and the tree that it is installed in.
struct Recipe {
    arena: Arena,
    release: PathBuf,
    tree: PathBuf,
}

/// A server that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Recipe {
    fn new() -> Self {
        let arena = Arena::new();
        let (release, tree) = (arena.path("release"), arena.path("tree"));
        fs::create_dir_all(release.join("plugins")).expect("the arena is writable");
        fs::create_dir_all(release.join("deploy")).expect("the arena is writable");
        let dyno = Path::new(env!("CARGO_BIN_EXE_dyno"));
        for program in ["dyno", "dyno-worker", "dyno-probe"] {
            fs::copy(dyno.with_file_name(program), release.join(program)).expect("the arena is writable");
        }
        fs::copy(fixtures::wasm("good", "good_a"), release.join("plugins/good_a.wasm"))
            .expect("the arena is writable");
        for file in
            fs::read_dir(fixtures::root().join("examples/deploy")).expect("the arena is writable").flatten()
        {
            fs::copy(file.path(), release.join("deploy").join(file.file_name()))
                .expect("the arena is writable");
        }
        // As from an archive of somebody else's.
        fs::set_permissions(release.join("plugins"), fs::Permissions::from_mode(0o777))
            .expect("the arena is writable");
        Self { arena, release, tree }
    }

    fn install(&self) -> Output {
        let script = self.release.join("deploy/install.sh");
        let output =
            Command::new("sh").arg(script).env("DESTDIR", &self.tree).output().expect("there is a shell");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{said}");
        output
    }

    fn read(&self, path: &str) -> String {
        let path = self.tree.join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A text with every path of the system below the tree.
    fn rooted(&self, text: &str) -> String {
        let tree = self.tree.display();
        ["/opt/dyno", "/etc/dyno", "/var/lib/dyno", "/var/cache/dyno"]
            .iter()
            .fold(text.to_owned(), |text, path| text.replace(path, &format!("{tree}{path}")))
    }

    /// The command of the unit.
    fn command(&self) -> Vec<String> {
        let unit = self.rooted(&self.read("etc/systemd/system/dyno.service"));
        let line =
            unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("the unit has a command");
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn start(&self) -> (Running, String) {
        // What systemd makes: StateDirectory and CacheDirectory.
        for folder in ["var/lib/dyno", "var/cache/dyno"] {
            fs::create_dir_all(self.tree.join(folder)).expect("the arena is writable");
        }
        let command = self.command();
        let (program, arguments) = command.split_first().expect("the command has a program");
        let mut child = Command::new(program)
            .args(arguments)
            .args(["--port", "0"])
            .env_clear()
            .env("TMPDIR", self.arena.path("tmp"))
            .env("DYNO_LEASES", self.arena.path("leases"))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped"))
            .read_line(&mut line)
            .expect("the output is text");
        let mut log = child.stderr.take().expect("it is piped");
        let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://")) else {
            let mut said = String::new();
            let _ = log.read_to_string(&mut said);
            let _ = child.wait();
            panic!("the server did not start: {line}{said}");
        };
        std::thread::spawn(move || BufReader::new(log).lines().map_while(Result::ok).for_each(drop));
        (Running(child), url.trim_end_matches(',').to_owned())
    }

    /// The token of that name, from the file that was made.
    fn token(&self, name: &str) -> String {
        let file: toml::Table = self.read("etc/dyno/tokens.toml").parse().expect("the tokens are TOML");
        let tokens = file["token"].as_array().expect("a list of tokens");
        let found = tokens.iter().find(|token| token["name"].as_str() == Some(name)).expect("there is one");
        found["token"].as_str().expect("a text").to_owned()
    }
}

fn status(url: &str, token: Option<&str>) -> u16 {
    let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(120)));
    let agent: ureq::Agent = config.http_status_as_error(false).proxy(None).build().into();
    let mut request = agent.get(url);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.call().expect("the server answers").status().as_u16()
}

#[test]
fn the_recipe_installs_a_server_that_starts_and_keeps_what_the_operator_changed() {
    let recipe = Recipe::new();
    recipe.install();
    let mode = |path: &str| fs::metadata(recipe.tree.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("opt/dyno/plugins"), 0o755, "others could put plugins there");
    assert_eq!(mode("etc/dyno/tokens.toml"), 0o600);
    let settings = recipe.rooted(&recipe.read("etc/dyno/dyno.toml"));
    fs::write(recipe.tree.join("etc/dyno/dyno.toml"), &settings).unwrap();
    let (mut server, url) = recipe.start();
    assert_eq!(status(&format!("{url}/healthz"), None), 200);
    assert_eq!(status(&format!("{url}/api/runs"), None), 401);
    assert_eq!(status(&format!("{url}/api/runs"), Some(&recipe.token("dashboard"))), 200);
    assert_eq!(status(&format!("{url}/api/audit"), Some(&recipe.token("operator"))), 200);
    // A run as CI starts it: worker, cache and database are where the recipe says.
    let dyno = |arguments: &[&str]| {
        Command::new(recipe.tree.join("opt/dyno/dyno"))
            .args(arguments)
            .args(["--server", &url, "--json"])
            .env_clear()
            .env("DYNO_TOKEN", recipe.token("ci"))
            .env("HOME", recipe.arena.path("home"))
            .current_dir(recipe.arena.path("work"))
            .output()
            .unwrap()
    };
    let run = dyno(&["run", "good_a", "--samples", "3", "--launches", "1"]);
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    let record: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(record["cases"][0]["status"]["state"], "completed");
    assert!(recipe.tree.join("var/lib/dyno/dyno.duckdb").is_file());
    assert!(fs::read_dir(recipe.tree.join("var/cache/dyno/plugins")).unwrap().count() > 0);
    kill(Pid::from_raw(i32::try_from(server.0.id()).unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(server.0.wait().unwrap().code(), Some(0));
    // Another release over it.
    let tokens = recipe.read("etc/dyno/tokens.toml");
    recipe.install();
    assert_eq!(recipe.read("etc/dyno/tokens.toml"), tokens);
    assert_eq!(recipe.read("etc/dyno/dyno.toml"), settings);
}

#[test]
fn the_tokens_of_the_example_are_refused() {
    let recipe = Recipe::new();
    let file = recipe.arena.path("tokens.toml");
    fs::copy(recipe.release.join("deploy/tokens.toml"), &file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let outcome = recipe.arena.dyno(&["serve", "--port", "0", "--token-file", &file.display().to_string()]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.shown());
    assert!(outcome.stderr.contains("dyno token new"), "{}", outcome.shown());
}

#[test]
fn systemd_has_nothing_to_say_against_the_unit() {
    let recipe = Recipe::new();
    recipe.install();
    let unit = recipe.arena.path("dyno.service");
    fs::write(&unit, recipe.rooted(&recipe.read("etc/systemd/system/dyno.service"))).unwrap();
    let Ok(output) = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output() else {
        println!("skipped: there is no `systemd-analyze` on this machine");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let about_it = said.lines().any(|line| line.contains("dyno"));
    assert!(!about_it && output.status.success(), "{said}");
}

#[test]
fn systemd_makes_the_folder_of_leases_for_everybody() {
    let recipe = Recipe::new();
    recipe.install();
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root can make a folder of root's");
        return;
    }
    fs::create_dir_all(recipe.tree.join("run/lock")).unwrap();
    let root = format!("--root={}", recipe.tree.display());
    let made = Command::new("systemd-tmpfiles").args(["--create", &root, "dyno.conf"]).output();
    let Ok(output) = made else {
        println!("skipped: there is no `systemd-tmpfiles` on this machine");
        return;
    };
    let about = fs::metadata(recipe.tree.join("run/lock/dyno"))
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(about.permissions().mode() & 0o7777, 0o1777);
}
