//! Rust: every construct whose complexity is counted.

use std::collections::HashMap;

/// A documented type.
pub struct Counter {
    seen: HashMap<String, u32>,
}

pub fn straight(a: u32) -> u32 {
    a
}

pub fn branches(a: bool, b: bool) -> u32 {
    if a && b {
        1
    } else if a || b {
        2
    } else {
        3
    }
}

pub fn loops(items: &[u32]) -> u32 {
    let mut total = 0;
    for item in items {
        while total < *item {
            total += 1;
        }
    }
    loop {
        if total > 10 {
            break;
        }
        total += 1;
    }
    total
}

pub fn matches(command: Option<u32>) -> u32 {
    match command {
        Some(0) => 1,
        Some(n) if n > 3 => n,
        Some(_) => 2,
        None => 0,
    }
}

pub fn errors(text: &str) -> Result<u32, std::num::ParseIntError> {
    let first: u32 = text.parse()?;
    let second: u32 = text.trim().parse()?;
    Ok(first + second)
}

pub fn closures(items: &[u32]) -> Vec<u32> {
    items.iter().map(|item| if *item > 1 { *item } else { 0 }).filter(|item| *item > 0).collect()
}

impl Counter {
    /// A documented method.
    pub fn count(&mut self, name: &str) -> u32 {
        // A comment on its own line.
        if let Some(count) = self.seen.get_mut(name) {
            *count += 1; // and one behind code
            return *count;
        }
        self.seen.insert(name.to_owned(), 1);
        1
    }
}
