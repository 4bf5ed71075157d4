//! Samples in, summaries out. Pure and seeded; the unit of every interval is the launch.

mod arrivals;
mod binomial;
mod bootstrap;
mod case;
mod change_points;
mod compare;
mod disturbance;
mod family;
mod order;
mod outliers;
pub mod sequential;
mod summary;
mod trend;
mod welch;

pub use arrivals::poisson_arrivals;
pub use binomial::{lower_bound, upper_bound};
pub use bootstrap::{SummaryOptions, interval_on_median};
pub use case::summarise_case;
pub use change_points::{ChangeOptions, ChangePoint, change_points};
pub use compare::{CompareOptions, compare};
pub use disturbance::disturbance;
pub use family::benjamini_hochberg;
pub use order::{mad, median, quantile};
pub use outliers::count_outliers;
pub use summary::{half_width_fraction, summarise};
pub use trend::{LaunchTrend, trend};
pub use welch::{Welch, t_quantile, welch};
