//! The interface of the original suite, with its paths, fields and meanings: clients that were written for it go on working.

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
