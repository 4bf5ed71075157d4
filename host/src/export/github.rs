//! Workflow commands, which GitHub Actions shows as annotations. A run has an error per case that failed.

use std::fmt::Write;

use dyno_core::{model::RunRecord, text};

use super::outcome::Outcome;

/// Number of annotations of a level that GitHub shows for one step; it drops the others silently.
const SHOWN: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Notice];

    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

#[derive(Debug)]
pub(super) struct Annotation {
    pub(super) level: Level,
    /// A few words. // eg: "regressed"
    pub(super) title: String,
    pub(super) message: String,
}

/// Annotations, worst first, as many of each level as are shown; the last one then says how many more there are. `totals`
/// is a line of ours for the log.
pub(super) fn commands(annotations: &[Annotation], totals: &str) -> String {
    let mut out = String::new();
    for level in Level::ALL {
        let all: Vec<&Annotation> = annotations.iter().filter(|one| one.level == level).collect();
        let shown = if all.len() > SHOWN { SHOWN - 1 } else { all.len() };
        for Annotation { title, message, .. } in &all[..shown] {
            let title = title.as_str();
            command(&mut out, level, title, message);
        }
        if all.len() > shown {
            let message = format!(
                "{} more are not shown: GitHub shows {SHOWN} annotations of a kind per step; the formats csv, json and \
                 junit hold them all",
                all.len() - shown
            );
            command(&mut out, level, "and more", &message);
        }
    }
    let _ = writeln!(out, "{}", data(totals));
    out
}

fn command(out: &mut String, level: Level, title: &str, message: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "::{} title=dyno {}::{}", level.word(), property(title), data(message));
}

/// Text behind the second pair of colons. The old form of a command may begin anywhere in a line: it is parted.
fn data(text: &str) -> String {
    text::sentence(text).to_string().replace("##[", "## [").replace('%', "%25")
}

/// Text of a property, which ends at a comma or a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A run: an error for each case that failed, a warning for each that has no result by no fault.
pub(super) fn run_github(record: &RunRecord) -> String {
    let of = |level: Level, title: &str, label: String, why: &str| Annotation {
        level,
        title: title.to_owned(),
        message: format!("{label}: {why}"),
    };
    let annotations: Vec<Annotation> = record
        .cases
        .iter()
        .zip(record.series())
        .filter_map(|(case, name)| match Outcome::of(&case.status) {
            Outcome::Good => None,
            Outcome::Failed(why) => Some(of(Level::Error, "failed", name, &why)),
            Outcome::Skipped(why) => Some(of(Level::Warning, "without a result", name, &why)),
        })
        .collect();
    let count = |level| annotations.iter().filter(|one| one.level == level).count();
    let (failed, without) = (count(Level::Error), count(Level::Warning));
    let totals = format!(
        "{} of {} cases have a result, {failed} failed, {without} were skipped or did not end",
        record.cases.len() - failed - without,
        record.cases.len()
    );
    commands(&annotations, &totals)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn annotation(text: &str) -> Annotation {
        Annotation { level: Level::Error, title: text.to_owned(), message: text.to_owned() }
    }

    #[test]
    fn text_ends_neither_property_nor_command() {
        let found = commands(&[annotation("a,b::c\n::error::%0A ##[add-mask]x")], "1 regressed");
        let expected = "::error title=dyno a%2Cb%3A%3Ac\u{fffd}%3A%3Aerror%3A%3A%250A ## [add-mask]x::a,b::c\u{fffd}::error::%250A ## [add-mask]x\n1 regressed\n";
        assert_eq!(found, expected);
    }

    #[test]
    fn what_github_would_drop_is_counted() {
        let many: Vec<Annotation> = (0..25).map(|number| annotation(&number.to_string())).collect();
        let found = commands(&many, "");
        assert_eq!(found.matches("::error").count(), SHOWN);
        assert!(found.contains("::16 more are not shown"), "{found}");
        assert_eq!(commands(&many[..SHOWN], "").matches("::error").count(), SHOWN);
    }

    proptest! {
        #[test]
        fn an_annotation_is_one_line_whatever_the_text(text in any::<String>(), more in "[:,%\r\n#\\[a]*") {
            for text in [text, more] {
                let found = commands(&[annotation(&text)], "totals");
                prop_assert_eq!(found.lines().count(), 2);
                prop_assert!(!found.replace('\n', "").contains(|c: char| c.is_control()));
                let properties = found.strip_prefix("::error title=").unwrap();
                let (title, _) = properties.split_once("::").unwrap();
                prop_assert!(!title.contains([',', ':']), "{}", title);
                prop_assert!(!found.contains("##["));
            }
        }
    }
}
