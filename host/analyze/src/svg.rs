//! The two drawings of the page: complexity as a treemap, and files that import one another in layers.

use std::{collections::HashMap, fmt::Write};

use crate::{
    analysis::Analysis,
    treemap::{Rectangle, squarify},
};

/// How many rectangles a treemap has.
const RECTANGLES: usize = 1500;

/// How many files a graph shows.
const GRAPH_FILES: usize = 60;

/// Size of the drawings.
const WIDTH: f64 = 1160.0;
const HEIGHT: f64 = 620.0;

/// Narrower rectangles get no label.
const LABELLED: f64 = 70.0;

/// Text for HTML and SVG.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            character if character.is_control() => safe.push(' '),
            character => safe.push(character),
        }
    }
    safe
}

/// The end of a long name, which tells more than its beginning.
fn short(text: &str, characters: usize) -> String {
    let count = text.chars().count();
    if count <= characters {
        return text.to_owned();
    }
    let end: String = text.chars().skip(count - characters + 1).collect();
    format!("…{end}")
}

/// Files as rectangles: area is lines of code, colour is cognitive complexity per line.
pub(crate) fn treemap(analysis: &Analysis) -> String {
    let mut files: Vec<_> = analysis.files.iter().filter(|file| file.facts.lines.code > 0).collect();
    files.sort_by(|left, right| {
        (right.facts.lines.code, &left.path).cmp(&(left.facts.lines.code, &right.path))
    });
    let left_out = files.len().saturating_sub(RECTANGLES);
    files.truncate(RECTANGLES);
    let sizes: Vec<f64> = files.iter().map(|file| f64::from(file.facts.lines.code)).collect();
    let space = Rectangle { left: 0.0, top: 0.0, width: WIDTH, height: HEIGHT };
    let mut text =
        format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Complexity of files\">\n");
    for (file, place) in files.iter().zip(squarify(&sizes, space)) {
        let facts = &file.facts;
        let density = f64::from(facts.complexity.cognitive) / f64::from(facts.lines.code);
        // One point of complexity for every second line is as dense as code gets.
        let hue = 130.0 * (1.0 - (density / 0.5).min(1.0));
        let Rectangle { left, top, width, height } = place;
        let _written = writeln!(
            text,
            "<g><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"hsl({hue:.0} 55% 70%)\"/>\
             <title>{}: {} lines of code, cyclomatic {}, cognitive {}</title>{}</g>",
            escaped(&file.path),
            facts.lines.code,
            facts.complexity.cyclomatic,
            facts.complexity.cognitive,
            label(&file.path, place)
        );
    }
    text.push_str("</svg>\n");
    if left_out > 0 {
        let _written = writeln!(text, "<p>{left_out} smaller files are not drawn.</p>");
    }
    text
}

fn label(path: &str, place: Rectangle) -> String {
    if place.width < LABELLED || place.height < 18.0 {
        return String::new();
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    // Characters of the drawing are seven units wide.
    let name = short(name, ((place.width - 8.0) / 7.0) as usize);
    format!("<text x=\"{:.1}\" y=\"{:.1}\">{}</text>", place.left + 4.0, place.top + 14.0, escaped(&name))
}

/// The files with most connections, importers left of what they import.
pub(crate) fn dependencies(analysis: &Analysis) -> String {
    let graph = &analysis.graph;
    let degree = |at: usize| graph.imports[at].len() + graph.imported_by[at].len();
    let mut files: Vec<usize> = (0..analysis.files.len()).filter(|at| degree(*at) > 0).collect();
    files.sort_by_key(|at| (std::cmp::Reverse(degree(*at)), *at));
    let left_out = files.len().saturating_sub(GRAPH_FILES);
    files.truncate(GRAPH_FILES);
    files.sort_unstable();
    if files.is_empty() {
        return "<p>No file of this tree imports another one.</p>\n".to_owned();
    }
    let places: HashMap<usize, usize> = files.iter().enumerate().map(|(place, at)| (*at, place)).collect();
    let edges: Vec<(usize, usize)> = files
        .iter()
        .enumerate()
        .flat_map(|(from, at)| {
            graph.imports[*at].iter().filter_map(|to| places.get(to)).map(move |to| (from, *to))
        })
        .collect();
    let layers = layers(files.len(), &edges);
    draw(analysis, &files, &edges, &layers, left_out)
}

/// The layer of each node: right of all that import it, as far as circles allow.
fn layers(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut layers = vec![0_usize; nodes];
    // A circle would push its nodes on without end; a graph without circles is done after as many rounds as it is deep.
    let most = nodes.min(8);
    for _ in 0..most {
        let mut changed = false;
        for (from, to) in edges {
            let wanted = (layers[*from] + 1).min(most);
            if layers[*to] < wanted {
                layers[*to] = wanted;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    layers
}

fn draw(
    analysis: &Analysis,
    files: &[usize],
    edges: &[(usize, usize)],
    layers: &[usize],
    left_out: usize,
) -> String {
    const ROW: f64 = 26.0;
    const BOX: f64 = 150.0;
    let columns = layers.iter().max().map_or(1, |last| last + 1);
    let mut used = vec![0_usize; columns];
    let gap = (WIDTH - BOX) / (columns.saturating_sub(1).max(1) as f64);
    let points: Vec<(f64, f64)> = layers
        .iter()
        .map(|layer| {
            used[*layer] += 1;
            (*layer as f64 * gap, (used[*layer] - 1) as f64 * ROW + 4.0)
        })
        .collect();
    let height = used.iter().max().map_or(1.0, |most| *most as f64 * ROW + 8.0);
    let mut text =
        format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Imports between files\">\n");
    for (from, to) in edges {
        let ((left, top), (right, bottom)) = (points[*from], points[*to]);
        let (start, middle) = (left + BOX, (left + BOX + right) / 2.0);
        let _written = writeln!(
            text,
            "<path class=\"edge\" d=\"M{start:.0} {:.0}C{middle:.0} {:.0} {middle:.0} {:.0} {right:.0} {:.0}\"/>",
            top + 10.0,
            top + 10.0,
            bottom + 10.0,
            bottom + 10.0
        );
    }
    for (at, (left, top)) in files.iter().zip(&points) {
        let path = &analysis.files[*at].path;
        let _written = writeln!(
            text,
            "<g><rect class=\"node\" x=\"{left:.0}\" y=\"{top:.0}\" width=\"{BOX}\" height=\"20\" rx=\"3\"/>\
             <title>{}: imports {}, imported by {}</title><text x=\"{:.0}\" y=\"{:.0}\">{}</text></g>",
            escaped(path),
            analysis.graph.imports[*at].len(),
            analysis.graph.imported_by[*at].len(),
            left + 5.0,
            top + 14.0,
            escaped(&short(path, 20))
        );
    }
    text.push_str("</svg>\n");
    if left_out > 0 {
        let _written = writeln!(text, "<p>{left_out} files with fewer connections are not drawn.</p>");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_has_layers_too() {
        assert_eq!(layers(3, &[(0, 1), (1, 2)]), [0, 1, 2]);
        assert!(layers(2, &[(0, 1), (1, 0)]).iter().all(|layer| *layer <= 2));
    }

    #[test]
    fn names_cannot_leave_their_text() {
        assert_eq!(escaped("<a href='x'>&\u{7}"), "&lt;a href=&#39;x&#39;&gt;&amp; ");
        assert_eq!(short("abcdef", 4), "…def");
    }
}
