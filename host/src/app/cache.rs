//! Use cases: the cache.

use super::{error::AppError, root::App};
use crate::catalog::{CacheUse, cache_use, clear_cache};

/// The cache of this machine.
#[derive(Debug, Clone, Copy)]
pub struct Cache<'a>(&'a App);

impl App {
    /// The use cases of the cache.
    #[must_use]
    pub fn cache(&self) -> Cache<'_> {
        Cache(self)
    }
}

impl Cache<'_> {
    /// The content and size of the cache.
    ///
    /// # Errors
    /// When no cache folder is known.
    pub fn found(&self) -> Result<CacheUse, AppError> {
        Ok(cache_use(self.0.settings.cache_folder()?, self.0.settings.cache_limit_bytes.value))
    }

    /// Clears the cache; returns what was removed.
    ///
    /// # Errors
    /// When no cache folder is known, or a run uses it.
    pub fn clear(&self) -> Result<CacheUse, AppError> {
        Ok(clear_cache(self.0.settings.cache_folder()?, self.0.settings.cache_limit_bytes.value)?)
    }
}
