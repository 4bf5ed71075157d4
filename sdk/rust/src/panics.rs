//! No panic crosses the boundary: each becomes a failure with its message and place.
//!
//! The hook stands in the plugin's own copy of the standard library, so it sees no other plugin and not the worker.

use std::{
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    sync::{Mutex, Once, PoisonError},
    thread,
};

use crate::{Failure, export::platform::LAST_WORDS};

thread_local! {
    /// Whether this thread is inside a stage.
    static IN_STAGE: Cell<bool> = const { Cell::new(false) };
    /// The last panic of this thread while inside a stage.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The first panic of any other thread of the plugin since the current stage began.
static ELSEWHERE: Mutex<Option<String>> = Mutex::new(None);

/// Runs one stage. A panic becomes an error that says where and why; if it was only the consequence of a panic in a
/// thread that the stage had started, the error contains both.
pub(crate) fn catch<T>(stage: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    install();
    LAST.set(None);
    *ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner) = None;
    let outer = IN_STAGE.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(stage));
    IN_STAGE.set(outer);
    outcome.unwrap_or_else(|payload| {
        // Dropping a payload can run code of the plugin, which may panic again: better a small leak.
        std::mem::forget(payload);
        Err(Failure::error(message()))
    })
}

fn message() -> String {
    let here = LAST.take().unwrap_or_else(|| "panicked without a message".to_owned());
    match ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(elsewhere) => format!("{here}; before that, {elsewhere}"),
        None => here,
    }
}

fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let described = describe(info);
            if cfg!(panic = "abort") {
                // The process aborts before an error can be returned, so this is the last message.
                match LAST_WORDS {
                    Some(say) => say(&described),
                    None => previous(info),
                }
                return;
            }
            if IN_STAGE.get() {
                // `try_with`: a destructor of a thread-local may panic after `LAST` is gone.
                let _ = LAST.try_with(|last| last.replace(Some(described)));
                return;
            }
            let current = thread::current();
            let name = current.name().unwrap_or("<unnamed>");
            ELSEWHERE
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert_with(|| format!("thread `{name}` {described}"));
            previous(info);
        }));
    });
}

/// What happened and where. // eg: "panicked at src/lib.rs:12:9: index out of bounds"
pub(crate) fn describe(info: &PanicHookInfo<'_>) -> String {
    let message = info.payload_as_str().unwrap_or("the payload is not a text");
    match info.location() {
        Some(place) => format!("panicked at {place}: {message}"),
        None => format!("panicked: {message}"),
    }
}
