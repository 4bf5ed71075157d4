//! Media types in the OpenAPI document, for answers other than JSON of a known type.

use aide::{
    openapi::{ReferenceOr, Response, StatusCode},
    transform::TransformOperation,
};

/// Server-sent events.
pub(super) const EVENTS: &str = "text/event-stream";
/// The text format of Prometheus.
pub(super) const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
/// A DuckDB database, which has no registered type.
pub(super) const DATABASE: &str = "application/octet-stream";
/// Markdown.
pub(super) const MARKDOWN: &str = "text/markdown; charset=utf-8";

/// Adds media types to the 200 response of an operation.
pub(super) fn may_be(
    mut op: TransformOperation<'_>,
    types: impl IntoIterator<Item = &'static str>,
) -> TransformOperation<'_> {
    let responses = op.inner_mut().responses.get_or_insert_default();
    let answer = responses
        .responses
        .entry(StatusCode::Code(200))
        .or_insert_with(|| ReferenceOr::Item(Response::default()));
    if let ReferenceOr::Item(answer) = answer {
        for kind in types {
            answer.content.entry(kind.to_owned()).or_default();
        }
    }
    op
}
