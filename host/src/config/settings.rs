//! The settings themselves, each with the place that its value came from.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use dyno_core::{model::IsolationLayer, units};
use serde::Serialize;

use super::{
    ConfigError, Retention,
    choices::{Isolation, Profile, Watch},
    flags::Flags,
    grants::Granted,
    layers::{Layers, absolute, variable},
    paths::{self, UserFolders},
    setting::{Origin, Setting},
    tightening::PROGRAM,
};
use crate::trust::{Require, TrustStore};

/// All settings, resolved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Resolved {
    /// Folders with plugins.
    pub plugins: Setting<Vec<PathBuf>>,
    /// Folder into which packages are installed; absent if none is named and no home folder is known.
    pub packages: Setting<Option<PathBuf>>,
    /// Index that packages are installed from by name: a folder, a file or a URL.
    pub index: Setting<Option<String>>,
    /// Folder for result files and reports.
    pub output: Setting<PathBuf>,
    /// The database.
    pub db_path: Setting<PathBuf>,
    /// Cache for scans, verified bytes and compiled WASM code; absent if none is named and no home folder is known.
    pub cache: Setting<Option<PathBuf>>,
    /// How large the cache may become [bytes].
    pub cache_limit_bytes: Setting<u64>,
    /// Leases of devices.
    pub leases: Setting<PathBuf>,
    /// Maximum wait for a device [ns]; absent: indefinitely.
    pub lease_timeout_ns: Setting<Option<u64>>,
    /// The `dyno-worker` binary.
    pub worker: Setting<PathBuf>,
    /// The `dyno-probe` binary.
    pub probe: Setting<PathBuf>,
    /// Maximum time for asking a driver for its devices [ns].
    pub probe_timeout_ns: Setting<u64>,
    /// Maximum time for one stage of a launch [ns].
    pub timeout_ns: Setting<u64>,
    /// Maximum memory of a worker [bytes].
    pub memory_bytes: Setting<u64>,
    /// The server that commands work through: a URL; absent: the one that has the database open, if any.
    pub server: Setting<Option<String>>,
    /// The token for that server. Read only from the environment, and never shown.
    #[serde(skip)]
    pub token: Setting<Option<String>>,
    /// Address that `dyno serve` listens on.
    pub host: Setting<String>,
    /// Port that `dyno serve` listens on; 0: a free one.
    pub port: Setting<u16>,
    /// Interval at which `dyno serve` sends a heartbeat on an idle connection [ns].
    pub heartbeat_ns: Setting<u64>,
    /// File with the tokens that `dyno serve` accepts.
    pub token_file: Setting<Option<PathBuf>>,
    /// File with the certificate of `dyno serve`; absent: it speaks plain HTTP.
    pub tls_cert: Setting<Option<PathBuf>>,
    /// File with the key of that certificate.
    pub tls_key: Setting<Option<PathBuf>>,
    /// How strict `dyno serve` is about plugin folders.
    pub profile: Setting<Profile>,
    /// Whether native plugins are confined.
    pub isolation: Setting<Isolation>,
    /// Layers of isolation without which no plugin is loaded.
    pub require_isolation: Setting<Vec<IsolationLayer>>,
    /// What plugins may do that declare it, by their ids.
    pub grants: BTreeMap<String, Granted>,
    /// The user's home.
    #[serde(skip)]
    pub home: Option<PathBuf>,
    /// Whether `dyno serve` watches the plugin folders.
    pub watch: Setting<Watch>,
    /// How long results are kept. Only configuration files say so.
    pub retention: Setting<Retention>,
    /// URL to which a regression is posted.
    pub notify_webhook: Setting<Option<String>>,
    /// Shell command to run on a regression.
    pub notify_command: Setting<Option<String>>,
    /// Whose signatures count, and what a plugin file must have. Only configuration files say so.
    pub trust: Setting<TrustStore>,
}

/// One minute: longer than any healthy stage, short enough to wait for.
const DEFAULT_TIMEOUT_NS: u64 = 60_000_000_000;
/// Other machines cannot reach this address.
const DEFAULT_HOST: &str = "127.0.0.1";
/// As the original suite had it.
const DEFAULT_PORT: u16 = 8000;
/// Proxies cut connections that are silent for a minute, some after half a minute.
const DEFAULT_HEARTBEAT_NS: u64 = 20_000_000_000;
/// Drivers of many devices take seconds to start; one that takes longer hangs.
const DEFAULT_PROBE_TIMEOUT_NS: u64 = 10_000_000_000;
/// The builds of some hundred plugins.
const DEFAULT_CACHE_BYTES: u64 = 1 << 30;
/// Enough for the first-party benchmarks, and far below what brings a machine down.
const DEFAULT_MEMORY_BYTES: u64 = 4 << 30;

impl Resolved {
    /// Resolves all settings.
    ///
    /// # Errors
    /// When a configuration file or a value cannot be used.
    pub fn resolve(flags: &Flags) -> Result<Self, ConfigError> {
        let user = paths::user_folders();
        let layers = Layers::read(flags, &user)?;
        let output = layers.path(
            "--output",
            flags.output.as_ref(),
            "DYNO_OUTPUT",
            |file| file.output.as_ref(),
            || PathBuf::from("dyno-results"),
        );
        let db_path = layers.path(
            "--db-path",
            flags.db_path.as_ref(),
            "DYNO_DB_PATH",
            |file| file.db_path.as_ref(),
            || output.value.join("dyno.duckdb"),
        );
        // Neither a flag nor the file: other users see command lines, and configuration files are shared.
        let token = layers.text("", None, "DYNO_TOKEN", |_| None);
        let mut server = layers.server(flags)?;
        if token.value.is_some() {
            let why = "your access token (`DYNO_TOKEN`) would be sent to it";
            server = layers.users_own(("server", "DYNO_SERVER"), why, server)?;
        }
        let profile = layers.profile(flags)?;
        let mut trust = layers.trust()?;
        if profile.value == Profile::Server {
            trust.value = trust.value.requiring(Require::Either);
        }
        Ok(Self {
            plugins: layers.plugins(&flags.plugins, &user),
            packages: layers.packages(flags, &user),
            index: layers.text("--index", flags.index.as_ref(), "DYNO_INDEX", |file| file.index.clone()),
            db_path,
            output,
            cache: layers.cache(&user),
            cache_limit_bytes: layers.number(
                "cache-limit",
                "",
                None,
                "DYNO_CACHE_LIMIT",
                |file| file.cache_limit.as_ref(),
                units::parse_bytes,
                DEFAULT_CACHE_BYTES,
            )?,
            leases: layers.path("--leases", None, "DYNO_LEASES", |_| None, paths::leases),
            worker: layers.users_own(
                ("worker", "DYNO_WORKER"),
                PROGRAM,
                layers.path("--worker", None, "DYNO_WORKER", |file| file.worker.as_ref(), paths::worker),
            )?,
            lease_timeout_ns: layers.patience(flags)?,
            probe: layers.users_own(
                ("probe", "DYNO_PROBE"),
                PROGRAM,
                layers.path("--probe", None, "DYNO_PROBE", |file| file.probe.as_ref(), paths::probe),
            )?,
            probe_timeout_ns: layers.number(
                "probe-timeout",
                "--probe-timeout",
                None,
                "DYNO_PROBE_TIMEOUT",
                |file| file.probe_timeout.as_ref(),
                units::parse_duration,
                DEFAULT_PROBE_TIMEOUT_NS,
            )?,
            timeout_ns: layers.number(
                "timeout",
                "--timeout",
                flags.timeout.as_ref(),
                "DYNO_TIMEOUT",
                |file| file.timeout.as_ref(),
                units::parse_duration,
                DEFAULT_TIMEOUT_NS,
            )?,
            memory_bytes: layers.number(
                "memory",
                "--memory",
                flags.memory.as_ref(),
                "DYNO_MEMORY",
                |file| file.memory.as_ref(),
                units::parse_bytes,
                DEFAULT_MEMORY_BYTES,
            )?,
            server,
            token,
            host: layers
                .pick(("--host", flags.host.clone()), ("DYNO_HOST", variable("DYNO_HOST")), |file| {
                    file.host.clone()
                })
                .unwrap_or_else(|| Setting { value: DEFAULT_HOST.to_owned(), origin: Origin::Default }),
            port: layers.port(flags)?,
            heartbeat_ns: layers.number(
                "heartbeat",
                "",
                None,
                "DYNO_HEARTBEAT",
                |file| file.heartbeat.as_ref(),
                units::parse_duration,
                DEFAULT_HEARTBEAT_NS,
            )?,
            token_file: layers.optional_path(
                ("--token-file", flags.token_file.as_ref()),
                "DYNO_TOKEN_FILE",
                |file| file.token_file.clone(),
            ),
            tls_cert: layers.optional_path(
                ("--tls-cert", flags.tls_cert.as_ref()),
                "DYNO_TLS_CERT",
                |file| file.tls_cert.clone(),
            ),
            tls_key: layers.optional_path(("--tls-key", flags.tls_key.as_ref()), "DYNO_TLS_KEY", |file| {
                file.tls_key.clone()
            }),
            isolation: layers.isolation(flags, profile.value)?,
            require_isolation: layers.require_isolation(flags)?,
            grants: layers.grants(&trust.value, &profile, user.home.as_deref())?,
            home: user.home.clone(),
            profile,
            watch: layers.watch(flags)?,
            retention: layers.retention()?,
            notify_webhook: layers.users_own(
                ("notify-webhook", "DYNO_NOTIFY_WEBHOOK"),
                "what you measure would be sent to it",
                layers.text("", None, "DYNO_NOTIFY_WEBHOOK", |file| file.notify_webhook.clone()),
            )?,
            notify_command: layers.users_own(
                ("notify-command", "DYNO_NOTIFY_COMMAND"),
                PROGRAM,
                layers.text("", None, "DYNO_NOTIFY_COMMAND", |file| file.notify_command.clone()),
            )?,
            trust,
        })
    }

    /// Maximum time for one stage of a launch, as a request says it: at least 1 ms.
    #[must_use]
    pub fn timeout_ms(&self) -> u64 {
        (self.timeout_ns.value / 1_000_000).max(1)
    }

    /// Maximum wait for a device, as a request says it.
    #[must_use]
    pub fn lease_timeout_ms(&self) -> Option<u64> {
        self.lease_timeout_ns.value.map(|ns| ns / 1_000_000)
    }

    /// The cache folder, for callers that need one.
    ///
    /// # Errors
    /// When none is named and no home folder is known.
    pub fn cache_folder(&self) -> Result<&Path, ConfigError> {
        self.cache.value.as_deref().ok_or(ConfigError::NoHome)
    }

    /// The plugin folders. If none is named, the folder of installed packages is one, also if it was made after this process had
    /// started.
    #[must_use]
    pub fn plugin_folders(&self) -> Vec<PathBuf> {
        let mut folders = self.plugins.value.clone();
        if self.plugins.origin == Origin::Default {
            let own =
                self.packages.value.iter().filter(|own| own.is_dir() && !self.plugins.value.contains(own));
            folders.extend(own.cloned());
        }
        folders
    }

    /// The folder that new plugins are put into, so that the next command finds them: the first that the user named for plugins,
    /// or else the user's own.
    ///
    /// # Errors
    /// When none is named and no home folder is known.
    pub fn folder_for_plugins(&self) -> Result<PathBuf, ConfigError> {
        match self.plugins.origin {
            Origin::Default => self.packages.value.clone().ok_or(ConfigError::NoHomeForPlugins),
            _ => self.plugins.value.first().cloned().ok_or(ConfigError::NoHomeForPlugins),
        }
    }

    /// The folder of the SDK for plugins in Rust, if this installation has it.
    #[must_use]
    pub fn sdk_for_rust(&self) -> Option<PathBuf> {
        paths::sdk()
    }

    /// Folder for leases if the folder for all users cannot be used; `None` if a folder was named.
    #[must_use]
    pub fn own_leases(&self) -> Option<PathBuf> {
        (self.leases.origin == Origin::Default).then(paths::own_leases)
    }
}
impl Layers {
    /// There is none if none is named and no home folder is known.
    fn cache(&self, user: &UserFolders) -> Setting<Option<PathBuf>> {
        let named = variable("DYNO_CACHE").map(PathBuf::from);
        let named = self.pick(("--cache", None), ("DYNO_CACHE", named), |file| file.cache.clone());
        match named {
            Some(Setting { value, origin }) => Setting { value: Some(absolute(&value)), origin },
            None => Setting { value: user.cache.clone(), origin: Origin::Default },
        }
    }

    /// The user's own plugin folder, unless another is named.
    fn packages(&self, flags: &Flags, user: &UserFolders) -> Setting<Option<PathBuf>> {
        let named = variable("DYNO_PACKAGES").map(PathBuf::from);
        match self
            .pick(("--into", flags.into.clone()), ("DYNO_PACKAGES", named), |file| file.packages.clone())
        {
            Some(Setting { value, origin }) => Setting { value: Some(absolute(&value)), origin },
            None => Setting { value: paths::packages(user), origin: Origin::Default },
        }
    }

    fn port(&self, flags: &Flags) -> Result<Setting<u16>, ConfigError> {
        let wrong = |text: &str| ConfigError::Value {
            name: "port",
            origin: "environment DYNO_PORT".to_owned(),
            message: format!("`{text}` is not a port; give a number from 0 to 65535, like {DEFAULT_PORT}"),
        };
        let listed = variable("DYNO_PORT").map(|text| text.parse().map_err(|_| wrong(&text))).transpose()?;
        Ok(self
            .pick(("--port", flags.port), ("DYNO_PORT", listed), |file| file.port)
            .unwrap_or(Setting { value: DEFAULT_PORT, origin: Origin::Default }))
    }

    fn server(&self, flags: &Flags) -> Result<Setting<Option<String>>, ConfigError> {
        let given = self.text("--server", flags.server.as_ref(), "DYNO_SERVER", |file| file.server.clone());
        let Some(url) = &given.value else { return Ok(given) };
        let is_one = url.parse::<ureq::http::Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
        });
        if is_one {
            return Ok(given);
        }
        let is_without_scheme = !url.is_empty() && !url.contains("://");
        let address =
            if is_without_scheme { format!("http://{url}") } else { "http://127.0.0.1:8000".to_owned() };
        Err(ConfigError::Value {
            name: "server",
            origin: given.origin.to_string(),
            message: format!("`{url}` is not the address of a server; give one like `{address}`"),
        })
    }

    fn retention(&self) -> Result<Setting<Retention>, ConfigError> {
        let table = self.file.as_ref().and_then(|(path, file)| Some((path, file.retention.as_ref()?)));
        let Some((path, table)) = table else {
            return Ok(Setting { value: Retention::default(), origin: Origin::Default });
        };
        let origin = Origin::File(path.clone());
        match Retention::try_from(table) {
            Ok(value) => Ok(Setting { value, origin }),
            Err(message) => {
                Err(ConfigError::Value { name: "retention", origin: origin.to_string(), message })
            }
        }
    }

    fn watch(&self, flags: &Flags) -> Result<Setting<Watch>, ConfigError> {
        let given = self.text("--watch", flags.watch.as_ref(), "DYNO_WATCH", |file| file.watch.clone());
        let value = match given.value.as_deref() {
            None | Some("off") => Watch::Off,
            Some("auto") => Watch::Auto,
            Some("poll") => Watch::Poll,
            Some(other) => {
                return Err(ConfigError::Value {
                    name: "watch",
                    origin: given.origin.to_string(),
                    message: format!("`{other}` is not a way to watch; give auto, poll or off"),
                });
            }
        };
        Ok(Setting { value, origin: given.origin })
    }

    fn plugins(&self, given: &[PathBuf], user: &UserFolders) -> Setting<Vec<PathBuf>> {
        let flag = (!given.is_empty()).then(|| given.to_vec());
        let listed = variable("DYNO_PLUGIN_PATH").map(|list| env::split_paths(&list).collect());
        let mut setting = self
            .pick(("--plugins", flag), ("DYNO_PLUGIN_PATH", listed), |file| file.plugins.clone())
            .unwrap_or_else(|| Setting { value: paths::plugins(user), origin: Origin::Default });
        for path in &mut setting.value {
            *path = absolute(path);
        }
        setting
    }

    /// How long to wait for a device; by default, indefinitely.
    fn patience(&self, flags: &Flags) -> Result<Setting<Option<u64>>, ConfigError> {
        // Zero stands for no limit: users cannot give it, because `number` refuses it.
        let given = self.number(
            "lease-timeout",
            "--lease-timeout",
            flags.lease_timeout.as_ref(),
            "DYNO_LEASE_TIMEOUT",
            |file| file.lease_timeout.as_ref(),
            units::parse_duration,
            0,
        )?;
        Ok(Setting { value: Some(given.value).filter(|ns| *ns > 0), origin: given.origin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_with_its_scheme() {
        let server = |url: &str| {
            let flags = Flags { server: Some(url.to_owned()), ..Flags::default() };
            let layers = Layers { file: None, is_found: false, own: None };
            layers.server(&flags).map(|setting| setting.value).map_err(|error| error.to_string())
        };
        for url in ["http://127.0.0.1:8000", "https://bench.example.org/dyno", "http://[::1]:1"] {
            assert_eq!(server(url).unwrap().as_deref(), Some(url));
        }
        for (url, example) in [
            ("localhost:9100", "give one like `http://localhost:9100`"),
            ("bench.example.org", "give one like `http://bench.example.org`"),
            ("ftp://x", "give one like `http://127.0.0.1:8000`"),
            ("", "give one like `http://127.0.0.1:8000`"),
        ] {
            let said = server(url).unwrap_err();
            assert!(
                said.contains(example) && said.contains(&format!("`{url}` is not the address")),
                "{said}"
            );
        }
    }
}
