//! Error responses: `application/problem+json` (RFC 9457).

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{MediaType, Operation, Response as Described, SchemaObject, StatusCode as Status},
};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::{AppError, SqlError},
    fault::{Place, Resource},
    service::Refused,
};

/// An error response.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Problem {
    /// Reason phrase of the HTTP status.
    title: String,
    /// HTTP status.
    status: u16,
    /// What was wrong, what is accepted, and what to do next.
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            title: status.canonical_reason().unwrap_or("error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
        }
    }

    /// The sentence for the caller.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// A fault of the server. Its cause goes to the log, not to the client.
    pub(super) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the server failed; its log says why, under the identifier of this request",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        if let Some(problem) = without(&error) {
            return problem;
        }
        match &error {
            AppError::Store(store) if store.is_usage() => Self::not_found(error.to_string()),
            AppError::NoDatabase(_) => Self::not_found(error.to_string()),
            AppError::State { .. } => Self::new(StatusCode::CONFLICT, error.to_string()),
            AppError::PluginOff(_) => Self::new(StatusCode::FORBIDDEN, error.to_string()),
            AppError::Sql(SqlError::TooLong(_) | SqlError::GivenUp) => {
                Self::new(StatusCode::REQUEST_TIMEOUT, error.to_string())
            }
            AppError::Sql(SqlError::Audit) => Self::new(StatusCode::FORBIDDEN, error.to_string()),
            AppError::Sql(SqlError::Unwatched(_) | SqlError::MadeWay | SqlError::DiskFull) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
            AppError::Request(_)
            | AppError::Side(_)
            | AppError::Settings(_)
            | AppError::Device(_)
            | AppError::Cpus(_)
            | AppError::Sql(_) => Self::bad(error.to_string()),
            _ => Self::internal(&error),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full(most) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                format!("{most} runs wait or go on already; wait for some of them, or cancel some"),
            ),
            Refused::App(error) => error.into(),
        }
    }
}

/// The response if a resource of the machine ran out. It names the resource, but no path.
fn without(error: &AppError) -> Option<Problem> {
    let resource = error.resource().filter(|it| it.is_exhausted() || *it == Resource::ReadOnly)?;
    let sentence = resource.sentence(Place::Machine)?;
    tracing::error!(%error, "a request failed for want of a resource");
    let status = match resource {
        Resource::Disk | Resource::ReadOnly => StatusCode::INSUFFICIENT_STORAGE,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    Some(Problem::new(status, format!("the server cannot do this now: {sentence}; then ask again")))
}

impl OperationOutput for Problem {
    type Inner = Self;

    fn operation_response(ctx: &mut GenContext, _: &mut Operation) -> Option<Described> {
        let schema = SchemaObject {
            json_schema: ctx.schema.subschema_for::<Self>(),
            example: None,
            external_docs: None,
        };
        let body = MediaType { schema: Some(schema), ..MediaType::default() };
        Some(Described {
            description: "What was wrong, what was expected, and what to do".to_owned(),
            content: [("application/problem+json".to_owned(), body)].into_iter().collect(),
            ..Described::default()
        })
    }

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Status>, Described)> {
        Self::operation_response(ctx, operation).map(|it| (None, it)).into_iter().collect()
    }
}
