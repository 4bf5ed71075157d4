//! Names that must differ within a document: its readers would take two equal ones for one series.

use std::collections::HashMap;

/// The names that are taken.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, u32>);

impl Names {
    /// The name itself, followed by a number if it is taken. // eg: "sum n=1 (native, cpu) #2"
    pub(super) fn unique(&mut self, name: String) -> String {
        let count = self.0.entry(name.clone()).or_insert(0);
        *count += 1;
        if *count == 1 {
            return name;
        }
        let numbered = format!("{name} #{count}");
        self.unique(numbered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_given_twice() {
        let mut names = Names::default();
        let given = ["a", "a #2", "a", "a", "b"].map(|name| names.unique(name.to_owned()));
        assert_eq!(given, ["a", "a #2", "a #2 #2", "a #3", "b"]);
    }
}
