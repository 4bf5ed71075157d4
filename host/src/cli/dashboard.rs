//! `dyno dashboard`: the page on this machine, with the data of a server elsewhere.

use std::process::ExitCode;

use super::{Failure, args::DashboardArgs, browser, exit_code::End, output, serve};
use crate::{
    config::Resolved,
    server::{self, ApiUrl},
};

pub(super) fn execute(settings: &Resolved, args: &DashboardArgs) -> Result<ExitCode, Failure> {
    let api = args
        .api_url
        .clone()
        .or_else(|| settings.server.value.clone())
        .unwrap_or_else(|| format!("http://127.0.0.1:{}", settings.port.value));
    let api: ApiUrl = api.parse().map_err(|error| Failure::Usage(format!("--api-url: {error}")))?;
    let shown = api.to_string();
    let served = server::dashboard(args.port, api, &mut |dashboard| {
        // Standard output may be closed: the dashboard is shown all the same.
        let _ = output::text(&format!("the dashboard is at {}, for the server at {shown}", dashboard.url));
        if let Some(trouble) = &dashboard.trouble {
            output::note(&format!("{trouble}. The page asks again until it answers"));
        }
        if args.open {
            browser::open(&dashboard.url);
        }
    });
    served.map(|()| End::Good.into()).map_err(serve::failure)
}
