//! What a language must say of its syntax: a role for each kind of node, and how to read declarations.

use tree_sitter::Node;

use crate::facts::{Argument, Import};

/// What a kind of node means to the pass. Kinds without a line in a language's table are `Plain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing of its own; its children are visited.
    Plain,
    /// Nothing inside matters.
    Leaf,
    /// A comment.
    Comment,
    /// A decorator or attribute of the declaration that follows.
    Attribute,
    /// Holds a declaration with its attributes.
    Wrapper,
    /// Gives a name to what is inside.
    Namespace,
    /// A class, struct, enum, trait or implementation.
    Class,
    /// A function with a body.
    Function,
    /// A function without a name.
    Lambda,
    /// An import.
    Import,
    /// `if`.
    If,
    /// `elif`.
    ElseIf,
    /// `else`, of whatever it stands in.
    Else,
    /// A loop that is a decision.
    Loop,
    /// A loop without a condition.
    Endless,
    /// `try`: no decision, but an `else` of it is one.
    Try,
    /// `except` or `catch`.
    Catch,
    /// `switch` or `match`.
    Switch,
    /// An arm of it.
    Case,
    /// `?:` or `a if b else c`.
    Ternary,
    /// `for` in a comprehension.
    Comprehension,
    /// `if` in a comprehension.
    Guard,
    /// A decision that costs a reader nothing: `assert`, `?`.
    Decision,
    /// An expression with two operands.
    Binary,
    /// A boolean operator, as a token.
    Operator,
    /// `goto`.
    Goto,
    /// `break` or `continue`, perhaps with a label.
    Jump,
    /// Gives something another name: `using A = B`, `a = b`.
    Alias,
    /// A call.
    Call,
    /// The launch of a kernel.
    Launch,
}

/// A class as the language reads it.
#[derive(Debug, Default)]
pub(crate) struct ClassSketch {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) bases: Vec<String>,
    pub(crate) has_docstring: bool,
}

/// A function as the language reads it.
#[derive(Debug, Default)]
pub(crate) struct FunctionSketch {
    pub(crate) name: String,
    /// What stands before the name: `A::B` of `A::B::f`.
    pub(crate) owner: Option<String>,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) return_type: Option<String>,
    pub(crate) is_async: bool,
    pub(crate) has_docstring: bool,
}

/// A language: everything that the pass cannot know by itself. A new language is a new implementation.
pub(crate) trait Language: Sync {
    /// The grammar.
    fn grammar(&self) -> tree_sitter::Language;
    /// Kinds of nodes and what they mean; `true` for named kinds, `false` for tokens.
    fn roles(&self) -> &'static [(&'static str, bool, Role)];
    /// Between the parts of a qualified name.
    fn separator(&self) -> &'static str;
    /// How many decisions a `case` is: none if it is the default, two if it has a guard that counts.
    fn decisions(&self, case: Node<'_>, source: &[u8]) -> u32;
    /// Whether a `switch` has one decision fewer than it has arms.
    fn last_arm_is_free(&self) -> bool {
        false
    }
    /// A class, or `None` if the node only mentions one.
    fn class(&self, node: Node<'_>, source: &[u8]) -> Option<ClassSketch>;
    /// A function.
    fn function(&self, node: Node<'_>, source: &[u8]) -> Option<FunctionSketch>;
    /// The name of a namespace.
    fn namespace(&self, node: Node<'_>, source: &[u8]) -> Option<String>;
    /// What an import brings.
    fn imports(&self, node: Node<'_>, source: &[u8], found: &mut Vec<Import>);
    /// The new name and what it stands for, of a node that may give one.
    fn alias(&self, node: Node<'_>, source: &[u8]) -> Option<(String, String)>;
    /// A decorator or attribute without its marks.
    fn attribute(&self, node: Node<'_>, source: &[u8]) -> Option<String>;
    /// Whether a comment documents what follows it.
    fn documents(&self, comment: &[u8]) -> bool;
}

/// A grammar with its table of roles.
#[derive(Debug)]
pub(crate) struct Grammar {
    /// The grammar.
    pub(crate) language: tree_sitter::Language,
    roles: Vec<Role>,
}

impl Grammar {
    pub(crate) fn new(language: &dyn Language) -> Self {
        let grammar = language.grammar();
        let mut roles = vec![Role::Plain; grammar.node_kind_count()];
        // One name can stand for several ids, for a grammar may rename a kind.
        for (id, role) in roles.iter_mut().enumerate() {
            let Ok(id) = u16::try_from(id) else { break };
            let (name, named) = (grammar.node_kind_for_id(id), grammar.node_kind_is_named(id));
            let line = language.roles().iter().find(|line| Some(line.0) == name && line.1 == named);
            *role = line.map_or(Role::Plain, |line| line.2);
        }
        Self { language: grammar, roles }
    }

    pub(crate) fn role(&self, kind: u16) -> Role {
        self.roles.get(usize::from(kind)).copied().unwrap_or(Role::Plain)
    }
}

/// The text of a node.
pub(crate) fn text(node: Node<'_>, source: &[u8]) -> String {
    String::from_utf8_lossy(bytes(node, source)).into_owned()
}

/// The text of a node on one line, with single spaces.
pub(crate) fn line(node: Node<'_>, source: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes(node, source));
    if text.contains(['\n', '\t']) || text.contains("  ") {
        return text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    text.into_owned()
}

/// The bytes of a node.
pub(crate) fn bytes<'s>(node: Node<'_>, source: &'s [u8]) -> &'s [u8] {
    source.get(node.byte_range()).unwrap_or_default()
}

/// The text of a field of a node, on one line.
pub(crate) fn field(node: Node<'_>, name: &str, source: &[u8]) -> Option<String> {
    node.child_by_field_name(name).map(|node| line(node, source))
}

/// The line of a node, from 1.
pub(crate) fn row(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row).map_or(u32::MAX, |row| row.saturating_add(1))
}

/// Calls `visit` for each child.
pub(crate) fn children<'t>(node: Node<'t>, mut visit: impl FnMut(Node<'t>)) {
    let mut cursor = node.walk();
    if !cursor.goto_first_child() {
        return;
    }
    loop {
        visit(cursor.node());
        if !cursor.goto_next_sibling() {
            return;
        }
    }
}
