//! Use cases: making, listing and revoking the access tokens of a server. The server notices changes of the file by itself.

use std::path::Path;

use super::{error::AppError, root::App};
use crate::access::{self, NewToken, TokenInfo};

/// The token file.
#[derive(Debug, Clone, Copy)]
pub struct TokenFile<'a>(&'a App);

impl App {
    /// The use cases of access tokens.
    #[must_use]
    pub fn token_file(&self) -> TokenFile<'_> {
        TokenFile(self)
    }
}

impl<'a> TokenFile<'a> {
    /// The file.
    ///
    /// # Errors
    /// When no setting names one.
    pub fn path(&self) -> Result<&'a Path, AppError> {
        self.0.settings().token_file.value.as_deref().ok_or(AppError::NoTokenFile)
    }

    /// Makes a token, adds it to the file, and returns it. The file has only its hash.
    ///
    /// # Errors
    /// When the file cannot be read or written, or has a token of this name.
    pub fn add(&self, new: &NewToken) -> Result<String, AppError> {
        Ok(access::add(self.path()?, new)?)
    }

    /// The tokens of the file, without their secrets.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn list(&self) -> Result<Vec<TokenInfo>, AppError> {
        Ok(access::listed(self.path()?)?)
    }

    /// Removes a token from the file.
    ///
    /// # Errors
    /// When the file cannot be read or written, or has no such token.
    pub fn revoke(&self, name: &str) -> Result<(), AppError> {
        Ok(access::remove(self.path()?, name)?)
    }
}
