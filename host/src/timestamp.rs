//! The time of day, as records keep it.

/// Now: RFC 3339, UTC, milliseconds; what the database gives back is the same text.
pub(crate) fn now() -> String {
    text(jiff::Timestamp::now())
}

/// So many nanoseconds before now, in the same form.
pub(crate) fn before(ns: u64) -> String {
    let now = jiff::Timestamp::now();
    let ago = jiff::SignedDuration::from_nanos(i64::try_from(ns).unwrap_or(i64::MAX));
    text(now.checked_sub(ago).unwrap_or(jiff::Timestamp::UNIX_EPOCH))
}

fn text(moment: jiff::Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn milliseconds_and_utc_are_written_out() {
        let now = super::now();
        assert_eq!(now.len(), "2026-01-02T03:04:05.678Z".len(), "{now}");
        assert!(now.parse::<jiff::Timestamp>().is_ok());
        assert!(super::before(1_000_000_000) < now && super::before(u64::MAX).starts_with("17"));
    }
}
