//! Numbers scaled for reading, and read back from what people write.

use crate::model::Interval;

/// Units of a scale, largest first, with their size in the base unit; that of time is the nanosecond.
const TIME: [(f64, &str); 5] = [(1e9 * 60.0, "min"), (1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")];
const DECIMAL: [(f64, &str); 6] = [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")];
const BINARY: [(f64, &str); 6] = [
    ((1u64 << 50) as f64, "Pi"),
    ((1u64 << 40) as f64, "Ti"),
    ((1u64 << 30) as f64, "Gi"),
    ((1u64 << 20) as f64, "Mi"),
    ((1u64 << 10) as f64, "Ki"),
    (1.0, ""),
];

/// The sign for an infinite number and for NaN.
const NONE: &str = "–";

/// Rounded to four significant digits: 999.96 reads as a thousand, so it is scaled as one.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// Four significant digits, without a trailing point. // eg: `1.234`, `123.4`, `1234`
fn digits(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = rounded(value).abs().log10().floor();
    // Outside this range, plain decimals would be rows of zeros.
    if !(-6.0..9.0).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let decimals = (3.0 - magnitude).max(0.0) as usize;
    format!("{value:.decimals$}")
}

fn scaled(value: f64, scale: &[(f64, &str)], unit: &str) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let (factor, prefix) = scale
        .iter()
        .find(|(factor, _)| rounded(value).abs() >= *factor)
        .or_else(|| scale.last())
        .copied()
        .unwrap_or((1.0, ""));
    format!("{} {prefix}{unit}", digits(value / factor)).trim_end().to_owned()
}

/// By what to divide values of a unit so that the largest reads well, and what they are then in. // eg: (1e6, "ms")
#[must_use]
pub fn scale_of(most: f64, unit: &str) -> (f64, String) {
    let (scale, base): (&[(f64, &str)], &str) = match unit {
        "ns" => (&TIME, ""),
        "bytes" => (&BINARY, "B"),
        "bytes/s" => (&BINARY, "B/s"),
        unit => (&DECIMAL, unit),
    };
    let found = scale.iter().find(|(factor, _)| rounded(most).abs() >= *factor).or_else(|| scale.last());
    let (factor, prefix) = found.copied().unwrap_or((1.0, ""));
    (factor, format!("{prefix}{base}"))
}

/// A duration [ns]. // eg: `1.234 ms`
#[must_use]
pub fn duration(ns: f64) -> String {
    scaled(ns, &TIME, "")
}

/// An amount of memory [bytes]. // eg: `12.50 MiB`
#[must_use]
pub fn bytes(bytes: f64) -> String {
    scaled(bytes, &BINARY, "B")
}

/// A value of a metric, scaled by its unit. // eg: `12.34 GiB/s`, `98.70 GFLOP/s`
#[must_use]
pub fn value(value: f64, unit: &str) -> String {
    match unit {
        "ns" => duration(value),
        "bytes" => bytes(value),
        "bytes/s" => scaled(value, &BINARY, "B/s"),
        "FLOP/s" => scaled(value, &DECIMAL, "FLOP/s"),
        "items/s" => {
            let text = scaled(value, &DECIMAL, "");
            if text == NONE {
                text
            } else if text.ends_with(char::is_alphabetic) {
                format!("{text}items/s")
            } else {
                format!("{text} items/s")
            }
        }
        _ if !value.is_finite() => NONE.to_owned(),
        other => format!("{} {other}", digits(value)).trim_end().to_owned(),
    }
}

/// A value and the half-width of its interval relative to it. // eg: `1.234 ms ± 0.4 %`
#[must_use]
pub fn value_with_interval(median: f64, interval: Option<Interval>, unit: &str) -> String {
    let headline = value(median, unit);
    let percent = interval
        .map(|interval| interval.half_width() / median.abs() * 100.0)
        .filter(|percent| percent.is_finite() && median.is_finite());
    match percent {
        Some(percent) => {
            // From 9.95 on, one decimal would round to three digits.
            let shown = if percent >= 9.95 { format!("{percent:.0}") } else { format!("{percent:.1}") };
            format!("{headline} ± {shown} %")
        }
        _ => headline,
    }
}

/// A number with its noun, which is singular for 1. // eg: `1 case`, `2 cases`, `3 queries`, `1 process`
#[must_use]
pub fn count<N: std::fmt::Display + Copy + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    if number == N::from(1) {
        return format!("{number} {noun}");
    }
    let vowel_before_y = || noun.chars().rev().nth(1).is_some_and(|letter| "aeiou".contains(letter));
    match noun.strip_suffix('y') {
        Some(stem) if !vowel_before_y() => format!("{number} {stem}ies"),
        _ if ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => format!("{number} {noun}es"),
        _ => format!("{number} {noun}s"),
    }
}

/// Reads a duration, in one unit or several. // eg: `500ms`, `1.5 m`, `1h30m`
///
/// # Errors
/// A sentence that names the text and the accepted forms.
pub fn parse_duration(text: &str) -> Result<u64, String> {
    let factor = |unit: &str| {
        Some(match unit {
            "ns" => 1.0,
            "us" | "µs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" | "min" => 60e9,
            "h" => 3600e9,
            "d" => 86_400e9,
            // A number alone counts seconds.
            "" if amount(text.trim()).0 == text.trim() => 1e9,
            _ => return None,
        })
    };
    let mut rest = text.trim();
    // Nothing at all is not a duration.
    let mut total_ns = (!rest.is_empty()).then_some(0.0);
    while let Some(total) = total_ns.filter(|_| !rest.is_empty()) {
        let (number, unit, next) = amount(rest);
        total_ns =
            number.parse::<f64>().ok().zip(factor(unit)).map(|(number, factor)| total + number * factor);
        rest = next;
    }
    match total_ns {
        Some(ns) if ns < u64::MAX as f64 => Ok(ns as u64),
        Some(_) => Err(format!("`{text}` is too long; the longest duration is about 500 years (`4000000h`)")),
        None => Err(format!(
            "`{text}` is not a duration; write numbers with ns, us, ms, s, m, h or d, like `500ms` or `1h30m`"
        )),
    }
}

/// Reads an amount of memory. // eg: `512MiB`, `4 GB`, `1024`
///
/// # Errors
/// A sentence that names the text and the accepted forms.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let refused = || {
        format!(
            "`{text}` is not an amount of memory; write a number with B, kB, MB, GB, KiB, MiB or GiB, like `512MiB`"
        )
    };
    let factor = |unit: &str| {
        Some(match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1.0,
            "kb" => 1e3,
            "mb" => 1e6,
            "gb" => 1e9,
            "k" | "kib" => 1024.0,
            "m" | "mib" => 1_048_576.0,
            "g" | "gib" => 1_073_741_824.0,
            _ => return None,
        })
    };
    parse_scaled(text, factor).ok_or_else(refused)
}

/// Reads a share of up to one, as a number or in percent. // eg: `0.01`, `1%`
///
/// # Errors
/// A sentence that names the text and the accepted forms.
pub fn parse_fraction(text: &str) -> Result<f64, String> {
    let (share, _) = share_of(text)?;
    if share > 1.0 {
        return Err(format!("`{text}` is more than 100 %; give at most `1`, which is `100%`"));
    }
    Ok(share)
}

/// Largest relative change that is accepted: a hundred thousand per cent is a typing mistake.
const MOST_CHANGE: f64 = 1_000.0;

/// Reads a relative change, which may be above 100 %. A whole number above one, without a decimal point, may mean either
/// per cent or times, and is refused. // eg: `0.05`, `5%`, `150%`, `2.0`
///
/// # Errors
/// A sentence that names the text and the accepted forms.
pub fn parse_change(text: &str) -> Result<f64, String> {
    let (share, percent) = share_of(text)?;
    if share > 1.0 && !percent && !text.contains('.') {
        return Err(format!(
            "`{text}` may mean {share} % or {} %; write `{share}%` or `{}%`",
            share * 100.0,
            share * 100.0
        ));
    }
    if share > MOST_CHANGE {
        return Err(format!("`{text}` is too large; give at most `{}%`", MOST_CHANGE * 100.0));
    }
    Ok(share)
}

/// A number above zero as a share, and whether it was written in per cent.
fn share_of(text: &str) -> Result<(f64, bool), String> {
    let (number, divisor) = match text.trim().strip_suffix('%') {
        Some(number) => (number.trim(), 100.0),
        None => (text.trim(), 1.0),
    };
    match number.parse::<f64>().ok().map(|number| number / divisor) {
        Some(0.0) => Err(format!("`{text}` is 0; give a share above 0, like `0.001` or `0.1%`")),
        Some(share) if share.is_finite() && share > 0.0 => Ok((share, divisor > 1.0)),
        Some(share) if share < 0.0 => {
            Err(format!("`{text}` is below 0; give a share above 0, like `0.01` or `1%`"))
        }
        _ => Err(format!("`{text}` is not a number; write a share like `0.01` or `1%`")),
    }
}

/// Reads a list of processors, by number, as the kernel writes it; sorted, each once. // eg: `3`, `0-2,5`
///
/// # Errors
/// A sentence that names the text and the accepted form.
pub fn parse_cpus(text: &str) -> Result<Vec<u32>, String> {
    /// Maximum processor number: more than any machine has.
    const MOST: u32 = 1 << 16;
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse::<u32>().ok()?, last.trim().parse::<u32>().ok()?);
        (first <= last && last < MOST).then_some(first..=last)
    };
    let ranges: Option<Vec<_>> = text.trim().split(',').map(range).collect();
    let mut cpus: Vec<u32> = ranges
        .ok_or_else(|| {
            format!("`{text}` is not a list of processors; write their numbers, like `3` or `0-2,5`")
        })?
        .into_iter()
        .flatten()
        .collect();
    cpus.sort_unstable();
    cpus.dedup();
    Ok(cpus)
}

/// Such a list of processors, for sorted numbers. // eg: 0, 1, 2, 7 is `0-2,7`
#[must_use]
pub fn cpus(numbers: &[u32]) -> String {
    let mut out = String::new();
    let mut rest = numbers.iter().copied().peekable();
    while let Some(first) = rest.next() {
        let mut last = first;
        while rest.next_if(|next| last.checked_add(1) == Some(*next)).is_some() {
            last += 1;
        }
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(&if last == first { first.to_string() } else { format!("{first}-{last}") });
    }
    out
}

fn parse_scaled(text: &str, factor: impl Fn(&str) -> Option<f64>) -> Option<u64> {
    let (number, unit, "") = amount(text.trim()) else { return None };
    let value = number.parse::<f64>().ok()? * factor(unit)?;
    (value.is_finite() && value < u64::MAX as f64).then_some(value as u64)
}

/// The number that a text begins with, the unit behind it, and the rest.
fn amount(text: &str) -> (&str, &str, &str) {
    let number_ends = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, behind) = text.split_at(number_ends);
    let behind = behind.trim_start();
    let unit_ends = behind.find(|c: char| !c.is_alphabetic()).unwrap_or(behind.len());
    let (unit, rest) = behind.split_at(unit_ends);
    (number, unit, rest.trim_start())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_read_well() {
        for (ns, expected) in [
            (0.0, "0 ns"),
            (0.3124, "0.3124 ns"),
            (1.0, "1.000 ns"),
            (1234.0, "1.234 µs"),
            (123_456_789.0, "123.5 ms"),
            (2e9, "2.000 s"),
            (999.96, "1.000 µs"),
            (999_960.0, "1.000 ms"),
            (59.99e9, "59.99 s"),
            (59.999e9, "1.000 min"),
            (f64::INFINITY, "–"),
        ] {
            assert_eq!(duration(ns), expected);
        }
        assert_eq!(value(13_249_974_108.0, "bytes/s"), "12.34 GiB/s");
        assert_eq!(value(98.7e9, "FLOP/s"), "98.70 GFLOP/s");
        assert_eq!(value(1.5e6, "items/s"), "1.500 Mitems/s");
        assert_eq!(value(12.0, "items/s"), "12.00 items/s");
        assert_eq!(bytes(1024.0), "1.000 KiB");
        assert_eq!(bytes(1_048_575.0), "1.000 MiB");
        assert_eq!(value(7.0, "tokens/s"), "7.000 tokens/s");
    }

    #[test]
    fn one_is_singular() {
        for (number, noun, expected) in [
            (0usize, "case", "0 cases"),
            (1, "case", "1 case"),
            (2, "case", "2 cases"),
            (3, "query", "3 queries"),
            (1, "query", "1 query"),
            (2, "process", "2 processes"),
            (2, "day", "2 days"),
        ] {
            assert_eq!(count(number, noun), expected);
        }
    }

    #[test]
    fn the_interval_is_shown_relative() {
        let interval = Some(Interval { low: 99.0, high: 101.0, confidence: 0.95 });
        assert_eq!(value_with_interval(100.0, interval, "ns"), "100.0 ns ± 1.0 %");
        assert_eq!(value_with_interval(100.0, None, "ns"), "100.0 ns");
    }

    #[test]
    fn what_people_write_is_read() {
        assert_eq!(parse_duration("500ms"), Ok(500_000_000));
        assert_eq!(parse_duration("1.5 m"), Ok(90_000_000_000));
        assert_eq!(parse_duration("2"), Ok(2_000_000_000));
        assert_eq!(parse_duration("1h30m"), Ok(5_400_000_000_000));
        assert_eq!(parse_duration("90d"), Ok(7_776_000_000_000_000));
        assert_eq!(parse_duration("1 min 500 ms"), Ok(60_500_000_000));
        assert!(parse_duration("99999999h").unwrap_err().contains("too long"));
        assert_eq!(parse_bytes("512MiB"), Ok(512 << 20));
        assert_eq!(parse_fraction("1%"), Ok(0.01));
        for text in ["", " ", "x", "-1s", "5 parsecs", "1e400s", "ms", "1 2", "1h30", "1m-2s", "1..2s"] {
            assert!(parse_duration(text).unwrap_err().contains(&format!("`{text}`")), "{text}");
        }
        assert!(
            parse_bytes("9 apples").is_err()
                && parse_fraction("0").is_err()
                && parse_fraction("200%").is_err()
        );
    }

    #[test]
    fn a_change_may_be_above_all_and_a_plain_whole_number_is_ambiguous() {
        for (text, share) in [
            ("5%", 0.05),
            ("0.05", 0.05),
            ("1", 1.0),
            ("150%", 1.5),
            ("2.0", 2.0),
            ("1 000%", 0.0),
            ("1e-3", 1e-3),
        ] {
            assert_eq!(parse_change(text).unwrap_or_default(), share, "{text}");
        }
        assert_eq!(parse_change("5"), Err("`5` may mean 5 % or 500 %; write `5%` or `500%`".to_owned()));
        for text in ["0", "0%", "-0", "-1%", "nan", "inf", "1e400", "", "%", "0,05", "1e9%", "5e-324%"] {
            assert!(parse_change(text).unwrap_err().starts_with(&format!("`{text}`")), "{text}");
        }
    }

    #[test]
    fn lists_of_processors_are_read_and_written() {
        for (text, expected) in
            [("0-2,7\n", vec![0, 1, 2, 7]), ("3", vec![3]), ("5,4", vec![4, 5]), ("1,0-2", vec![0, 1, 2])]
        {
            assert_eq!(parse_cpus(text), Ok(expected), "{text}");
        }
        for text in ["", "a-b", "2-1", "0-4000000000", "1,", "-1"] {
            assert!(parse_cpus(text).unwrap_err().contains(&format!("`{text}`")), "{text}");
        }
        assert_eq!(cpus(&[0, 1, 2, 7]), "0-2,7");
        assert_eq!((cpus(&[]), cpus(&[4, 9, 10])), (String::new(), "4,9-10".to_owned()));
    }

    proptest! {
        #[test]
        fn nothing_panics(number in any::<f64>(), text in ".*") {
            for unit in ["ns", "bytes", "bytes/s", "FLOP/s", "items/s", "x"] {
                let text = value(number, unit);
                prop_assert!(!text.is_empty() && !text.contains("inf") && !text.contains("NaN"), "{}", text);
            }
            let _ = (parse_duration(&text), parse_bytes(&text), parse_fraction(&text), parse_change(&text), parse_cpus(&text));
        }
    }
}
