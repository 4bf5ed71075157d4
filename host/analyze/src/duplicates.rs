//! Benchmarks that were copied: equal structure, whatever their names and literals.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analyzed::FileAnalysis;

/// Smaller structures are equal by chance.
const SMALLEST_NODES: u32 = 40;

/// A benchmark at its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// The benchmark.
    pub name: String,
}

/// Benchmarks of one structure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Duplicate {
    /// Number of syntax nodes in the structure.
    pub nodes: u32,
    /// Where it occurs, at least twice.
    pub places: Vec<Place>,
}

/// Finds them, largest first.
pub(crate) fn find(files: &[FileAnalysis]) -> Vec<Duplicate> {
    let mut groups: BTreeMap<(u32, u64), Vec<Place>> = BTreeMap::new();
    for file in files {
        for benchmark in &file.facts.benchmarks {
            if benchmark.nodes < SMALLEST_NODES {
                continue;
            }
            let group = groups.entry((benchmark.nodes, benchmark.shape)).or_default();
            // Several benchmarks can be registered by one function.
            let place = Place { file: file.path.clone(), line: benchmark.line, name: benchmark.name.clone() };
            let same = file.facts.benchmarks.iter().find(|other| {
                other.shape == benchmark.shape
                    && other.subject == benchmark.subject
                    && other.line < benchmark.line
            });
            if same.is_none() {
                group.push(place);
            }
        }
    }
    let found = groups.into_iter().rev().filter(|(_, places)| places.len() > 1);
    found.map(|((nodes, _), places)| Duplicate { nodes, places }).collect()
}
