//! The one pass over a syntax tree: from nodes to facts. It keeps its own stacks, so that no nesting is too deep.

use std::ops::Range;

use tree_sitter::{Node, Tree};

use crate::{
    clocks::Clocks,
    complexity::Tally,
    facts::{Class, Facts, Function, Gap, LanguageId, Lines},
    language::{Grammar, Language, Role, bytes, row},
    lines::Rows,
    seen::{Event, Seen},
    signs::Sign,
};

/// How many gaps of a file are kept; the others are counted.
const GAPS_KEPT: usize = 20;

/// A node on the way from the root to the current one.
#[derive(Debug, Clone, Copy)]
struct Step {
    role: Role,
    /// The boolean operator of a binary expression, or 0.
    operator: u16,
    /// Whether that operator was counted: a chain of them can be one node.
    counted: bool,
}

/// What ends when a node ends.
#[derive(Debug, Clone, Copy)]
enum Open {
    Nesting,
    Scope,
    Function(u32),
}

/// A name around the current node.
#[derive(Debug)]
struct Scope {
    name: String,
    class: Option<u32>,
}

/// The function around the current node.
#[derive(Debug)]
struct Frame {
    function: Option<u32>,
    tally: Tally,
    shape: u64,
    nodes: u32,
}

struct Pass<'a, 's> {
    language: &'a dyn Language,
    grammar: &'a Grammar,
    source: &'s [u8],
    damaged: bool,
    /// Places that are read without the grammar, in order.
    elsewhere: &'a [Range<usize>],
    steps: Vec<Step>,
    open: Vec<(usize, Open)>,
    scopes: Vec<Scope>,
    frames: Vec<Frame>,
    /// Attributes, and whether a comment documents what follows, for the next declaration at this depth.
    pending: Vec<String>,
    documented: bool,
    pending_depth: usize,
    comments: Vec<Range<usize>>,
    /// Decisions of the functions that have ended.
    decisions: u32,
    cognitive: u32,
    deepest: u32,
    seen: Seen<'s>,
}

/// Reads a tree once. What the grammar cannot read of `elsewhere` is no gap.
pub(crate) fn read<'s>(
    id: LanguageId,
    language: &dyn Language,
    grammar: &Grammar,
    tree: &Tree,
    source: &'s [u8],
    elsewhere: &[Range<usize>],
) -> Seen<'s> {
    let facts = Facts::new(id, Lines::default(), Tally::new().complexity());
    let mut pass = Pass {
        language,
        grammar,
        source,
        damaged: tree.root_node().has_error(),
        elsewhere,
        steps: Vec::new(),
        open: Vec::new(),
        scopes: Vec::new(),
        frames: vec![Frame { function: None, tally: Tally::new(), shape: 0, nodes: 0 }],
        pending: Vec::new(),
        documented: false,
        pending_depth: 0,
        comments: Vec::new(),
        decisions: 0,
        cognitive: 0,
        deepest: 0,
        seen: Seen {
            source,
            facts,
            functions: Vec::new(),
            classes: Vec::new(),
            events: Vec::new(),
            loops: Vec::new(),
            comments: Vec::new(),
            clocks: Clocks::default(),
            outside: (0, 0),
        },
    };
    pass.walk(tree);
    pass.finish()
}

impl<'s> Pass<'_, 's> {
    fn walk(&mut self, tree: &Tree) {
        let mut cursor = tree.walk();
        loop {
            if self.enter(cursor.node()) && cursor.goto_first_child() {
                continue;
            }
            loop {
                self.leave();
                if cursor.goto_next_sibling() {
                    break;
                }
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }

    /// Takes note of a node, and says whether its children matter.
    fn enter(&mut self, node: Node<'_>) -> bool {
        let kind = node.kind_id();
        let role = self.grammar.role(kind);
        let depth = self.steps.len();
        let parent =
            self.steps.last().copied().unwrap_or(Step { role: Role::Plain, operator: 0, counted: false });
        self.steps.push(Step { role, operator: 0, counted: false });
        if self.damaged && (node.is_error() || node.is_missing()) {
            self.gap(node);
        }
        if let Some(frame) = self.frames.last_mut()
            && role != Role::Comment
        {
            let mixed = frame.shape.rotate_left(7) ^ (u64::from(kind) + ((depth as u64 & 0xff) << 16));
            frame.shape = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            frame.nodes += 1;
        }
        if (!self.pending.is_empty() || self.documented)
            && depth <= self.pending_depth
            && !matches!(
                role,
                Role::Attribute
                    | Role::Comment
                    | Role::Wrapper
                    | Role::Class
                    | Role::Function
                    | Role::Namespace
            )
            && node.is_named()
        {
            self.forget();
        }
        match role {
            Role::Plain => {}
            Role::Leaf => return false,
            Role::Comment => {
                self.comments.push(node.byte_range());
                if self.language.documents(bytes(node, self.source)) {
                    self.documented = true;
                    self.pending_depth = depth;
                }
                return false;
            }
            Role::Attribute => {
                self.pending.extend(self.language.attribute(node, self.source));
                self.pending_depth = depth;
            }
            Role::Wrapper => self.pending_depth = depth + 1,
            Role::Namespace => {
                self.forget();
                self.language.imports(node, self.source, &mut self.seen.facts.imports);
                if let Some(name) = self.language.namespace(node, self.source) {
                    self.open.push((depth, Open::Scope));
                    self.scopes.push(Scope { name, class: None });
                }
            }
            Role::Class => self.class(node, depth),
            Role::Function => self.function(node, depth),
            Role::Import => {
                let known = self.seen.facts.imports.len();
                self.language.imports(node, self.source, &mut self.seen.facts.imports);
                for import in self.seen.facts.imports.get(known..).unwrap_or_default() {
                    self.seen.clocks.import(import);
                }
                return false;
            }
            Role::Alias => {
                if let Some((name, meant)) = self.language.alias(node, self.source) {
                    self.seen.clocks.alias(&name, &meant);
                }
            }
            Role::Call => self.call(node),
            Role::Launch => self.event(Sign::Launch, node.byte_range(), node.byte_range(), row(node)),
            _ => self.decision(node, kind, role, parent, depth),
        }
        true
    }

    /// What a decision costs.
    fn decision(&mut self, node: Node<'_>, kind: u16, role: Role, parent: Step, depth: usize) {
        let before = self.steps.len().checked_sub(3).and_then(|at| self.steps.get(at)).copied();
        let Some(frame) = self.frames.last_mut() else { return };
        let tally = &mut frame.tally;
        let mut nests = false;
        match role {
            // `else if`: the `if` around it has nested already.
            Role::If if parent.role == Role::Else => {
                tally.decide();
                tally.step();
            }
            Role::ElseIf => {
                tally.decide();
                tally.step();
            }
            Role::Else => match parent.role {
                Role::Loop => {
                    tally.decide();
                    tally.step();
                }
                Role::Try => tally.decide(),
                _ => {
                    let mut chained = false;
                    crate::language::children(node, |child| {
                        chained |= self.grammar.role(child.kind_id()) == Role::If;
                    });
                    if !chained {
                        tally.step();
                    }
                }
            },
            Role::If | Role::Loop | Role::Catch | Role::Ternary => {
                tally.decide();
                tally.structure();
                nests = true;
            }
            Role::Endless => {
                tally.structure();
                nests = true;
            }
            Role::Switch => {
                tally.structure();
                nests = true;
                let arms = node.child_by_field_name("body").is_some_and(|body| body.named_child_count() > 0);
                if self.language.last_arm_is_free() && arms {
                    tally.undecide();
                }
            }
            Role::Case => {
                for _ in 0..self.language.decisions(node, self.source) {
                    tally.decide();
                }
            }
            Role::Guard if parent.role == Role::Case => {}
            Role::Comprehension | Role::Guard | Role::Decision => tally.decide(),
            Role::Lambda => nests = true,
            Role::Goto => tally.step(),
            Role::Jump if node.named_child(0).is_some_and(|label| label.kind() == "label") => tally.step(),
            Role::Operator if parent.role == Role::Binary => {
                tally.decide();
                if !parent.counted && before.is_none_or(|around| around.operator != kind) {
                    tally.step();
                }
                let place = self.steps.len().checked_sub(2).and_then(|at| self.steps.get_mut(at));
                if let Some(step) = place {
                    step.counted = true;
                }
            }
            // The operator comes after its left operand, which asks for it.
            Role::Binary => {
                let operator = node.child(1).map_or(0, |operator| operator.kind_id());
                if self.grammar.role(operator) == Role::Operator
                    && let Some(step) = self.steps.last_mut()
                {
                    step.operator = operator;
                }
            }
            _ => {}
        }
        if nests {
            tally.nest();
            self.open.push((depth, Open::Nesting));
        }
        if matches!(role, Role::Loop | Role::Endless | Role::Comprehension) {
            self.seen.loops.push(node.byte_range());
        }
    }

    fn forget(&mut self) {
        self.pending.clear();
        self.documented = false;
    }

    /// The attributes of a declaration, and whether it is documented.
    fn take(&mut self, depth: usize) -> (Vec<String>, bool) {
        let found = (std::mem::take(&mut self.pending), std::mem::take(&mut self.documented));
        if depth == self.pending_depth { found } else { (Vec::new(), false) }
    }

    fn qualified(&self, name: &str) -> String {
        let separator = self.language.separator();
        let length = self.scopes.iter().map(|scope| scope.name.len() + separator.len()).sum::<usize>();
        let mut qualified = String::with_capacity(length + name.len());
        // Thousands of functions inside one another would need the square of their number.
        let skipped = self.scopes.len().saturating_sub(32);
        for scope in &self.scopes[skipped..] {
            qualified.push_str(&scope.name);
            qualified.push_str(separator);
        }
        qualified.push_str(name);
        qualified
    }

    fn class(&mut self, node: Node<'_>, depth: usize) {
        let (decorators, documented) = self.take(depth);
        let Some(sketch) = self.language.class(node, self.source) else { return };
        let qualified = self.qualified(&sketch.name);
        let index = u32::try_from(self.seen.facts.classes.len()).unwrap_or(u32::MAX);
        self.seen.facts.classes.push(Class {
            qualified,
            kind: sketch.kind.to_owned(),
            line: row(node),
            end_line: end_row(node),
            bases: sketch.bases,
            decorators,
            has_docstring: sketch.has_docstring || documented,
            outer: self.scopes.last().and_then(|scope| scope.class),
            name: sketch.name.clone(),
        });
        self.seen.classes.push(node.byte_range());
        self.open.push((depth, Open::Scope));
        self.scopes.push(Scope { name: sketch.name, class: Some(index) });
    }

    fn function(&mut self, node: Node<'_>, depth: usize) {
        let (decorators, documented) = self.take(depth);
        let Some(sketch) = self.language.function(node, self.source) else { return };
        let index = u32::try_from(self.seen.facts.functions.len()).unwrap_or(u32::MAX);
        let name = match &sketch.owner {
            Some(owner) => format!("{owner}{}{}", self.language.separator(), sketch.name),
            None => sketch.name.clone(),
        };
        let class = self.scopes.last().and_then(|scope| scope.class);
        self.seen.facts.functions.push(Function {
            qualified: self.qualified(&name),
            name: sketch.name,
            class,
            line: row(node),
            end_line: end_row(node),
            arguments: sketch.arguments,
            return_type: sketch.return_type,
            decorators,
            is_async: sketch.is_async,
            has_docstring: sketch.has_docstring || documented,
            complexity: Tally::new().complexity(),
            code_lines: 0,
            shape: 0,
            nodes: 0,
        });
        self.seen.functions.push(node.byte_range());
        self.open.push((depth, Open::Function(index)));
        self.open.push((depth, Open::Scope));
        self.scopes.push(Scope { name, class: None });
        self.frames.push(Frame { function: Some(index), tally: Tally::new(), shape: 0, nodes: 0 });
    }

    fn call(&mut self, node: Node<'_>) {
        let Some(callee) = node.child(0) else { return };
        let text = bytes(callee, self.source);
        // A chain of builders is a callee of a thousand bytes; no name of interest is.
        let tail = &text[text.len().saturating_sub(96)..];
        self.seen.clocks.call(tail);
        if let Some(sign) = self.seen.clocks.sign(tail) {
            self.event(sign, node.byte_range(), callee.byte_range(), row(node));
        }
        let Some(frame) = self.frames.last_mut() else { return };
        let name = frame.function.and_then(|index| self.seen.facts.functions.get(index as usize));
        if name.is_some_and(|function| calls(text, function)) {
            frame.tally.recurse();
        }
    }

    fn event(&mut self, sign: Sign, range: Range<usize>, callee: Range<usize>, line: u32) {
        let function = self.frames.last().and_then(|frame| frame.function);
        self.seen.events.push(Event { sign, function, range, callee, line });
    }

    fn gap(&mut self, node: Node<'_>) {
        let next = self.elsewhere.partition_point(|place| place.start <= node.start_byte());
        let before = next.checked_sub(1).and_then(|at| self.elsewhere.get(at));
        if before.is_some_and(|place| node.end_byte() <= place.end) {
            return;
        }
        self.seen.facts.gap_count += 1;
        if self.seen.facts.gaps.len() >= GAPS_KEPT {
            return;
        }
        let place = node.start_position();
        let reason = if node.is_missing() {
            format!("`{}` is missing", node.kind())
        } else {
            let text = String::from_utf8_lossy(bytes(node, self.source));
            let shown: String = text.lines().next().unwrap_or_default().trim().chars().take(60).collect();
            format!("the grammar cannot read `{shown}`")
        };
        let number = |value: usize| u32::try_from(value.saturating_add(1)).unwrap_or(u32::MAX);
        self.seen.facts.gaps.push(Gap { line: number(place.row), column: number(place.column), reason });
    }

    /// Ends the current node.
    fn leave(&mut self) {
        self.steps.pop();
        let depth = self.steps.len();
        while let Some((at, open)) = self.open.last().copied() {
            if at != depth {
                return;
            }
            self.open.pop();
            match open {
                Open::Nesting => {
                    if let Some(frame) = self.frames.last_mut() {
                        frame.tally.unnest();
                    }
                }
                Open::Scope => {
                    self.scopes.pop();
                }
                Open::Function(index) => self.end_function(index),
            }
        }
    }

    fn end_function(&mut self, index: u32) {
        let Some(frame) = self.frames.pop() else { return };
        self.sum(&frame.tally);
        if let Some(function) = self.seen.facts.functions.get_mut(index as usize) {
            function.complexity = frame.tally.complexity();
            function.shape = frame.shape;
            function.nodes = frame.nodes;
        }
    }

    fn sum(&mut self, tally: &Tally) {
        self.decisions = self.decisions.saturating_add(tally.decisions());
        self.cognitive = self.cognitive.saturating_add(tally.complexity().cognitive);
        self.deepest = self.deepest.max(tally.complexity().nesting);
    }

    fn finish(mut self) -> Seen<'s> {
        if let Some(frame) = self.frames.pop() {
            self.sum(&frame.tally);
            self.seen.outside = (frame.shape, frame.nodes);
        }
        let rows = Rows::new(self.source, &self.comments);
        let facts = &mut self.seen.facts;
        facts.lines = rows.total();
        facts.complexity.cyclomatic = 1 + self.decisions;
        facts.complexity.cognitive = self.cognitive;
        facts.complexity.nesting = self.deepest;
        for function in &mut facts.functions {
            function.code_lines = rows.code(function.line, function.end_line);
        }
        self.seen.comments = self.comments;
        self.seen
    }
}

/// Whether a callee is the function itself: `f`, or `self.f` in a method.
fn calls(callee: &[u8], function: &Function) -> bool {
    let name = function.name.as_bytes();
    callee == name
        || function.class.is_some()
            && [b"self.".as_slice(), b"Self::", b"this->", b"cls."]
                .iter()
                .any(|start| callee.strip_prefix(*start) == Some(name))
}

fn end_row(node: Node<'_>) -> u32 {
    let end = node.end_position();
    // A node that ends with its line feed ends before the next line.
    let row = if end.column == 0 && end.row > node.start_position().row { end.row } else { end.row + 1 };
    u32::try_from(row).unwrap_or(u32::MAX)
}
