//! Complexity: what counts as a decision, and how much reading costs. Pure sums; the tree is walked elsewhere.
//!
//! **Cyclomatic** complexity is one more than the number of decisions, as radon counts them in Python and lizard in the
//! other languages:
//!
//! | language | decisions |
//! |---|---|
//! | Python | `if`, `elif`, conditional expression, `for`, `while` and each `else` of theirs, `except`, `else` of `try`, `and`/`or`, each `for` and `if` of a comprehension, `assert`, `case` other than `case _` |
//! | C, C++, CUDA | `if`, `for`, `while` (of `do` too), `case`, `catch`, `?:`, `&&`, `\|\|` |
//! | Rust | `if` (guards too), `for`, `while`, `?`, `&&`, `\|\|`, arms of a `match` but one |
//!
//! Functions inside a function count as their own; lambdas and closures count to the function around them.
//!
//! **Cognitive** complexity follows SonarSource's definition: `if`, loops, `switch`/`match`, `catch`/`except` and
//! conditional expressions cost one plus the nesting around them; `else`, `elif`/`else if`, `goto` and jumps to a label
//! cost one; each sequence of equal boolean operators costs one; a function that calls itself costs one.

use crate::facts::Complexity;

/// The sums of one function, or of the code of a file outside functions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tally {
    decisions: u32,
    /// Arms of `match` that were counted and are no decisions.
    free: u32,
    cognitive: u32,
    nesting: u32,
    deepest: u32,
    recursive: bool,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { decisions: 0, free: 0, cognitive: 0, nesting: 0, deepest: 0, recursive: false }
    }

    /// A decision that costs a reader nothing of its own.
    pub(crate) fn decide(&mut self) {
        self.decisions += 1;
    }

    /// A `match` whose arms are counted one by one: the last of them is no decision.
    pub(crate) fn undecide(&mut self) {
        self.free += 1;
    }

    /// A structure that costs its nesting.
    pub(crate) fn structure(&mut self) {
        // A generated file can be nested so deeply that the sum does not fit.
        self.cognitive = self.cognitive.saturating_add(1 + self.nesting);
    }

    /// What costs one, however deep.
    pub(crate) fn step(&mut self) {
        self.cognitive = self.cognitive.saturating_add(1);
    }

    /// The function calls itself.
    pub(crate) fn recurse(&mut self) {
        if !self.recursive {
            self.recursive = true;
            self.step();
        }
    }

    pub(crate) fn nest(&mut self) {
        self.nesting += 1;
        self.deepest = self.deepest.max(self.nesting);
    }

    pub(crate) fn unnest(&mut self) {
        self.nesting = self.nesting.saturating_sub(1);
    }

    pub(crate) fn decisions(&self) -> u32 {
        self.decisions.saturating_sub(self.free)
    }

    pub(crate) fn complexity(&self) -> Complexity {
        Complexity { cyclomatic: 1 + self.decisions(), cognitive: self.cognitive, nesting: self.deepest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_costs_and_is_undone() {
        let mut tally = Tally::new();
        tally.structure();
        tally.nest();
        tally.structure();
        tally.nest();
        tally.unnest();
        tally.unnest();
        tally.structure();
        assert_eq!(tally.complexity(), Complexity { cyclomatic: 1, cognitive: 4, nesting: 2 });
    }

    #[test]
    fn recursion_costs_once() {
        let mut tally = Tally::new();
        tally.recurse();
        tally.recurse();
        assert_eq!(tally.complexity().cognitive, 1);
    }
}
