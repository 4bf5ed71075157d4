//! Benchmarks by a part of their name, as people call them: `time_keys` for `TimeSuite.time_keys`.

use crate::{analysis::Analysis, facts::Benchmark};

impl Analysis {
    /// The benchmarks whose name ends in the parts of `wanted`, each with its file; none if one has this name or place
    /// as it is. The end of a path and a colon may stand before the name.
    #[must_use]
    pub fn ending_in(&self, wanted: &str) -> Vec<(&str, &Benchmark)> {
        let all = || {
            let files = self.files.iter();
            files.flat_map(|file| file.facts.benchmarks.iter().map(|found| (file.path.as_str(), found)))
        };
        let is_whole = |(file, found): (&str, &Benchmark)| {
            names(found).any(|name| splits(wanted).any(|(path, asked)| asked == name && is_path(file, path)))
        };
        if all().any(is_whole) {
            return Vec::new();
        }
        all()
            .filter(|(file, found)| {
                let fits = |(path, asked): (Option<&str>, &str)| {
                    is_path(file, path) && names(found).any(|name| ends(name, asked))
                };
                splits(wanted).any(fits)
            })
            .collect()
    }
}

/// What a benchmark is called: as its framework prints it, and as its source does.
fn names(found: &Benchmark) -> impl Iterator<Item = &str> {
    [found.name.as_str(), found.subject.as_str()].into_iter().filter(|name| !name.is_empty())
}

/// The ways to read `FILE:NAME`: a name may hold colons as well.
fn splits(wanted: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    let files = wanted.match_indices(':').map(|(at, _)| (Some(&wanted[..at]), &wanted[at + 1..]));
    std::iter::once((None, wanted)).chain(files)
}

/// Whether a path is asked for: by itself, or by its last parts.
fn is_path(path: &str, asked: Option<&str>) -> bool {
    let Some(asked) = asked.map(|asked| asked.trim_start_matches("./")) else { return true };
    path.strip_suffix(asked).is_some_and(|rest| rest.is_empty() || rest.ends_with('/')) && !asked.is_empty()
}

/// Whether a name ends in whole parts: between them stand `.` of Python, `::` of C++ and Rust, and `/` of groups.
fn ends(name: &str, asked: &str) -> bool {
    let before = name.strip_suffix(asked).filter(|_| !asked.is_empty());
    before.is_some_and(|before| before.ends_with(['.', ':', '/']))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::{Options, analyze};

    const SUITE: &str = "class NAME:\n    def setup(self):\n        pass\n\n    def time_keys(self):\n        keys()\n\n    def time_ONLY(self):\n        \
         keys()\n";

    #[test]
    fn the_last_parts_of_a_name_are_enough() {
        let folder = tempfile::tempdir().unwrap();
        let suite = |file: &str, name: &str, only: &str| {
            fs::write(folder.path().join(file), SUITE.replace("NAME", name).replace("ONLY", only)).unwrap();
        };
        suite("a.py", "TimeSuite", "first");
        suite("b.py", "TimeOther", "second");
        let rust = "mod sort {\n    #[divan::bench]\n    fn second() {}\n    #[divan::bench]\n    fn third() {}\n}\n";
        fs::write(folder.path().join("c.rs"), rust).unwrap();
        let analysis = analyze(&Options::new(folder.path()), &|_, _| {}, &|| false).unwrap();
        let found = |wanted: &str| -> Vec<String> {
            analysis.ending_in(wanted).iter().map(|(file, found)| format!("{file}:{}", found.name)).collect()
        };
        assert_eq!(found("time_first"), ["a.py:TimeSuite.time_first"]);
        assert_eq!(found("time_keys"), ["a.py:TimeSuite.time_keys", "b.py:TimeOther.time_keys"]);
        assert_eq!(found("a.py:time_keys"), ["a.py:TimeSuite.time_keys"]);
        assert_eq!(found("./b.py:time_keys"), ["b.py:TimeOther.time_keys"]);
        // What is a whole name is no part of another one.
        for whole in ["third", "sort::third", "c.rs:third", "c.rs:sort::third", "TimeSuite.time_first"] {
            assert_eq!(found(whole), [""; 0], "{whole}");
        }
        for nothing in ["", ":", "keys", "first", "x.py:time_keys", "py:time_keys", "TimeSuite", "a.py:5"] {
            assert_eq!(found(nothing), [""; 0], "{nothing}");
        }
    }
}
