//! The end of a run: its reports are written, it is compared with its baseline, and its clients are told.

use dyno_core::model::{Event, RunRecord, RunStatus};

use super::{root::Service, status::Status};
use crate::{
    app::{AppError, CompareOptions},
    fault::{Place, Resource},
};

/// Writes the reports of a run, compares it with its baseline, and announces its end.
pub(super) fn ended(service: &Service, record: &RunRecord) {
    let run = &record.id;
    let end = service.table.ended(run);
    if let Some(end) = end
        && let Err(error) = service.serving.queue().record_end(run, end)
    {
        tracing::error!(run, %error, "how long a run took cannot be stored");
    }
    if let Err(error) = service.reports.write(record) {
        tracing::error!(run, %error, "the reports of a run cannot be written");
    }
    judge(service, record);
    let event = Event::RunFinished { run: run.clone(), status: record.status };
    service.table.end(run, &event, &Status::of(record, end));
}

/// Compares a completed run with the baseline in its submission, and sends notifications of a regression.
fn judge(service: &Service, record: &RunRecord) {
    let run = &record.id;
    let submitted = match service.serving.queue().submission(run) {
        Ok(submitted) => submitted,
        Err(error) => return tracing::warn!(run, %error, "a run cannot be compared with its baseline"),
    };
    let baseline = submitted.and_then(|it| it.baseline).filter(|_| record.status == RunStatus::Completed);
    let Some(name) = baseline else { return };
    let verdicts = service.app().verdicts();
    let options = CompareOptions::default();
    let compared = verdicts.compare_stored(&format!("baseline:{name}"), run, &options).and_then(|found| {
        verdicts.record(&found)?;
        Ok(found)
    });
    match compared {
        Ok(comparison) => {
            if let Err(error) = service.reports.write_comparison(run, &comparison) {
                tracing::warn!(run, %error, "the comparison of a run cannot be written");
            }
            for why in verdicts.notify(&comparison) {
                tracing::warn!(run, why, "a notification was lost");
            }
        }
        Err(error) => tracing::warn!(run, %error, "a run cannot be compared with its baseline"),
    }
}

/// Ends a run because the host failed: it becomes `interrupted`. If that cannot be stored, the queue retries later.
pub(super) fn fail(service: &Service, run: &str) {
    match service.serving.queue().interrupt(run) {
        Ok(record) => {
            service.queue.recover(run);
            ended(service, &record);
        }
        // It was deleted meanwhile.
        Err(AppError::Store(error)) if error.is_usage() => service.queue.recover(run),
        Err(error) => {
            tracing::error!(run, %error, "the end of a run cannot be stored yet");
            service.queue.rest(run, trouble(error.resource()));
        }
    }
}

/// Why runs cannot be carried out. Names no path: any client can read it.
pub(super) fn trouble(resource: Option<Resource>) -> String {
    let what = resource
        .and_then(|resource| resource.sentence(Place::Machine))
        .unwrap_or_else(|| "the log says why".to_owned());
    format!("runs cannot be carried out: {what}")
}
