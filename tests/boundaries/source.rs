//! A source file as the rules see it: without comments, strings apart, and with every path that it names.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// A place that breaks a rule.
#[derive(Debug, PartialEq)]
pub(crate) struct Violation {
    path: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.rule)
    }
}

/// A path that the code names, like `std::fs::read`.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) line: usize,
    pub(crate) parts: Vec<String>,
    /// The name that a `use` makes known by it.
    pub(crate) brings: Option<String>,
    /// Whether that name is for other modules: `pub use`.
    pub(crate) is_passed_on: bool,
}

impl Named {
    /// Whether it begins like that.
    pub(crate) fn is_in(&self, prefix: &[&str]) -> bool {
        self.parts.len() >= prefix.len() && self.parts.iter().zip(prefix).all(|(part, wanted)| part == wanted)
    }
}

/// A source file.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// From the root of the repository, with `/` between folders.
    pub(crate) path: String,
    /// As it is.
    pub(crate) text: String,
    /// Without comments and what stands in strings; every line end is kept.
    pub(crate) code: String,
    /// What stands in strings, with the line where each begins.
    pub(crate) strings: Vec<(usize, String)>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let (mut code, strings) = split(text);
        // Tests inside a file are free to do what the file must not.
        let end = code.find("#[cfg(test)]\nmod tests {").unwrap_or(code.len());
        let last = code[..end].matches('\n').count() + 1;
        code.truncate(end);
        let strings = strings.into_iter().filter(|(line, _)| *line <= last).collect();
        Self { path: path.to_owned(), text: text.to_owned(), code, strings }
    }

    /// Whether it is below one of these folders, or one of these files.
    pub(crate) fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| {
            self.path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || place.ends_with('/'))
        })
    }

    /// Whether all of it is a test.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.contains("/tests/") || self.path.ends_with("tests.rs")
    }

    pub(crate) fn violation(&self, line: usize, rule: impl Into<String>) -> Violation {
        Violation { path: self.path.clone(), line, rule: rule.into() }
    }

    /// Lines on which a word stands in the code.
    pub(crate) fn lines_with(&self, word: &str) -> Vec<usize> {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let has = |line: &str| {
            line.match_indices(word).any(|(at, _)| {
                !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part)
            })
        };
        self.code.lines().zip(1..).filter(|(line, _)| has(line)).map(|(_, number)| number).collect()
    }

    /// Every path in the code; those of `use` with braces are spelt out.
    pub(crate) fn paths(&self) -> Vec<Named> {
        let mut found = Vec::new();
        let mut rest = Cursor { text: &self.code, line: 1 };
        while !rest.text.is_empty() {
            match rest.word() {
                Some(word) if word == "use" => {
                    let before = &self.code[..self.code.len() - rest.text.len() - word.len()];
                    let first = found.len();
                    rest.tree(&[], &mut found);
                    let is_passed_on = is_public(before);
                    found[first..].iter_mut().for_each(|named| named.is_passed_on = is_passed_on);
                }
                // Who may see a thing is no use of it: `pub(in crate::cli)`.
                Some(word) if word == "pub" && rest.text.starts_with("(in ") => {
                    let end = rest.text.find(')').unwrap_or(rest.text.len());
                    rest.skip(rest.text[..end].chars().count());
                }
                Some(word) => rest.path(word, &mut found),
                None => rest.skip(1),
            }
        }
        found
    }
}

/// A place in the code.
struct Cursor<'a> {
    text: &'a str,
    line: usize,
}

impl Cursor<'_> {
    /// Goes on by one character or more.
    fn skip(&mut self, characters: usize) {
        let end = self.text.char_indices().nth(characters).map_or(self.text.len(), |(at, _)| at);
        self.line += self.text[..end].matches('\n').count();
        self.text = &self.text[end..];
    }

    fn blanks(&mut self) {
        while self.text.starts_with(char::is_whitespace) {
            self.skip(1);
        }
    }

    fn takes(&mut self, token: &str) -> bool {
        let is_next = self.text.starts_with(token);
        if is_next {
            self.skip(token.chars().count());
        }
        is_next
    }

    /// The identifier that begins here.
    fn word(&mut self) -> Option<String> {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let length = self.text.chars().take_while(|c| is_part(*c)).count();
        let word: String = self.text.chars().take(length).collect();
        self.skip(length);
        (length > 0).then_some(word)
    }

    /// The rest of a path that began with a word outside of `use`.
    fn path(&mut self, first: String, found: &mut Vec<Named>) {
        let line = self.line;
        let mut parts = vec![first];
        while self.takes("::") {
            match self.word() {
                Some(word) => parts.push(word),
                None => break,
            }
        }
        if parts.len() > 1 {
            found.push(Named { line, parts, brings: None, is_passed_on: false });
        }
    }

    /// One branch of what stands behind `use`.
    fn tree(&mut self, prefix: &[String], found: &mut Vec<Named>) {
        let mut parts = prefix.to_vec();
        loop {
            self.blanks();
            // A leading `::` names a crate, which changes nothing here.
            while self.takes("::") {}
            if self.takes("{") {
                loop {
                    self.blanks();
                    if self.takes("}") || self.text.is_empty() {
                        return;
                    }
                    self.tree(&parts, found);
                    self.blanks();
                    self.takes(",");
                }
            }
            let line = self.line;
            let Some(word) = self.word() else {
                // A glob, or the end of something that is no `use` at all.
                self.takes("*");
                return found.push(Named { line, parts, brings: None, is_passed_on: false });
            };
            parts.push(word);
            self.blanks();
            if !self.takes("::") {
                let mut brings = parts.iter().rfind(|part| *part != "self").cloned();
                if self.takes("as ") {
                    self.blanks();
                    brings = self.word();
                }
                return found.push(Named { line, parts, brings, is_passed_on: false });
            }
        }
    }
}

/// Whether the item that follows this code is public, if only to a part of the crate.
fn is_public(before: &str) -> bool {
    let before = before.trim_end();
    before.ends_with("pub")
        || before
            .strip_suffix(')')
            .and_then(|before| before.rsplit_once('('))
            .is_some_and(|(before, _)| before.ends_with("pub"))
}

/// Parts code from strings and drops comments.
fn split(text: &str) -> (String, Vec<(usize, String)>) {
    let mut code = String::with_capacity(text.len());
    let mut strings = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some((length, content)) = string(rest, code.chars().last()) {
            strings.push((line, content.to_owned()));
            length
        } else if let Some(length) = character(rest) {
            length
        } else {
            code.push(first);
            line += usize::from(first == '\n');
            rest = &rest[first.len_utf8()..];
            continue;
        };
        let ends = rest[..length].matches('\n').count();
        line += ends;
        code.push(' ');
        code.extend(std::iter::repeat_n('\n', ends));
        rest = &rest[length..];
    }
    (code, strings)
}

/// Length and content of the string literal that begins here.
fn string(text: &str, before: Option<char>) -> Option<(usize, &str)> {
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') && !text.starts_with('"') {
        return None;
    }
    let prefix = text.len() - text.trim_start_matches(['b', 'c']).len();
    let body = &text[prefix.min(1)..];
    if let Some(raw) = body.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let content = raw[hashes..].strip_prefix('"')?;
        let end = content.find(&format!("\"{}", "#".repeat(hashes)))?;
        let start = text.len() - content.len();
        return Some((start + end + 1 + hashes, &content[..end]));
    }
    let content = body.strip_prefix('"')?;
    let mut escaped = false;
    for (at, c) in content.char_indices() {
        match c {
            '"' if !escaped => return Some((text.len() - content.len() + at + 1, &content[..at])),
            _ => escaped = c == '\\' && !escaped,
        }
    }
    None
}

/// Length of the character literal that begins here; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let content = text.strip_prefix('\'')?;
    let inner = if let Some(escape) = content.strip_prefix('\\') {
        1 + escape.char_indices().skip(1).find(|(_, c)| *c == '\'')?.0
    } else {
        content.chars().next()?.len_utf8()
    };
    content[inner..].starts_with('\'').then_some(inner + 2)
}

/// The root of the checkout whose tests Cargo runs. Another one may have compiled them, where several share a target folder.
pub(crate) fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it for the tests that it runs");
    Path::new(&package).join("..")
}

/// Every Rust file of the repository, read once.
pub(crate) fn whole_repository() -> &'static [Source] {
    static ALL: OnceLock<Vec<Source>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut found = Vec::new();
        collect(&root(), "", &mut found);
        found
    })
}

fn collect(folder: &Path, path: &str, found: &mut Vec<Source>) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("the checkout is readable");
        let name = entry.file_name().to_string_lossy().into_owned();
        let below = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        if entry.path().is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                collect(&entry.path(), &below, found);
            }
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(entry.path())
                .unwrap_or_else(|error| panic!("cannot read {below}: {error}"));
            found.push(Source::new(&below, &text));
        }
    }
}

#[test]
fn strings_and_comments_are_no_code() {
    let text = "let a = \"x\\\"y\"; // \"no\nlet b = r#\"raw \" one\"#; /* unsafe */ let c = '\"'; let d: &'static str;\n";
    let source = Source::new("a.rs", text);
    let strings: Vec<&str> = source.strings.iter().map(|(_, content)| content.as_str()).collect();
    assert_eq!(strings, ["x\\\"y", "raw \" one"]);
    assert_eq!(source.strings[1].0, 2);
    assert!(!source.code.contains("unsafe") && source.code.contains("&'static str"), "{}", source.code);
}

#[test]
fn paths_are_spelt_out() {
    let source = Source::new(
        "a.rs",
        "use std::{\n  fs, io::{self as i, Read},\n};\npub(in crate::x) fn f() { a::b::<T>() }\n",
    );
    let paths: Vec<String> =
        source.paths().iter().map(|path| format!("{} {}", path.line, path.parts.join("::"))).collect();
    assert_eq!(paths, ["2 std::fs", "2 std::io::self", "2 std::io::Read", "4 a::b"]);
}
