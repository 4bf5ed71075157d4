//! Inside the plugin: `json_parse`, reading a document into a tree or into structs.

use dyno_sdk::prelude::*;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{buffers::Text, check, records};

/// A descriptor as dyno writes it: that of this plugin.
const DESCRIPTOR: &str = include_str!("../data/descriptor.json");

#[derive(Params)]
pub(crate) struct JsonParseParams {
    /// `records` is a log of requests made from the seed, `descriptor` the descriptor of this plugin
    #[param(default = "records")]
    document: Document,
    /// Records in the log, about 240 bytes each; a descriptor has none
    #[param(default = 200, min = 1, max = 100_000)]
    records: u64,
    /// What is made of it: a `tree` of values, or `structs` with known fields
    #[param(default = "tree")]
    target: Target,
}

#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Document {
    Records,
    Descriptor,
}

/// What is made of the document.
#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    Tree,
    Structs,
}

/// Parses a JSON document by the crate `serde_json` and drops the result
#[benchmark(name = "json_parse", category = "data-processing", hardware = ["cpu"], tags = ["branches", "allocation"])]
pub(crate) struct JsonParse {
    text: Text,
    expected: Tally,
    parse: fn(&str, u64) -> Result<Tally, Failure>,
}

/// What a document holds: the number of its entries, and a sum over a field of each.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Tally {
    entries: u64,
    sum: u64,
}

impl Benchmark for JsonParse {
    type Params = JsonParseParams;

    fn setup(params: JsonParseParams, context: &Context) -> Result<Self, Failure> {
        let tree: fn(&str, u64) -> Result<Tally, Failure> = match params.document {
            Document::Records => |text, iterations| parse(text, iterations, log_in_tree),
            Document::Descriptor => |text, iterations| parse(text, iterations, descriptor_in_tree),
        };
        let structs: fn(&str, u64) -> Result<Tally, Failure> = match params.document {
            Document::Records => |text, iterations| parse(text, iterations, log_in_structs),
            Document::Descriptor => |text, iterations| parse(text, iterations, descriptor_in_structs),
        };
        let (text, expected) = match params.document {
            Document::Records => {
                let log = records::log(&mut rng(context.seed()), 1, params.records);
                (serde_json::to_string(&log)?, log_in_structs(&log))
            }
            // Counted in the text, which is written without spaces: no string in it holds these words in quotes.
            Document::Descriptor => {
                let count = |word| DESCRIPTOR.matches(word).count() as u64;
                (DESCRIPTOR.to_owned(), Tally { entries: count("\"hardware\":"), sum: count("\"default\":") })
            }
        };
        Ok(Self {
            text: Text::new(&text),
            expected,
            parse: if params.target == Target::Tree { tree } else { structs },
        })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        check::same("what the document holds", &(self.parse)(&self.text, 1)?, &self.expected)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let Tally { entries, sum } = (self.parse)(&self.text, iterations)?;
        let times = iterations as f64;
        Ok(Report::new()
            .items(times * self.expected.entries as f64)
            .bytes(times * self.text.len() as f64)
            .checksum(entries.rotate_left(32) ^ sum))
    }
}

/// Parses the text so many times and says what the last document held.
fn parse<T: DeserializeOwned>(text: &str, iterations: u64, tally: fn(&T) -> Tally) -> Result<Tally, Failure> {
    let mut last = None;
    for _ in 0..iterations {
        last = Some(black_box(serde_json::from_str(black_box(text))?));
    }
    Ok(last.as_ref().map(tally).unwrap_or_default())
}

fn log_in_structs(log: &records::Log) -> Tally {
    let sum = log.records.iter().map(|record| record.id ^ record.latency_us).sum();
    Tally { entries: log.records.len() as u64, sum }
}

fn log_in_tree(tree: &Value) -> Tally {
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let records = tree["records"].as_array().map_or(&[][..], Vec::as_slice);
    let sum = records.iter().map(|record| number(&record["id"]) ^ number(&record["latency_us"])).sum();
    Tally { entries: records.len() as u64, sum }
}

/// The fields of a descriptor that say what benchmarks there are; the others are skipped.
#[derive(Deserialize)]
struct Descriptor {
    benchmarks: Vec<BenchmarkEntry>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "fields that are read by the parser alone, as in a program that needs them")]
struct BenchmarkEntry {
    name: String,
    description: String,
    tags: Vec<String>,
    hardware: Vec<String>,
    params: Vec<ParamEntry>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "fields that are read by the parser alone, as in a program that needs them")]
struct ParamEntry {
    name: String,
    default: Value,
    min: Option<f64>,
    max: Option<f64>,
}

fn descriptor_in_structs(descriptor: &Descriptor) -> Tally {
    let params = descriptor.benchmarks.iter().map(|benchmark| benchmark.params.len() as u64).sum();
    Tally { entries: descriptor.benchmarks.len() as u64, sum: params }
}

fn descriptor_in_tree(tree: &Value) -> Tally {
    let length = |value: &Value| value.as_array().map_or(0, |array| array.len() as u64);
    let benchmarks = tree["benchmarks"].as_array().map_or(&[][..], Vec::as_slice);
    let params = benchmarks.iter().map(|benchmark| length(&benchmark["params"])).sum();
    Tally { entries: benchmarks.len() as u64, sum: params }
}

#[cfg(test)]
mod tests {
    use dyno_sdk::testing;

    use super::*;

    #[test]
    fn every_document_and_target_is_right() {
        for document in [Document::Records, Document::Descriptor] {
            for target in [Target::Tree, Target::Structs] {
                testing::run::<JsonParse>(JsonParseParams { document, records: 200, target }, 2).unwrap();
            }
        }
    }

    #[test]
    fn throughput_is_that_of_the_text() {
        let params = JsonParseParams { document: Document::Descriptor, records: 1, target: Target::Tree };
        let report = testing::run::<JsonParse>(params, 3).unwrap().checksum(0);
        let benchmarks =
            serde_json::from_str::<Value>(DESCRIPTOR).unwrap()["benchmarks"].as_array().unwrap().len();
        let expected = Report::new().items(3.0 * benchmarks as f64).bytes(3.0 * DESCRIPTOR.len() as f64);
        assert_eq!(report, expected);
    }

    #[test]
    fn a_record_that_is_lost_or_changed_is_found() {
        let params = JsonParseParams { document: Document::Records, records: 20, target: Target::Tree };
        let context = testing::context(1);
        let mut good = JsonParse::setup(params, &context).unwrap();
        good.verify(&context).unwrap();
        let text = good.text.replacen("\"id\":7,", "\"id\":8,", 1);
        good.text = Text::new(&text);
        assert!(good.verify(&context).unwrap_err().message().starts_with("what the document holds"));
        good.text = Text::new(&text[..100]);
        assert!(good.verify(&context).is_err());
    }
}
