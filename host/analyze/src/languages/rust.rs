//! Rust: from syntax to declarations.

use tree_sitter::Node;

use crate::{
    facts::{Argument, ArgumentKind, Import, ImportKind},
    language::{ClassSketch, FunctionSketch, Language, Role, children, field, line, row, text},
};

/// Rust.
#[derive(Debug)]
pub(crate) struct Rust;

impl Language for Rust {
    fn grammar(&self) -> tree_sitter::Language {
        tree_sitter_rust::LANGUAGE.into()
    }

    fn roles(&self) -> &'static [(&'static str, bool, Role)] {
        &[
            ("line_comment", true, Role::Comment),
            ("block_comment", true, Role::Comment),
            ("attribute_item", true, Role::Attribute),
            ("mod_item", true, Role::Namespace),
            ("struct_item", true, Role::Class),
            ("enum_item", true, Role::Class),
            ("union_item", true, Role::Class),
            ("trait_item", true, Role::Class),
            ("impl_item", true, Role::Class),
            ("function_item", true, Role::Function),
            ("closure_expression", true, Role::Lambda),
            ("use_declaration", true, Role::Import),
            ("if_expression", true, Role::If),
            ("else_clause", true, Role::Else),
            ("for_expression", true, Role::Loop),
            ("while_expression", true, Role::Loop),
            ("loop_expression", true, Role::Endless),
            ("match_expression", true, Role::Switch),
            ("match_arm", true, Role::Case),
            ("try_expression", true, Role::Decision),
            ("binary_expression", true, Role::Binary),
            ("let_chain", true, Role::Binary),
            ("&&", false, Role::Operator),
            ("||", false, Role::Operator),
            ("break_expression", true, Role::Jump),
            ("continue_expression", true, Role::Jump),
            ("type_item", true, Role::Alias),
            ("call_expression", true, Role::Call),
            ("string_literal", true, Role::Leaf),
            ("raw_string_literal", true, Role::Leaf),
            ("use_list", true, Role::Leaf),
        ]
    }

    fn separator(&self) -> &'static str {
        "::"
    }

    fn decisions(&self, case: Node<'_>, _: &[u8]) -> u32 {
        let pattern = case.child_by_field_name("pattern");
        1 + u32::from(pattern.is_some_and(|pattern| pattern.child_by_field_name("condition").is_some()))
    }

    fn last_arm_is_free(&self) -> bool {
        true
    }

    fn class(&self, node: Node<'_>, source: &[u8]) -> Option<ClassSketch> {
        let (kind, name, bases) = match node.kind() {
            "impl_item" => {
                let bases = field(node, "trait", source).into_iter().collect();
                ("impl", field(node, "type", source)?, bases)
            }
            "trait_item" => {
                let mut bases = Vec::new();
                if let Some(bounds) = node.child_by_field_name("bounds") {
                    children(bounds, |bound| {
                        if bound.is_named() {
                            bases.push(line(bound, source));
                        }
                    });
                }
                ("trait", field(node, "name", source)?, bases)
            }
            kind => {
                let kind = match kind {
                    "struct_item" => "struct",
                    "union_item" => "union",
                    _ => "enum",
                };
                (kind, field(node, "name", source)?, Vec::new())
            }
        };
        Some(ClassSketch { name, kind, bases, has_docstring: false })
    }

    fn function(&self, node: Node<'_>, source: &[u8]) -> Option<FunctionSketch> {
        let name = field(node, "name", source)?;
        let mut is_async = false;
        children(node, |child| {
            is_async |= child.kind() == "function_modifiers" && text(child, source).contains("async");
        });
        let mut arguments = Vec::new();
        if let Some(list) = node.child_by_field_name("parameters") {
            children(list, |child| {
                let (name, annotation) = match child.kind() {
                    "self_parameter" => (line(child, source), None),
                    "parameter" => {
                        (field(child, "pattern", source).unwrap_or_default(), field(child, "type", source))
                    }
                    _ => return,
                };
                arguments.push(Argument { name, kind: ArgumentKind::Positional, annotation, default: None });
            });
        }
        let return_type = field(node, "return_type", source);
        Some(FunctionSketch { name, owner: None, arguments, return_type, is_async, has_docstring: false })
    }

    fn namespace(&self, node: Node<'_>, source: &[u8]) -> Option<String> {
        field(node, "name", source)
    }

    fn imports(&self, node: Node<'_>, source: &[u8], found: &mut Vec<Import>) {
        if node.kind() == "mod_item" {
            if node.child_by_field_name("body").is_none()
                && let Some(name) = field(node, "name", source)
            {
                found.push(Import {
                    kind: ImportKind::Mod,
                    module: None,
                    name,
                    alias: None,
                    line: row(node),
                });
            }
            return;
        }
        // A `use` is a tree of paths: each of its leaves is an import. The stack holds what is still to be read.
        let mut open: Vec<(String, Node<'_>)> = Vec::new();
        open.extend(node.child_by_field_name("argument").map(|argument| (String::new(), argument)));
        while let Some((prefix, node)) = open.pop() {
            let join = |part: &str| match (prefix.is_empty(), part.is_empty()) {
                (true, _) => part.to_owned(),
                (_, true) => prefix.clone(),
                _ => format!("{prefix}::{part}"),
            };
            match node.kind() {
                "scoped_use_list" => {
                    let path = field(node, "path", source).unwrap_or_default();
                    open.extend(node.child_by_field_name("list").map(|list| (join(&path), list)));
                }
                "use_list" => {
                    let first = open.len();
                    children(node, |child| {
                        if child.is_named() {
                            open.push((prefix.clone(), child));
                        }
                    });
                    open[first..].reverse();
                }
                "use_as_clause" => {
                    let path = join(&field(node, "path", source).unwrap_or_default());
                    leaf(&path, field(node, "alias", source), row(node), found);
                }
                "use_wildcard" => {
                    let path = join(&line(node, source));
                    leaf(&path, None, row(node), found);
                }
                "line_comment" | "block_comment" => {}
                "self" => leaf(&prefix, None, row(node), found),
                _ => leaf(&join(&line(node, source)), None, row(node), found),
            }
        }
    }

    fn alias(&self, node: Node<'_>, source: &[u8]) -> Option<(String, String)> {
        Some((field(node, "name", source)?, field(node, "type", source)?))
    }

    fn attribute(&self, node: Node<'_>, source: &[u8]) -> Option<String> {
        let text = line(node, source);
        text.strip_prefix("#[").and_then(|text| text.strip_suffix(']')).map(|text| text.trim().to_owned())
    }

    fn documents(&self, comment: &[u8]) -> bool {
        comment.starts_with(b"///") || comment.starts_with(b"/**")
    }
}

fn leaf(path: &str, alias: Option<String>, line: u32, found: &mut Vec<Import>) {
    let (module, name) = match path.rsplit_once("::") {
        Some((module, name)) => (Some(module.to_owned()), name.to_owned()),
        None => (None, path.to_owned()),
    };
    found.push(Import { kind: ImportKind::Use, module, name, alias, line });
}
