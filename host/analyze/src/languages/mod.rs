//! The languages, a file each.

mod c_family;
mod known;
mod python;
mod rust;

pub(crate) use known::{Named, by_ending, endings, grammar, language};
