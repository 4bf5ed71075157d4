//! Reading a token file that only the operator can read.

use std::path::Path;

use jiff::Timestamp;

use super::{AccessError, TokenInfo, list::TokenList};
use crate::user_file::{check_secret, read_text};

/// Reads a token file.
///
/// # Errors
/// When it cannot be read, others can read it, or an entry is invalid.
pub(super) fn read(path: &Path) -> Result<TokenList, AccessError> {
    parsed(path, &text(path)?)
}

/// The text of a token file that only the operator can read.
pub(super) fn text(path: &Path) -> Result<String, AccessError> {
    check_secret(path).map_err(|why| AccessError::file(path, why))?;
    read_text(path).map_err(|error| AccessError::file(path, error.to_string()))
}

pub(super) fn parsed(path: &Path, text: &str) -> Result<TokenList, AccessError> {
    TokenList::parse(text).map_err(|why| AccessError::file(path, format!("is not valid: {why}")))
}

/// The tokens of a file, without their secrets.
///
/// # Errors
/// When it cannot be read, others can read it, or an entry is invalid.
pub fn listed(path: &Path) -> Result<Vec<TokenInfo>, AccessError> {
    let now = Timestamp::now();
    Ok(read(path)?.all().iter().map(|identity| identity.info(now)).collect())
}
