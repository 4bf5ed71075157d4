//! What a server does between HTTP and the use cases: it carries out the queue, keeps the table of waiting and running runs,
//! writes reports, and judges ended runs. It knows nothing of HTTP.

mod disks;
mod ending;
mod executor;
mod progress;
mod queue;
mod reports;
mod requests;
mod root;
mod status;
mod stop;
mod table;
mod upkeep;
mod watching;

pub(crate) use self::{
    reports::{Reports, WRITTEN},
    requests::{GivenUp, Refused},
    root::Service,
    status::{Status, word},
    table::{Rest, Told},
};

#[cfg(test)]
mod tests;
