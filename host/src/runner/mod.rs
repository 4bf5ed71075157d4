//! One run, from request to record.
