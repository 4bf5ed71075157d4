//! Weights from a file of safetensors, mapped into memory.

use std::{path::Path, sync::Arc};

use dyno_sdk::prelude::*;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::{
    mapped::Mapped,
    stored::{Bytes, Place, Weights},
};
use crate::network::{Network, Tensor};

/// Prefixes with which a checkpoint of a larger model names the same tensors.
const PREFIXES: [&str; 5] = ["", "bert.", "distilbert.", "vit.", "model."];

/// Finds every weight of a network in a file.
pub(super) fn open(path: &Path, network: &Network) -> Result<Weights, Failure> {
    let file = Mapped::open(path)?;
    let shown = path.display();
    let tensors = SafeTensors::deserialize(file.bytes())
        .map_err(|error| Failure::error(format!("{shown} is not a whole file of safetensors: {error}")))?;
    let begin = file.bytes().as_ptr().addr();
    let mut places = Vec::with_capacity(network.tensors.len());
    for wanted in &network.tensors {
        let (name, found) = lookup(&tensors, &wanted.name).ok_or_else(|| absent(path, wanted, &tensors))?;
        if found.shape() != wanted.shape {
            return Err(Failure::error(format!(
                "{shown}: tensor `{name}` has the shape {:?}, the model needs {:?}; is it the file of another model, or \
                 another image_size?",
                found.shape(),
                wanted.shape
            )));
        }
        if found.dtype() != Dtype::F32 {
            return Err(Failure::error(format!(
                "{shown}: tensor `{name}` holds numbers of type {:?}; convert the file to F32",
                found.dtype()
            )));
        }
        let data = found.data();
        places.push(Place { offset: data.as_ptr().addr() - begin, bytes: data.len() });
    }
    Ok(Weights { bytes: Bytes::File(Arc::new(file)), places })
}

/// A tensor under one of the names that it may have.
fn lookup<'a>(tensors: &SafeTensors<'a>, name: &str) -> Option<(String, TensorView<'a>)> {
    // Checkpoints that began as TensorFlow's call scale and shift so.
    let older = name.strip_suffix("LayerNorm.weight").map(|before| format!("{before}LayerNorm.gamma"));
    let older = older.or_else(|| name.strip_suffix("LayerNorm.bias").map(|it| format!("{it}LayerNorm.beta")));
    let names = std::iter::once(name.to_owned()).chain(older);
    let all = names.flat_map(|name| PREFIXES.map(|prefix| format!("{prefix}{name}")));
    all.filter_map(|name| Some((tensors.tensor(&name).ok()?, name))).map(|(it, name)| (name, it)).next()
}

fn absent(path: &Path, wanted: &Tensor, tensors: &SafeTensors<'_>) -> Failure {
    let mut has: Vec<String> = tensors.names().iter().map(|it| format!("`{}`", it.escape_debug())).collect();
    has.sort_unstable();
    has.truncate(3);
    Failure::error(format!(
        "{} has no tensor `{}`, which the model needs; among its {} are {}",
        path.display(),
        wanted.name,
        tensors.len(),
        has.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::models::{Lengths, Model};

    fn network() -> Network {
        Model::BertTiny.network(Lengths { sequence: 16, image: 224 }).unwrap()
    }

    /// What a file with these bytes is refused with.
    fn refused(name: &str, bytes: &[u8]) -> String {
        let path =
            std::env::temp_dir().join(format!("dyno-weights-{}-{name}.safetensors", std::process::id()));
        fs::write(&path, bytes).unwrap();
        let message = open(&path, &network()).unwrap_err().to_string();
        fs::remove_file(&path).unwrap();
        let shown = path.display().to_string();
        assert!(message.starts_with(&shown), "{message}");
        message[shown.len()..].to_owned()
    }

    /// A file of tensors of zeros: name, type, shape, bytes.
    fn file(tensors: &[(&str, &str, &[usize], usize)]) -> Vec<u8> {
        let mut begin = 0;
        let entries = tensors.iter().map(|(name, dtype, shape, bytes)| {
            let end = begin + bytes;
            let entry = serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": [begin, end]});
            begin = end;
            ((*name).to_owned(), entry)
        });
        let header = serde_json::Value::Object(entries.collect()).to_string();
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.bytes());
        file.resize(file.len() + begin, 0);
        file
    }

    #[test]
    fn what_is_no_whole_file_is_refused() {
        let whole = file(&[("x", "F32", &[2], 8)]);
        for (name, bytes) in [
            ("empty", Vec::new()),
            ("short", whole[..whole.len() - 4].to_vec()),
            // A header of ten gigabytes, of which nothing is there.
            ("header", 10_000_000_000u64.to_le_bytes().to_vec()),
            ("text", b"not a file of tensors".to_vec()),
        ] {
            let message = refused(name, &bytes);
            assert!(message.starts_with(" is not a whole file of safetensors: "), "{name}: {message}");
        }
    }

    #[test]
    fn what_is_the_file_of_another_model_is_refused_with_its_tensors() {
        let other = file(&[("wte.weight", "F32", &[4, 2], 32), ("position_ids", "I64", &[1, 2], 16)]);
        assert_eq!(
            refused("other", &other),
            " has no tensor `embeddings.word_embeddings.weight`, which the model needs; among its 2 are `position_ids`, \
             `wte.weight`"
        );
        let small = file(&[("bert.embeddings.word_embeddings.weight", "F32", &[4, 2], 32)]);
        assert_eq!(
            refused("small", &small),
            ": tensor `bert.embeddings.word_embeddings.weight` has the shape [4, 2], the model needs [30522, 128]; is it the \
             file of another model, or another image_size?"
        );
        let half = file(&[("embeddings.word_embeddings.weight", "F16", &[30522, 128], 30522 * 256)]);
        let message = refused("half", &half);
        assert!(message.ends_with("holds numbers of type F16; convert the file to F32"), "{message}");
    }
}
