//! Tags of a run.

use axum::{Extension, Json, extract::State as Of};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Selector;
use crate::{
    access::Identity,
    app::Annotation,
    server::{
        extract::{At, Body},
        problem::Problem,
        state::{Shared, blocking, changing},
    },
    timestamp::now,
};

/// A tag to add to a run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTag {
    /// The tag, 1 to 100 bytes.
    tag: String,
    /// A note on the tag, up to 4,000 bytes.
    #[serde(default)]
    note: String,
}

/// Maximum lengths of a tag and its note [bytes].
const LONGEST_TAG: usize = 100;
const LONGEST_NOTE: usize = 4_000;

/// `GET /api/runs/{run}/tags`
pub(crate) async fn tags(
    Of(state): Of<Shared>,
    At(at): At<Selector>,
) -> Result<Json<Vec<Annotation>>, Problem> {
    Ok(Json(blocking(&state, move |state| state.serving().records().annotations(&at.run)).await?))
}

/// `POST /api/runs/{run}/tags`
pub(crate) async fn tag(
    Of(state): Of<Shared>,
    Extension(identity): Extension<Identity>,
    At(at): At<Selector>,
    Body(new): Body<NewTag>,
) -> Result<Json<Vec<Annotation>>, Problem> {
    if new.tag.trim().is_empty() || new.tag.len() > LONGEST_TAG || new.note.len() > LONGEST_NOTE {
        return Err(Problem::bad(format!(
            "a tag must have 1 to {LONGEST_TAG} bytes, and its note at most {LONGEST_NOTE}"
        )));
    }
    let all = changing(&state, move |state| {
        let records = state.serving().records();
        let id = records.run_id(&at.run)?;
        let annotation = Annotation {
            tag: new.tag.trim().to_owned(),
            note: new.note,
            author: identity.name,
            created_at: now(),
        };
        records.annotate(&id, &annotation)?;
        records.annotations(&id)
    })
    .await?;
    Ok(Json(all))
}

/// Path of a tag.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct TagAt {
    /// Identifier of the run, an unambiguous prefix of it, or `last`.
    run: String,
    /// The tag.
    tag: String,
}

/// `DELETE /api/runs/{run}/tags/{tag}`
pub(crate) async fn untag(
    Of(state): Of<Shared>,
    At(at): At<TagAt>,
) -> Result<Json<Vec<Annotation>>, Problem> {
    let left = changing(&state, move |state| {
        let records = state.serving().records();
        let id = records.run_id(&at.run)?;
        records.remove_tag(&id, &at.tag)?;
        records.annotations(&id)
    })
    .await?;
    Ok(Json(left))
}
