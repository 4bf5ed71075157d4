//! Python: from syntax to declarations.

use tree_sitter::Node;

use crate::{
    facts::{Argument, ArgumentKind, Import, ImportKind},
    language::{ClassSketch, FunctionSketch, Language, Role, bytes, children, field, line, row},
};

/// Python 3.
#[derive(Debug)]
pub(crate) struct Python;

impl Language for Python {
    fn grammar(&self) -> tree_sitter::Language {
        tree_sitter_python::LANGUAGE.into()
    }

    fn roles(&self) -> &'static [(&'static str, bool, Role)] {
        &[
            ("comment", true, Role::Comment),
            ("decorator", true, Role::Attribute),
            ("decorated_definition", true, Role::Wrapper),
            ("class_definition", true, Role::Class),
            ("function_definition", true, Role::Function),
            ("lambda", true, Role::Lambda),
            ("import_statement", true, Role::Import),
            ("import_from_statement", true, Role::Import),
            ("future_import_statement", true, Role::Import),
            ("if_statement", true, Role::If),
            ("elif_clause", true, Role::ElseIf),
            ("else_clause", true, Role::Else),
            ("for_statement", true, Role::Loop),
            ("while_statement", true, Role::Loop),
            ("try_statement", true, Role::Try),
            ("except_clause", true, Role::Catch),
            ("match_statement", true, Role::Switch),
            ("case_clause", true, Role::Case),
            ("conditional_expression", true, Role::Ternary),
            ("for_in_clause", true, Role::Comprehension),
            ("if_clause", true, Role::Guard),
            ("assert_statement", true, Role::Decision),
            ("boolean_operator", true, Role::Binary),
            ("and", false, Role::Operator),
            ("or", false, Role::Operator),
            ("assignment", true, Role::Alias),
            ("call", true, Role::Call),
            ("string_content", true, Role::Leaf),
            ("type", true, Role::Leaf),
        ]
    }

    fn separator(&self) -> &'static str {
        "."
    }

    fn decisions(&self, case: Node<'_>, source: &[u8]) -> u32 {
        let mut patterns = Vec::new();
        children(case, |child| {
            if child.kind() == "case_pattern" {
                patterns.push(bytes(child, source));
            }
        });
        u32::from(patterns != [b"_"])
    }

    fn class(&self, node: Node<'_>, source: &[u8]) -> Option<ClassSketch> {
        let name = field(node, "name", source)?;
        let mut bases = Vec::new();
        if let Some(list) = node.child_by_field_name("superclasses") {
            children(list, |base| {
                // `metaclass=M` is not a base.
                if base.is_named() && !matches!(base.kind(), "keyword_argument" | "comment") {
                    bases.push(line(base, source));
                }
            });
        }
        Some(ClassSketch { name, kind: "class", bases, has_docstring: documented(node) })
    }

    fn function(&self, node: Node<'_>, source: &[u8]) -> Option<FunctionSketch> {
        let name = field(node, "name", source)?;
        let is_async = node.child(0).is_some_and(|first| first.kind() == "async");
        let arguments =
            node.child_by_field_name("parameters").map(|list| arguments(list, source)).unwrap_or_default();
        let return_type = field(node, "return_type", source);
        let has_docstring = documented(node);
        Some(FunctionSketch { name, owner: None, arguments, return_type, is_async, has_docstring })
    }

    fn namespace(&self, _: Node<'_>, _: &[u8]) -> Option<String> {
        None
    }

    fn imports(&self, node: Node<'_>, source: &[u8], found: &mut Vec<Import>) {
        let from = match node.kind() {
            "future_import_statement" => Some("__future__".to_owned()),
            _ => field(node, "module_name", source),
        };
        let kind = if from.is_some() { ImportKind::ImportFrom } else { ImportKind::Import };
        let origin = node.child_by_field_name("module_name").map(|module| module.id());
        children(node, |child| {
            let (name, alias) = match child.kind() {
                "dotted_name" if Some(child.id()) != origin => (Some(line(child, source)), None),
                "aliased_import" => (field(child, "name", source), field(child, "alias", source)),
                "wildcard_import" => (Some("*".to_owned()), None),
                _ => return,
            };
            let Some(name) = name else { return };
            found.push(Import { kind, module: from.clone(), name, alias, line: row(child) });
        });
    }

    fn alias(&self, node: Node<'_>, source: &[u8]) -> Option<(String, String)> {
        let plain = |field: &str| {
            let child = node.child_by_field_name(field)?;
            matches!(child.kind(), "identifier" | "attribute").then(|| line(child, source))
        };
        Some((plain("left")?, plain("right")?))
    }

    fn attribute(&self, node: Node<'_>, source: &[u8]) -> Option<String> {
        Some(line(node, source).trim_start_matches('@').trim().to_owned())
    }

    fn documents(&self, _: &[u8]) -> bool {
        false
    }
}

/// Whether a body begins with a string.
fn documented(node: Node<'_>) -> bool {
    let Some(body) = node.child_by_field_name("body") else { return false };
    let mut first = None;
    children(body, |child| {
        if first.is_none() && child.is_named() && child.kind() != "comment" {
            first = Some(child);
        }
    });
    first
        .filter(|statement| statement.kind() == "expression_statement")
        .and_then(|statement| statement.child(0))
        .is_some_and(|value| matches!(value.kind(), "string" | "concatenated_string"))
}

fn arguments(list: Node<'_>, source: &[u8]) -> Vec<Argument> {
    let mut found: Vec<Argument> = Vec::new();
    let mut after = ArgumentKind::Positional;
    children(list, |child| {
        let (name, annotation, default) = match child.kind() {
            "identifier" | "tuple_pattern" => (line(child, source), None, None),
            "default_parameter" => {
                (field(child, "name", source).unwrap_or_default(), None, field(child, "value", source))
            }
            "typed_default_parameter" => (
                field(child, "name", source).unwrap_or_default(),
                field(child, "type", source),
                field(child, "value", source),
            ),
            "typed_parameter" => {
                let name = child.child(0).map(|name| line(name, source)).unwrap_or_default();
                (name, field(child, "type", source), None)
            }
            "list_splat_pattern" | "dictionary_splat_pattern" => (line(child, source), None, None),
            "positional_separator" => {
                for argument in &mut found {
                    argument.kind = ArgumentKind::PositionalOnly;
                }
                return;
            }
            "keyword_separator" => {
                after = ArgumentKind::KeywordOnly;
                return;
            }
            _ => return,
        };
        let (name, kind) = if let Some(name) = name.strip_prefix("**") {
            (name.to_owned(), ArgumentKind::VarKeyword)
        } else if let Some(name) = name.strip_prefix('*') {
            after = ArgumentKind::KeywordOnly;
            (name.to_owned(), ArgumentKind::VarPositional)
        } else {
            (name, after)
        };
        found.push(Argument { name, kind, annotation, default });
    });
    found
}
