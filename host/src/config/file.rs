//! The configuration file `dyno.toml`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use dyno_core::model::Grant;
use serde::Deserialize;

use super::{RetentionTable, grants};
use crate::{
    toml_text,
    trust::TrustTable,
    user_file::{ReadError, read_text},
};

/// The keys of `dyno.toml`. An unknown key is an error, because a misspelt one would otherwise be ignored silently.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct File {
    /// Folders with plugins; relative ones start at the file's folder.
    pub plugins: Option<Vec<PathBuf>>,
    /// The database; relative: as above.
    pub db_path: Option<PathBuf>,
    /// Folder for result files and reports; relative: as above.
    pub output: Option<PathBuf>,
    /// Cache for scans, verified bytes and compiled WASM code; relative: as above.
    pub cache: Option<PathBuf>,
    /// Folder into which packages are installed; relative: as above.
    pub packages: Option<PathBuf>,
    /// Index that packages are installed from by name: a folder, a file or a URL.
    pub index: Option<String>,
    /// How large the cache may become. // eg: "1GiB"
    pub cache_limit: Option<String>,
    /// The `dyno-worker` binary; relative: as above.
    pub worker: Option<PathBuf>,
    /// The `dyno-probe` binary; relative: as above.
    pub probe: Option<PathBuf>,
    /// Maximum time for asking a driver for its devices. // eg: "10s"
    pub probe_timeout: Option<String>,
    /// Maximum wait for a device. // eg: "10min"
    pub lease_timeout: Option<String>,
    /// Maximum time for one stage of a launch. // eg: "60s"
    pub timeout: Option<String>,
    /// Maximum memory of a worker. // eg: "4GiB"
    pub memory: Option<String>,
    /// The server that commands work through: a URL.
    pub server: Option<String>,
    /// Address that `dyno serve` listens on.
    pub host: Option<String>,
    /// Port that `dyno serve` listens on.
    pub port: Option<u16>,
    /// Interval at which `dyno serve` sends a heartbeat on an idle connection. // eg: "20s"
    pub heartbeat: Option<String>,
    /// File with the tokens that `dyno serve` accepts; relative: as above.
    pub token_file: Option<PathBuf>,
    /// File with the certificate of `dyno serve`, PEM; relative: as above.
    pub tls_cert: Option<PathBuf>,
    /// File with the key of that certificate, PEM; relative: as above.
    pub tls_key: Option<PathBuf>,
    /// How strict `dyno serve` is about plugin folders: `dev` or `server`.
    pub profile: Option<String>,
    /// Whether native plugins are confined: `full` or `basic`.
    pub isolation: Option<String>,
    /// Layers of isolation without which no plugin is loaded. // eg: ["file_rules", "no_network"]
    pub require_isolation: Option<Vec<String>>,
    /// What plugins may do that declare it, by their ids.
    #[serde(default, deserialize_with = "grants::of_plugins")]
    pub grants: BTreeMap<String, Grant>,
    /// How `dyno serve` watches the plugin folders: `off`, `auto` or `poll`.
    pub watch: Option<String>,
    /// How long results are kept.
    #[serde(default, deserialize_with = "toml_text::optional_table")]
    pub retention: Option<RetentionTable>,
    /// URL to which a regression is posted.
    pub notify_webhook: Option<String>,
    /// Shell command to run on a regression.
    pub notify_command: Option<String>,
    /// Whose signatures count, and what a plugin file must have.
    #[serde(default, deserialize_with = "toml_text::optional_table")]
    pub trust: Option<TrustTable>,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration `{}` {source}", path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The system's error.
        source: ReadError,
    },
    /// The file is not TOML, or has an unknown key or an invalid value.
    #[error("the configuration `{}` is not valid: {message}", path.display())]
    Parse {
        /// Path of the file.
        path: PathBuf,
        /// The line and column, and what is wrong there.
        message: String,
    },
    /// A setting has an invalid value.
    #[error("{name} from {origin}: {message}")]
    Value {
        /// Name of the setting.
        name: &'static str,
        /// Where it came from.
        origin: String,
        /// What was given and what is allowed.
        message: String,
    },
    /// A cache folder is needed, and the user has none.
    #[error(
        "there is no folder for the cache: neither HOME nor XDG_CACHE_HOME is an absolute path, and the list of users \
         has no home folder for this user; name a folder with DYNO_CACHE, or set HOME"
    )]
    NoHome,
    /// A folder for plugins is needed, and the user has none.
    #[error(
        "there is no folder for plugins: neither HOME nor XDG_DATA_HOME is an absolute path, and the list of users has no \
         home folder for this user; name a folder with --plugins"
    )]
    NoHomeForPlugins,
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
            message: toml_text::fault(&text, &error),
        })?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        for path in [
            &mut file.db_path,
            &mut file.output,
            &mut file.cache,
            &mut file.packages,
            &mut file.worker,
            &mut file.probe,
            &mut file.token_file,
            &mut file.tls_cert,
            &mut file.tls_key,
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
    fn a_fault_is_one_sentence_with_the_line_and_what_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dyno.toml");
        for (text, said) in [
            (
                "timeout = '7s'\nplugin = ['a']",
                "is not valid: line 2, column 1: unknown field `plugin`, expected",
            ),
            ("timeout = '7s", "is not valid: line 1, column "),
            (
                "[grants]\nread = ['/x']",
                "line 2, column 8: invalid type: sequence, expected a table of what the plugin `read` may do: grants are per \
                 plugin id, so write `read` below `[grants.ID]`",
            ),
            ("grants = ['/x']", "invalid type: sequence, expected a table `[grants.ID]` for each plugin id"),
            ("trust = ['none']", "invalid type: sequence, expected a table"),
            ("[trust.publishers]\nkeys = ['RW']", "write `keys` below `[trust.publishers.NAME]`"),
            ("retention = ['90d']", "invalid type: sequence, expected a table"),
        ] {
            fs::write(&path, text).unwrap();
            let message = File::read(&path).unwrap_err().to_string();
            assert!(message.contains(said) && !message.contains('\n'), "{text}: {message}");
        }
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
