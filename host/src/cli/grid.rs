//! Rows of cells in the width that there is: a line per row where it fits, else two. A value is never broken.

use std::fmt;

use super::terminal::{self, clip, columns, wrap};

/// Between two columns, and between two values on a second line.
const GAP: usize = 2;
/// How far a second line is indented.
const INDENT: usize = 4;
/// Text stands beside the values where it has this much room, and on a line of its own elsewhere.
const BESIDE: usize = 32;
/// Lines that text beside values may take; with more it has a better place below them.
const MOST_BESIDE: usize = 2;
/// Room that the first column keeps, so that short names stand in line with their values.
const NAME: usize = 16;

/// What becomes of a column where there is not room for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// On the second line where the first is full.
    Needed,
    /// The same, but the first line is filled with these before.
    Headline,
    /// Left out.
    Extra,
    /// Text for people: broken between words, below the row where it has no room beside it.
    Prose,
    /// The same, of which one line is enough.
    Summary,
}

#[derive(Debug, Clone)]
struct Column {
    head: String,
    role: Role,
}

/// Rows of cells under heads.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    /// The flag that shows what was left out.
    more: Option<&'static str>,
}

/// Which columns stand where.
struct Plan {
    /// On the first line, with their widths.
    line: Vec<(usize, usize)>,
    /// Below it.
    below: Vec<usize>,
    left_out: Vec<usize>,
}

impl Grid {
    /// An empty grid.
    pub(super) fn new<'a>(columns: impl IntoIterator<Item = (&'a str, Role)>) -> Self {
        let columns =
            columns.into_iter().map(|(head, role)| Column { head: head.to_owned(), role }).collect();
        Self { columns, rows: Vec::new(), more: None }
    }

    /// Adds a row; cells that are missing are empty.
    pub(super) fn add_row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let mut row: Vec<String> = cells.into_iter().map(Into::into).collect();
        row.resize(self.columns.len(), String::new());
        self.rows.push(row);
    }

    /// Shows every column in full, however many lines that takes, or else names what is left out and the flag that shows
    /// it.
    pub(super) fn complete(mut self, everything: bool, flag: &'static str) -> Self {
        if !everything {
            self.more = Some(flag);
            return self;
        }
        for column in &mut self.columns {
            match column.role {
                Role::Extra => column.role = Role::Needed,
                Role::Summary => column.role = Role::Prose,
                _ => {}
            }
        }
        self
    }

    /// The text, in lines of at most `width` columns; only a value that is longer than a line is broken.
    pub(super) fn render(&self, width: usize) -> String {
        let plan = self.plan(width);
        let heads: Vec<Vec<String>> =
            plan.line.iter().map(|(column, _)| vec![self.columns[*column].head.clone()]).collect();
        let rules: Vec<Vec<String>> = plan.line.iter().map(|(_, width)| vec!["─".repeat(*width)]).collect();
        let mut lines = aligned(&heads, &plan.line);
        lines.extend(aligned(&rules, &plan.line));
        for row in &self.rows {
            lines.extend(self.row(row, &plan, width));
        }
        if let (Some(flag), [_, ..]) = (self.more, plan.left_out.as_slice()) {
            let names: Vec<&str> =
                plan.left_out.iter().map(|column| self.columns[*column].head.as_str()).collect();
            let note = format!("no room for {} ({flag} shows all)", names.join(", "));
            lines.extend(wrap(&note, width, width));
        }
        lines.join("\n")
    }

    fn width_of(&self, column: usize) -> usize {
        let cells = self.rows.iter().flat_map(|row| row[column].lines()).map(columns);
        cells.chain([columns(&self.columns[column].head)]).max().unwrap_or(0)
    }

    fn plan(&self, width: usize) -> Plan {
        let is_filled = |column: &usize| {
            self.rows.is_empty() || self.rows.iter().any(|row| !row[*column].trim().is_empty())
        };
        let shown: Vec<usize> = (0..self.columns.len()).filter(is_filled).collect();
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width_of(column)).collect();
        let total = |line: &[usize]| {
            line.iter().map(|column| widths[*column]).sum::<usize>() + GAP * line.len().saturating_sub(1)
        };
        let in_line = |line: &[usize]| line.iter().map(|column| (*column, widths[*column])).collect();
        if total(&shown) <= width {
            return Plan { line: in_line(&shown), below: Vec::new(), left_out: Vec::new() };
        }
        let role = |column: &usize| self.columns[*column].role;
        let of = |roles: &[Role]| -> Vec<usize> {
            shown.iter().copied().filter(|column| roles.contains(&role(column))).collect()
        };
        let prose = of(&[Role::Prose, Role::Summary]);
        let extras = of(&[Role::Extra]);
        let needed = of(&[Role::Needed, Role::Headline]);
        let mut line = needed.clone();
        if total(&line) > width {
            return self.two_lines(width, &widths, &needed, &extras, &prose);
        }
        let beside = prose.first().filter(|_| prose.len() == 1).copied();
        let reserve = beside.map_or(0, |column| GAP + BESIDE.min(widths[column]));
        let mut left_out = Vec::new();
        for extra in extras {
            let with: Vec<usize> =
                shown.iter().copied().filter(|it| line.contains(it) || *it == extra).collect();
            if total(&with) + reserve <= width { line = with } else { left_out.push(extra) }
        }
        let room = width.saturating_sub(total(&line) + GAP);
        if let Some(column) = beside.filter(|column| self.fits_beside(*column, room.min(widths[*column]))) {
            let at = line.iter().filter(|other| **other < column).count();
            let mut line: Vec<(usize, usize)> = in_line(&line);
            line.insert(at, (column, room.min(widths[column])));
            return Plan { line, below: Vec::new(), left_out };
        }
        Plan { line: in_line(&line), below: prose, left_out }
    }

    /// Where even what is needed does not fit on one line.
    fn two_lines(
        &self,
        width: usize,
        widths: &[usize],
        needed: &[usize],
        extras: &[usize],
        prose: &[usize],
    ) -> Plan {
        let Some((&name, others)) = needed.split_first() else {
            return Plan { line: Vec::new(), below: prose.to_vec(), left_out: extras.to_vec() };
        };
        let mut room = width.saturating_sub(widths[name].min(NAME));
        let mut kept = Vec::new();
        for wanted in [Role::Headline, Role::Needed] {
            for column in others.iter().filter(|column| self.columns[**column].role == wanted) {
                if let Some(left) = room.checked_sub(GAP + widths[*column]) {
                    room = left;
                    kept.push(*column);
                }
            }
        }
        kept.sort_unstable();
        let taken: usize = kept.iter().map(|column| GAP + widths[*column]).sum();
        let mut line = vec![(name, widths[name].min(width.saturating_sub(taken)))];
        line.extend(kept.iter().map(|column| (*column, widths[*column])));
        let mut below: Vec<usize> = others.iter().copied().filter(|column| !kept.contains(column)).collect();
        let left_out = if below.is_empty() {
            extras.to_vec()
        } else {
            below.extend(extras);
            Vec::new()
        };
        below.extend(prose);
        Plan { line, below, left_out }
    }

    fn fits_beside(&self, column: usize, room: usize) -> bool {
        let is_short = |cell: &str| {
            cell.lines().map(|line| wrap(line, room, room).len()).sum::<usize>()
                <= MOST_BESIDE.max(cell.lines().count())
        };
        let enough = room >= BESIDE.min(self.width_of(column));
        enough
            && (self.columns[column].role == Role::Summary
                || self.rows.iter().all(|row| is_short(&row[column])))
    }

    fn row(&self, row: &[String], plan: &Plan, width: usize) -> Vec<String> {
        let first = plan.line.first().map(|(column, room)| (row[*column].as_str(), *room));
        if let Some((name, _)) = first.filter(|(name, room)| columns(name) > *room) {
            let mut lines = wrap(name, width, width);
            let values: Vec<usize> = plan.line.iter().skip(1).map(|(column, _)| *column).collect();
            lines.extend(self.packed(row, &[values, plan.below.clone()].concat(), width));
            return lines;
        }
        let cells: Vec<Vec<String>> = plan
            .line
            .iter()
            .map(|(column, room)| match self.columns[*column].role {
                Role::Prose => row[*column].lines().flat_map(|line| wrap(line, *room, *room)).collect(),
                Role::Summary => vec![clip(row[*column].lines().next().unwrap_or_default(), *room)],
                _ => row[*column].lines().map(str::to_owned).collect(),
            })
            .collect();
        let mut lines = aligned(&cells, &plan.line);
        lines.extend(self.packed(row, &plan.below, width));
        lines
    }

    /// Cells with their heads, as many to a line as fit, then text.
    fn packed(&self, row: &[String], below: &[usize], width: usize) -> Vec<String> {
        let room = width.saturating_sub(INDENT).max(1);
        let mut lines: Vec<String> = Vec::new();
        let mut text = Vec::new();
        for column in below {
            let Column { head, role } = &self.columns[*column];
            let cell = row[*column].trim();
            if cell.is_empty() {
                continue;
            }
            match role {
                Role::Prose => text.extend(cell.lines().flat_map(|line| wrap(line, room, room))),
                Role::Summary => text.push(clip(cell.lines().next().unwrap_or_default(), room)),
                _ => {
                    let item = format!("{head} {}", cell.replace('\n', ", "));
                    match lines.last_mut() {
                        Some(line) if columns(line) + GAP + columns(&item) <= room => {
                            line.push_str(&" ".repeat(GAP));
                            line.push_str(&item);
                        }
                        // What may be left out is worth no line of its own.
                        Some(_) if *role == Role::Extra => {}
                        _ => lines.extend(wrap(&item, room, room)),
                    }
                }
            }
        }
        lines
            .into_iter()
            .chain(text)
            .map(|line| format!("{}{line}", " ".repeat(INDENT.min(width / 2))))
            .collect()
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(terminal::width()))
    }
}

/// Cells of one or more lines side by side.
fn aligned(cells: &[Vec<String>], widths: &[(usize, usize)]) -> Vec<String> {
    let height = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
    (0..height)
        .map(|number| {
            let mut out = String::new();
            for (cell, (_, width)) in cells.iter().zip(widths) {
                let text = cell.get(number).map_or("", String::as_str);
                out.push_str(text);
                out.push_str(&" ".repeat((width + GAP).saturating_sub(columns(text))));
            }
            out.trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grid() -> Grid {
        let mut grid = Grid::new([
            ("benchmark", Role::Needed),
            ("engine", Role::Needed),
            ("median", Role::Headline),
            ("throughput", Role::Needed),
            ("empty", Role::Needed),
            ("p99", Role::Extra),
        ]);
        grid.add_row(["sum", "native", "1.234 µs ± 0.4 %", "12.34 GiB/s", "", "2.000 µs"]);
        grid.add_row([
            "a_benchmark_with_a_long_name",
            "wasm",
            "2.234 µs ± 10 %",
            "6.34 GiB/s",
            "",
            "3.000 µs",
        ]);
        grid.complete(false, "--all-columns")
    }

    #[test]
    fn a_row_is_a_line_where_it_fits_and_two_where_not() {
        let wide = grid().render(100);
        assert_eq!(wide.lines().count(), 4, "{wide}");
        assert!(!wide.contains("empty") && wide.contains("3.000 µs"), "{wide}");
        let middle = grid().render(72);
        assert_eq!(middle.lines().count(), 5, "{middle}");
        assert!(middle.contains("no room for p99 (--all-columns shows all)"), "{middle}");
        let narrow = grid().render(46);
        let expected = "\
benchmark   engine  median
──────────  ──────  ────────────────
";
        assert_eq!(narrow, expected);
    }

    #[test]
    fn text_is_wrapped_beside_values_or_stands_below_them() {
        let mut grid = Grid::new([("device", Role::Needed), ("state", Role::Prose)]);
        grid.add_row(["cpu", "available"]);
        grid.add_row(["cuda", "unavailable: there is no NVIDIA driver on this machine; install version 525"]);
        let wide = grid.render(60);
        assert_eq!(wide.lines().count(), 5, "{wide}");
        let narrow = grid.render(30);
        assert!(narrow.contains("cuda\n    unavailable: there is no"), "{narrow}");
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_no_value_is_lost(
            rows in proptest::collection::vec(proptest::collection::vec("[a-z0-9µ日=%]{0,6}( [a-z%]{1,4})?", 5), 0..6),
            width in 30usize..140,
        ) {
            let roles = [Role::Needed, Role::Headline, Role::Needed, Role::Prose, Role::Extra];
            let mut grid = Grid::new(["one", "two", "three", "four", "five"].into_iter().zip(roles));
            for row in &rows {
                grid.add_row(row.iter().map(|cell| cell.trim()));
            }
            let text = grid.render(width);
            prop_assert!(text.lines().all(|line| columns(line) <= width), "{}", text);
            for cell in rows.iter().flat_map(|row| &row[..3]) {
                prop_assert!(text.contains(cell.trim()), "`{}` is not in\n{}", cell, text);
            }
        }
    }
}
