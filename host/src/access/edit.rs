//! Changing a token file: a token is added with its hash, or removed. Everything else in the file stays as its author wrote it.

use std::{
    fmt::Write,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use dyno_core::{model::IsolationLayer, text::hex, units};
use jiff::{SignedDuration, Timestamp};
use rustix::rand::{GetRandomFlags, getrandom};

use super::{
    AccessError, Scope,
    entry::{digest, end, usable_name},
    file::{parsed, text},
};
use crate::{
    fault::{HostFault, Place},
    user_file::{folder_of, lock_folder, write_whole},
};

/// Random bytes of a token.
const RANDOM_BYTES: usize = 24;
/// Beginning of each new token, by which programs that look for leaked secrets recognise it.
const PREFIX: &str = "dyno_";
/// Longest wait for another process that changes the file.
const PATIENCE: Duration = Duration::from_secs(20);
/// The line that begins an entry.
const ENTRY: &str = "[[token]]";
/// How a file says that it has no entries.
const NONE: &str = "token = []";

/// A token that is to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Name.
    pub name: String,
    /// What it permits.
    pub scope: Scope,
    /// When it expires.
    pub expires: Option<Timestamp>,
    /// Layers of isolation without which nothing that it submits is loaded.
    pub require_isolation: Vec<IsolationLayer>,
}

impl NewToken {
    /// When a token expires: a day, a time, or a duration from now. // eg: `90d`, `2027-01-31`
    ///
    /// # Errors
    /// A sentence that names the text and the accepted forms, or says that the time is over.
    pub fn expiry(text: &str) -> Result<Timestamp, String> {
        let now = Timestamp::now();
        let lasting = units::parse_duration(text).ok();
        let expires = match lasting {
            Some(ns) => {
                let lasting = SignedDuration::from_nanos(i64::try_from(ns).unwrap_or(i64::MAX));
                now.checked_add(lasting).map_err(|_| format!("`{text}` is too long"))?
            }
            None => end(text).map_err(|why| format!("{why}, nor a duration like `90d`"))?,
        };
        if expires <= now {
            return Err(format!("`{text}` is over; give a time in the future"));
        }
        Ok(expires)
    }
}

/// Makes a token and adds it to the file, which is made if it is not there. Returns the token, of which the file has only the
/// hash.
///
/// # Errors
/// When the file cannot be read or written, or has a token of this name.
pub fn add(path: &Path, new: &NewToken) -> Result<String, AccessError> {
    usable_name(&new.name).map_err(|why| AccessError::file(path, format!("was not changed: {why}")))?;
    let _alone = alone(path)?;
    let is_new = make_if_absent(path)?;
    let added = add_to(path, new);
    if added.is_err() && is_new {
        // An empty file would be one that cannot be used.
        let _ = fs::remove_file(path);
    }
    added
}

fn add_to(path: &Path, new: &NewToken) -> Result<String, AccessError> {
    let before = text(path)?;
    let tokens = parsed(path, if before.trim().is_empty() { NONE } else { &before })?;
    if tokens.all().iter().any(|identity| identity.name == new.name) {
        let why =
            format!("has a token `{0}`; choose another name, or first `dyno token revoke {0}`", new.name);
        return Err(AccessError::file(path, why));
    }
    let token = random().map_err(|error| HostFault::new("cannot make a token", &error, Place::Named))?;
    let mut after: String = if tokens.all().is_empty() {
        before.split_inclusive('\n').filter(|line| line.trim() != NONE).collect()
    } else {
        before
    };
    if !after.is_empty() {
        after.push_str(if after.ends_with('\n') { "\n" } else { "\n\n" });
    }
    after.push_str(&entry(new, &token));
    write_checked(path, &after, tokens.all().len() + 1)?;
    Ok(token)
}

/// Removes a token from the file. A server that has the file no longer accepts it.
///
/// # Errors
/// When the file cannot be read or written, or has no such token.
pub fn remove(path: &Path, name: &str) -> Result<(), AccessError> {
    let _alone = alone(path)?;
    let before = text(path)?;
    let tokens = parsed(path, &before)?;
    if !tokens.all().iter().any(|identity| identity.name == name) {
        let names: Vec<&str> = tokens.all().iter().map(|identity| identity.name.as_str()).collect();
        let why = format!(
            "has no token `{name}`; it has {}",
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        );
        return Err(AccessError::file(path, why));
    }
    let mut after = String::new();
    for (number, block) in blocks(&before).into_iter().enumerate() {
        // Comments between this entry and the next stay. What stands before the first entry is none.
        let kept = if number > 0 && is_of(block, name) { comments_after(block) } else { block };
        after.push_str(kept);
    }
    let left = tokens.all().len() - 1;
    if left == 0 {
        writeln!(after, "{NONE}").unwrap_or_default();
    }
    write_checked(path, &after, left)
}

/// The exclusive right to change the file: two that change it at once would lose a token.
fn alone(path: &Path) -> Result<File, AccessError> {
    let folder = folder_of(path);
    let refused = |error: io::Error| {
        HostFault::new(format!("cannot use the folder `{}`", folder.display()), &error, Place::Named)
    };
    // The file itself is replaced, and with it a lock on it.
    let locked = lock_folder(&folder, PATIENCE).map_err(refused)?;
    locked.ok_or_else(|| AccessError::file(path, "is being changed by another process; try again"))
}

/// Writes the file if it still is one, with so many tokens.
fn write_checked(path: &Path, text: &str, tokens: usize) -> Result<(), AccessError> {
    if parsed(path, text).map(|list| list.all().len()).ok() != Some(tokens) {
        let why = "is written in a way that dyno cannot change; edit it yourself: an entry begins with a line `[[token]]`";
        return Err(AccessError::file(path, why));
    }
    Ok(write_whole(path, text.as_bytes(), Place::Named)?)
}

/// Whether the file was made, empty.
fn make_if_absent(path: &Path) -> Result<bool, AccessError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => {
            Err(HostFault::new(format!("cannot make `{}`", path.display()), &error, Place::Named).into())
        }
    }
}

fn random() -> io::Result<String> {
    let mut bytes = [0_u8; RANDOM_BYTES];
    // So few bytes are never delivered in parts.
    getrandom(&mut bytes, GetRandomFlags::empty())?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

fn entry(new: &NewToken, token: &str) -> String {
    let hash = hex(&digest(token));
    let name = toml::Value::from(new.name.as_str());
    let mut text = format!("{ENTRY}\nname = {name}\nscope = \"{}\"\nsha256 = \"{hash}\"\n", new.scope);
    if let Some(expires) = new.expires {
        writeln!(text, "expires = \"{expires}\"").unwrap_or_default();
    }
    if !new.require_isolation.is_empty() {
        let layers: Vec<String> = new.require_isolation.iter().map(|layer| format!("\"{layer}\"")).collect();
        writeln!(text, "require-isolation = [{}]", layers.join(", ")).unwrap_or_default();
    }
    text
}

/// What stands before the first entry, and each entry with what follows it.
fn blocks(text: &str) -> Vec<&str> {
    let mut blocks = Vec::new();
    let (mut begin, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with(ENTRY) {
            blocks.push(&text[begin..at]);
            begin = at;
        }
        at += line.len();
    }
    blocks.push(&text[begin..]);
    blocks
}

fn is_of(block: &str, name: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Named {
        token: Vec<Name>,
    }
    #[derive(serde::Deserialize)]
    struct Name {
        name: String,
    }
    toml::from_str::<Named>(block).is_ok_and(|it| it.token.iter().any(|entry| entry.name == name))
}

/// The empty lines and comments at the end of an entry, which belong to the next one.
fn comments_after(block: &str) -> &str {
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let code =
        block.split_inclusive('\n').rev().take_while(|line| !is_code(line)).map(str::len).sum::<usize>();
    block[block.len() - code..].trim_start_matches('\n')
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, thread};

    use super::*;
    use crate::access::{listed, tokens::Tokens};

    fn new(name: &str) -> NewToken {
        let require_isolation = vec![IsolationLayer::NoNetwork, IsolationLayer::FileRules];
        NewToken {
            name: name.to_owned(),
            scope: Scope::Run,
            expires: NewToken::expiry("90d").ok(),
            require_isolation,
        }
    }

    #[test]
    fn a_token_comes_and_goes_and_the_rest_of_the_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        let first = add(&path, &new("a \"b\"")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!fs::read_to_string(&path).unwrap().contains(&first), "only the hash is in the file");
        assert!(add(&path, &new("a \"b\"")).unwrap_err().to_string().contains("choose another name"));
        let identity = Tokens::open(&path).unwrap().identify(Some(&first)).unwrap();
        assert_eq!((identity.name.as_str(), identity.require_isolation.len()), ("a \"b\"", 2));
        let own = "# of the lab\n[[token]] # one\nname = 'x' # Xenia\nscope = 'read'\ntoken = '0123456789abcdef'\n\n# below\n";
        let text = fs::read_to_string(&path).unwrap() + own;
        fs::write(&path, &text).unwrap();
        add(&path, &new("c")).unwrap();
        remove(&path, "a \"b\"").unwrap();
        remove(&path, "c").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().trim_end(), own.trim_end());
        let error = remove(&path, "c").unwrap_err().to_string();
        assert!(error.ends_with("has no token `c`; it has x"), "{error}");
        remove(&path, "x").unwrap();
        assert!(listed(&path).unwrap().is_empty());
        add(&path, &new("d")).unwrap();
        assert_eq!(listed(&path).unwrap().len(), 1);
        assert!(fs::read_to_string(&path).unwrap().contains("# below"));
    }

    #[test]
    fn a_file_that_is_written_in_another_way_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        make_if_absent(&path).unwrap();
        let one =
            |name: &str| format!("{{ name = '{name}', scope = 'read', token = '0123456789abcde{name}' }}");
        let text = format!("token = [{}, {}]\n", one("x"), one("z"));
        fs::write(&path, &text).unwrap();
        for error in [remove(&path, "x").unwrap_err(), add(&path, &new("y")).unwrap_err()] {
            assert!(error.to_string().contains("edit it yourself"), "{error}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn those_who_add_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        thread::scope(|scope| {
            for number in 0..8 {
                let path = &path;
                scope.spawn(move || add(path, &new(&number.to_string())).unwrap());
            }
        });
        assert_eq!(listed(&path).unwrap().len(), 8);
    }

    #[test]
    fn the_end_of_a_token_is_in_the_future() {
        assert!(NewToken::expiry("90d").unwrap() > Timestamp::now());
        assert!(NewToken::expiry("2020-01-01").unwrap_err().contains("is over"));
        assert!(NewToken::expiry("0d").unwrap_err().contains("is over"));
        for text in ["", "soon", "-1d"] {
            assert!(NewToken::expiry(text).is_err(), "{text}");
        }
    }
}
