//! Says in the document of the interface which media types an answer may have, where it is not JSON of a known type.

use aide::{
    openapi::{ReferenceOr, Response, StatusCode},
    transform::TransformOperation,
};

/// Server-sent events.
pub(super) const EVENTS: &str = "text/event-stream";
/// What Prometheus reads.
pub(super) const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Markdown.
pub(super) const MARKDOWN: &str = "text/markdown; charset=utf-8";

/// Adds media types to what an answer with status 200 may have.
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
