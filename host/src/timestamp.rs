//! The time of day, as records keep it.

/// Now: RFC 3339, UTC, milliseconds; what the database gives back is the same text.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn milliseconds_and_utc_are_written_out() {
        let now = super::now();
        assert_eq!(now.len(), "2026-01-02T03:04:05.678Z".len(), "{now}");
        assert!(now.parse::<jiff::Timestamp>().is_ok());
    }
}
