//! Finds a file of weights in a folder, or in what the tools of the Hugging Face hub have downloaded.

use std::{
    fs,
    os::unix::fs::MetadataExt,
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
    let Some(home) = home() else {
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

/// The user's home by the list of users: the environment of a worker is empty.
pub(crate) fn home() -> Option<PathBuf> {
    let user = fs::metadata("/proc/self").ok()?.uid().to_string();
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let mut fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mine = fields.find(|fields| fields.get(2) == Some(&user.as_str()))?;
    mine.get(5).map(PathBuf::from)
}
