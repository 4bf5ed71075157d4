//! The flags, as typed. Flags that several commands share, or that mean one thing together, are a group, which also
//! knows what they mean.

mod backup;
mod build;
mod cases;
mod check;
mod commands;
mod dev;
mod judge;
mod limits;
mod machine;
mod measuring;
mod output;
mod package;
mod pairs;
mod placement;
mod scenario;
mod selection;
mod serve;
mod sign;
mod stop;
mod stored;
pub(super) mod values;

pub(super) use self::backup::{BackupArgs, RestoreArgs, VacuumArgs};
pub(super) use self::build::{BuildArgs, NewArgs, ToolArgs};
pub(super) use self::cases::CaseArgs;
pub(super) use self::check::CheckArgs;
pub(super) use self::commands::{Cli, Command};
pub(super) use self::dev::DevArgs;
pub(super) use self::judge::GateArgs;
use self::judge::JudgeArgs;
use self::limits::{LimitArgs, WaitArgs};
pub(super) use self::machine::{CacheArgs, CompletionsArgs, DevicesArgs, DoctorArgs, InspectArgs, ListArgs};
pub(super) use self::measuring::{AaArgs, AbArgs, RunArgs};
use self::output::ComparisonFormatArgs;
pub(super) use self::package::{InstallArgs, PackArgs, RemoveArgs};
use self::pairs::DecisionArgs;
pub(super) use self::pairs::PairLaunchArgs;
use self::placement::{LayoutArgs, ProcessorArgs};
use self::scenario::ScenarioArgs;
pub(super) use self::selection::Selection;
use self::selection::{Engine, SelectionArgs};
pub(super) use self::serve::{DashboardArgs, LogFormat, LogLevel, ServeArgs};
pub(super) use self::sign::{KeyArgs, KeyCommand, SignArgs, VerifyArgs};
use self::stop::StopArgs;
pub(super) use self::stored::{CompareArgs, HistoryArgs, ReportArgs, ResultsArgs, SqlArgs};
