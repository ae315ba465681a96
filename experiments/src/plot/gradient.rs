//! The V of a gradient check: too large a step truncates, too small a one rounds.

use super::Subject;
use super::axis::{Axis, Scale};
use super::curves::are_ordered;
use super::figure::{Entry, Figure, Key, Mark, Panel};
use super::names;
use super::read::Rows;
use super::theme::{self, PUBLISHED};

/// What the course asks of the best step.
const WANTED: f64 = 1e-6;
/// An error of exactly zero has no place on a log axis: it is drawn at this value.
const FLOOR: f64 = 1e-18;

/// The largest relative error over h, on two log axes, one V per cell.
pub(super) fn figure(subject: &Subject, curves: &Rows) -> Figure {
    let column = curves.figure("max_relative_error").unwrap_or(1);
    let cells = curves.cells();
    let colours = theme::series(cells.len(), are_ordered(curves));
    let mut marks = Vec::new();
    let (mut steps, mut errors) = (Vec::new(), vec![WANTED]);
    for (cell, &colour) in cells.iter().zip(&colours) {
        for seed in curves.seeds() {
            let of_trial = curves.rows.iter().filter(|row| row.cell == cell.cell && row.seed == seed);
            let mut points: Vec<(f64, f64)> =
                of_trial.filter_map(|row| Some((row.figures[0]?, row.figures[column]?.max(FLOOR)))).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            steps.extend(points.iter().map(|point| point.0));
            errors.extend(points.iter().map(|point| point.1));
            marks.push(Mark::Line { points: points.clone(), colour, width: 1.8, dashed: false });
            marks.push(Mark::Dots { points, colour, radius: 2.8, opacity: 1.0 });
        }
    }
    let x = Axis::around("step h", Scale::Log, steps.iter().copied());
    let (first, last) =
        steps.iter().fold((f64::INFINITY, 0.0), |(a, b): (f64, f64), &h| (a.min(h), b.max(h)));
    let wanted = vec![(first, WANTED), (last, WANTED)];
    marks.insert(0, Mark::Line { points: wanted, colour: PUBLISHED, width: 1.4, dashed: true });
    let named = names::cells(curves, &cells).into_iter().zip(&colours).filter(|(text, _)| !text.is_empty());
    let mut legend: Vec<Entry> =
        named.map(|(text, &colour)| Entry { text, colour, key: Key::Line }).collect();
    let text = "10⁻⁶, what the best step must reach".to_owned();
    legend.push(Entry { text, colour: PUBLISHED, key: Key::Dashes });
    Figure {
        title: subject.title.clone(),
        legend,
        panels: vec![Panel {
            title: String::new(),
            x,
            y: Axis::around("largest relative error", Scale::Log, errors),
            marks,
        }],
        columns: 1,
        inside: (560.0, 330.0),
        note: "To the right the difference quotient is too coarse (the error falls with h²); to the left \
               its numerator drowns in rounding (the error grows with 1/h). One line per seed."
            .into(),
    }
}
