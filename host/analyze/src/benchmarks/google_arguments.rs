//! The arguments of a Google Benchmark: `->RangeMultiplier(8)->Range(8, 8 << 10)` as the values that it runs with.

use crate::{facts::Parameter, scan};

/// Factor between the values of a range unless the registration says otherwise.
const MULTIPLIER: i64 = 8;

/// More values of one argument than a person would write are generated, and not listed.
const MOST: usize = 64;

/// The parameters of a registration: `range(0)` and so on, as the benchmark reads them, or the names that it gives.
pub(super) fn parameters(chain: &[u8]) -> Vec<Parameter> {
    let mut arguments: Vec<Vec<String>> = Vec::new();
    let mut threads: Vec<String> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut multiplier = MULTIPLIER;
    for (name, parts) in calls(chain) {
        let first = parts.first().map(String::as_str).unwrap_or_default();
        match name.as_str() {
            "RangeMultiplier" => multiplier = number(first).unwrap_or(MULTIPLIER),
            "Arg" => add(&mut arguments, 0, [value(first)]),
            "Args" => {
                for (at, part) in scan::values(first).iter().enumerate() {
                    add(&mut arguments, at, [value(part)]);
                }
            }
            "Range" => add(&mut arguments, 0, range(&parts, multiplier)),
            "DenseRange" => add(&mut arguments, 0, dense(&parts)),
            "Ranges" => {
                for (at, part) in scan::values(first).iter().enumerate() {
                    add(&mut arguments, at, range(&scan::values(part), multiplier));
                }
            }
            "ArgsProduct" => {
                for (at, part) in scan::values(first).iter().enumerate() {
                    add(&mut arguments, at, list(part));
                }
            }
            "ArgName" => names = vec![scan::unquoted(first)],
            "ArgNames" => names = scan::values(first).iter().map(|name| scan::unquoted(name)).collect(),
            "Threads" => threads.push(value(first)),
            "ThreadRange" => threads.extend(range(&parts, 2)),
            _ => {}
        }
    }
    let name = |at: usize| {
        names.get(at).filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| format!("range({at})"))
    };
    let mut found: Vec<Parameter> =
        arguments.into_iter().enumerate().map(|(at, values)| Parameter { name: name(at), values }).collect();
    if !threads.is_empty() {
        found.push(Parameter { name: "threads".to_owned(), values: threads });
    }
    found
}

/// The calls of a chain with their arguments, in order.
fn calls(chain: &[u8]) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(chain, b"->") {
        let rest = chain[at + 2..].trim_ascii_start();
        let end = rest.iter().position(|byte| !scan::is_word(*byte)).unwrap_or(rest.len());
        if let Some(arguments) = scan::listed(rest, end) {
            found.push((String::from_utf8_lossy(&rest[..end]).into_owned(), arguments));
        }
    }
    found
}

/// Adds values of an argument, each once: `->Args({1, 2})->Args({1, 3})` has one first value.
fn add(arguments: &mut Vec<Vec<String>>, at: usize, values: impl IntoIterator<Item = String>) {
    if arguments.len() <= at {
        arguments.resize(at + 1, Vec::new());
    }
    let Some(known) = arguments.get_mut(at) else { return };
    for value in values {
        if known.len() < MOST && !known.contains(&value) {
            known.push(value);
        }
    }
}

/// `{1, 2}`, `CreateRange(8, 128, 2)` or `CreateDenseRange(1, 4, 1)`.
fn list(text: &str) -> Vec<String> {
    let parts = text.find('(').and_then(|at| scan::listed(text.as_bytes(), at)).unwrap_or_default();
    if text.contains("CreateDenseRange(") {
        return dense(&parts);
    }
    if text.contains("CreateRange(") {
        return range(&parts, parts.get(2).and_then(|text| number(text)).unwrap_or(MULTIPLIER));
    }
    scan::values(text).iter().map(|text| value(text)).collect()
}

/// The values between two limits: the first, the powers of the factor between them, the last.
fn range(parts: &[String], multiplier: i64) -> Vec<String> {
    let (first, last) = (parts.first().map_or("", String::as_str), parts.get(1).map_or("", String::as_str));
    let (Some(low), Some(high)) = (number(first), number(last)) else { return unknown(first, last) };
    if low > high || low < 0 || multiplier < 2 {
        return unknown(first, last);
    }
    let mut values = vec![low];
    let mut power = 1_i64;
    while power < high {
        if power > low {
            values.push(power);
        }
        let Some(next) = power.checked_mul(multiplier) else { break };
        power = next;
    }
    if high != low {
        values.push(high);
    }
    values.iter().map(i64::to_string).collect()
}

/// Every value from the first to the last, in steps.
fn dense(parts: &[String]) -> Vec<String> {
    let (first, last) = (parts.first().map_or("", String::as_str), parts.get(1).map_or("", String::as_str));
    let step = parts.get(2).map_or(Some(1), |text| number(text));
    let (Some(low), Some(high), Some(step @ 1..)) = (number(first), number(last), step) else {
        return unknown(first, last);
    };
    let mut values = Vec::new();
    let mut next = Some(low);
    while let Some(value) = next.filter(|value| *value <= high && values.len() < MOST) {
        values.push(value.to_string());
        next = value.checked_add(step);
    }
    values
}

/// Limits that only the compiler knows.
fn unknown(first: &str, last: &str) -> Vec<String> {
    vec![format!("{first} … {last}")]
}

/// A value as a number if it is one, else as written.
fn value(text: &str) -> String {
    number(text).map_or_else(|| text.to_owned(), |number| number.to_string())
}

/// A number as C++ writes it: `1'000`, `8 << 10`, `4 * 1024`, `-1`, `10u`.
fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some((left, right)) = text.split_once("<<") {
        return number(left)?.checked_shl(u32::try_from(number(right)?).ok().filter(|shift| *shift < 62)?);
    }
    if let Some((left, right)) = text.split_once('*') {
        return number(left)?.checked_mul(number(right)?);
    }
    let bare = text.trim_matches(['(', ')', ' ']).replace('\'', "");
    let bare = bare.trim_end_matches(['u', 'U', 'l', 'L']);
    match bare.strip_prefix("0x") {
        Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16).ok(),
        None => bare.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_a_compiler_reads_them() {
        for (text, expected) in [
            ("8", Some(8)),
            ("8 << 10", Some(8192)),
            ("(1<<4)", Some(16)),
            ("4 * 1024", Some(4096)),
            ("1'000ul", Some(1000)),
            ("0x10", Some(16)),
            ("-3", Some(-3)),
            ("1 << 99", None),
            ("kSize", None),
            ("", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn a_huge_range_ends() {
        let all = |text: &str| {
            parameters(text.as_bytes()).into_iter().map(|one| one.values.len()).collect::<Vec<_>>()
        };
        assert_eq!(all("->DenseRange(0, 1000000000)"), [MOST]);
        assert_eq!(all("->RangeMultiplier(2)->Range(1, 9223372036854775807)"), [64]);
        assert_eq!(all("->RangeMultiplier(1)->Range(1, 8)->DenseRange(1, 8, 0)"), [1]);
    }
}
