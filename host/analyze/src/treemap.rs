//! A squarified treemap: rectangles whose areas are given numbers, as near to squares as they can be. Pure.

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rectangle {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A rectangle inside `space` for each of `sizes`, which are positive and descend. After Bruls, Huizing and van Wijk.
pub(crate) fn squarify(sizes: &[f64], space: Rectangle) -> Vec<Rectangle> {
    let total: f64 = sizes.iter().sum();
    if total <= 0.0 || space.width <= 0.0 || space.height <= 0.0 {
        return sizes.iter().map(|_| Rectangle { width: 0.0, height: 0.0, ..space }).collect();
    }
    let scale = space.width * space.height / total;
    let areas: Vec<f64> = sizes.iter().map(|size| size * scale).collect();
    let mut found = Vec::with_capacity(sizes.len());
    let mut rest = space;
    let mut first = 0;
    while first < areas.len() {
        let side = rest.width.min(rest.height);
        let (mut last, mut sum) = (first + 1, areas[first]);
        let mut worst = ratio(areas[first], areas[first], sum, side);
        while let Some(next) = areas.get(last).copied() {
            let wider = ratio(areas[first], next, sum + next, side);
            if wider > worst {
                break;
            }
            (worst, sum, last) = (wider, sum + next, last + 1);
        }
        rest = row(&areas[first..last], sum, rest, &mut found);
        first = last;
    }
    found
}

/// The worst ratio of sides in a row of areas between `largest` and `smallest` along a side.
fn ratio(largest: f64, smallest: f64, sum: f64, side: f64) -> f64 {
    let (square, side) = (sum * sum, side * side);
    (side * largest / square).max(square / (side * smallest))
}

/// Lays a row along the shorter side, and gives what is left.
fn row(areas: &[f64], sum: f64, space: Rectangle, found: &mut Vec<Rectangle>) -> Rectangle {
    let upright = space.width >= space.height;
    let side = if upright { space.height } else { space.width };
    let thickness = if side > 0.0 { sum / side } else { 0.0 };
    let mut at = 0.0;
    for area in areas {
        let length = if thickness > 0.0 { area / thickness } else { 0.0 };
        found.push(if upright {
            Rectangle { left: space.left, top: space.top + at, width: thickness, height: length }
        } else {
            Rectangle { left: space.left + at, top: space.top, width: length, height: thickness }
        });
        at += length;
    }
    if upright {
        Rectangle { left: space.left + thickness, width: (space.width - thickness).max(0.0), ..space }
    } else {
        Rectangle { top: space.top + thickness, height: (space.height - thickness).max(0.0), ..space }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: Rectangle = Rectangle { left: 0.0, top: 0.0, width: 6.0, height: 4.0 };

    #[test]
    fn areas_are_the_given_numbers_and_fill_the_space() {
        // The example of the paper.
        let sizes = [6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0];
        let found = squarify(&sizes, SPACE);
        for (size, rectangle) in sizes.iter().zip(&found) {
            assert!((rectangle.width * rectangle.height - size).abs() < 1e-9);
            assert!(rectangle.left + rectangle.width <= 6.0 + 1e-9);
            assert!(rectangle.top + rectangle.height <= 4.0 + 1e-9);
        }
        assert_eq!(found[0], Rectangle { left: 0.0, top: 0.0, width: 3.0, height: 2.0 });
        assert_eq!(found[1], Rectangle { left: 0.0, top: 2.0, width: 3.0, height: 2.0 });
    }

    #[test]
    fn nothing_takes_no_space() {
        assert_eq!(squarify(&[], SPACE), []);
        assert_eq!(squarify(&[0.0], SPACE)[0].width, 0.0);
    }
}
