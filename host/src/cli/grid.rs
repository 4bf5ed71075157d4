//! Rows of cells in the available width: a line per row if it fits, otherwise two. A value is never broken.

use std::fmt;

use super::terminal::{self, clip, columns, wrap};

/// Spaces between two columns, and between two values on a second line.
const GAP: usize = 2;
/// Indentation of a second line [columns].
const INDENT: usize = 4;
/// Minimum width of text beside the values [columns]; with less room it gets a line of its own.
const BESIDE: usize = 32;
/// Maximum number of lines of text beside the values; longer text goes below them.
const MOST_BESIDE: usize = 2;
/// Width that the first column keeps, so that short names stay in line with their values: at least this many columns, …
const NAME: usize = 16;
/// … and one part in this many of the whole width. Longer names have a line of their own.
const NAME_PART: usize = 3;

/// What happens to a column if there is not enough room for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// On the second line where the first is full.
    Needed,
    /// The same, but the first line is filled with these before.
    Headline,
    /// A value that only some rows have: below its row if there is not enough room for all columns of this kind.
    Own,
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

#[derive(Debug, Clone)]
pub(super) struct Grid {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    /// The flag that shows what was left out.
    more: Option<&'static str>,
    /// Whether columns without values are shown, too.
    with_empty: bool,
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
    pub(super) fn new<'a>(columns: impl IntoIterator<Item = (&'a str, Role)>) -> Self {
        let columns =
            columns.into_iter().map(|(head, role)| Column { head: head.to_owned(), role }).collect();
        Self { columns, rows: Vec::new(), more: None, with_empty: false }
    }

    /// Adds a row; cells that are missing are empty.
    pub(super) fn add_row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let mut row: Vec<String> = cells.into_iter().map(Into::into).collect();
        row.resize(self.columns.len(), String::new());
        self.rows.push(row);
    }

    /// Also shows columns without values, for users who asked for every column.
    pub(super) fn with_empty(mut self) -> Self {
        self.with_empty = true;
        self
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
            self.with_empty
                || self.rows.is_empty()
                || self.rows.iter().any(|row| !row[*column].trim().is_empty())
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
        let Some((&name, others)) = needed.split_first() else {
            return Plan { line: Vec::new(), below: prose, left_out: extras };
        };
        let name_room = if total(&of(&[Role::Needed, Role::Headline, Role::Own])) <= width {
            widths[name]
        } else {
            // The first column is cut: names that are longer have a line of their own.
            widths[name].min(NAME.max(width / NAME_PART))
        };
        let mut room = width.saturating_sub(name_room);
        let mut kept: Vec<usize> = Vec::new();
        let mut take = |room: &mut usize, column: usize, reserve: usize| {
            let cost = GAP + widths[column];
            let fits = cost + reserve <= *room;
            if fits {
                *room -= cost;
                kept.push(column);
            }
            fits
        };
        let first = others.iter().filter(|column| role(column) == Role::Headline);
        let then = others.iter().filter(|column| role(column) == Role::Needed);
        let mut below: Vec<usize> =
            first.chain(then).copied().filter(|column| !take(&mut room, *column, 0)).collect();
        below.sort_unstable();
        let is_full = !below.is_empty();
        let own = of(&[Role::Own]);
        // Own metrics stay together: all in the line, or all below it.
        let of_own: usize = own.iter().map(|column| GAP + widths[*column]).sum();
        if !is_full && of_own <= room {
            for column in own {
                take(&mut room, column, 0);
            }
        } else {
            below.extend(own);
        }
        let beside = prose.first().filter(|_| prose.len() == 1).copied();
        let reserve = beside.map_or(0, |column| GAP + BESIDE.min(widths[column]));
        // Extra columns are the first to be left out, once another column has no room.
        let left_out: Vec<usize> =
            extras.into_iter().filter(|column| is_full || !take(&mut room, *column, reserve)).collect();
        let mut line: Vec<(usize, usize)> = kept.iter().map(|column| (*column, widths[*column])).collect();
        let at_side = room.saturating_sub(GAP).min(beside.map_or(0, |column| widths[column]));
        // Text stands beside the values only if nothing else goes below them.
        let beside = beside.filter(|column| below.is_empty() && self.fits_beside(*column, at_side));
        let name_room = match beside {
            Some(column) => {
                line.push((column, at_side));
                name_room
            }
            None => {
                below.extend(prose);
                widths[name].min(name_room + room)
            }
        };
        line.push((name, name_room));
        line.sort_unstable();
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
        let mut name_lines = Vec::new();
        let is_long = first.is_some_and(|(name, room)| columns(name) > room);
        if let Some((name, _)) = first.filter(|_| is_long) {
            name_lines = wrap(name, width, width);
            if plan.below.iter().any(|column| !row[*column].trim().is_empty()) {
                let values: Vec<usize> = plan.line.iter().skip(1).map(|(column, _)| *column).collect();
                name_lines.extend(self.packed(row, &values, &plan.below, width));
                return name_lines;
            }
        }
        let cells: Vec<Vec<String>> = plan
            .line
            .iter()
            .enumerate()
            .map(|(place, (column, room))| match self.columns[*column].role {
                _ if is_long && place == 0 => Vec::new(),
                Role::Prose => row[*column].lines().flat_map(|line| wrap(line, *room, *room)).collect(),
                Role::Summary => vec![clip(row[*column].lines().next().unwrap_or_default(), *room)],
                _ => row[*column].lines().map(str::to_owned).collect(),
            })
            .collect();
        name_lines.extend(aligned(&cells, &plan.line));
        name_lines.extend(self.packed(row, &[], &plan.below, width));
        name_lines
    }

    /// Cells, as many to a line as fit: those whose heads stand above, then those with their heads, then text.
    fn packed(&self, row: &[String], headed: &[usize], below: &[usize], width: usize) -> Vec<String> {
        let room = width.saturating_sub(INDENT).max(1);
        let mut lines: Vec<String> = Vec::new();
        let mut text = Vec::new();
        for column in headed.iter().chain(below) {
            let Column { head, role } = &self.columns[*column];
            let cell = row[*column].trim();
            if cell.is_empty() {
                continue;
            }
            match role {
                Role::Prose => text.extend(cell.lines().flat_map(|line| wrap(line, room, room))),
                Role::Summary => text.push(clip(cell.lines().next().unwrap_or_default(), room)),
                _ => {
                    let value = cell.replace('\n', ", ");
                    let item = if headed.contains(column) { value } else { format!("{head} {value}") };
                    match lines.last_mut() {
                        Some(line) if columns(line) + GAP + columns(&item) <= room => {
                            line.push_str(&" ".repeat(GAP));
                            line.push_str(&item);
                        }
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
        assert!(middle.ends_with("no room for p99 (--all-columns shows all)"), "{middle}");
        let less = grid().render(66);
        assert_eq!(
            less.lines().skip(2).collect::<Vec<_>>(),
            [
                "sum                          native  1.234 µs ± 0.4 %  12.34 GiB/s",
                "a_benchmark_with_a_long_name",
                "                             wasm    2.234 µs ± 10 %   6.34 GiB/s",
                "no room for p99 (--all-columns shows all)",
            ],
            "{less}"
        );
        let narrow = grid().render(46);
        assert_eq!(
            narrow.lines().skip(2).collect::<Vec<_>>(),
            [
                "sum                   native  1.234 µs ± 0.4 %",
                "    throughput 12.34 GiB/s",
                "a_benchmark_with_a_long_name",
                "    wasm  2.234 µs ± 10 %",
                "    throughput 6.34 GiB/s",
                "no room for p99 (--all-columns shows all)",
            ],
            "{narrow}"
        );
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
            let roles = [Role::Needed, Role::Headline, Role::Own, Role::Prose, Role::Extra];
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
