//! A comparison of two builds: pairs of launches, one launch per side, sampled in turn.

mod bout;
mod clock;
mod pace;
mod pair;
mod rounds;
mod sides;
mod standings;
mod terms;

pub use terms::{Duel, DuelNews, DuelOptions};
