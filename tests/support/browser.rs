//! Headless Chromium, driven over the Chrome DevTools Protocol as a user of the dashboard would: clicks, keys, reading.

use std::{
    env, fs,
    fs::File,
    io::ErrorKind,
    mem,
    net::TcpStream,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, stream::MaybeTlsStream};

/// Longest time for Chromium to start, to answer or to load a page, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest time until a page shows what a test waits for.
const SHOWN: Duration = Duration::from_secs(20);
/// How often a page is looked at.
const POLL: Duration = Duration::from_millis(50);
/// Characters of a page's text that a failure shows.
const TEXT: usize = 2_000;

/// Starts Chromium, and kills its process group once standard input is closed: that happens however the test ends, also by
/// Ctrl-C.
const LIFE: &str = "\"$0\" \"$@\" </dev/null & read -r _; kill -KILL 0";

/// No window; no sandbox, which containers do not permit; no network requests except the page's own, to this machine.
const FLAGS: [&str; 21] = [
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-features=MediaRouter,OptimizationHints,Translate",
    "--disable-sync",
    "--metrics-recording-only",
    "--password-store=basic",
];

/// A running Chromium, which ends with the test.
pub(crate) struct Browser {
    child: Child,
    /// The address of its protocol, without a path. // eg: "ws://127.0.0.1:37201"
    address: String,
    wire: Wire,
}

impl Browser {
    /// Starts Chromium with its profile in this folder, which is created. `None`, and a sentence, if there is no Chromium.
    #[track_caller]
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        let Some(program) = env::var_os("DYNO_TEST_CHROMIUM").map(PathBuf::from) else {
            println!("skipped: no Chromium is named by DYNO_TEST_CHROMIUM; `cargo xtask test` obtains one");
            return None;
        };
        assert!(program.is_file(), "DYNO_TEST_CHROMIUM is `{}`, which is not a file", program.display());
        fs::create_dir_all(folder).expect("the folder can be made");
        let said = folder.join("stderr");
        let mut command = Command::new("sh");
        command.args(["-c", LIFE]).arg(program).args(FLAGS);
        command.arg(format!("--user-data-dir={}", folder.display())).arg("about:blank");
        for name in ["HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"] {
            command.env(name, folder);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        command.stderr(File::create(&said).expect("the folder is writable")).process_group(0);
        let child = Started(Some(command.spawn().expect("`sh` is a program")));
        let deadline = Instant::now() + PATIENCE;
        let url = loop {
            let text = fs::read_to_string(&said).unwrap_or_default();
            // An incomplete line may end in half an address.
            let line = text.lines().find_map(|line| line.strip_prefix("DevTools listening on "));
            if let (Some(url), true) = (line, text.ends_with('\n')) {
                break url.trim().to_owned();
            }
            assert!(Instant::now() < deadline, "Chromium does not start: {text}");
            thread::sleep(POLL);
        };
        let (address, _) = url.split_once("/devtools").expect("Chromium's form of an address");
        let (address, wire) = (address.to_owned(), Wire::connect(&url));
        Some(Self { child: child.keep(), address, wire })
    }

    /// Opens a tab of this size [px].
    #[track_caller]
    pub(crate) fn page(&mut self, width: u32, height: u32) -> Page {
        let tab = self.ask("Target.createTarget", &json!({"url": "about:blank"}));
        let id = tab["targetId"].as_str().expect("a tab has an identifier");
        let wire = Wire::connect(&format!("{}/devtools/page/{id}", self.address));
        let mut page = Page { wire, loaded: Value::Null, console: Vec::new(), requests: Vec::new() };
        for domain in ["Page", "Runtime", "Network", "Log"] {
            page.ask(&format!("{domain}.enable"), &json!({}));
        }
        page.ask("Page.setLifecycleEventsEnabled", &json!({"enabled": true}));
        // Every tab behaves as if it had the focus, which only one can have.
        page.ask("Emulation.setFocusEmulationEnabled", &json!({"enabled": true}));
        page.resize(width, height);
        page
    }

    /// Saves downloads in this folder, without asking.
    #[track_caller]
    pub(crate) fn downloads_to(&mut self, folder: &Path) {
        fs::create_dir_all(folder).expect("the folder can be made");
        self.ask("Browser.setDownloadBehavior", &json!({"behavior": "allow", "downloadPath": folder}));
    }

    #[track_caller]
    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        let answer = self.wire.ask(method, parameters);
        // No test uses the events of the browser itself.
        self.wire.events.clear();
        answer.unwrap_or_else(|why| panic!("{method}: {why}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// A process group that ends unless it is kept.
struct Started(Option<Child>);

impl Started {
    fn keep(mut self) -> Child {
        self.0.take().expect("it is taken once")
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            end(child);
        }
    }
}

fn end(leader: &mut Child) {
    if let Ok(group) = i32::try_from(leader.id()) {
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    let _ = leader.wait();
}

/// A tab.
pub(crate) struct Page {
    wire: Wire,
    /// The loader ID of the document whose `load` event came last.
    loaded: Value,
    console: Vec<String>,
    requests: Vec<String>,
}

impl Page {
    /// Opens an address, and waits for the page's `load` event.
    #[track_caller]
    pub(crate) fn goto(&mut self, url: &str) {
        let answer = self.ask("Page.navigate", &json!({"url": url}));
        assert!(answer["errorText"].is_null(), "{url} cannot be opened: {}", answer["errorText"]);
        // If only the fragment changes, nothing is loaded.
        let loader = &answer["loaderId"];
        let deadline = Instant::now() + PATIENCE;
        while !loader.is_null() && self.loaded != *loader {
            assert!(Instant::now() < deadline, "{url} is not loaded; the console has {:#?}", self.console);
            self.wire.listen();
            self.sort();
        }
    }

    /// Goes back in the history, as the browser's button does.
    #[track_caller]
    pub(crate) fn back(&mut self) {
        let place = |history: &Value| history["currentIndex"].as_u64().expect("a history has a place");
        let history = self.ask("Page.getNavigationHistory", &json!({}));
        let before = place(&history).checked_sub(1).expect("there is a page to go back to");
        let entries = history["entries"].as_array().expect("a history has entries");
        let entry = usize::try_from(before).ok().and_then(|before| entries.get(before));
        let id = entry.expect("it is in the history")["id"].clone();
        self.ask("Page.navigateToHistoryEntry", &json!({"entryId": id}));
        let deadline = Instant::now() + PATIENCE;
        while place(&self.ask("Page.getNavigationHistory", &json!({}))) != before {
            assert!(Instant::now() < deadline, "the page does not go back");
            thread::sleep(POLL);
        }
    }

    /// Evaluates an expression in the page, and awaits it if it is a promise. Panics with the message of an exception.
    #[track_caller]
    pub(crate) fn eval(&mut self, js: &str) -> Value {
        self.try_eval(js).unwrap_or_else(|why| panic!("{why}\nin {}", head(js)))
    }

    /// Waits until an expression, or the promise that it gives, is truthy. An exception counts as false.
    #[track_caller]
    pub(crate) fn until(&mut self, js: &str) {
        let asked = format!("(async () => Boolean(await ({js})))()");
        let deadline = Instant::now() + SHOWN;
        loop {
            let holds = self.try_eval(&asked);
            if holds == Ok(Value::Bool(true)) {
                return;
            }
            if Instant::now() > deadline {
                let why = holds.err().unwrap_or_default();
                self.fail(&format!("`{js}` never becomes true {why}"));
            }
            thread::sleep(POLL);
        }
    }

    /// What the page's objects take after a collection of garbage [MB].
    #[track_caller]
    pub(crate) fn heap_mb(&mut self) -> f64 {
        self.ask("HeapProfiler.collectGarbage", &json!({}));
        self.ask("Runtime.getHeapUsage", &json!({}))["usedSize"].as_f64().unwrap_or_default() / 1e6
    }

    /// Scrolls the first element that matches the selector into view, and clicks its centre. Waits until the element is shown,
    /// enabled, at rest and not covered by another one.
    #[track_caller]
    pub(crate) fn click(&mut self, css: &str) {
        let (x, y) = self.middle(css);
        self.mouse("mouseMoved", x, y, 0);
        self.mouse("mousePressed", x, y, 1);
        self.mouse("mouseReleased", x, y, 1);
    }

    /// Moves the mouse to the centre of an element, under the conditions of [`Self::click`].
    #[track_caller]
    pub(crate) fn hover(&mut self, css: &str) {
        let (x, y) = self.middle(css);
        self.mouse("mouseMoved", x, y, 0);
    }

    /// Focuses a field and replaces its text. The page gets one `input` event and no key events.
    #[track_caller]
    pub(crate) fn type_text(&mut self, css: &str, text: &str) {
        let css = Value::from(css);
        self.until(&format!(
            "(() => {{ const field = document.querySelector({css}); field.focus(); field.select?.(); \
             return document.activeElement === field; }})()"
        ));
        if text.is_empty() {
            self.key("Delete");
        } else {
            self.ask("Input.insertText", &json!({"text": text}));
        }
    }

    /// Presses and releases a key: a character, or a value of `KeyboardEvent.key`, with modifiers before it.
    /// // eg: "/", "Escape", "Shift+Tab", "Control+k"
    #[track_caller]
    pub(crate) fn key(&mut self, name: &str) {
        let (mut modifiers, mut name) = (0, name);
        while let Some((modifier, rest)) = name.split_once('+').filter(|(_, rest)| !rest.is_empty()) {
            modifiers |= match modifier {
                "Alt" => 1,
                "Control" => 2,
                "Meta" => 4,
                "Shift" => 8,
                _ => panic!("`{modifier}` is not a modifier; Alt, Control, Meta and Shift are"),
            };
            name = rest;
        }
        let (key, code, number, mut text) = key(name);
        if modifiers & !8 != 0 {
            // With Alt, Control or Meta, a key enters no text.
            text.clear();
        }
        let press = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        for (kind, text) in [(press, text.as_str()), ("keyUp", "")] {
            let event = json!({
                "type": kind, "key": key, "code": code, "text": text, "modifiers": modifiers,
                "windowsVirtualKeyCode": number,
            });
            self.ask("Input.dispatchKeyEvent", &event);
        }
    }

    /// The visible text of the page.
    #[track_caller]
    pub(crate) fn text(&mut self) -> String {
        self.eval("document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Writes a PNG file of the visible part of the page.
    #[track_caller]
    pub(crate) fn screenshot(&mut self, path: &Path) {
        let answer = self.ask("Page.captureScreenshot", &json!({"format": "png"}));
        let png = from_base64(answer["data"].as_str().expect("a picture is text in base64"));
        fs::write(path, png).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Sets the size of the page [px].
    #[track_caller]
    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.ask("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Sets the user's preference for dark or light colours.
    #[track_caller]
    pub(crate) fn dark(&mut self, is_dark: bool) {
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.ask("Emulation.setEmulatedMedia", &features);
    }

    /// Errors and warnings so far, from the page and from Chromium, and uncaught exceptions.
    #[track_caller]
    pub(crate) fn console(&mut self) -> Vec<String> {
        self.catch_up();
        self.console.clone()
    }

    /// The URLs that the page has requested so far, WebSockets included.
    #[track_caller]
    pub(crate) fn requests(&mut self) -> Vec<String> {
        self.catch_up();
        self.requests.clone()
    }

    /// The accessibility violations that axe finds, a line per element. `source` is axe's script, from [`axe_source`].
    /// // eg: "label: Form elements must have labels (#name)"
    #[track_caller]
    pub(crate) fn axe(&mut self, source: &str) -> Vec<String> {
        // The page's Content-Security-Policy does not apply to the protocol.
        self.eval(&format!("{source}\nnull"));
        let lines = self.eval(
            "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(
                ({ id, help, nodes }) => nodes.map(({ target }) => `${id}: ${help} (${target.join(' ')})`)))",
        );
        let lines = lines.as_array().expect("axe gives a list").iter();
        lines.map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
    }

    #[track_caller]
    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        let answer = self.wire.ask(method, parameters);
        self.sort();
        answer.unwrap_or_else(|why| panic!("{method}: {why}"))
    }

    #[track_caller]
    fn try_eval(&mut self, js: &str) -> Result<Value, String> {
        let parameters = json!({
            "expression": js, "awaitPromise": true, "returnByValue": true, "userGesture": true,
        });
        let answer = self.wire.ask("Runtime.evaluate", &parameters);
        self.sort();
        let mut answer = answer?;
        let thrown = &answer["exceptionDetails"];
        if thrown.is_null() { Ok(answer["result"]["value"].take()) } else { Err(exception(thrown)) }
    }

    /// Receives the events that the page has sent so far.
    #[track_caller]
    fn catch_up(&mut self) {
        self.eval("null");
    }

    /// Takes from events what tests ask for.
    fn sort(&mut self) {
        for event in mem::take(&mut self.wire.events) {
            let about = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Page.lifecycleEvent" if about["name"] == "load" => {
                    self.loaded = about["loaderId"].clone();
                }
                "Network.requestWillBeSent" => self.requests.push(word(&about["request"]["url"])),
                "Network.webSocketCreated" => self.requests.push(word(&about["url"])),
                "Runtime.consoleAPICalled" => {
                    let kind = word(&about["type"]);
                    if ["error", "warning", "assert"].contains(&kind.as_str()) {
                        let said = about["args"].as_array().into_iter().flatten().map(remote);
                        self.console.push(format!("{kind}: {}", said.collect::<Vec<_>>().join(" ")));
                    }
                }
                "Runtime.exceptionThrown" => {
                    self.console.push(format!("uncaught: {}", exception(&about["exceptionDetails"])));
                }
                "Log.entryAdded" => {
                    let entry = &about["entry"];
                    let level = word(&entry["level"]);
                    if ["error", "warning"].contains(&level.as_str()) {
                        self.console.push(format!(
                            "{level}: {} {}",
                            word(&entry["text"]),
                            word(&entry["url"])
                        ));
                    }
                }
                _ => {}
            }
        }
    }

    /// The centre of an element that can be clicked [px].
    #[track_caller]
    fn middle(&mut self, css: &str) -> (f64, f64) {
        let asked = format!("({MIDDLE})({})", Value::from(css));
        let deadline = Instant::now() + SHOWN;
        let mut before = Value::Null;
        loop {
            let found = self.try_eval(&asked).unwrap_or_else(Value::from);
            // Twice in the same place: the element is at rest.
            if found.is_array()
                && found == before
                && let (Some(x), Some(y)) = (found[0].as_f64(), found[1].as_f64())
            {
                return (x, y);
            }
            if Instant::now() > deadline {
                self.fail(&format!("`{css}` cannot be clicked: {found}"));
            }
            before = found;
            thread::sleep(POLL);
        }
    }

    #[track_caller]
    fn mouse(&mut self, kind: &str, x: f64, y: f64, clicks: u32) {
        let button = if clicks == 0 { "none" } else { "left" };
        let buttons = u32::from(kind == "mousePressed");
        let event = json!({
            "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": clicks,
        });
        self.ask("Input.dispatchMouseEvent", &event);
    }

    #[track_caller]
    fn fail(&mut self, what: &str) -> ! {
        let text = self.try_eval("document.body.innerText").map_or_else(|why| why, |text| word(&text));
        panic!("{what}\nThe console has {:#?}\nThe page shows:\n{}", self.console, head(&text));
    }
}

/// The centre of an element, or why it cannot be clicked.
const MIDDLE: &str = "css => {
    const element = document.querySelector(css);
    if (!element) return 'no element matches';
    if (element.disabled) return 'it is disabled';
    element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    const box = element.getClientRects()[0];
    if (!box || !box.width || !box.height) return 'it is not shown';
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const top = document.elementFromPoint(x, y);
    if (!top) return 'its centre is outside the page';
    if (element.contains(top) || top.closest('label')?.control === element) return [x, y];
    return `it is covered by ${top.cloneNode().outerHTML}`;
}";

/// A connection. Events that arrive while it waits for an answer are kept.
struct Wire {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    /// Number of commands so far.
    asked: u64,
    /// Events that nothing has read yet, oldest first.
    events: Vec<Value>,
}

impl Wire {
    #[track_caller]
    fn connect(url: &str) -> Self {
        let (socket, _) = tungstenite::connect(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(POLL)).expect("a time limit is possible");
            stream.set_write_timeout(Some(PATIENCE)).expect("a time limit is possible");
        }
        Self { socket, asked: 0, events: Vec::new() }
    }

    /// Sends a command. Returns its result, or why Chromium refuses it.
    #[track_caller]
    fn ask(&mut self, method: &str, parameters: &Value) -> Result<Value, String> {
        self.asked += 1;
        let id = self.asked;
        let command = json!({"id": id, "method": method, "params": parameters});
        self.socket.send(Message::text(command.to_string())).expect("Chromium listens");
        let deadline = Instant::now() + PATIENCE;
        loop {
            // A late answer to an earlier command is ignored.
            if let Some(mut answer) = self.listen().filter(|answer| answer["id"] == id) {
                let refused = &answer["error"];
                return if refused.is_null() {
                    Ok(answer["result"].take())
                } else {
                    Err(refused.to_string())
                };
            }
            assert!(Instant::now() < deadline, "Chromium does not answer {method}");
        }
    }

    /// Receives the next message, if one arrives within [`POLL`]: returns an answer, keeps an event.
    #[track_caller]
    fn listen(&mut self) -> Option<Value> {
        let heard = match self.socket.read() {
            Ok(Message::Text(text)) => serde_json::from_str::<Value>(&text).expect("it speaks JSON"),
            Ok(Message::Close(_)) => panic!("Chromium has closed the page, or ended"),
            Ok(_) => return None,
            Err(tungstenite::Error::Io(error))
                if [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::Interrupted]
                    .contains(&error.kind()) =>
            {
                return None;
            }
            Err(error) => panic!("Chromium does not speak: {error}"),
        };
        if heard["id"].is_null() {
            self.events.push(heard);
            return None;
        }
        Some(heard)
    }
}

/// axe's script, for [`Page::axe`]. `None`, and a sentence, if there is none.
pub(crate) fn axe_source() -> Option<String> {
    let Some(path) = env::var_os("DYNO_TEST_AXE") else {
        println!("skipped: axe is not named by DYNO_TEST_AXE; `cargo xtask test` obtains it");
        return None;
    };
    Some(fs::read_to_string(path).expect("DYNO_TEST_AXE names a file of text"))
}

/// A key as the protocol describes it: `key`, `code`, Windows key code, and the text that it enters.
#[track_caller]
fn key(name: &str) -> (String, String, u32, String) {
    let named = match name {
        "Backspace" => 8,
        "Tab" => 9,
        "Enter" => 13,
        "Escape" => 27,
        "PageUp" => 33,
        "PageDown" => 34,
        "End" => 35,
        "Home" => 36,
        "ArrowLeft" => 37,
        "ArrowUp" => 38,
        "ArrowRight" => 39,
        "ArrowDown" => 40,
        "Delete" => 46,
        _ => 0,
    };
    let text = if name == "Enter" { "\r" } else { "" };
    if named != 0 {
        return (name.to_owned(), name.to_owned(), named, text.to_owned());
    }
    let mut letters = name.chars();
    let (Some(letter), None) = (letters.next(), letters.next()) else { panic!("`{name}` is not a key") };
    let upper = letter.to_ascii_uppercase();
    let (code, number) = match letter {
        ' ' => ("Space".to_owned(), 32),
        '/' | '?' => ("Slash".to_owned(), 191),
        'a'..='z' | 'A'..='Z' => (format!("Key{upper}"), u32::from(upper)),
        '0'..='9' => (format!("Digit{letter}"), u32::from(letter)),
        _ => (String::new(), 0),
    };
    (name.to_owned(), code, number, name.to_owned())
}

/// The message of an exception.
fn exception(details: &Value) -> String {
    let thrown = &details["exception"];
    if thrown.is_null() { word(&details["text"]) } else { remote(thrown) }
}

/// A value of the page as text.
fn remote(value: &Value) -> String {
    match (&value["description"], &value["value"]) {
        (Value::String(text), _) | (_, Value::String(text)) => text.clone(),
        (_, plain) => plain.to_string(),
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn head(text: &str) -> String {
    text.chars().take(TEXT).collect()
}

fn from_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    bytes
}
