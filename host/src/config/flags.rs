//! The flags that settings can come from.

use std::path::PathBuf;

/// Settings that flags override; `None` if the flag is absent.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--plugins`, once per folder.
    pub plugins: Vec<PathBuf>,
    /// `--db-path`.
    pub db_path: Option<PathBuf>,
    /// `--output`.
    pub output: Option<PathBuf>,
    /// `--timeout`.
    pub timeout: Option<String>,
    /// `--memory`.
    pub memory: Option<String>,
    /// `--lease-timeout`.
    pub lease_timeout: Option<String>,
    /// `--server`.
    pub server: Option<String>,
    /// `--host`.
    pub host: Option<String>,
    /// `--port`.
    pub port: Option<u16>,
    /// `--token-file`.
    pub token_file: Option<PathBuf>,
    /// `--tls-cert`.
    pub tls_cert: Option<PathBuf>,
    /// `--tls-key`.
    pub tls_key: Option<PathBuf>,
    /// `--profile`.
    pub profile: Option<String>,
    /// `--isolation`.
    pub isolation: Option<String>,
    /// `--require-isolation`.
    pub require_isolation: Option<String>,
    /// `--watch`.
    pub watch: Option<String>,
    /// `--into`.
    pub into: Option<PathBuf>,
    /// `--index`.
    pub index: Option<String>,
}
