//! The use cases of verdicts: two builds, two results, a build against itself, a benchmark over many runs.

use std::{collections::HashMap, path::Path};

use dyno_core::{
    model::{
        AaCase, AaReport, CaseComparison, CaseKey, CaseRequest, ComparedSide, Comparison, EngineChoice,
        Event, Inputs, KnownDrift, Measured, MeasuredCase, PluginKind, RunRecord, Series, Unjudged, Verdict,
    },
    stats::{self, ChangeOptions, CompareOptions, sequential::Rule, upper_bound},
};

use super::{App, AppError};
use crate::{
    catalog::{Entry, is_plugin_path},
    devices, export, import, notify,
    runner::{self, Cancel, Duel, DuelNews, DuelOptions, Match},
    store::{Noise, StoreError},
    user_file::read_text,
};

/// What a side of a comparison begins with that names a baseline.
const BASELINE: &str = "baseline:";
/// With fewer pairs of equal builds their variance is too uncertain to decide by.
const ENOUGH_PAIRS: u32 = 50;

/// How an A/A comparison goes on.
#[derive(Debug)]
pub enum AaNews<'a> {
    /// This number of comparisons is done.
    Round(u32),
    /// Something it waits for.
    Event(&'a Event),
}

impl App {
    /// One side of a comparison of results: a result file, ours or another tool's, a folder of Criterion, a stored run,
    /// or `baseline:NAME`.
    ///
    /// # Errors
    /// When it is none of these, with a sentence on what it is instead.
    pub fn measured(&self, side: &str) -> Result<Measured, AppError> {
        if side.starts_with(BASELINE) {
            return self.stored_side(side);
        }
        let path = Path::new(side);
        if !path.exists() {
            return match self.stored_run(side, true) {
                Ok(run) => Ok(Measured::from(&run)),
                Err(AppError::NoDatabase(database)) => Err(AppError::Side(format!(
                    "`{side}` is neither a file, nor a stored run: there is no database `{}`",
                    database.display()
                ))),
                Err(AppError::Store(StoreError::NoSuchRun { hint, .. })) => {
                    Err(AppError::Side(format!("`{side}` is neither a file, nor a stored run; {hint}")))
                }
                Err(error) => Err(error),
            };
        }
        let refused = |why: &dyn std::fmt::Display| AppError::Side(format!("`{side}`: {why}"));
        let mut measured = if path.is_dir() {
            criterion_folder(path).map_err(|why| refused(&why))?
        } else {
            let text = read_text(path).map_err(|error| refused(&error))?;
            match import::detect(&text).map_err(|error| refused(&error))? {
                import::Found::Ours => Measured::from(&export::read(&text).map_err(|error| refused(&error))?),
                import::Found::Theirs(measured) => measured,
            }
        };
        if measured.cases.is_empty() && measured.missing.is_empty() {
            return Err(refused(&"it has no cases: there is nothing to compare"));
        }
        measured.source = format!("{side} ({})", measured.source);
        Ok(measured)
    }

    /// One side of a comparison of stored results: a run, or `baseline:NAME`; nothing outside the database.
    ///
    /// # Errors
    /// When there is no such run or baseline.
    pub(super) fn stored_side(&self, side: &str) -> Result<Measured, AppError> {
        let run = match side.strip_prefix(BASELINE) {
            Some(name) => self.baseline(name)?,
            None => side.to_owned(),
        };
        Ok(Measured::from(&self.stored_run(&run, true)?))
    }

    /// Two results beside one another.
    ///
    /// # Errors
    /// When a side cannot be read.
    pub fn compare(
        &self,
        baseline: &str,
        candidate: &str,
        options: &CompareOptions,
    ) -> Result<Comparison, AppError> {
        Ok(self.judge(&self.measured(baseline)?, &self.measured(candidate)?, options))
    }

    /// Two sides beside one another, with what is known here of how much runs of equal builds differ. That knowledge only
    /// makes intervals wider: a database that is not there, or cannot be read, does not prevent a comparison of two files.
    #[must_use]
    pub fn judge(&self, baseline: &Measured, candidate: &Measured, options: &CompareOptions) -> Comparison {
        let known = candidate.machine.as_deref().map(|machine| self.drift(machine));
        let (drift, unknown) = match known {
            None | Some(Err(AppError::NoDatabase(_))) => (Vec::new(), None),
            Some(Ok(drift)) => (drift, None),
            Some(Err(error)) => (Vec::new(), Some(error)),
        };
        let mut comparison = stats::compare(baseline, candidate, options, &drift);
        comparison.differences.extend(unknown.map(|error| {
            format!("how much runs of equal builds differ on this machine is not taken into account: {error}")
        }));
        comparison
    }

    /// How much runs of equal builds differ on a machine.
    ///
    /// # Errors
    /// When there is no database, or it fails.
    pub fn drift(&self, machine: &str) -> Result<Vec<KnownDrift>, AppError> {
        if let Some(server) = self.server() {
            return server.drift(machine);
        }
        Ok(self.read_store()?.drift(machine)?)
    }

    /// Tells whom the settings name of the regressions of a comparison. Gives a sentence for each way that did not work.
    #[must_use]
    pub fn notify(&self, comparison: &Comparison) -> Vec<String> {
        notify::regression(
            self.settings.notify_webhook.value.as_deref(),
            self.settings.notify_command.value.as_deref(),
            &self.machine().hostname,
            comparison,
            &|| self.cancel.is_set(),
        )
    }

    /// A build of a plugin: a file, or `plugin` or `plugin@version` from the plugin folders.
    ///
    /// # Errors
    /// When there is none.
    pub fn build_of(&self, side: &str, engine: EngineChoice) -> Result<Entry, AppError> {
        let path = Path::new(side);
        if path.is_file() || is_plugin_path(side) {
            return self.plugin_file(path).map_err(|problem| AppError::Side(problem.to_string()));
        }
        let catalog = self.catalog();
        match catalog.resolve(&format!("{side}/*"), engine) {
            Ok(found) => found
                .first()
                .map(|found| found.entry.clone())
                .ok_or_else(|| AppError::Side(format!("the plugin `{side}` has no benchmark"))),
            Err(error) => {
                Err(AppError::Side(format!("`{side}` is neither a plugin file nor a plugin: {error}")))
            }
        }
    }

    /// Compares two builds by pairs of launches. `told` hears of every pair.
    ///
    /// # Errors
    /// When the builds share nothing that was asked for, or the host itself fails; never because a benchmark fails.
    pub fn duel(
        &self,
        (baseline, candidate): (&Entry, &Entry),
        requests: &[CaseRequest],
        options: &DuelOptions,
        cancel: &Cancel,
        told: &mut dyn FnMut(DuelNews<'_>),
    ) -> Result<Comparison, AppError> {
        devices::check_cpus(&options.settings.cpus)?;
        let devices = self.devices_for(requests)?;
        let (mut matches, mut added, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        let rule = Rule::GroupSequential { alpha: options.alpha };
        for request in requests {
            let found = runner::matches(baseline, candidate, request, &devices, rule)?;
            matches.extend(found.cases);
            added.extend(found.added);
            removed.extend(found.removed);
        }
        runner::refuse_repeated(matches.iter().map(|one| &one.key))?;
        let noise = self.known_noise(cancel, &mut |event| told(DuelNews::Event(event)))?;
        for one in &mut matches {
            let known = noise.get(&Noise::place_of(&one.key)).filter(|known| known.pairs >= ENOUGH_PAIRS);
            if let Some(known) = known {
                one.rule = Rule::ConfidenceSequence { variance: known.variance, alpha: options.alpha };
            }
        }
        let mut comparison = self.fight(&matches, options, cancel, told)?;
        comparison.added = added;
        comparison.removed = removed;
        if baseline.sha256 == candidate.sha256 {
            comparison.withdraw_same_build();
        }
        if baseline.kind != candidate.kind {
            let word = |kind: PluginKind| kind.to_string();
            comparison.differences.push(format!(
                "engine: {} then, {} now",
                word(baseline.kind),
                word(candidate.kind)
            ));
        }
        self.record_comparison(&comparison, cancel, &mut |event| told(DuelNews::Event(event)))?;
        Ok(comparison)
    }

    /// Keeps a comparison. `announce` hears of waiting for the database.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn record_comparison(
        &self,
        comparison: &Comparison,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<(), AppError> {
        if let Some(server) = self.server() {
            return server.record_comparison(comparison);
        }
        let mut store = self.open_store(cancel, announce)?;
        let id = uuid::Uuid::now_v7().to_string();
        Ok(store.record_comparison(&id, comparison, &crate::timestamp::now())?)
    }

    /// Keeps what an A/A comparison found on a machine. `announce` hears of waiting for the database.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn record_noise(
        &self,
        machine: &str,
        found: &[Noise],
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<(), AppError> {
        if let Some(server) = self.server() {
            return server.record_noise(machine, found);
        }
        let mut store = self.open_store(cancel, announce)?;
        Ok(store.record_noise(machine, found, &crate::timestamp::now())?)
    }

    /// How much pairs of equal builds differ on a machine.
    ///
    /// # Errors
    /// When the database fails.
    pub fn noise(&self, machine: &str) -> Result<Vec<Noise>, AppError> {
        if let Some(server) = self.server() {
            return server.noise(machine);
        }
        Ok(self.read_store()?.noise(machine)?)
    }

    fn fight(
        &self,
        matches: &[Match],
        options: &DuelOptions,
        cancel: &Cancel,
        told: &mut dyn FnMut(DuelNews<'_>),
    ) -> Result<Comparison, AppError> {
        let (content, code_cache) = self.ready_to_launch()?;
        let duel = Duel {
            content: &content,
            worker: self.settings.worker.value.clone(),
            code_cache,
            leases: self.leases()?,
            cancel: cancel.clone(),
        };
        Ok(duel.fight(matches, options, told)?)
    }

    /// Compares a build with itself, `rounds` times per case, and stores how much its pairs differ.
    ///
    /// # Errors
    /// As for [`App::duel`].
    pub fn aa(
        &self,
        build: &Entry,
        requests: &[CaseRequest],
        options: &DuelOptions,
        rounds: u32,
        cancel: &Cancel,
        told: &mut dyn FnMut(AaNews<'_>),
    ) -> Result<AaReport, AppError> {
        devices::check_cpus(&options.settings.cpus)?;
        let devices = self.devices_for(requests)?;
        let mut matches = Vec::new();
        let rule = Rule::GroupSequential { alpha: options.alpha };
        for request in requests {
            let found = runner::matches(build, build, request, &devices, rule)?;
            matches.extend(found.cases);
        }
        runner::refuse_repeated(matches.iter().map(|one| &one.key))?;
        let empty = |one: &Match| AaCase { label: one.label.clone(), ..AaCase::default() };
        let mut cases: Vec<(CaseKey, AaCase)> =
            matches.iter().map(|one| (one.key.clone(), empty(one))).collect();
        for round in 0..rounds {
            let mut options = options.clone();
            if options.settings.inputs == Inputs::Fresh {
                options.settings.seed = options.settings.seed.wrapping_add(u64::from(round));
            }
            let comparison = self.fight(&matches, &options, cancel, &mut |_| {})?;
            if cancel.is_set() {
                break;
            }
            for (key, case) in &mut cases {
                if let Some(found) = comparison.cases.iter().find(|found| found.key.as_ref() == Some(key)) {
                    case.add(found);
                }
                if let Some(found) = comparison.unjudged.iter().find(|found| found.key == *key) {
                    case.could_not(&found.why);
                }
            }
            told(AaNews::Round(round + 1));
        }
        let measured = cases.iter().filter(|(_, case)| case.pairs > 0);
        let found: Vec<Noise> = measured
            .map(|(key, case)| Noise {
                plugin: key.plugin.clone(),
                label: key.label(),
                comparisons: case.comparisons,
                alarms: case.alarms,
                pairs: case.pairs,
                variance: case.variance,
            })
            .collect();
        self.record_noise(&self.machine().fingerprint, &found, cancel, &mut |event| {
            told(AaNews::Event(event));
        })?;
        let plugin = &build.descriptor.plugin;
        let build = format!("{} {} ({})", plugin.id, plugin.version, build.kind);
        let cases = cases.into_iter().map(|(_, case)| case).collect();
        Ok(AaReport { build, threshold: options.threshold, cases })
    }

    /// How much pairs of equal builds differ on this machine, by case; empty where no A/A comparison was made.
    fn known_noise(
        &self,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<HashMap<(String, String), Noise>, AppError> {
        let machine = self.machine().fingerprint;
        let known = if let Some(server) = self.server() {
            server.noise(&machine)?
        } else if self.settings.db_path.value.exists() {
            self.wait_to_read(cancel, announce)?.noise(&machine)?
        } else {
            Vec::new()
        };
        Ok(known.into_iter().map(|noise| (noise.place(), noise)).collect())
    }

    /// What is known against alarms of a comparison: of each case that alarmed, a sentence where equal builds of it have
    /// alarmed here too.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn doubts(&self, comparison: &Comparison) -> Result<Vec<String>, AppError> {
        let alarmed = |case: &&CaseComparison| {
            case.metrics.iter().any(|metric| matches!(metric.verdict, Verdict::Regressed | Verdict::Improved))
        };
        if !comparison.cases.iter().any(|case| alarmed(&case)) {
            return Ok(Vec::new());
        }
        let noise = self.known_noise(&self.cancel, &mut |_| {})?;
        let doubt = |case: &CaseComparison| {
            let known = noise.get(&Noise::place_of(case.key.as_ref()?)).filter(|known| known.alarms > 0)?;
            let bound = upper_bound(u64::from(known.alarms), u64::from(known.comparisons), 0.95);
            (bound > comparison.alpha).then(|| {
                format!(
                    "{}: on this machine {} of {} comparisons of equal builds alarmed too (at most {:.1} % at 95 %); \
                     repeat the comparison before you believe it",
                    case.label,
                    known.alarms,
                    known.comparisons,
                    bound * 100.0
                )
            })
        };
        Ok(comparison.cases.iter().filter(alarmed).filter_map(doubt).collect())
    }

    /// The branch of git that is checked out in this folder.
    #[must_use]
    pub fn branch(&self) -> Option<String> {
        crate::source::current()?.branch
    }

    /// Names a run as a baseline.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn save_baseline(&self, name: &str, run: &RunRecord) -> Result<(), AppError> {
        if let Some(server) = self.server() {
            return server.save_baseline(name, &run.id);
        }
        let branch = run.source.as_ref().and_then(|source| source.branch.as_deref());
        let mut store = self.open_store(&self.cancel, &mut |_| {})?;
        Ok(store.save_baseline(name, &run.id, branch, &crate::timestamp::now())?)
    }

    /// The run that a baseline names.
    ///
    /// # Errors
    /// When there is no such baseline; those that there are, are listed.
    pub fn baseline(&self, name: &str) -> Result<String, AppError> {
        if let Some(server) = self.server() {
            return server.baseline(name);
        }
        Ok(self.read_store()?.baseline(name)?)
    }

    /// A benchmark, `name` or `plugin/name`, over all stored runs: a series per plugin, parameters, engine, device and
    /// machine.
    ///
    /// # Errors
    /// When there are no results of it.
    pub fn history(
        &self,
        benchmark: &str,
        metric: &str,
        options: &ChangeOptions,
    ) -> Result<Vec<Series>, AppError> {
        if let Some(server) = self.server() {
            return server.history(benchmark, metric, options);
        }
        let store = self.read_store()?;
        let (plugin, name) = match benchmark.split_once('/') {
            Some((plugin, name)) => (Some(plugin), name),
            None => (None, benchmark),
        };
        let whose = |series: &Series| series.key.as_ref().map(|key| key.plugin.clone()).unwrap_or_default();
        let mut all = store.history(name, metric)?;
        all.retain(|series| plugin.is_none_or(|plugin| whose(series) == plugin));
        if all.is_empty() {
            let known = store.benchmarks()?;
            return Err(AppError::Side(if plugin.is_none() && known.iter().any(|known| known == name) {
                format!("`{benchmark}` has no results with a metric `{metric}`; every benchmark has `time`")
            } else {
                format!(
                    "there are no results of a benchmark `{benchmark}`; there are some of {}",
                    known.join(", ")
                )
            }));
        }
        // Accepted under its name alone it is so for every plugin; under a plugin's, only for that one.
        let for_all = store.accepted_changes(name)?;
        for series in &mut all {
            let own = store.accepted_changes(&format!("{}/{name}", whose(series)))?;
            series.find_changes(options, &|run| own.get(run).or_else(|| for_all.get(run)).cloned());
        }
        Ok(all)
    }

    /// Accepts the change of a benchmark that begins with a run; gives the run's identifier.
    ///
    /// # Errors
    /// When there is no such run.
    pub fn accept_change(&self, benchmark: &str, run: &str, note: &str) -> Result<String, AppError> {
        if let Some(server) = self.server() {
            return server.accept_change(benchmark, run, note);
        }
        let mut store = self.open_store(&self.cancel, &mut |_| {})?;
        let run = store.run(run, false)?.id;
        store.accept_change(&run, benchmark, note, &crate::timestamp::now())?;
        Ok(run)
    }
}

/// What Criterion measured last, from the folder that it keeps: `target/criterion`, or a part of it.
fn criterion_folder(folder: &Path) -> Result<Measured, String> {
    // Folder, name and result of every benchmark; the folder is what always tells two of one name apart.
    let mut found: Vec<(String, String, Result<MeasuredCase, String>)> = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.map_err(|error| error.to_string())?;
        // Beside `new` lie older results: `base`, `change`, and those that were saved by a name.
        let is_newest = entry.path().parent().is_some_and(|parent| parent.ends_with("new"));
        if entry.file_name() != "estimates.json" || !is_newest {
            continue;
        }
        let results = entry.path().with_file_name("");
        let read = |name: &str| read_text(&results.join(name));
        let below = results.parent().and_then(|parent| parent.strip_prefix(folder).ok());
        let place = below.unwrap_or(folder).display().to_string();
        // The folders are named after the benchmark, with what a file system does not like replaced.
        let name = read("benchmark.json")
            .ok()
            .and_then(|text| import::criterion_name(&text))
            .unwrap_or_else(|| place.clone());
        let case = read("estimates.json")
            .map_err(|error| format!("`{}`: {error}", entry.path().display()))
            .and_then(|estimates| {
                let sample = read("sample.json").ok();
                import::criterion(&name, &estimates, sample.as_deref()).map_err(|error| error.to_string())
            });
        found.push((place, name, case));
    }
    if found.is_empty() {
        return Err("the folder holds no `new/estimates.json`, as benchmarks with Criterion leave below \
                    `target/criterion`; give that folder, or a result file"
            .to_owned());
    }
    let mut measured = Measured { source: "Criterion".to_owned(), ..Measured::default() };
    for (place, name, case) in found {
        // Where nothing else has its name, it may move from folder to folder.
        let key = CaseKey { variant: place, ..CaseKey::named(name) };
        match case {
            Ok(case) => measured.cases.push(MeasuredCase { key, ..case }),
            Err(message) => {
                let side = ComparedSide::Candidate;
                measured.missing.push((key, Unjudged::NotMeasured { side, message }));
            }
        }
    }
    Ok(measured)
}
