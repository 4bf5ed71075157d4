//! One worker, from its start to its end: the host's side of the protocol. Each state is a type, and each stage consumes a
//! session in one state and returns it in the next, so a request out of order does not compile.
//!
//! ```text
//! Spawned ─greet► Greeted ─ask_to_load► Loading ─load► Loaded ─set_up► SetUp
//!
//!   SetUp ─verify► Verified ─calibrate► Calibrated ─process_results► Processed
//!     └───────────── warm_up ────────────►│ ↺ sample, play, warm_up   │
//!                                         └────────── finish ─────────┴► Over
//! ```

mod assignment;
mod closing;
mod connecting;
mod ended;
mod intake;
mod layers;
mod line;
mod sampling;
mod stages;
mod trying;

pub(super) use assignment::Assignment;
pub(super) use closing::Closed;
pub(super) use ended::Ended;
pub(super) use line::Notice;
pub(super) use sampling::Batch;
pub(super) use stages::{
    Calibrated, FinishReport, Instance, LoadReport, Loading, Over, Reached, Session, SetUp, SetUpReport,
    Spawned, Step, Verified,
};
