//! Where and when something was measured: what a reader must know before comparing numbers.

use std::{fs, num::NonZero, process::Command, thread};

use crate::{process, project::Project};

/// The facts above a section.
#[derive(Debug)]
pub(crate) struct Facts {
    date: String,
    commit: String,
    processor: String,
    system: String,
    compiler: String,
    load: String,
}

impl Facts {
    /// All of them in one paragraph.
    pub(crate) fn line(&self) -> String {
        format!(
            "{} · commit {} · {} · {} · {} · load {} at the start",
            self.date, self.commit, self.processor, self.system, self.compiler, self.load
        )
    }
}

/// Reads them now.
pub(crate) fn facts(project: &Project) -> Facts {
    let said =
        |command: &mut Command| process::output_if_any(command).unwrap_or_else(|| "unknown".to_owned());
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(&project.root);
        process::output_if_any(&mut command)
    };
    let mut commit = git(&["rev-parse", "--short=10", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    if git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changes| !changes.is_empty()) {
        commit.push_str(" with changes");
    }
    Facts {
        date: said(Command::new("date").args(["-u", "+%Y-%m-%d"])),
        commit,
        processor: processor(),
        system: said(Command::new("uname").args(["-srm"])),
        compiler: said(Command::new("rustc").arg("--version")),
        load: fs::read_to_string("/proc/loadavg")
            .ok()
            .and_then(|text| text.split(' ').next().map(str::to_owned))
            .unwrap_or_else(|| "unknown".to_owned()),
    }
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        text.lines()
            .find(|line| line.starts_with(name))
            .and_then(|line| line.split_once(": "))
            .map(|(_, value)| value)
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let virtualised = field("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    format!(
        "{}, {cores} logical CPUs{}",
        field("model name").unwrap_or("unknown processor").trim(),
        if virtualised { ", virtual machine" } else { "" }
    )
}
