//! C, C++ and CUDA: from syntax to declarations. The grammar of CUDA contains the one of C++.

use tree_sitter::Node;

use crate::{
    facts::{Argument, ArgumentKind, Import, ImportKind},
    language::{ClassSketch, FunctionSketch, Language, Role, bytes, children, field, line, row},
};

/// Longest chain of declarators that is followed: `int *(*(*f)(int))(int)` has four.
const DECLARATORS: usize = 64;

/// What the C grammar has too.
const C_ROLES: [(&str, bool, Role); 23] = [
    ("comment", true, Role::Comment),
    ("preproc_include", true, Role::Import),
    ("struct_specifier", true, Role::Class),
    ("union_specifier", true, Role::Class),
    ("enum_specifier", true, Role::Class),
    ("function_definition", true, Role::Function),
    ("if_statement", true, Role::If),
    ("else_clause", true, Role::Else),
    ("for_statement", true, Role::Loop),
    ("while_statement", true, Role::Loop),
    ("do_statement", true, Role::Loop),
    ("switch_statement", true, Role::Switch),
    ("case_statement", true, Role::Case),
    ("conditional_expression", true, Role::Ternary),
    ("binary_expression", true, Role::Binary),
    ("&&", false, Role::Operator),
    ("||", false, Role::Operator),
    ("goto_statement", true, Role::Goto),
    ("call_expression", true, Role::Call),
    ("type_definition", true, Role::Alias),
    ("string_literal", true, Role::Leaf),
    ("char_literal", true, Role::Leaf),
    ("linkage_specification", true, Role::Wrapper),
];

/// What C++ and CUDA add.
const CUDA_ROLES: [(&str, bool, Role); 12] = [
    ("class_specifier", true, Role::Class),
    ("alias_declaration", true, Role::Alias),
    ("namespace_definition", true, Role::Namespace),
    ("template_declaration", true, Role::Wrapper),
    ("for_range_loop", true, Role::Loop),
    ("catch_clause", true, Role::Catch),
    ("lambda_expression", true, Role::Lambda),
    ("and", false, Role::Operator),
    ("or", false, Role::Operator),
    ("kernel_call_syntax", true, Role::Launch),
    ("raw_string_literal", true, Role::Leaf),
    ("template_argument_list", true, Role::Plain),
];

const ALL_ROLES: [(&str, bool, Role); 35] = {
    let mut all = [("", false, Role::Plain); 35];
    let mut at = 0;
    while at < C_ROLES.len() {
        all[at] = C_ROLES[at];
        at += 1;
    }
    while at < all.len() {
        all[at] = CUDA_ROLES[at - C_ROLES.len()];
        at += 1;
    }
    all
};

/// C.
#[derive(Debug)]
pub(crate) struct C;

/// CUDA, and C++.
#[derive(Debug)]
pub(crate) struct Cuda;

macro_rules! language {
    ($name:ty, $grammar:expr, $roles:expr) => {
        impl Language for $name {
            fn grammar(&self) -> tree_sitter::Language {
                $grammar.into()
            }

            fn roles(&self) -> &'static [(&'static str, bool, Role)] {
                &$roles
            }

            fn separator(&self) -> &'static str {
                "::"
            }

            fn decisions(&self, case: Node<'_>, _: &[u8]) -> u32 {
                u32::from(case.child(0).is_some_and(|first| first.kind() == "case"))
            }

            fn class(&self, node: Node<'_>, source: &[u8]) -> Option<ClassSketch> {
                class(node, source)
            }

            fn function(&self, node: Node<'_>, source: &[u8]) -> Option<FunctionSketch> {
                function(node, source)
            }

            fn namespace(&self, node: Node<'_>, source: &[u8]) -> Option<String> {
                field(node, "name", source)
            }

            fn imports(&self, node: Node<'_>, source: &[u8], found: &mut Vec<Import>) {
                let Some(path) = field(node, "path", source) else { return };
                let name = path.trim_matches(['"', '<', '>']).to_owned();
                let module = None;
                found.push(Import { kind: ImportKind::Include, module, name, alias: None, line: row(node) });
            }

            fn alias(&self, node: Node<'_>, source: &[u8]) -> Option<(String, String)> {
                let new = match node.kind() {
                    "type_definition" => "declarator",
                    _ => "name",
                };
                Some((field(node, new, source)?, field(node, "type", source)?))
            }

            fn attribute(&self, _: Node<'_>, _: &[u8]) -> Option<String> {
                None
            }

            fn documents(&self, comment: &[u8]) -> bool {
                comment.starts_with(b"/**") || comment.starts_with(b"///") || comment.starts_with(b"//!")
            }
        }
    };
}

language!(C, tree_sitter_c::LANGUAGE, C_ROLES);
language!(Cuda, tree_sitter_cuda::LANGUAGE, ALL_ROLES);

fn class(node: Node<'_>, source: &[u8]) -> Option<ClassSketch> {
    // Without a body it is a mention, as in `struct a *b;`.
    node.child_by_field_name("body")?;
    let kind = match node.kind() {
        "class_specifier" => "class",
        "union_specifier" => "union",
        "enum_specifier" => "enum",
        _ => "struct",
    };
    let name = field(node, "name", source)?;
    let mut bases = Vec::new();
    children(node, |child| {
        if child.kind() != "base_class_clause" {
            return;
        }
        children(child, |base| {
            if base.is_named() && !matches!(base.kind(), "access_specifier" | "virtual" | "comment") {
                bases.push(line(base, source));
            }
        });
    });
    Some(ClassSketch { name, kind, bases, has_docstring: false })
}

/// The declarator of a function inside pointers and references to what it returns.
fn declarator(node: Node<'_>) -> Option<Node<'_>> {
    let mut at = node.child_by_field_name("declarator")?;
    for _ in 0..DECLARATORS {
        let inner = at.child_by_field_name("declarator").or_else(|| at.named_child(0));
        if at.kind() == "function_declarator" {
            // A macro such as `BENCHMARK_F(a, b)(state)`, or a function that returns one, has two of them: the outer
            // one holds the arguments.
            return Some(at);
        }
        at = inner?;
    }
    None
}

fn function(node: Node<'_>, source: &[u8]) -> Option<FunctionSketch> {
    let declarator = declarator(node)?;
    let written = field(declarator, "declarator", source)?;
    let (owner, name) = split(&written);
    let mut arguments = Vec::new();
    if let Some(list) = declarator.child_by_field_name("parameters") {
        children(list, |child| match child.kind() {
            "parameter_declaration" | "optional_parameter_declaration" | "variadic_parameter_declaration" => {
                if bytes(child, source) == b"void" {
                    return;
                }
                arguments.push(argument(child, source));
            }
            "..." | "variadic_parameter" => arguments.push(Argument {
                name: "...".to_owned(),
                kind: ArgumentKind::VarPositional,
                annotation: None,
                default: None,
            }),
            _ => {}
        });
    }
    let mut return_type = None;
    children(declarator, |child| {
        if child.kind() == "trailing_return_type" {
            return_type = Some(line(child, source).trim_start_matches("->").trim().to_owned());
        }
    });
    let before = node.start_byte()..declarator.start_byte();
    let return_type = return_type.or_else(|| {
        let kind = node.child_by_field_name("type")?;
        let text = source.get(kind.start_byte()..before.end)?;
        Some(String::from_utf8_lossy(text).split_whitespace().collect::<Vec<_>>().join(" "))
    });
    Some(FunctionSketch { name, owner, arguments, return_type, is_async: false, has_docstring: false })
}

/// `A<B::C>::f` into `A<B::C>` and `f`.
fn split(written: &str) -> (Option<String>, String) {
    let mut depth = 0_u32;
    let mut cut = None;
    let bytes = written.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'<' | b'(' => depth += 1,
            b'>' | b')' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && bytes.get(at + 1) == Some(&b':') => cut = Some(at),
            _ => {}
        }
    }
    match cut {
        Some(at) => (Some(written[..at].to_owned()), written[at + 2..].trim().to_owned()),
        None => (None, written.to_owned()),
    }
}

/// The name stands in the middle of a type, as in `void (*cb)(int)`: the type is what is left without it.
fn argument(node: Node<'_>, source: &[u8]) -> Argument {
    let default = field(node, "default_value", source);
    let mut name = None;
    let mut at = node.child_by_field_name("declarator");
    for _ in 0..DECLARATORS {
        let Some(node) = at else { break };
        if node.kind() == "identifier" {
            name = Some(node);
            break;
        }
        at = node.child_by_field_name("declarator").or_else(|| node.named_child(0));
    }
    let end =
        node.child_by_field_name("declarator").map_or(node.end_byte(), |declarator| declarator.end_byte());
    let (first, second) = match name {
        Some(name) => (node.start_byte()..name.start_byte(), name.end_byte()..end.max(name.end_byte())),
        None => (node.start_byte()..end, end..end),
    };
    let part = |range| String::from_utf8_lossy(source.get(range).unwrap_or_default()).into_owned();
    let written = format!("{}{}", part(first), part(second));
    let annotation = written.split_whitespace().collect::<Vec<_>>().join(" ");
    Argument {
        name: name.map(|name| line(name, source)).unwrap_or_default(),
        kind: ArgumentKind::Positional,
        annotation: Some(annotation).filter(|text| !text.is_empty()),
        default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_split_from_its_name() {
        assert_eq!(split("f"), (None, "f".to_owned()));
        assert_eq!(split("n::A<B::C>::f"), (Some("n::A<B::C>".to_owned()), "f".to_owned()));
    }
}
