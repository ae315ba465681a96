//! Figures numbered by layer or by shift, over that number: `start.delta_norm.1`, `.2`, ...

use super::Subject;
use super::axis::{Axis, Scale};
use super::curves::are_ordered;
use super::figure::{Entry, Figure, Key, Mark, Panel};
use super::names;
use super::read::{Rows, Spread};
use super::theme;

/// Members of a family: (number, the figure's place).
type Members = Vec<(i64, usize)>;

/// One picture for every family of at least two figures: (the name before the number, its picture).
pub(super) fn figures(subject: &Subject, results: &Rows) -> Vec<(String, Figure)> {
    families(results)
        .into_iter()
        .map(|(stem, of)| (stem.clone(), figure(subject, results, &stem, &of)))
        .collect()
}

/// The families in the order of the file, their members by number.
fn families(results: &Rows) -> Vec<(String, Members)> {
    let mut families: Vec<(String, Members)> = Vec::new();
    for (place, name) in results.figures.iter().enumerate() {
        let Some((stem, number)) = names::numbered(name) else { continue };
        match families.iter_mut().find(|(known, _)| known == stem) {
            Some((_, members)) => members.push((number, place)),
            None => families.push((stem.to_owned(), vec![(number, place)])),
        }
    }
    families.retain_mut(|(_, members)| {
        members.sort_unstable();
        members.len() > 1
    });
    families
}

/// A line per cell over the family's number, with an error bar over the seeds.
fn figure(subject: &Subject, results: &Rows, stem: &str, members: &Members) -> Figure {
    let cells = results.cells();
    let colours = theme::series(cells.len(), are_ordered(results));
    let (mut extent, mut bars, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for (cell, &colour) in cells.iter().zip(&colours) {
        let mut points = Vec::new();
        for &(number, place) in members {
            let values = results.values(&cell.cell, place);
            if values.is_empty() {
                continue;
            }
            let spread = Spread::of(&values, subject.statistic).within(names::bounds(stem));
            let x = number as f64;
            extent.extend([spread.low, spread.centre, spread.high]);
            points.push((x, spread.centre));
            if values.len() > 1 {
                bars.push(Mark::ErrorBar { from: (x, spread.low), to: (x, spread.high), colour });
            }
        }
        lines.push(Mark::Line { points: points.clone(), colour, width: 1.8, dashed: false });
        lines.push(Mark::Dots { points, colour, radius: 3.4, opacity: 1.0 });
    }
    let norms = stem.ends_with("norm");
    let numbers: Vec<f64> = members.iter().map(|&(number, _)| number as f64).collect();
    let legend = names::cells(results, &cells).into_iter().zip(&colours).filter(|(text, _)| !text.is_empty());
    let seeds = results.seeds().len();
    Figure {
        title: subject.title.clone(),
        legend: legend.map(|(text, &colour)| Entry { text, colour, key: Key::Line }).collect(),
        panels: vec![Panel {
            title: String::new(),
            x: Axis::around(names::counted(stem), Scale::Linear, numbers).without_grid(),
            y: Axis::around(&names::label(stem), Scale::of(extent.iter().copied(), norms), extent.clone()),
            marks: bars.into_iter().chain(lines).collect(),
        }],
        columns: 1,
        inside: (560.0, 320.0),
        note: if seeds > 1 {
            Spread::words(subject.statistic, &subject.trials(seeds))
        } else {
            String::new()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_in_the_order_of_their_numbers() {
        let figures = ["a.2", "w0", "a.-1", "b.1", "a.10", "test.accuracy"].map(str::to_owned).to_vec();
        let results = Rows { keys: Vec::new(), figures, rows: Vec::new() };
        assert_eq!(families(&results), [("a".to_owned(), vec![(-1, 2), (2, 0), (10, 4)])]);
    }
}
