//! Which languages are known, and by which name a file is recognised.

use std::sync::OnceLock;

use super::{c_family, python, rust};
use crate::{
    facts::LanguageId,
    language::{Grammar, Language},
};

/// Endings of file names, without the dot.
const ENDINGS: [(&str, Named); 19] = [
    ("py", Named::As(LanguageId::Python)),
    ("pyi", Named::As(LanguageId::Python)),
    ("pyw", Named::As(LanguageId::Python)),
    ("rs", Named::As(LanguageId::Rust)),
    ("c", Named::As(LanguageId::C)),
    ("h", Named::Header),
    ("cc", Named::As(LanguageId::Cpp)),
    ("cpp", Named::As(LanguageId::Cpp)),
    ("cxx", Named::As(LanguageId::Cpp)),
    ("c++", Named::As(LanguageId::Cpp)),
    ("hh", Named::As(LanguageId::Cpp)),
    ("hpp", Named::As(LanguageId::Cpp)),
    ("hxx", Named::As(LanguageId::Cpp)),
    ("h++", Named::As(LanguageId::Cpp)),
    ("tcc", Named::As(LanguageId::Cpp)),
    ("ipp", Named::As(LanguageId::Cpp)),
    ("inl", Named::As(LanguageId::Cpp)),
    ("cu", Named::As(LanguageId::Cuda)),
    ("cuh", Named::As(LanguageId::Cuda)),
];

/// Words that C does not have: a header with one of them is C++.
const ONLY_IN_CPP: [&[u8]; 6] = [b"namespace ", b"template", b"class ", b"::", b"public:", b"constexpr"];

/// What the name of a file says about its language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// It is this one.
    As(LanguageId),
    /// C or C++: the content decides.
    Header,
}

impl Named {
    /// The language of a file with this content.
    pub(crate) fn language(self, source: &[u8]) -> LanguageId {
        match self {
            Self::As(language) => language,
            Self::Header => of_header(source),
        }
    }
}

/// What the ending of a file's name stands for.
pub(crate) fn by_ending(ending: &str) -> Option<Named> {
    ENDINGS.iter().find(|line| line.0.eq_ignore_ascii_case(ending)).map(|line| line.1)
}

/// All endings that are read: `.py`, `.pyi` and so on.
pub(crate) fn endings() -> String {
    ENDINGS.map(|(ending, _)| format!("`.{ending}`")).join(", ")
}

fn of_header(source: &[u8]) -> LanguageId {
    let cpp = ONLY_IN_CPP.iter().any(|word| memchr::memmem::find(source, word).is_some());
    if cpp { LanguageId::Cpp } else { LanguageId::C }
}

/// How a language is read.
pub(crate) fn language(id: LanguageId) -> &'static dyn Language {
    match id {
        LanguageId::Python => &python::Python,
        LanguageId::Rust => &rust::Rust,
        LanguageId::C => &c_family::C,
        LanguageId::Cpp | LanguageId::Cuda => &c_family::Cuda,
    }
}

/// The grammar of a language, made once.
pub(crate) fn grammar(id: LanguageId) -> &'static Grammar {
    static GRAMMARS: [OnceLock<Grammar>; 4] = [const { OnceLock::new() }; 4];
    let place = match id {
        LanguageId::Python => 0,
        LanguageId::Rust => 1,
        LanguageId::C => 2,
        LanguageId::Cpp | LanguageId::Cuda => 3,
    };
    GRAMMARS[place].get_or_init(|| Grammar::new(language(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_names_a_kind_of_its_grammar() {
        for id in [LanguageId::Python, LanguageId::Rust, LanguageId::C, LanguageId::Cuda] {
            let grammar = language(id).grammar();
            for (kind, named, _) in language(id).roles() {
                assert_ne!(grammar.id_for_node_kind(kind, *named), 0, "{} has no {kind}", id.label());
            }
        }
    }

    #[test]
    fn a_header_is_cpp_if_it_says_so() {
        assert_eq!(of_header(b"struct a { int b; };"), LanguageId::C);
        assert_eq!(of_header(b"namespace n { }"), LanguageId::Cpp);
    }
}
