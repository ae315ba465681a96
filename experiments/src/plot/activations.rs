//! The activation functions: phi and phi' of each in a panel of its own.

use super::Subject;
use super::axis::{Axis, Scale};
use super::figure::{Entry, Figure, Key, Mark, Panel};
use super::names;
use super::read::Rows;
use super::theme;

/// A jump of phi' or phi between neighbours of the grid larger than this is drawn as a gap.
const JUMP: f64 = 0.5;

/// One panel per cell, the first two columns as phi and phi'.
pub(super) fn figure(subject: &Subject, curves: &Rows) -> Figure {
    let cells = curves.cells();
    let colours = theme::series(2, false);
    let titles = names::cells(curves, &cells);
    let columns = curves.figures.len().min(3);
    let panels = cells
        .iter()
        .zip(titles)
        .map(|(cell, title)| {
            let rows: Vec<_> = curves.rows.iter().filter(|row| row.cell == cell.cell).collect();
            let series = |column: usize| -> Vec<(f64, f64)> {
                rows.iter().filter_map(|row| Some((row.figures[0]?, row.figures[column]?))).collect()
            };
            let mut marks = Vec::new();
            let mut values = vec![0.0, 1.0];
            for column in 1..columns {
                let points = series(column);
                values.extend(points.iter().map(|point| point.1));
                let points = with_gaps(points);
                let colour = colours[column - 1];
                marks.push(Mark::Line { points, colour, width: 2.0, dashed: column == 2 });
            }
            let zs = rows.iter().filter_map(|row| row.figures[0]);
            Panel {
                title: if title.is_empty() { subject.title.clone() } else { title },
                x: Axis::around("z", Scale::Linear, zs),
                y: Axis::around("", Scale::Linear, values),
                marks,
            }
        })
        .collect();
    let keys = [("φ(z)", Key::Line), ("φ′(z)", Key::Dashes)];
    let legend = keys.into_iter().zip(colours).take(columns - 1);
    Figure {
        title: subject.title.clone(),
        legend: legend.map(|((text, key), colour)| Entry { text: text.into(), colour, key }).collect(),
        panels,
        columns: 3,
        inside: (190.0, 130.0),
        note: String::new(),
    }
}

/// Puts a break where the function jumps.
fn with_gaps(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let mut pieces: Vec<(f64, f64)> = Vec::new();
    for point in points {
        if let Some(&last) = pieces.last()
            && (point.1 - last.1).abs() > JUMP
        {
            pieces.push((point.0, f64::NAN));
        }
        pieces.push(point);
    }
    pieces
}
