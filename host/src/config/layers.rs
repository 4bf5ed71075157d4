//! Where values come from: flags over environment over file.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{
    ConfigError, File,
    flags::Flags,
    paths::UserFolders,
    setting::{Origin, Setting},
};

pub(super) struct Layers {
    pub(super) file: Option<(PathBuf, File)>,
    /// Whether nobody named the file: it lies in the current folder, and whoever made that may have written it.
    pub(super) is_found: bool,
    /// The user's own file, if another one was chosen. Of it, only what says what plugins may do counts, which the other can but
    /// tighten: whoever writes a `dyno.toml` into a folder must not decide what the user trusts.
    pub(super) own: Option<(PathBuf, File)>,
}

impl Layers {
    /// `--config`, then `DYNO_CONFIG`, then `dyno.toml` here, then the user's. A file that is named must exist.
    pub(super) fn read(flags: &Flags, user: &UserFolders) -> Result<Self, ConfigError> {
        let named = flags.config.clone().or_else(|| variable("DYNO_CONFIG").map(PathBuf::from));
        let is_named = named.is_some();
        let found = named.or_else(|| {
            std::iter::once(PathBuf::from("dyno.toml"))
                .chain(user.config.iter().map(|folder| folder.join("dyno.toml")))
                .find(|path| path.is_file())
        });
        let Some(path) = found else { return Ok(Self { file: None, is_found: false, own: None }) };
        let read = |path: &Path| {
            let path = absolute(path);
            File::read(&path).map(|file| (path, file))
        };
        let own = user.config.as_ref().map(|folder| folder.join("dyno.toml"));
        let is_own = |own: &PathBuf| absolute(own) == absolute(&path);
        let is_found = !is_named && !own.as_ref().is_some_and(is_own);
        let own = own.filter(|own| own.is_file() && !is_own(own));
        Ok(Self { file: Some(read(&path)?), is_found, own: own.as_deref().map(read).transpose()? })
    }

    pub(super) fn pick<T>(
        &self,
        flag: (&'static str, Option<T>),
        variable: (&'static str, Option<T>),
        from_file: impl FnOnce(&File) -> Option<T>,
    ) -> Option<Setting<T>> {
        if let Some(value) = flag.1 {
            return Some(Setting { value, origin: Origin::Flag(flag.0) });
        }
        if let Some(value) = variable.1 {
            return Some(Setting { value, origin: Origin::Environment(variable.0) });
        }
        let (path, file) = self.file.as_ref()?;
        from_file(file).map(|value| Setting { value, origin: Origin::File(path.clone()) })
    }

    pub(super) fn path(
        &self,
        flag: &'static str,
        given: Option<&PathBuf>,
        name: &'static str,
        from_file: impl Fn(&File) -> Option<&PathBuf>,
        default: impl FnOnce() -> PathBuf,
    ) -> Setting<PathBuf> {
        let mut setting = self
            .pick((flag, given.cloned()), (name, variable(name).map(PathBuf::from)), |file| {
                from_file(file).cloned()
            })
            .unwrap_or_else(|| Setting { value: default(), origin: Origin::Default });
        // Absolute, because workers and the server run in other folders.
        setting.value = absolute(&setting.value);
        setting
    }

    /// A file that need not be named.
    pub(super) fn optional_path(
        &self,
        (flag, given): (&'static str, Option<&PathBuf>),
        name: &'static str,
        from_file: impl FnOnce(&File) -> Option<PathBuf>,
    ) -> Setting<Option<PathBuf>> {
        let listed = variable(name).map(PathBuf::from);
        match self.pick((flag, given.cloned()), (name, listed), from_file) {
            Some(Setting { value, origin }) => Setting { value: Some(absolute(&value)), origin },
            None => Setting { value: None, origin: Origin::Default },
        }
    }

    /// A text that may be absent, from a flag, the environment or the file.
    pub(super) fn text(
        &self,
        flag: &'static str,
        given: Option<&String>,
        name: &'static str,
        from_file: impl Fn(&File) -> Option<String>,
    ) -> Setting<Option<String>> {
        match self.pick((flag, given.cloned()), (name, variable(name)), from_file) {
            Some(Setting { value, origin }) => Setting { value: Some(value), origin },
            None => Setting { value: None, origin: Origin::Default },
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one line per layer reads better than a builder")]
    pub(super) fn number(
        &self,
        name: &'static str,
        flag: &'static str,
        given: Option<&String>,
        variable_name: &'static str,
        from_file: impl Fn(&File) -> Option<&String>,
        parse: impl Fn(&str) -> Result<u64, String>,
        default: u64,
    ) -> Result<Setting<u64>, ConfigError> {
        let text = self.pick((flag, given.cloned()), (variable_name, variable(variable_name)), |file| {
            from_file(file).cloned()
        });
        let Some(text) = text else { return Ok(Setting { value: default, origin: Origin::Default }) };
        match parse(&text.value) {
            Ok(value) if value > 0 => Ok(Setting { value, origin: text.origin }),
            Ok(_) => {
                let message = format!("`{}` is zero; give more", text.value);
                Err(ConfigError::Value { name, origin: text.origin.to_string(), message })
            }
            Err(message) => Err(ConfigError::Value { name, origin: text.origin.to_string(), message }),
        }
    }
}

/// An environment variable that is set and not empty.
pub(super) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
