//! The line to a worker: every request has the time limit of its stage, and every answer is judged the same way.

use std::time::{Duration, Instant};

use dyno_core::{
    model::{CaseStatus, Sample, SkipCause, Stage},
    protocol::{CompiledCode, Reply, Request},
};

use super::{Assignment, Ended, intake::Intake};
use crate::{
    fault::HostFault,
    pool::{Interruption, Unsolicited, Worker},
    runner::{LaunchFolder, compiled},
};

/// News of a session in progress.
#[derive(Debug)]
pub(in crate::runner) enum Notice<'n> {
    Entered(Stage),
    Progress(Stage, f64),
    Logged(String),
    /// The samples of a batch, as it comes.
    Sampled(&'n [Sample]),
}

/// Hears the notices of a session.
pub(super) type Ear<'a> = Box<dyn FnMut(Notice<'_>) + 'a>;

/// A worker, and the stage that it is in.
pub(super) struct Line<'a> {
    pub(super) assignment: &'a Assignment<'a>,
    pub(super) worker: Worker,
    /// Where the worker runs; removed with everything in it after the worker has ended.
    pub(super) folder: LaunchFolder,
    /// Time of each stage [ns]; the last one is in progress.
    pub(super) stages: Vec<(Stage, u64)>,
    /// Number of hardware counters that the worker reads.
    pub(super) counters: usize,
    stage: Stage,
    /// How long the answer to the last request may take.
    limit: Duration,
    ear: Ear<'a>,
}

impl<'a> Line<'a> {
    pub(super) fn open(assignment: &'a Assignment<'a>, mut ear: Ear<'a>) -> Result<Self, HostFault> {
        let folder = LaunchFolder::new()?;
        let stage = Stage::Spawn;
        ear(Notice::Entered(stage));
        let worker = Worker::spawn(&assignment.command(folder.path()))?;
        Ok(Self {
            assignment,
            worker,
            folder,
            stages: vec![(stage, 0)],
            counters: 0,
            stage,
            limit: Duration::ZERO,
            ear,
        })
    }

    /// Asks for a stage, or again for the one that is going on, and waits for the answer.
    pub(super) fn ask(&mut self, stage: Stage, request: &Request) -> Result<Reply, Ended> {
        self.begin(stage, request)?;
        self.answer()
    }

    /// Asks for a stage, or again for the one that is going on. [`Self::answer`] waits for what comes of it.
    pub(super) fn begin(&mut self, stage: Stage, request: &Request) -> Result<(), Ended> {
        if stage != self.stage {
            self.stage = stage;
            self.stages.push((stage, 0));
            self.tell(Notice::Entered(stage));
        }
        self.limit = self.timeout();
        if stage == Stage::Load && compiled::will_compile(&self.assignment.code_cache, self.assignment.case) {
            // Compiling is the host's work, and not of the plugin's time.
            self.worker.limit_after_entering(self.limit);
            self.limit = self.limit.max(compiled::PATIENCE);
        }
        let deadline = Instant::now() + self.limit;
        let sent = self.wait(|worker, cancelled, _| worker.request(request, deadline, cancelled));
        sent.map_err(|why| self.interrupted(why, self.limit))
    }

    /// Waits for the answer to the last request.
    pub(super) fn answer(&mut self) -> Result<Reply, Ended> {
        let deadline = Instant::now() + self.limit;
        let answer = self.wait(|worker, cancelled, heard| worker.listen(deadline, cancelled, heard));
        let limit = if self.worker.is_foreign() { self.timeout() } else { self.limit };
        self.judge(answer, limit)
    }

    /// Keeps the code that the worker says it compiled of its component. Returns a sentence if it cannot.
    pub(super) fn keep_compiled(&self, code: CompiledCode) -> Option<String> {
        let Assignment { code_cache, case, .. } = self.assignment;
        compiled::keep(self.folder.path(), code_cache, &case.plugin, code)
    }

    /// Waits for the next answer to the same request. Each answer is a sign of life: the limit of the stage is for the time
    /// between two of them.
    pub(super) fn listen(&mut self, intake: &Intake) -> Result<Reply, Ended> {
        let deadline = intake.capped(Instant::now() + self.timeout());
        let answer = self.wait(|worker, cancelled, heard| worker.listen(deadline, cancelled, heard));
        self.judge(answer, intake.spent().unwrap_or_else(|| self.timeout()))
    }

    /// Does a part of the stage with the worker, passes on progress and log lines, and charges the time to the stage.
    fn wait<T>(
        &mut self,
        part: impl FnOnce(&mut Worker, &dyn Fn() -> bool, &mut dyn FnMut(Unsolicited)) -> T,
    ) -> T {
        let Self { assignment, worker, stages, stage, ear, .. } = self;
        let start = Instant::now();
        let done = part(worker, &|| assignment.cancel.is_set(), &mut |heard| {
            ear(match heard {
                Unsolicited::Progress(fraction) => Notice::Progress(*stage, fraction),
                Unsolicited::Log(line) => Notice::Logged(line),
            });
        });
        if let Some((_, total)) = stages.last_mut() {
            *total = total.saturating_add(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
        done
    }

    fn judge(&self, answer: Result<Reply, Interruption>, limit: Duration) -> Result<Reply, Ended> {
        match answer {
            Ok(Reply::Failed { message }) => Err(self.failed(message)),
            Ok(Reply::Skipped { message }) => {
                Err(Ended::Case(CaseStatus::skipped(SkipCause::Plugin, message)))
            }
            Ok(reply) => Ok(reply),
            Err(why) => Err(self.interrupted(why, limit)),
        }
    }

    fn interrupted(&self, why: Interruption, limit: Duration) -> Ended {
        Ended::interrupted(why, self.stage, limit, self.worker.last_output())
    }

    pub(super) fn failed(&self, message: String) -> Ended {
        Ended::failed(self.stage, message, None, self.worker.last_output())
    }

    /// An answer to another request than the one that was asked.
    pub(super) fn unexpected(&self, reply: &Reply) -> Ended {
        let mut shown = format!("{reply:?}");
        shown.truncate(shown.floor_char_boundary(200));
        self.failed(format!("the worker gave an answer that does not fit the stage: {shown}"))
    }

    pub(super) fn tell(&mut self, notice: Notice<'_>) {
        (self.ear)(notice);
    }

    /// The time limit of a stage.
    pub(super) fn timeout(&self) -> Duration {
        self.assignment.settings.timeout()
    }
}
