//! Samples in, summaries out. Pure and seeded; the unit of every interval is the launch.

mod bootstrap;
mod case;
mod order;
mod outliers;
mod summary;

pub use bootstrap::{SummaryOptions, interval_on_median};
pub use case::summarise_case;
pub use order::{mad, median, quantile};
pub use outliers::count_outliers;
pub use summary::{half_width_fraction, summarise};
