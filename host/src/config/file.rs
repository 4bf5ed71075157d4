//! The configuration file `dyno.toml`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::user_file::{ReadError, read_text};

/// What `dyno.toml` may hold. Unknown keys are errors: a misspelt key must not be silently without effect.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct File {
    /// Folders with plugins; relative ones start at the file's folder.
    pub plugins: Option<Vec<PathBuf>>,
    /// The database; relative: as above.
    pub db_path: Option<PathBuf>,
    /// Where result files and reports go; relative: as above.
    pub output: Option<PathBuf>,
    /// Cache for scans, verified bytes and compiled WASM code; relative: as above.
    pub cache: Option<PathBuf>,
    /// How large the cache may become. // eg: "1GiB"
    pub cache_limit: Option<String>,
    /// The `dyno-worker` binary; relative: as above.
    pub worker: Option<PathBuf>,
    /// The `dyno-probe` binary; relative: as above.
    pub probe: Option<PathBuf>,
    /// Longest time for asking a driver what devices there are. // eg: "10s"
    pub probe_timeout: Option<String>,
    /// Longest wait for a device. // eg: "10min"
    pub lease_timeout: Option<String>,
    /// Longest time for one stage of a launch. // eg: "60s"
    pub timeout: Option<String>,
    /// Most memory of a worker. // eg: "4GiB"
    pub memory: Option<String>,
    /// The server that commands work through: a URL.
    pub server: Option<String>,
    /// Address that `dyno serve` listens on.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// How often an idle connection of it is given a sign of life. // eg: "20s"
    pub heartbeat: Option<String>,
    /// Tokens that it accepts; relative: as above.
    pub token_file: Option<PathBuf>,
    /// How strict it is: `dev` or `server`.
    pub profile: Option<String>,
    /// Where to post a notification when something regressed: a URL.
    pub notify_webhook: Option<String>,
    /// What to run then: a line for the shell.
    pub notify_command: Option<String>,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration `{}` {source}", path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// The file is not what it should be.
    #[error("the configuration `{}` is not valid: {message}", path.display())]
    Parse {
        /// Its path.
        path: PathBuf,
        /// Which key or line, and what is allowed.
        message: String,
    },
    /// A value is not what it should be.
    #[error("{name} from {origin}: {message}")]
    Value {
        /// Name of the setting.
        name: &'static str,
        /// Where it came from.
        origin: String,
        /// What was given and what is allowed.
        message: String,
    },
    /// No folder of the user is known, and one is needed.
    #[error(
        "there is no folder for the cache: HOME and XDG_CACHE_HOME name no absolute path, and this user has no home in the \
         list of users; name one with DYNO_CACHE, or set HOME"
    )]
    NoHome,
}

impl File {
    /// Reads a configuration file. Relative paths in it are made absolute, from its folder.
    ///
    /// # Errors
    /// When it cannot be read, or holds a key or value that is not known.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let mut file: Self = toml::from_str(&text).map_err(|error| ConfigError::Parse {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        for path in [
            &mut file.db_path,
            &mut file.output,
            &mut file.cache,
            &mut file.worker,
            &mut file.probe,
            &mut file.token_file,
        ]
        .into_iter()
        .flatten()
        {
            *path = folder.join(&path);
        }
        for path in file.plugins.iter_mut().flatten() {
            *path = folder.join(&path);
        }
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_misspelt_key_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dyno.toml");
        fs::write(&path, "plugin = ['a']").unwrap();
        let message = File::read(&path).unwrap_err().to_string();
        assert!(message.contains("`plugin`") && message.contains("dyno.toml"), "{message}");
    }

    #[test]
    fn relative_paths_start_at_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dyno.toml");
        fs::write(&path, "plugins = ['a', '/b']\ndb-path = 'x.duckdb'").unwrap();
        let file = File::read(&path).unwrap();
        assert_eq!(file.plugins.unwrap(), [folder.path().join("a"), PathBuf::from("/b")]);
        assert_eq!(file.db_path.unwrap(), folder.path().join("x.duckdb"));
    }
}
