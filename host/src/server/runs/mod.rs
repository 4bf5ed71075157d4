//! Runs: submitting, listing, cancelling, deleting, resuming, tagging and exporting them.

mod export;
mod queue;
mod request;
mod stored;
mod submit;
mod tags;

pub(super) use self::{
    export::{by_database, export, export_docs},
    queue::queue,
    request::RunRequest,
    stored::{Selector, delete, distribution, get, list, list_docs, samples},
    submit::{again_docs, cancel, post, post_docs, rerun, resume, submit},
    tags::{tag, tags, untag},
};
