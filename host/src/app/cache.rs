//! The use cases of the cache.

use super::{App, AppError};
use crate::catalog::{CacheUse, cache_use, clear_cache};

impl App {
    /// What is in this machine's cache.
    ///
    /// # Errors
    /// When no folder for it is known.
    pub fn cache_use(&self) -> Result<CacheUse, AppError> {
        Ok(cache_use(self.settings.cache_folder()?, self.settings.cache_limit_bytes.value))
    }

    /// Clears it; gives what was removed.
    ///
    /// # Errors
    /// When no folder for it is known, or a run uses it.
    pub fn clear_cache(&self) -> Result<CacheUse, AppError> {
        Ok(clear_cache(self.settings.cache_folder()?, self.settings.cache_limit_bytes.value)?)
    }
}
