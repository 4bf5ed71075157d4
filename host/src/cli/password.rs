//! Passwords of key files: asked on the terminal, or read from a pipe.

use std::{
    io::{self, BufRead, IsTerminal, Read},
    path::Path,
};

/// More is not a password [bytes].
const MAX_BYTES: u64 = 2048;

/// The password of a key file that is there.
pub(super) fn of(file: &Path) -> Result<String, String> {
    ask(&format!("Password of `{}`: ", file.display()))
}

/// The password of a key that is to be made, on the terminal twice.
pub(super) fn new() -> Result<String, String> {
    let word = ask("Password for the secret key: ")?;
    if word.is_empty() {
        return Err("the password is empty; give one, or `--no-password` for a key without".to_owned());
    }
    if io::stdin().is_terminal() && ask("The same again: ")? != word {
        return Err("the two passwords differ; try again".to_owned());
    }
    Ok(word)
}

fn ask(prompt: &str) -> Result<String, String> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(super::output::lines(prompt))
            .map_err(|error| format!("the password cannot be read from the terminal: {error}"));
    }
    let mut line = String::new();
    let read = io::stdin().lock().take(MAX_BYTES).read_line(&mut line);
    match read {
        Ok(0) => Err("a password is needed, and there is no terminal to ask for it; write it to standard input, or make a \
                      key without one (`dyno key new --no-password`)"
            .to_owned()),
        Ok(_) => Ok(line.trim_end_matches(['\n', '\r']).to_owned()),
        Err(error) => Err(format!("the password cannot be read from standard input: {error}")),
    }
}
