//! Who the caller is to this server.

use axum::{Extension, Json, extract::State as Of};
use schemars::JsonSchema;
use serde::Serialize;

use super::state::Shared;
use crate::access::{Identity, Scope};

/// The caller, as the server knows it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Me {
    /// Name of the token; `local` if the server has no tokens.
    name: String,
    /// What the caller may do.
    scope: Scope,
    /// When the token expires (RFC 3339, UTC); null: never.
    expires_at: Option<String>,
    /// Whether the server has tokens.
    has_tokens: bool,
    /// Version of dyno.
    version: &'static str,
}

/// `GET /api/me`
pub(super) async fn me(Of(state): Of<Shared>, Extension(identity): Extension<Identity>) -> Json<Me> {
    let Identity { name, scope, expires, .. } = identity;
    let expires_at = expires.map(|end| end.to_string());
    Json(Me {
        name,
        scope,
        expires_at,
        has_tokens: state.tokens.are_needed(),
        version: env!("CARGO_PKG_VERSION"),
    })
}
