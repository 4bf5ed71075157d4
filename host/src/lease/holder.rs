//! A process that holds a lease or waits for it, as it describes itself to people.

use std::fmt;

use dyno_core::units;
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Maximum length of a text [characters]: another user may have written it.
const LONGEST: usize = 200;

/// A process that holds a lease or waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process identifier; 0 if not known.
    pub pid: u32,
    /// The user that it runs as, if that is another user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<u32>,
    /// Name of the device.
    #[serde(default)]
    pub device: String,
    /// What the device is used for.
    #[serde(default)]
    pub purpose: String,
    /// Identifier of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Since when (RFC 3339, UTC).
    #[serde(default)]
    pub since: String,
    /// Since when by the monotonic clock of this machine, where its ticket says so [ns].
    #[serde(skip)]
    pub(super) drawn_ns: Option<u64>,
}

impl Holder {
    /// This process, now.
    pub(super) fn here(device: &str, purpose: &str, run: Option<&str>) -> Self {
        Self {
            pid: std::process::id(),
            user: None,
            device: device.to_owned(),
            purpose: purpose.to_owned(),
            run: run.map(str::to_owned),
            since: crate::timestamp::now(),
            drawn_ns: None,
        }
    }

    /// A process of which the kernel reports only this.
    pub(super) fn known_by(pid: u32, user: u32) -> Self {
        Self { pid, user: others(user), ..Self::nameless() }
    }

    /// A process of which nothing is known.
    pub(super) fn nameless() -> Self {
        let nothing = String::new;
        Self {
            pid: 0,
            user: None,
            device: nothing(),
            purpose: nothing(),
            run: None,
            since: nothing(),
            drawn_ns: None,
        }
    }

    /// Reads a ticket that belongs to `user`.
    pub(super) fn read(text: &str, user: u32) -> Option<Self> {
        let mut holder: Self = serde_json::from_str(text).ok()?;
        holder.user = others(user);
        for text in
            [&mut holder.device, &mut holder.purpose, &mut holder.since].into_iter().chain(&mut holder.run)
        {
            *text = printable(text);
        }
        Some(holder)
    }

    /// How long it has held the lease or waited [s].
    #[must_use]
    pub fn age_s(&self) -> Option<f64> {
        // The time of day goes back when somebody sets it.
        if let Some((drawn, now)) = self.drawn_ns.zip(monotonic_ns().ok()) {
            return Some(now.saturating_sub(drawn) as f64 / 1e9);
        }
        let since: jiff::Timestamp = self.since.parse().ok()?;
        Some(jiff::Timestamp::now().duration_since(since).as_secs_f64().max(0.0))
    }
}

/// The clock of this machine that nobody sets [ns].
pub(super) fn monotonic_ns() -> nix::Result<u64> {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
    Ok(now.tv_sec().unsigned_abs() * 1_000_000_000 + now.tv_nsec().unsigned_abs())
}

fn others(user: u32) -> Option<u32> {
    (user != nix::unistd::geteuid().as_raw()).then_some(user)
}

fn printable(text: &str) -> String {
    text.chars().take(LONGEST).map(dyno_core::text::visible).collect()
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return f.write_str("an unidentified process");
        }
        write!(f, "process {}", self.pid)?;
        if let Some(user) = self.user {
            write!(f, " of user {user}")?;
        }
        let mut about: Vec<String> = Vec::new();
        if !self.purpose.is_empty() {
            about.push(self.purpose.clone());
        }
        if let Some(run) = &self.run {
            about.push(format!("run {run}"));
        }
        if let Some(age) = self.age_s() {
            about.push(format!("for {}", units::duration(age * 1e9)));
        }
        if about.is_empty() { Ok(()) } else { write!(f, " ({})", about.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_says_who_it_is_and_what_others_wrote_is_harmless() {
        let holder = Holder::here("cpu", "dyno run of sum", Some("0193"));
        let shown = holder.to_string();
        assert!(
            shown.starts_with(&format!("process {} (dyno run of sum, run 0193, for ", std::process::id())),
            "{shown}"
        );
        let foreign = r#"{"pid": 7, "user": 0, "purpose": "\u001b[2Jx", "since": "yesterday"}"#;
        let foreign = Holder::read(foreign, u32::MAX).unwrap();
        assert_eq!(foreign.to_string(), format!("process 7 of user {} (\u{fffd}[2Jx)", u32::MAX));
        assert_eq!(Holder::nameless().to_string(), "an unidentified process");
        assert_eq!(Holder::read("{", 0), None);
    }
}
