//! The endpoints of the original suite, with its fields and meanings, so that its clients keep working.

mod listing;
mod request;
mod run;
mod standing;
mod translate;
mod watch;

pub(super) use self::{
    listing::{hardware, hardware_docs, list_reports, models, models_docs, query, query_docs},
    run::{run, run_docs},
    standing::{results, status},
    watch::{watch, watch_docs},
};
