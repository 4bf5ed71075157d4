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

/// A line that is being filled, beside the first column.
struct Line<'a> {
    /// Of all columns.
    widths: &'a [usize],
    /// What is left of the line.
    room: usize,
    taken: Vec<usize>,
}

impl Line<'_> {
    /// Takes a column if that leaves this much room.
    fn take(&mut self, column: usize, reserve: usize) -> bool {
        let cost = GAP + self.widths[column];
        let fits = cost + reserve <= self.room;
        if fits {
            self.room -= cost;
            self.taken.push(column);
        }
        fits
    }

    /// Takes all of these columns, or none.
    fn take_all(&mut self, columns: &[usize]) -> bool {
        let cost: usize = columns.iter().map(|column| GAP + self.widths[*column]).sum();
        cost <= self.room && columns.iter().all(|column| self.take(*column, 0))
    }

    /// The columns in their order, with their widths. Without text beside the values, the first column has the room that
    /// is left.
    fn planned(
        self,
        (name, name_room): (usize, usize),
        beside: Option<(usize, usize)>,
    ) -> Vec<(usize, usize)> {
        let name_room =
            if beside.is_some() { name_room } else { self.widths[name].min(name_room + self.room) };
        let taken = self.taken.iter().map(|column| (*column, self.widths[*column]));
        let mut line: Vec<(usize, usize)> = taken.chain(beside).chain([(name, name_room)]).collect();
        line.sort_unstable();
        line
    }
}

/// Width of these columns side by side.
fn total(columns: &[usize], widths: &[usize]) -> usize {
    columns.iter().map(|column| widths[*column]).sum::<usize>() + GAP * columns.len().saturating_sub(1)
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

    fn is_shown(&self, column: usize) -> bool {
        self.with_empty || self.rows.is_empty() || self.rows.iter().any(|row| !row[column].trim().is_empty())
    }

    fn plan(&self, width: usize) -> Plan {
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width_of(column)).collect();
        let shown: Vec<usize> = (0..self.columns.len()).filter(|column| self.is_shown(*column)).collect();
        if total(&shown, &widths) <= width {
            let line = shown.iter().map(|column| (*column, widths[*column])).collect();
            return Plan { line, below: Vec::new(), left_out: Vec::new() };
        }
        let of = |roles: &[Role]| -> Vec<usize> {
            shown.iter().copied().filter(|column| roles.contains(&self.columns[*column].role)).collect()
        };
        let (prose, extras) = (of(&[Role::Prose, Role::Summary]), of(&[Role::Extra]));
        let mut needed = of(&[Role::Needed, Role::Headline]);
        if needed.is_empty() {
            return Plan { line: Vec::new(), below: prose, left_out: extras };
        }
        let name = needed.remove(0);
        let name_room = if total(&of(&[Role::Needed, Role::Headline, Role::Own]), &widths) <= width {
            widths[name]
        } else {
            // The first column is cut: names that are longer have a line of their own.
            widths[name].min(NAME.max(width / NAME_PART))
        };
        let mut line = Line { widths: &widths, room: width.saturating_sub(name_room), taken: Vec::new() };
        needed.sort_by_key(|column| self.columns[*column].role != Role::Headline);
        let mut below: Vec<usize> = needed.into_iter().filter(|column| !line.take(*column, 0)).collect();
        below.sort_unstable();
        let is_full = !below.is_empty();
        // Own metrics stay together: all in the line, or all below it.
        let own = of(&[Role::Own]);
        if is_full || !line.take_all(&own) {
            below.extend(own);
        }
        let beside = prose.first().filter(|_| prose.len() == 1).copied();
        let reserve = beside.map_or(0, |column| GAP + BESIDE.min(widths[column]));
        // Extra columns are the first to be left out, once another column has no room.
        let left_out = extras.into_iter().filter(|column| is_full || !line.take(*column, reserve)).collect();
        // Text stands beside the values only if nothing else goes below them.
        let at_side = line.room.saturating_sub(GAP).min(beside.map_or(0, |column| widths[column]));
        let beside = beside.filter(|column| below.is_empty() && self.fits_beside(*column, at_side));
        if beside.is_none() {
            below.extend(prose);
        }
        Plan {
            line: line.planned((name, name_room), beside.map(|column| (column, at_side))),
            below,
            left_out,
        }
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
