//! `dyno new`: a folder with a plugin that builds, passes its check and runs.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{Failure, args::NewArgs, exit_code::End, output};
use crate::{
    app::{Template, TemplateLanguage},
    config::Resolved,
};

pub(super) fn execute(settings: &Resolved, args: &NewArgs) -> Result<ExitCode, Failure> {
    let language = TemplateLanguage::from(args.lang);
    let sdk = match &args.sdk {
        Some(folder) => Some(sdk(folder)?),
        None => settings.sdk_for_rust(),
    };
    let template = Template { name: &args.name, language, wasm: args.wasm, sdk: sdk.as_deref() };
    template.write(Path::new("."))?;
    let mut text = format!("wrote `{}`", args.name);
    if language == TemplateLanguage::Rust {
        match &sdk {
            Some(path) => text.push_str(&format!(", which takes dyno-sdk from {}", path.display())),
            None => text.push_str(", which takes dyno-sdk from Cargo's registry"),
        }
    }
    text.push_str(&format!(
        "\n\n  cd {name}\n{}  dyno build\n  dyno run {name}/{}{flags}\n  dyno dev{flags}\n",
        template.tools().map(|command| format!("  {command}\n")).unwrap_or_default(),
        template.benchmark(),
        name = args.name,
        flags = template.run_flags()
    ));
    output::text(&text)?;
    Ok(End::Good.into())
}

/// The folder of `--sdk`, as a plugin elsewhere names it.
pub(super) fn sdk(folder: &Path) -> Result<PathBuf, Failure> {
    folder.canonicalize().ok().filter(|sdk| sdk.join("Cargo.toml").is_file()).ok_or_else(|| {
        Failure::Usage(format!(
            "--sdk: `{}` is not the SDK for Rust; give the folder `sdk/rust` of dyno",
            folder.display()
        ))
    })
}
