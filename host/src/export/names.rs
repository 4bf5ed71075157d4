//! Names that must differ within a document: whoever reads it would take two that are equal for one series.

use std::collections::HashMap;

/// The names that were given away.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, u32>);

impl Names {
    /// The name itself, or with a number behind it where it was there before. // eg: "sum n=1 (native, cpu) #2"
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
