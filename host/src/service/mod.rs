//! What a server does between its protocol and the use cases: the queue at work, the table of runs that wait or go on, reports,
//! and the judgement of what has ended. It knows nothing of HTTP.

mod ending;
mod executor;
mod progress;
mod queue;
mod reports;
mod root;
mod status;
mod table;

pub(crate) use self::{
    reports::{Reports, WRITTEN},
    root::{GivenUp, Refused, Service},
    status::{Status, model, word},
    table::{Rest, Told},
};
