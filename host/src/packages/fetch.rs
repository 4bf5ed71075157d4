//! Downloads: bounded in time and size, and only over TLS, except from this machine itself.

use std::{
    io::{self, Read, Write},
    time::Duration,
};

use super::{PackageError, archive::Archive};
use crate::{
    fault::{HostFault, Place},
    outgoing::{asking, is_loopback},
};

/// Longest time for a whole download.
const TIMEOUT: Duration = Duration::from_secs(600);
/// Longest time until a server answers.
const ANSWER: Duration = Duration::from_secs(30);
/// Maximum number of redirects.
const REDIRECTS: u32 = 5;
/// How much is read at a time [bytes].
const CHUNK: usize = 64 << 10;

/// Whether a word is a URL, not a path.
pub(crate) fn is_url(word: &str) -> bool {
    word.starts_with("https://") || word.starts_with("http://")
}

/// Downloads a package into a file that has no name, and so is gone with this process.
///
/// # Errors
/// When there is no answer, or it is longer than `most` [bytes].
pub(crate) fn download(url: &str, most: u64) -> Result<Archive, PackageError> {
    let mut file = tempfile::tempfile()
        .map_err(|error| HostFault::new("cannot make a temporary file", &error, Place::Temporary))?;
    fetch(url, most, &mut file)?;
    Ok(Archive::new(shown(url), file))
}

/// What a URL answers.
pub(super) fn text(url: &str, most: u64) -> Result<Vec<u8>, PackageError> {
    let mut bytes = Vec::new();
    fetch(url, most, &mut bytes)?;
    Ok(bytes)
}

/// The same of what may be missing: `None` if the server says that it is.
pub(super) fn bytes_if_there(url: &str, most: u64) -> Result<Option<Vec<u8>>, PackageError> {
    let mut bytes = Vec::new();
    Ok(fetch_if_there(url, most, &mut bytes)?.then_some(bytes))
}

fn fetch(url: &str, most: u64, out: &mut dyn Write) -> Result<(), PackageError> {
    if fetch_if_there(url, most, out)? {
        return Ok(());
    }
    Err(PackageError::Download { url: shown(url), why: "the server answered 404 Not Found".to_owned() })
}

/// Whether it is there.
fn fetch_if_there(url: &str, most: u64, out: &mut dyn Write) -> Result<bool, PackageError> {
    let refused = |why: String| PackageError::Download { url: shown(url), why };
    let is_own = is_loopback(url);
    if !is_own && !url.starts_with("https://") {
        return Err(PackageError::Name(format!(
            "`{}` is not downloaded: anyone between here and there could change it; use https://",
            shown(url)
        )));
    }
    let config = asking(url)
        .timeout_global(Some(TIMEOUT))
        .timeout_connect(Some(ANSWER))
        .timeout_recv_response(Some(ANSWER))
        .http_status_as_error(false)
        .https_only(!is_own)
        // From this machine, nothing leads elsewhere without TLS.
        .max_redirects(if is_own { 0 } else { REDIRECTS })
        .max_redirects_will_error(true);
    let agent: ureq::Agent = config.build().into();
    let mut answer = agent.get(url).call().map_err(|error| refused(error.to_string()))?;
    if answer.status().as_u16() == 404 {
        return Ok(false);
    }
    if !answer.status().is_success() {
        return Err(refused(format!("the server answered {}", answer.status())));
    }
    // One byte more, to tell an answer that is too long from one that is as long as allowed.
    let mut body = answer.body_mut().with_config().limit(most.saturating_add(2)).reader().take(most + 1);
    let mut chunk = vec![0; CHUNK];
    let mut length = 0;
    loop {
        let read = match body.read(&mut chunk) {
            Ok(0) => return Ok(true),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(refused(error.to_string())),
        };
        length += read as u64;
        if length > most {
            return Err(refused(format!("it is longer than {most} bytes")));
        }
        out.write_all(&chunk[..read]).map_err(|error| {
            HostFault::new("cannot write a download to a temporary file", &error, Place::Temporary)
        })?;
    }
}

/// A URL without a user's name and password, which neither messages nor the lock file may show.
pub(super) fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    path.map_or_else(|| format!("{scheme}://{host}"), |path| format!("{scheme}://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        let said = text("http://example.org/x.json", 10).unwrap_err().to_string();
        assert!(said.contains("use https://"), "{said}");
        assert_eq!(shown("https://user:secret@example.org/a@b"), "https://example.org/a@b");
    }
}
