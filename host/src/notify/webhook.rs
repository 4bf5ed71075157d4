//! The webhook: one POST of JSON, with an end.

use std::time::Duration;

use crate::outgoing::asking;

/// Longest time for everything, from the name of the host to the answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Posts the body. A redirect is not followed: the body goes where it was told to go, or nowhere.
pub(super) fn post(url: &str, body: &str) -> Result<(), String> {
    let agent: ureq::Agent = asking(url).timeout_global(Some(TIMEOUT)).build().into();
    let answer = agent.post(url).header("content-type", "application/json").send(body);
    match answer {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("the webhook {} answered {}", shown(url), answer.status())),
        Err(error) => Err(format!("the webhook {} cannot be reached: {error}", shown(url))),
    }
}

/// A URL without what may be secret in it: path, query and password. // eg: `https://hooks.example.org/…`
fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}/…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_url_are_not_shown() {
        assert_eq!(
            shown("https://user:secret@hooks.example.org/T0/B0/token?x=1"),
            "https://hooks.example.org/…"
        );
        assert_eq!(shown("nonsense"), "://nonsense/…");
    }
}
