//! The use cases of an operator: who changed what, and which plugins may run.

use super::{error::AppError, serving::Serving};
use crate::{store::Audited, timestamp::now};

/// What an operator looks at and decides.
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
    /// Writes down calls, in the order in which they came.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn audit(&self, calls: &[Audited]) -> Result<(), AppError> {
        Ok(self.0.store()?.audit(calls)?)
    }

    /// The latest calls that were written down, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn audited(&self, limit: u32) -> Result<Vec<Audited>, AppError> {
        Ok(self.0.store()?.audited(limit)?)
    }

    /// Switches a plugin off, or on again.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn set_plugin_enabled(&self, plugin: &str, enabled: bool, who: &str) -> Result<(), AppError> {
        Ok(self.0.store()?.set_plugin_enabled(plugin, enabled, who, &now())?)
    }

    /// Identifiers of the plugins that are switched off.
    ///
    /// # Errors
    /// When the database fails.
    pub fn disabled_plugins(&self) -> Result<Vec<String>, AppError> {
        Ok(self.0.store()?.disabled_plugins()?)
    }
}
