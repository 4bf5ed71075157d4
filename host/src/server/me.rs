//! Who the caller is to this server.

use axum::{Extension, Json, extract::State as Of};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    state::Shared,
    tokens::{Identity, Scope},
};

/// The caller, as the server knows it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Me {
    /// Name of the token; `local` if the server has no tokens.
    name: String,
    /// What the caller may do.
    scope: Scope,
    /// Whether the server has tokens.
    has_tokens: bool,
    /// Version of dyno.
    version: &'static str,
}

/// `GET /api/me`
pub(super) async fn me(Of(state): Of<Shared>, Extension(identity): Extension<Identity>) -> Json<Me> {
    let Identity { name, scope } = identity;
    Json(Me { name, scope, has_tokens: !state.tokens.is_empty(), version: env!("CARGO_PKG_VERSION") })
}
