//! Preparation inside of what is measured: data that is allocated, drawn, read or built between the two readings.

use std::ops::Range;

use super::{code, draft, operations};
use crate::{
    facts::{Benchmark, Flaw, LanguageId},
    scan,
    seen::Seen,
};

/// Calls that prepare work rather than do it.
const PYTHON: [&str; 30] = [
    "torch.randn(",
    "torch.rand(",
    "torch.zeros(",
    "torch.ones(",
    "torch.empty(",
    "torch.randint(",
    "torch.randperm(",
    "torch.load(",
    "np.random.",
    "numpy.random.",
    "np.zeros(",
    "np.ones(",
    "np.arange(",
    "np.linspace(",
    "default_rng(",
    "random.random(",
    "random.randint(",
    "random.randrange(",
    "random.uniform(",
    "random.gauss(",
    "random.choice(",
    "random.choices(",
    "random.sample(",
    "random.shuffle(",
    "from_pretrained(",
    "read_csv(",
    "open(",
    "load_model(",
    "load_dataset(",
    ".to(device",
];
const RUST: [&str; 6] =
    ["vec![", "Vec::with_capacity", "File::open", "fs::read", ".to_vec()", "String::with_capacity"];
const C_FAMILY: [&str; 7] =
    ["malloc(", "calloc(", "fopen(", "cudaMalloc(", "std::vector<", "new ", "hipMalloc("];

/// Those that open a file, to read or to write.
const OPENS: [&str; 2] = ["open(", "fopen("];

/// Calls in a comprehension that do no work worth measuring.
const PLAIN: [&[u8]; 8] = [b"int", b"float", b"str", b"chr", b"bytes", b"tuple", b"list", b"dict"];

/// Adds the finding that measured code prepares its own data.
pub(super) fn judge(seen: &Seen<'_>, range: Range<usize>, benchmark: &mut Benchmark) {
    let code = code::only(seen, range.clone());
    let quoted = code::uncommented(seen, range.clone());
    if let Some((at, reason)) = find(&code, &quoted, seen.facts.language) {
        draft::flaw(benchmark, Flaw::SetupTimed, seen.line_of(range.start + at), reason);
    }
}

/// Preparation in measured code: its place, and the sentence. `quoted` is the same code with its texts.
fn find(code: &[u8], quoted: &[u8], language: LanguageId) -> Option<(usize, String)> {
    let names: &[&str] = match language {
        LanguageId::Python => &PYTHON,
        LanguageId::Rust => &RUST,
        LanguageId::C | LanguageId::Cpp | LanguageId::Cuda => &C_FAMILY,
    };
    let reads = |at: usize, name: &str| !OPENS.contains(&name) || !is_written(quoted, at + name.len() - 1);
    let prepared = scan::first_named_if(code, names, reads).filter(|(at, name)| !is_all(code, *at, name));
    let built = (language == LanguageId::Python).then(|| comprehension(code)).flatten();
    match (prepared, built) {
        (Some((at, name)), built) if built.as_ref().is_none_or(|built| at <= built.0) => {
            let bare = name.trim_matches(['(', '.', '[', '<', ' ', '!']);
            let reason =
                format!("`{bare}` prepares the work inside the timed region, so its time is measured too.");
            Some((at, reason))
        }
        (_, built) => built.map(|(at, name)| {
            let reason = format!("`{name}` is built inside the timed region, so that time is measured too.");
            (at, reason)
        }),
    }
}

/// Whether a call opens a file to write to it, as for a summary: that prepares nothing.
fn is_written(quoted: &[u8], open: usize) -> bool {
    let parts = scan::listed(quoted, open).unwrap_or_default();
    let second = parts.get(1).filter(|part| !part.contains('=')).map(String::as_str);
    let mode = scan::named(&parts, "mode").or(second).map(scan::unquoted).unwrap_or_default();
    mode.contains(['w', 'a', 'x'])
}

/// Whether a preparation is all that the code does: then it is what is measured.
fn is_all(code: &[u8], at: usize, name: &str) -> bool {
    let open =
        code[at..].iter().position(|byte| matches!(byte, b'(' | b'[')).map_or(code.len(), |to| at + to);
    let start = code[..open].iter().rposition(|byte| !scan::is_word(*byte)).map_or(0, |place| place + 1);
    let bare = name.trim_matches(['(', '.', '[', '<', ' ', '!']);
    let last = bare.rsplit(['.', ':']).next().unwrap_or_default().as_bytes();
    let calls = scan::calls(code);
    calls.iter().all(|call| call.1 == &code[start..open] || call.1 == last)
        && operations::operations(code).is_empty()
}

/// `data = [i * i for i in range(n)]`, and a call that takes `data` behind it: the place and the name.
fn comprehension(code: &[u8]) -> Option<(usize, String)> {
    for equals in memchr::memmem::find_iter(code, b" = ") {
        let open = equals + b" = ".len();
        let open = if code[open..].starts_with(b"list(") { open + b"list".len() } else { open };
        let Some(inside) = scan::inside(code, open) else { continue };
        let built = &code[inside.clone()];
        let ranged = built.starts_with(b"range(") && code[..open].ends_with(b"list")
            || scan::has(built, " for ") && scan::has(built, " in range(");
        let plain = scan::calls(built).iter().all(|call| {
            PLAIN.contains(&call.1)
                || [b"rand".as_slice(), b"choice"].iter().any(|start| call.1.starts_with(start))
        });
        if !ranged || !plain {
            continue;
        }
        let start = code[..equals].iter().rposition(|byte| !scan::is_word(*byte)).map_or(0, |at| at + 1);
        let name = &code[start..equals];
        let rest = &code[inside.end..];
        let taken = scan::words(rest, name).any(|at| {
            let before = rest[..at].trim_ascii_end();
            before.ends_with(b"(") || before.ends_with(b",") || rest[at + name.len()..].starts_with(b".")
        });
        if taken && !scan::calls(rest).is_empty() {
            return Some((start, String::from_utf8_lossy(name).into_owned()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preparation_is_told_from_what_is_measured() {
        let found =
            |code: &str| find(code.as_bytes(), code.as_bytes(), LanguageId::Python).map(|found| found.1);
        for (code, name) in [
            ("x = random.sample(all, n)\nsort(x)", "`random.sample` prepares"),
            ("data = [random.random() for _ in range(n)]\nsort(data)", "`data` is built"),
            ("data = [i * 2 for i in range(n)]\nsort(data)", "`data` is built"),
            ("data = list(range(n))\ndata.sort()", "`data` is built"),
            ("y = np.random.rand(n) @ a", "`np.random` prepares"),
            ("data = open(path).read()\nsort(data)", "`open` prepares"),
            ("data = open(path, 'rb').read()\nsort(data)", "`open` prepares"),
            ("out = open(path, 'w')\nsort(open(other))", "`open` prepares"),
        ] {
            assert!(found(code).is_some_and(|reason| reason.starts_with(name)), "{code}: {:?}", found(code));
        }
        for code in [
            "np.random.rand(n)",
            "random.random()",
            "out = [work(i) for i in range(n)]\nkeep(out)",
            "data = [i * 2 for i in range(n)]",
            "self.random.random(); work(1)",
            "reopen(f); work(1)",
            "work(1)\nwith open('summary.json', 'w') as f: f.write(text)",
            "work(1)\nwith open(path, mode=\"ab\") as f: f.write(text)",
        ] {
            assert_eq!(found(code), None, "{code}");
        }
    }
}
