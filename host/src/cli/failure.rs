//! Why a command failed, and with which exit code it ends.

use std::{fmt, process::ExitCode};

use super::exit_code::End;
use crate::{app::AppError, fault::HostFault};

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The user can correct it.
    Usage(String),
    /// The host itself failed.
    Host(String),
    /// The user cancelled.
    Cancelled,
    /// The reader of standard output has gone, which is not an error.
    PipeClosed,
}

impl Failure {
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => End::Usage.into(),
            Self::Host(_) => End::HostFailed.into(),
            Self::Cancelled => End::Cancelled.into(),
            Self::PipeClosed => End::Good.into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Host(message) => f.write_str(message),
            Self::Cancelled => f.write_str("cancelled"),
            Self::PipeClosed => Ok(()),
        }
    }
}

impl From<HostFault> for Failure {
    fn from(fault: HostFault) -> Self {
        Self::Host(fault.to_string())
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        let message = error.to_string();
        match error {
            AppError::Cancelled => Self::Cancelled,
            AppError::Request(_)
            | AppError::NoDatabase(_)
            | AppError::Side(_)
            | AppError::Device(_)
            | AppError::Cpus(_)
            | AppError::File(_)
            | AppError::NotThere { .. }
            | AppError::Target { .. }
            | AppError::NotThroughServer { .. }
            | AppError::Config(_)
            | AppError::Settings(_)
            | AppError::Sql(_)
            | AppError::State { .. }
            | AppError::NoTokenFile
            | AppError::PluginOff(_) => Self::Usage(message),
            AppError::Package(error) if error.is_usage() => Self::Usage(message),
            AppError::Key(error) if error.is_usage() => Self::Usage(message),
            AppError::Access(error) if error.is_usage() => Self::Usage(message),
            AppError::Server(error) if error.is_usage() => Self::Usage(message),
            AppError::Store(error) if error.is_usage() => Self::Usage(message),
            _ => Self::Host(message),
        }
    }
}
