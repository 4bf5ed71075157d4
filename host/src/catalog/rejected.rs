//! Files that were searched for a benchmark and are not plugins, for a user whose benchmark was not found.

use std::path::Path;

use super::{Catalog, Problem, Severity};

/// Maximum number of files that are named with their reasons; the others are only counted.
const MOST: usize = 8;
/// Up to this number, all libraries of other software are named; of more, only those with a similar name.
const FEW: usize = 3;
/// Minimum similarity of two names, 0 to 1.
const ALIKE: f64 = 0.85;

impl Catalog {
    /// Why files and folders that were searched offer no benchmark, a line each, those first that the user may have meant
    /// by `wanted`; bounded.
    #[must_use]
    pub fn rejected(&self, wanted: &str) -> Vec<String> {
        let of = |severity| self.problems.iter().filter(move |problem| problem.severity == severity);
        let asides: Vec<&Problem> = of(Severity::Aside).collect();
        let is_meant = |problem: &&&Problem| asides.len() <= FEW || is_alike(&problem.path, wanted);
        let named: Vec<&Problem> =
            of(Severity::Error).chain(asides.iter().filter(is_meant).copied()).collect();
        let mut lines: Vec<String> = named.iter().take(MOST).map(ToString::to_string).collect();
        if let Some(more @ 1..) = named.len().checked_sub(MOST) {
            lines.push(format!("and {more} more; `dyno list` shows all"));
        }
        let others = asides.len() - asides.iter().filter(is_meant).count();
        if others > 0 {
            let libraries = dyno_core::units::count(others, "library");
            let and = if lines.is_empty() { "" } else { "and " };
            lines.push(format!("{and}{libraries} of other software; `dyno list --all` shows all"));
        }
        lines
    }
}

/// Whether a file may have been meant to hold what was asked for: `libhash_map.so` for `hash-map/insert`.
fn is_alike(path: &Path, wanted: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_'], "");
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = plain(stem.strip_prefix("lib").unwrap_or(&stem));
    wanted.split(['/', '@', '*']).map(plain).filter(|word| word.len() > 2).any(|word| {
        stem.contains(&word) || word.contains(&stem) || strsim::jaro_winkler(&stem, &word) >= ALIKE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_meant_is_named_and_the_rest_is_counted() {
        let mut catalog = Catalog::default();
        for number in 0..20 {
            let path = format!("/p/libother{number}.so");
            catalog.problems.push(Problem::aside(Path::new(&path), "not a dyno plugin"));
        }
        catalog.problems.push(Problem::aside(Path::new("/p/libhash_map.so"), "not a dyno plugin"));
        catalog.problems.push(Problem::error(Path::new("/p/broken.so"), "the file is empty"));
        let lines = catalog.rejected("hash-map/insert");
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(lines[0], "/p/broken.so: the file is empty");
        assert!(
            lines[1].starts_with("/p/libhash_map.so: ") && lines[2].contains("20 libraries"),
            "{lines:?}"
        );
        for number in 0..30 {
            let path = format!("/p/b{number}.so");
            catalog.problems.push(Problem::error(Path::new(&path), "the file is empty"));
        }
        assert!(catalog.rejected("x").len() <= MOST + 2, "however much is broken");
    }
}
