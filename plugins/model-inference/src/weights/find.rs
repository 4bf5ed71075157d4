//! Finds a file of weights in a folder, or in what the tools of the Hugging Face hub have downloaded.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dyno_sdk::prelude::*;

use crate::models::Model;

/// The name that the hub gives a file of weights.
const FILE: &str = "model.safetensors";

/// The file that a path means: itself, or what it has as a folder.
pub(super) fn in_path(path: &Path) -> Result<PathBuf, Failure> {
    if path.is_relative() {
        return Err(Failure::error(format!(
            "weights=`{}` is a relative path, and a worker has a folder of its own; give the whole path, from `/`",
            path.display()
        )));
    }
    if path.is_file() {
        return Ok(path.to_owned());
    }
    if !path.is_dir() {
        return Err(Failure::error(format!("weights=`{}`: there is no such file or folder", path.display())));
    }
    if path.join(FILE).is_file() {
        return Ok(path.join(FILE));
    }
    let mut others = safetensors(path);
    match others.len() {
        1 => Ok(others.remove(0)),
        0 => Err(Failure::error(format!(
            "weights=`{}`: the folder has neither `{FILE}` nor another file that ends in `.safetensors`",
            path.display()
        ))),
        count => Err(Failure::error(format!(
            "weights=`{}`: the folder has {count} files that end in `.safetensors`, and none is `{FILE}`; name the \
             file that is meant",
            path.display()
        ))),
    }
}

/// The newest download of a model.
pub(super) fn in_hub(model: Model) -> Result<PathBuf, Failure> {
    let repository = model.repository();
    let folder = format!("models--{}", repository.replace('/', "--"));
    let Some(home) = usual_folders::home() else {
        return Err(Failure::error(
            "weights=`hub`: this user has no home folder to look for the hub's files in",
        ));
    };
    let snapshots = home.join(".cache/huggingface/hub").join(folder).join("snapshots");
    let mut found: Vec<PathBuf> =
        entries(&snapshots).map(|it| it.join(FILE)).filter(|it| it.is_file()).collect();
    found.sort_by_key(|path| fs::metadata(path).and_then(|it| it.modified()).ok());
    found.pop().ok_or_else(|| {
        Failure::error(format!(
            "weights=`hub`: there is no `{FILE}` of `{repository}` in {}; download it first, for nothing is downloaded \
             during a run",
            snapshots.display()
        ))
    })
}

fn safetensors(folder: &Path) -> Vec<PathBuf> {
    entries(folder)
        .filter(|it| it.extension().is_some_and(|it| it == "safetensors") && it.is_file())
        .collect()
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_means_its_one_file_of_weights() {
        let folder = std::env::temp_dir().join(format!("dyno-find-weights-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let refused = || in_path(&folder).unwrap_err().message().to_owned();
        assert!(
            refused().ends_with("neither `model.safetensors` nor another file that ends in `.safetensors`")
        );
        let [a, b, usual] = ["a.safetensors", "b.safetensors", FILE].map(|name| folder.join(name));
        fs::write(&a, "").unwrap();
        assert_eq!(in_path(&folder).unwrap(), a);
        assert_eq!(in_path(&a).unwrap(), a);
        fs::write(&b, "").unwrap();
        assert!(refused().contains("the folder has 2 files that end in `.safetensors`"), "{}", refused());
        fs::write(&usual, "").unwrap();
        assert_eq!(in_path(&folder).unwrap(), usual);
        fs::remove_dir_all(&folder).unwrap();
        assert!(refused().ends_with("there is no such file or folder"));
        let relative = in_path(Path::new("weights")).unwrap_err();
        assert!(relative.message().ends_with("give the whole path, from `/`"), "{relative}");
    }

    #[test]
    fn a_model_that_was_not_downloaded_is_named_with_where_it_would_be() {
        let message = in_hub(Model::VitBase).unwrap_err().to_string();
        assert!(message.contains("`google/vit-base-patch16-224`"), "{message}");
        assert!(message.contains("hub/models--google--vit-base-patch16-224/snapshots;"), "{message}");
    }
}
