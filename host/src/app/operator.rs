//! Use cases: the audit log, and enabling and disabling plugins.

use super::{error::AppError, serving::Serving};
use crate::{store::Audited, timestamp::now};

/// The audit log and the plugins that may run.
#[derive(Debug, Clone, Copy)]
pub struct Operator<'a>(&'a Serving);

impl Serving {
    /// The use cases of an operator.
    #[must_use]
    pub fn operator(&self) -> Operator<'_> {
        Operator(self)
    }
}

impl Operator<'_> {
    /// Stores calls in the audit log, in their order.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn audit(&self, calls: &[Audited]) -> Result<(), AppError> {
        Ok(self.0.store()?.audit(calls)?)
    }

    /// The latest calls in the audit log, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn audited(&self, limit: u32) -> Result<Vec<Audited>, AppError> {
        Ok(self.0.store()?.audited(limit)?)
    }

    /// Enables or disables a plugin.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn set_plugin_enabled(&self, plugin: &str, enabled: bool, who: &str) -> Result<(), AppError> {
        Ok(self.0.store()?.set_plugin_enabled(plugin, enabled, who, &now())?)
    }

    /// Identifiers of the disabled plugins.
    ///
    /// # Errors
    /// When the database fails.
    pub fn disabled_plugins(&self) -> Result<Vec<String>, AppError> {
        Ok(self.0.store()?.disabled_plugins()?)
    }
}
