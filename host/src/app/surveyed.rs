//! A machine, as its owner or a server tells of it.

use dyno_core::model::{DeviceInfo, IsolationReadings, Machine};
use serde::Deserialize;

/// A machine, its devices, and what stands between plugins and it.
#[derive(Debug, Deserialize)]
pub struct Surveyed {
    /// The machine.
    pub machine: Machine,
    /// Its devices.
    pub devices: Vec<DeviceInfo>,
    /// What stands between native plugins and the machine. Absent from servers of earlier versions.
    #[serde(default)]
    pub isolation: Option<IsolationReadings>,
}
