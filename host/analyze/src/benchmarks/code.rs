//! Source without what is only said: a comment about a warm-up is none, and a message about waiting does not wait.

use std::ops::Range;

use crate::{facts::LanguageId, seen::Seen};

/// A piece of source whose comments are blank.
pub(super) fn uncommented(seen: &Seen<'_>, range: Range<usize>) -> Vec<u8> {
    let mut text = seen.text(range.clone()).to_vec();
    let first = seen.comments.partition_point(|comment| comment.end <= range.start);
    let within = seen.comments.iter().skip(first).take_while(|comment| comment.start < range.end);
    for comment in within {
        let start = comment.start.max(range.start) - range.start;
        let end = comment.end.min(range.end) - range.start;
        blank(text.get_mut(start..end).unwrap_or_default());
    }
    text
}

/// A piece of source whose comments and texts are blank.
pub(super) fn only(seen: &Seen<'_>, range: Range<usize>) -> Vec<u8> {
    let mut text = uncommented(seen, range);
    let is_python = seen.facts.language == LanguageId::Python;
    let mut at = 0;
    while let Some(quote) = text.get(at).copied() {
        // Elsewhere a single quote stands around a character, or begins a lifetime.
        if quote != b'"' && !(is_python && quote == b'\'') {
            at += 1;
            continue;
        }
        let three = [quote; 3];
        let mark: &[u8] = if is_python && text[at..].starts_with(&three) { &three } else { &three[..1] };
        let start = at + mark.len();
        let mut end = start;
        while end < text.len() && !text[end..].starts_with(mark) {
            // A text in one quote ends with its line at the latest in Python, and a piece may begin inside of one.
            if is_python && mark.len() == 1 && text[end] == b'\n' {
                break;
            }
            end += if text[end] == b'\\' { 2 } else { 1 };
        }
        let end = end.min(text.len());
        blank(&mut text[start..end]);
        at = end + mark.len();
    }
    text
}

/// Blanks a piece and keeps its lines.
pub(super) fn blank(text: &mut [u8]) {
    text.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
}

#[cfg(test)]
mod tests {
    use crate::{
        facts::{Flaw, LanguageId},
        languages::Named,
        read::{self, Parsers},
    };

    /// The problems of the only benchmark of a source.
    fn flaws(language: LanguageId, text: &str) -> Vec<Flaw> {
        let facts = read::facts(text.as_bytes(), Named::As(language), &mut Parsers::default()).unwrap();
        assert_eq!(facts.benchmarks.len(), 1, "{text}");
        facts.benchmarks[0].problems.iter().map(|found| found.kind).collect()
    }

    #[test]
    fn what_is_only_said_is_not_done() {
        let python = |before: &str, within: &str| {
            let text = format!(
                "import time\ndef bench(a, b):\n    {before}\n    for _ in range(9):\n        t = time.perf_counter()\n        \
                 work(a){within}\n        print(time.perf_counter() - t)\n"
            );
            flaws(LanguageId::Python, &text)
        };
        assert_eq!(python("work(a)", ""), []);
        for said in
            ["# work(a) is cold", "\"\"\"work(a)\"\"\"", "print(\"work(1)\")", "print('work(1) it\\'s')"]
        {
            assert_eq!(python(said, ""), [Flaw::NoWarmup], "{said}");
        }
        assert_eq!(python("work(a)", "  # np.random.rand(3)"), []);
        assert_eq!(python("work(a.cuda())", "  # torch.cuda.synchronize()"), [Flaw::NoDeviceSync]);
        assert_eq!(python("work(a.cuda())", "; log('synchronize()')"), [Flaw::NoDeviceSync]);
        assert_eq!(python("work(a.cuda())", "; torch.cuda.synchronize()"), []);

        let cuda = |before: &str, wait: &str| {
            let text = format!(
                "void bench(int n) {{ {before}\n for (int i = 0; i < 9; ++i) {{ auto t = std::chrono::steady_clock::now();\n \
                 k<<<(n + 255) / 256, 256>>>(n); {wait}\n auto d = std::chrono::steady_clock::now() - t; }} }}"
            );
            flaws(LanguageId::Cuda, &text)
        };
        assert_eq!(cuda("k<<<(n + 255) / 256, 256>>>(n);", "cudaDeviceSynchronize();"), []);
        assert_eq!(cuda("cudaDeviceSynchronize();", "cudaDeviceSynchronize();"), [Flaw::NoWarmup]);
        let unsynchronised = cuda("k<<<1, 1>>>(n);", "// cudaDeviceSynchronize();");
        assert_eq!(unsynchronised, [Flaw::NoDeviceSync]);
    }
}
