//! The dashboard: its files, which need no token because they contain no data.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use dyno_core::text::hex;
use dyno_dashboard::File;
use sha2::{Digest, Sha256};

use super::problem::Problem;
use crate::export::HTML_STYLE;

/// Path below which the files of the dashboard are.
pub(super) const FOLDER: &str = "/page/";

/// What the page may do: use its own files and this server, and no code or style that is not in a file. The one exception is
/// the style of our reports, by its hash: the page shows them in frames without rights, which inherit this policy.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let reports = BASE64.encode(Sha256::digest(HTML_STYLE));
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-{reports}'; img-src 'self' data:; \
         connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// `GET /`
pub(super) async fn index(headers: HeaderMap) -> Response {
    serve("index.html", &headers)
}

/// `GET /page/{*file}`
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    serve(&name, &headers)
}

fn serve(name: &str, headers: &HeaderMap) -> Response {
    if !dyno_dashboard::is_complete() {
        return Problem::new(StatusCode::NOT_FOUND, dyno_dashboard::MISSING).into_response();
    }
    let Some(file) = dyno_dashboard::file(name) else {
        return Problem::not_found(format!("the dashboard has no file `{name}`; it begins at /"))
            .into_response();
    };
    let fixed = [
        (header::CONTENT_TYPE, file.media),
        (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::VARY, "accept-encoding"),
        // Kept, but asked for again each time: another version of dyno has other files.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    let tag = tag(file);
    let has_it = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if has_it {
        (StatusCode::NOT_MODIFIED, fixed).into_response()
    } else if accepts_gzip(headers) {
        (fixed, [(header::CONTENT_ENCODING, "gzip")], file.packed()).into_response()
    } else {
        (fixed, file.bytes).into_response()
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Identifies the content: the last eight bytes of a gzip file are the CRC-32 and the length of what is in it.
fn tag(file: &File) -> String {
    let end = hex(file.packed().iter().rev().take(8));
    format!("\"{end}\"")
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        parts.next() == Some("gzip") && parts.all(|part| part != "q=0")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_only_to_those_who_take_it() {
        for (value, is_accepted) in
            [("gzip", true), ("br, gzip;q=0.5", true), ("gzip;q=0", false), ("br", false), ("", false)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(accepts_gzip(&headers), is_accepted, "{value}");
        }
    }
}
