//! Stored results on a server that owns the database, and runs that it carries out for this process.

use std::{
    path::Path,
    sync::mpsc::RecvTimeoutError,
    thread,
    time::{Duration, Instant},
};

use dyno_core::{
    model::{Comparison, Event, KnownDrift, RunRecord, RunSpec, Series, Source},
    stats::ChangeOptions,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{archive::Archive, error::AppError, surveyed::Surveyed, vacuumed::Vacuumed};
use crate::{
    catalog::Catalog,
    client::{self, Connection, Download, Heard, ServerError},
    config::Resolved,
    fault::Place,
    runner::Cancel,
    store::{Noise, RunFilter, RunSummary, SqlAnswer},
    user_file::write_whole,
};

/// Interval of status requests after an event stream broke, in multiples of [`LOOK`].
const LOOKS: u32 = 5;
/// Interval of checks for cancellation.
const LOOK: Duration = Duration::from_millis(100);
/// How long a server may be unreachable during a run, for example for a restart.
const AWAY: Duration = Duration::from_secs(15);
/// How long a server may take to stop a run. The signal handler of this process waits for 30 s.
const PATIENCE: Duration = Duration::from_secs(25);

/// A server that answers instead of the database.
#[derive(Debug)]
pub(super) struct Client(Connection);

/// A run that a server accepted.
#[derive(Debug, Deserialize)]
struct Accepted {
    id: String,
}

/// The part of a run's status that matters here.
#[derive(Debug, Deserialize)]
struct Standing {
    status: Word,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Initializing,
    Running,
    Completed,
    Failed,
}

/// Cancellation by the user, passed on to the server.
struct Wish<'a> {
    server: &'a Connection,
    run: &'a str,
    cancel: &'a Cancel,
    passed_on: Option<Instant>,
}

impl Wish<'_> {
    /// Passes cancellation on once. An error if the server does not stop the run in time.
    fn heed(&mut self) -> Result<(), ServerError> {
        if !self.cancel.is_set() {
            return Ok(());
        }
        let Some(since) = self.passed_on else {
            self.passed_on = Some(Instant::now());
            return match self.server.post::<Value>(&format!("/api/runs/{}/cancel", self.run), &json!({})) {
                // It has ended meanwhile.
                Ok(_) | Err(ServerError::Refused { status: 409, .. }) => Ok(()),
                Err(error) => Err(error),
            };
        };
        if since.elapsed() < PATIENCE {
            return Ok(());
        }
        Err(ServerError::NotStopped { url: self.server.url().to_owned(), run: self.run.to_owned() })
    }
}

impl Client {
    /// The named server, or else the one that has the database open; `None` without either.
    ///
    /// # Errors
    /// When the named server cannot be reached.
    pub(super) fn of(settings: &Resolved) -> Result<Option<Self>, AppError> {
        let token = settings.token.value.clone();
        if let Some(url) = &settings.server.value {
            let connection = Connection::new(url, token);
            connection.reach()?;
            return Ok(Some(Self(connection)));
        }
        let found = client::beside(&settings.db_path.value);
        Ok(found
            .map(|server| Connection::found(server, token))
            .filter(|server| server.reach().is_ok())
            .map(Self))
    }

    /// Its address.
    pub(super) fn url(&self) -> &str {
        self.0.url()
    }

    /// Runs a request on the server, and announces its events as if it ran here.
    pub(super) fn carry_out(
        &self,
        spec: &RunSpec,
        source: Option<&Source>,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<RunRecord, AppError> {
        let body = json!({"spec": spec, "source": source});
        let Accepted { id } = self.0.post("/api/runs", &body)?;
        let mut wish = Wish { server: &self.0, run: &id, cancel, passed_on: None };
        // A broken stream does not mean that the run has ended.
        if !self.hear(&mut wish, announce)? {
            self.await_end(&mut wish)?;
        }
        Archive::run(&self, &id, true)
    }

    /// Announces the events of a run; returns whether the stream lasted until the run's end.
    fn hear(&self, wish: &mut Wish<'_>, announce: &mut dyn FnMut(&Event)) -> Result<bool, AppError> {
        let events = self.0.follow(&format!("/api/runs/{}/events", wish.run)).map_err(|source| {
            AppError::System { what: "cannot listen to the events of a server".to_owned(), source }
        })?;
        loop {
            wish.heed()?;
            match events.recv_timeout(LOOK) {
                Ok(Heard::Event(text)) => {
                    // Unknown events of a newer server are skipped.
                    let Ok(event) = serde_json::from_str::<Event>(&text) else { continue };
                    announce(&event);
                    if matches!(event, Event::RunFinished { .. }) {
                        return Ok(true);
                    }
                }
                Ok(Heard::Alive) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Heard::Broken(error)) if error.is_usage() => return Err(error.into()),
                Ok(Heard::Broken(_)) | Err(RecvTimeoutError::Disconnected) => return Ok(false),
            }
        }
    }

    /// Waits for the end of a run whose event stream broke.
    fn await_end(&self, wish: &mut Wish<'_>) -> Result<(), AppError> {
        let mut away: Option<Instant> = None;
        loop {
            match self.0.glance::<Standing>(&format!("/api/benchmark/status/{}", wish.run)) {
                Ok(Standing { status: Word::Completed | Word::Failed }) => return Ok(()),
                Ok(Standing { status: Word::Initializing | Word::Running }) => away = None,
                Err(error @ ServerError::Unreachable { .. }) => {
                    if away.get_or_insert_with(Instant::now).elapsed() > AWAY {
                        return Err(error.into());
                    }
                }
                Err(error) => return Err(error.into()),
            }
            for _ in 0..LOOKS {
                wish.heed()?;
                thread::sleep(LOOK);
            }
        }
    }

    /// The plugins of the server.
    pub(super) fn catalog(&self) -> Result<Catalog, AppError> {
        Ok(self.0.get("/api/catalog", &[])?)
    }

    /// The machine and devices of the server; `refresh` makes it query its drivers again.
    pub(super) fn devices(&self, refresh: bool) -> Result<Surveyed, AppError> {
        Ok(self.0.get("/api/devices", &[("refresh", refresh.to_string())])?)
    }

    /// A copy of the server's database.
    pub(super) fn backup(&self) -> Result<Download, AppError> {
        Ok(self.0.download("/api/backup")?)
    }

    /// An error for an answer that ended too early.
    pub(super) fn broken_off(&self, error: &dyn std::fmt::Display) -> ServerError {
        self.0.broken_off(error)
    }

    /// Removes what is outdated on the server, or only tells it.
    pub(super) fn vacuum(&self, is_dry: bool) -> Result<Vacuumed, AppError> {
        Ok(self.0.post("/api/vacuum", &json!({"dry_run": is_dry}))?)
    }

    /// Runs a SELECT on the server, returning at most `rows` rows.
    pub(super) fn select(&self, sql: &str, rows: u32) -> Result<SqlAnswer, AppError> {
        Ok(self.0.post("/api/sql", &json!({"sql": sql, "limit": rows}))?)
    }
}

impl Archive for &Client {
    fn run(&self, selector: &str, with_samples: bool) -> Result<RunRecord, AppError> {
        let path = format!("/api/runs/{}", segment(selector));
        Ok(self.0.get(&path, &[("samples", with_samples.to_string())])?)
    }

    fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, AppError> {
        let mut query = vec![("limit", filter.limit.to_string()), ("offset", filter.offset.to_string())];
        query.extend(filter.tag.clone().map(|tag| ("tag", tag)));
        query.extend(filter.status.map(|status| ("status", status.word().to_owned())));
        query.extend(filter.benchmark.clone().map(|benchmark| ("benchmark", benchmark)));
        Ok(self.0.get("/api/runs", &query)?)
    }

    fn write_parquet(&self, selector: &str, path: &Path) -> Result<(), AppError> {
        let bytes = self
            .0
            .bytes(&format!("/api/runs/{}/export", segment(selector)), &[("format", "parquet".to_owned())])?;
        Ok(write_whole(path, &bytes, Place::Named)?)
    }

    fn baseline(&self, name: &str) -> Result<String, AppError> {
        let found: Value = self.0.get(&format!("/api/baselines/{}", segment(name)), &[])?;
        Ok(found["run_id"].as_str().unwrap_or_default().to_owned())
    }

    fn save_baseline(&mut self, name: &str, run: &RunRecord) -> Result<(), AppError> {
        let _: Value =
            self.0.put(&format!("/api/baselines/{}", segment(name)), &json!({"run_id": run.id}))?;
        Ok(())
    }

    fn history(
        &self,
        benchmark: &str,
        metric: &str,
        options: &ChangeOptions,
    ) -> Result<Vec<Series>, AppError> {
        let query = [("metric", metric.to_owned()), ("min_change", options.min_magnitude.to_string())];
        Ok(self.0.get(&format!("/api/history/{}", segment(benchmark)), &query)?)
    }

    fn accept_change(&mut self, benchmark: &str, run: &str, note: &str) -> Result<String, AppError> {
        let path = format!("/api/history/{}/accept", segment(benchmark));
        let Accepted { id } = self.0.post(&path, &json!({"run_id": run, "note": note}))?;
        Ok(id)
    }

    fn noise(&self, machine: &str) -> Result<Vec<Noise>, AppError> {
        Ok(self.0.get("/api/noise", &[("machine", machine.to_owned())])?)
    }

    /// A server of an earlier version refuses this endpoint.
    fn drift(&self, machine: &str) -> Result<Vec<KnownDrift>, AppError> {
        Ok(self.0.get("/api/drift", &[("machine", machine.to_owned())])?)
    }

    fn record_noise(&mut self, machine: &str, found: &[Noise]) -> Result<(), AppError> {
        let _: Value = self.0.post("/api/noise", &json!({"machine": machine, "cases": found}))?;
        Ok(())
    }

    fn record_comparison(&mut self, comparison: &Comparison) -> Result<(), AppError> {
        let _: Value = self.0.post("/api/comparisons", comparison)?;
        Ok(())
    }
}

/// A name, percent-encoded as one path segment.
fn segment(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_one_segment() {
        assert_eq!(super::segment("last~2"), "last~2");
        assert_eq!(super::segment("feature/ä b"), "feature%2F%C3%A4%20b");
    }
}
