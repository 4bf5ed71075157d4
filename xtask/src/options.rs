//! The flags that several commands share; whatever else is typed goes to the command.

/// What stands behind the command's name.
#[derive(Debug)]
pub(crate) struct Options {
    /// Compile DuckDB from source.
    pub(crate) bundled: bool,
    /// Everything else, in order.
    pub(crate) rest: Vec<String>,
}

impl Options {
    /// Sorts arguments. Behind `--`, everything belongs to the command.
    pub(crate) fn new(arguments: impl Iterator<Item = String>) -> Self {
        let mut rest = Vec::new();
        let mut bundled = false;
        let mut own = true;
        for argument in arguments {
            own &= argument != "--";
            if own && argument == "--bundled" {
                bundled = true;
            } else {
                rest.push(argument);
            }
        }
        Self { bundled, rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Options {
        Options::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn the_flag_is_taken_out_wherever_it_stands_before_the_dashes() {
        let options = options("--workspace --bundled name -- --exact --bundled");
        assert!(options.bundled);
        assert_eq!(options.rest, ["--workspace", "name", "--", "--exact", "--bundled"]);
    }
}
