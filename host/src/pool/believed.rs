//! What the host takes of a worker's messages: a plugin that has taken its worker over may send anything, as often as it likes.

use dyno_core::protocol::{MAX_LOG_LINES, MAX_PROGRESS, MAX_TEXT_BYTES, Reply};

use super::Interruption;

/// Longest text of a message that is kept [bytes]: a worker sends what it takes from its plugin, in which every character that
/// cannot be shown may have become three bytes, in a sentence of its own.
const MAX_KEPT_BYTES: usize = 4 * MAX_TEXT_BYTES;
/// Longest list of a message that is kept.
const MAX_LIST: usize = 64;
/// Most processors that a worker can be pinned to: the kernel's own limit.
const MAX_CPUS: usize = 8192;

/// What a worker has said without being asked.
#[derive(Debug, Default)]
pub(super) struct Said {
    log_lines: u32,
    progress_reports: u32,
}

impl Said {
    /// Counts a message.
    ///
    /// # Errors
    /// When it is one more than the worker's own code sends.
    pub(super) fn count(&mut self, reply: &Reply) -> Result<(), Interruption> {
        let (count, most, what) = match reply {
            // The last one says that the rest is dropped.
            Reply::Log { .. } => (&mut self.log_lines, MAX_LOG_LINES + 1, "log lines"),
            Reply::Progress { .. } => (&mut self.progress_reports, MAX_PROGRESS, "progress reports"),
            _ => return Ok(()),
        };
        *count += 1;
        if *count > most { Err(Interruption::Flooded { what, most }) } else { Ok(()) }
    }
}

/// The message with its texts and lists cut to what is kept.
pub(super) fn cut(mut reply: Reply) -> Reply {
    match &mut reply {
        Reply::Hello { version, .. } => shorten(version),
        Reply::HostFailed { doing, said, .. } => {
            shorten(doing);
            shorten(said);
        }
        Reply::Loaded { engine, isolation, pinned_cpus, counters, missing, .. } => {
            shorten(&mut engine.name);
            shorten(&mut engine.version);
            for list in [&mut engine.settings, isolation, counters, missing] {
                list.truncate(MAX_LIST);
                list.iter_mut().for_each(shorten);
            }
            pinned_cpus.truncate(MAX_CPUS);
        }
        Reply::SetUp { missing, .. } => {
            missing.truncate(MAX_LIST);
            missing.iter_mut().for_each(shorten);
        }
        Reply::Finished { refused_calls, .. } => {
            refused_calls.truncate(MAX_LIST);
            refused_calls.iter_mut().for_each(shorten);
        }
        Reply::Failed { message } | Reply::Skipped { message } => shorten(message),
        Reply::Log { level, text } => {
            shorten(level);
            shorten(text);
        }
        Reply::Entering
        | Reply::Verified { .. }
        | Reply::Calibrated(_)
        | Reply::Batch { .. }
        | Reply::Queries { .. }
        | Reply::Sampled { .. }
        | Reply::Called(_)
        | Reply::Renewed(_)
        | Reply::Processed { .. }
        | Reply::Progress { .. } => {}
    }
    reply
}

fn shorten(text: &mut String) {
    if text.len() > MAX_KEPT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_KEPT_BYTES));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use dyno_core::model::SideEffects;

    use super::*;

    fn log(text: &str) -> Reply {
        Reply::Log { level: "info".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn what_an_honest_worker_sends_is_taken_as_it_is_and_one_more_is_too_much() {
        let mut said = Said::default();
        for _ in 0..=MAX_LOG_LINES {
            said.count(&log("x")).unwrap();
        }
        assert!(matches!(said.count(&log("x")), Err(Interruption::Flooded { what: "log lines", .. })));
        for _ in 0..MAX_PROGRESS {
            said.count(&Reply::Progress { fraction: 0.5 }).unwrap();
        }
        assert!(said.count(&Reply::Progress { fraction: 0.5 }).is_err());
        assert!(said.count(&Reply::Entering).is_ok());
        let longest = "\u{fffd}".repeat(MAX_TEXT_BYTES);
        assert_eq!(cut(log(&longest)), log(&longest));
    }

    #[test]
    fn texts_and_lists_are_cut() {
        let Reply::Log { text, .. } = cut(log(&"ä".repeat(1 << 20))) else { panic!("it was a line") };
        assert!(text.len() <= MAX_KEPT_BYTES + '…'.len_utf8() && text.ends_with("ä…"), "{}", text.len());
        let missing = vec!["x".repeat(1 << 20); 1000];
        let Reply::SetUp { missing, .. } = cut(Reply::SetUp { huge_bytes: 0, missing }) else {
            panic!("it was an answer")
        };
        assert_eq!(missing.len(), MAX_LIST);
        let (peak_memory_bytes, side_effects) = (0, SideEffects::default());
        let refused_calls = vec![missing[0].clone(); 2 * MAX_LIST];
        let Reply::Finished { refused_calls, .. } =
            cut(Reply::Finished { peak_memory_bytes, side_effects, refused_calls })
        else {
            panic!("it was an answer")
        };
        assert_eq!(refused_calls, missing);
        assert!(missing.iter().all(|text| text.len() < 2 * MAX_KEPT_BYTES));
    }
}
