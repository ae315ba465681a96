//! Curves over epochs (or another axis): one panel per column, one line per cell, a band over seeds.

use plotters::style::RGBColor;

use super::axis::{Axis, Scale};
use super::figure::{Entry, Figure, Key, Mark, Panel};
use super::names;
use super::read::{Rows, Spread};
use super::theme::{self, PUBLISHED};
use super::{Shown, Subject};
use crate::spec::Published;

/// What the seeds of a cell say, at each x.
struct Curve {
    at: Vec<(f64, Spread)>,
    most_seeds: usize,
}

/// The points of a published curve.
type Theirs = Vec<(f64, f64)>;

/// The curves of `shown.figures`, or of all columns.
pub(super) fn figure(subject: &Subject, curves: &Rows, shown: &Shown) -> Option<Figure> {
    let columns = chosen_columns(subject, curves, shown);
    let cells = curves.cells();
    let colours = theme::series(cells.len(), are_ordered(curves));
    let (mut spread, mut published) = (false, false);
    let mut panels = Vec::new();
    for &column in &columns {
        let ours: Vec<Curve> = cells.iter().map(|c| curve(subject, curves, &c.cell, column)).collect();
        let theirs = published_curves(subject, curves, column);
        spread |= ours.iter().any(|curve| curve.most_seeds > 1);
        published |= !theirs.is_empty();
        panels.push(panel(curves, column, &ours, &colours, &theirs, shown));
    }
    let named = names::cells(curves, &cells).into_iter().zip(&colours).filter(|(text, _)| !text.is_empty());
    let mut legend: Vec<Entry> =
        named.map(|(text, &colour)| Entry { text, colour, key: Key::Line }).collect();
    if published {
        legend.push(Entry { text: "published".into(), colour: PUBLISHED, key: Key::Ring });
    }
    let seeds = curves.seeds().len();
    (!panels.is_empty()).then(|| Figure {
        title: subject.title.clone(),
        legend,
        inside: if panels.len() == 1 { (560.0, 320.0) } else { (350.0, 220.0) },
        columns: if panels.len() <= 4 { panels.len().min(2) } else { 3 },
        panels,
        note: if spread { Spread::words(subject.statistic, &subject.trials(seeds)) } else { String::new() },
    })
}

/// The columns that are asked for; else all, at most nine, without those that repeat another in other units.
fn chosen_columns(subject: &Subject, curves: &Rows, shown: &Shown) -> Vec<usize> {
    let named = |column: &usize| shown.figures.contains(&curves.figures[*column]);
    let columns = 1..curves.figures.len();
    if !shown.figures.is_empty() {
        return columns.filter(named).collect();
    }
    let repeats = |name: &str| {
        let base = name.strip_prefix("log10_").or(name.strip_prefix("mean_"));
        base.is_some_and(|base| curves.figure(base).is_some())
            && !subject.published.iter().any(|p| p.metric == name)
    };
    columns.filter(|&column| !repeats(&curves.figures[column])).take(9).collect()
}

/// Whether the cells differ in one key whose values are numbers.
pub(super) fn are_ordered(curves: &Rows) -> bool {
    match curves.varying()[..] {
        [key] => curves.rows.iter().all(|row| row.settings[key].parse::<f64>().is_ok()),
        _ => false,
    }
}

fn curve(subject: &Subject, curves: &Rows, cell: &str, column: usize) -> Curve {
    let mut at: Vec<(f64, Vec<f64>)> = Vec::new();
    for row in curves.rows.iter().filter(|row| row.cell == cell) {
        let (Some(x), Some(y)) = (row.figures[0], row.figures[column]) else { continue };
        match at.iter_mut().find(|(known, _)| *known == x) {
            Some((_, values)) => values.push(y),
            None => at.push((x, vec![y])),
        }
    }
    at.sort_by(|a, b| a.0.total_cmp(&b.0));
    let most_seeds = at.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let bounds = names::bounds(&curves.figures[column]);
    let spread = |(x, values): (f64, Vec<f64>)| (x, Spread::of(&values, subject.statistic).within(bounds));
    Curve { at: at.into_iter().map(spread).collect(), most_seeds }
}

/// The published series of a column, along the x axis.
fn published_curves(subject: &Subject, curves: &Rows, column: usize) -> Vec<Theirs> {
    let mut xs: Vec<f64> = curves.rows.iter().filter_map(|row| row.figures[0]).collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let of_column = subject.published.iter().filter(|p| p.metric == curves.figures[column]);
    let series = of_column.filter(|p| p.values.len() > 1);
    let points = |p: &Published| {
        let at = p.at.iter().zip(&p.values);
        at.filter_map(|(&at, &value)| Some((*xs.get(at - 1)?, value))).collect()
    };
    series.map(points).collect()
}

fn panel(
    curves: &Rows,
    column: usize,
    ours: &[Curve],
    colours: &[RGBColor],
    theirs: &[Theirs],
    shown: &Shown,
) -> Panel {
    // All panels share the axis, also where a column has values at few of its places.
    let xs = || curves.rows.iter().filter_map(|row| row.figures[0]);
    let centres = || ours.iter().flat_map(|curve| curve.at.iter().map(|(_, spread)| spread.centre));
    let published = theirs.iter().flat_map(|curve| curve.iter().map(|point| point.1));
    let x_scale = Scale::of(xs(), shown.log_x);
    let y_scale = Scale::of(centres(), shown.log_y);
    let ends =
        ours.iter().flat_map(|curve| curve.at.iter().flat_map(|(_, spread)| [spread.low, spread.high]));
    let ends: Vec<f64> = if y_scale == Scale::Linear { ends.collect() } else { Vec::new() };
    let mut marks = Vec::new();
    for (curve, &colour) in ours.iter().zip(colours).filter(|(curve, _)| curve.most_seeds > 1) {
        let edges = curve.at.iter().map(|(x, spread)| (*x, spread.low, spread.high)).collect();
        marks.push(Mark::Band { edges, colour });
    }
    for (curve, &colour) in ours.iter().zip(colours) {
        let points: Vec<_> = curve.at.iter().map(|(x, spread)| (*x, spread.centre)).collect();
        if points.len() <= 16 {
            marks.push(Mark::Dots { points: points.clone(), colour, radius: 2.6, opacity: 1.0 });
        }
        marks.push(Mark::Line { points, colour, width: 2.0, dashed: false });
    }
    for points in theirs {
        marks.push(Mark::Rings { points: points.clone(), colour: PUBLISHED });
    }
    Panel {
        title: String::new(),
        x: Axis::around(&names::label(&curves.figures[0]), x_scale, xs()).without_grid(),
        y: Axis::around(
            &names::label(&curves.figures[column]),
            y_scale,
            centres().chain(ends).chain(published),
        ),
        marks,
    }
}
