//! Outputs of the authors' own implementation, computed once by `reference/generate.py` from the same weights and input.

use dyno_sdk::prelude::*;
use serde::Deserialize;

use crate::{
    check,
    input::Input,
    models::{Lengths, Model},
    network::Network,
    plan::Plan,
    runtime::Runtime,
    weights::{Source, Weights},
};

/// The weights that the stored outputs were computed with.
pub(crate) const WEIGHTS: &str = "random:1";

const STORED: &str = include_str!("../data/reference.json");

/// The file of stored outputs.
#[derive(Debug, Deserialize)]
struct Stored {
    weights_seed: u64,
    input_seed: u64,
    batch: usize,
    length: usize,
    image_size: usize,
    models: Vec<Output>,
}

/// The output of a model.
#[derive(Debug, Deserialize)]
struct Output {
    model: String,
    #[cfg(test)]
    parameters: usize,
    output_shape: Vec<usize>,
    /// Numbers of the output, evenly spaced from the first on.
    values: Vec<f32>,
    /// Length of the whole output as a vector.
    norm: f64,
}

/// Compares the runtime `native` with the stored output of a model. `made`: a network with the weights of [`WEIGHTS`], if there is one.
pub(crate) fn verify(model: Model, plan: &Plan, made: Option<(&Network, &Weights)>) -> Result<(), Failure> {
    let stored: Stored = serde_json::from_str(STORED)?;
    let Some(expected) = stored.models.iter().find(|it| it.model == model.as_str()) else {
        return Err(Failure::error(format!("there is no stored output of {}", model.as_str())));
    };
    let output = stored.output_of(model, plan, made)?;
    let count: usize = expected.output_shape.iter().product();
    if output.len() != count {
        return Err(Failure::error(format!(
            "the output has {} numbers, the stored one has {count}",
            output.len()
        )));
    }
    let step = (count / expected.values.len()).max(1);
    let some: Vec<f32> = output.iter().step_by(step).take(expected.values.len()).copied().collect();
    check::alike(&some, &expected.values, plan.precision, "the authors' implementation")?;
    let norm = output.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    check::alike(
        &[norm as f32],
        &[expected.norm as f32],
        plan.precision,
        "the authors' implementation, as a whole,",
    )
}

impl Stored {
    fn output_of(
        &self,
        model: Model,
        plan: &Plan,
        made: Option<(&Network, &Weights)>,
    ) -> Result<Vec<f32>, Failure> {
        let network = model.network(Lengths { sequence: self.length, image: self.image_size })?;
        // Inputs of another length need other weights only where a model learns each place of an image.
        let made = made.filter(|(other, _)| other.tensors == network.tensors);
        let weights = match made {
            Some((_, weights)) => weights.clone(),
            None => Source::Random(self.weights_seed).load(model, &network)?,
        };
        let mut session =
            Runtime::Native.load(&network, &weights, &Plan { batch: self.batch, ..plan.clone() })?;
        session.give(&Input::random(&network, self.batch, self.input_seed))?;
        let mut output = Vec::new();
        session.run(&mut |numbers| output.extend_from_slice(numbers))?;
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use std::{env, path::PathBuf};

    use dyno_sdk::Described;

    use super::*;
    use crate::benchmark::ModelInference;

    #[derive(Debug, Deserialize)]
    struct Sentences {
        sentences: Vec<Sentence>,
        /// Cosine of each with each.
        similarities: Vec<Vec<f32>>,
    }

    #[derive(Debug, Deserialize)]
    struct Sentence {
        text: String,
        tokens: Vec<i64>,
    }

    #[test]
    fn every_model_has_as_many_parameters_as_its_authors_count() {
        let stored: Stored = serde_json::from_str(STORED).unwrap();
        assert_eq!(stored.models.len(), Model::all().count());
        let entry: serde_json::Value = serde_json::from_str(ModelInference::JSON).unwrap();
        let described = entry["model_details"].as_array().unwrap();
        for expected in stored.models {
            let model: Model = ParamEnum::from_choice(&expected.model).unwrap();
            let network =
                model.network(Lengths { sequence: stored.length, image: stored.image_size }).unwrap();
            assert_eq!(network.parameters(), expected.parameters, "{}", expected.model);
            // What the descriptor says is written by hand.
            let said = described.iter().find(|it| it["name"] == expected.model).unwrap();
            assert_eq!(said["parameters"], expected.parameters, "{}", expected.model);
        }
    }

    #[test]
    fn real_weights_make_real_embeddings_of_sentences() {
        let Some(folder) = env::var_os("DYNO_TEST_MINILM").map(PathBuf::from) else {
            return println!(
                "skipped: DYNO_TEST_MINILM names no folder of weights (`cargo xtask test` fetches one)"
            );
        };
        let known: Sentences = serde_json::from_str(STORED).unwrap();
        let model = Model::MiniLm;
        for runtime in [Runtime::Native, Runtime::Ort] {
            let mut embeddings: Vec<Vec<f32>> = Vec::new();
            for sentence in &known.sentences {
                let network = model.network(Lengths { sequence: sentence.tokens.len(), image: 0 }).unwrap();
                let weights = Source::parse(folder.to_str().unwrap()).unwrap().load(model, &network).unwrap();
                let plan = Plan {
                    precision: crate::plan::Precision::Fp32,
                    device: Device::default(),
                    threads: 1,
                    batch: 1,
                };
                let mut session = match runtime.load(&network, &weights, &plan) {
                    Ok(session) => session,
                    Err(failure) if failure.is_skipped() => return println!("skipped: {failure}"),
                    Err(failure) => panic!("{}: {failure}", sentence.text),
                };
                session.give(&Input::Tokens(sentence.tokens.clone())).unwrap();
                session.run(&mut |numbers| embeddings.push(numbers.to_vec())).unwrap();
            }
            for (one, row) in embeddings.iter().zip(&known.similarities) {
                for (other, expected) in embeddings.iter().zip(row) {
                    let cosine: f32 = one.iter().zip(other).map(|(a, b)| a * b).sum();
                    assert!((cosine - expected).abs() < 1e-4, "{runtime:?}: {cosine}, {expected}");
                }
            }
        }
    }
}
