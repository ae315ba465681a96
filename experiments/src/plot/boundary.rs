//! The plane of two features: the class that a model gives each place, and the samples.

use super::Subject;
use super::axis::Axis;
use super::figure::{Entry, Figure, Key, Mark, Panel};
use super::{names, theme};

/// A place or a sample: its two features and its class.
type Sample = (f64, f64, String);

/// What `boundary.csv` holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plane {
    /// The two features' names.
    features: [String; 2],
    grid: Vec<Sample>,
    points: Vec<Sample>,
}

impl Plane {
    /// From the header and the records of a `boundary.csv`; `None` if it is not about two features.
    pub(super) fn read((header, records): (Vec<String>, Vec<Vec<String>>)) -> Option<Self> {
        let [_, x, y, _] = &header[..] else { return None };
        let part = |name: &str| -> Vec<Sample> {
            let of_part = records.iter().filter(|record| record[0] == name);
            of_part.filter_map(|r| Some((r[1].parse().ok()?, r[2].parse().ok()?, r[3].clone()))).collect()
        };
        Some(Self { features: [x.clone(), y.clone()], grid: part("grid"), points: part("point") })
    }

    fn classes(&self) -> Vec<String> {
        let mut classes: Vec<String> = self.points.iter().chain(&self.grid).map(|s| s.2.clone()).collect();
        classes.sort();
        classes.dedup();
        classes
    }
}

/// One panel per cell: (the cell's name, its plane).
pub(super) fn figure(subject: &Subject, cells: &[(String, Plane)]) -> Figure {
    let mut classes: Vec<String> = cells.iter().flat_map(|(_, plane)| plane.classes()).collect();
    classes.sort();
    classes.dedup();
    let colours = theme::series(classes.len(), false);
    let legend = classes.iter().zip(&colours);
    Figure {
        title: subject.title.clone(),
        legend: legend.map(|(text, &colour)| Entry { text: text.clone(), colour, key: Key::Dot }).collect(),
        panels: cells.iter().map(|(name, plane)| panel(name, plane, &classes, &colours)).collect(),
        columns: if cells.len() <= 4 { cells.len().min(2) } else { 3 },
        inside: if cells.len() == 1 { (440.0, 380.0) } else { (270.0, 230.0) },
        note: "Regions: what the model says. Points: the samples and their true class.".into(),
    }
}

fn panel(name: &str, plane: &Plane, classes: &[String], colours: &[plotters::style::RGBColor]) -> Panel {
    let colour_of = |class: &String| {
        classes.iter().position(|known| known == class).map_or(theme::MUTED, |place| colours[place])
    };
    let (columns, rows) = (lattice(&plane.grid, |s| s.0), lattice(&plane.grid, |s| s.1));
    let mut marks = Vec::new();
    for run in runs(&plane.grid) {
        let (first, last) = (&run[0], &run[run.len() - 1]);
        let (half_x, half_y) = (columns.step / 2.0, rows.step / 2.0);
        marks.push(Mark::Tile {
            from: (first.0 - half_x, first.1 - half_y),
            to: (last.0 + half_x, last.1 + half_y),
            colour: theme::pale(colour_of(&first.2)),
            opacity: 1.0,
        });
    }
    for class in classes {
        let of_class = plane.points.iter().filter(|sample| sample.2 == *class);
        let points = of_class.map(|sample| (sample.0, sample.1)).collect();
        marks.push(Mark::Dots { points, colour: colour_of(class), radius: 3.4, opacity: 0.95 });
    }
    let axis = |label: &str, spread: &Lattice, value: fn(&Sample) -> f64| {
        if plane.grid.is_empty() {
            return Axis::around(label, super::axis::Scale::Linear, plane.points.iter().map(value));
        }
        Axis::exactly(label, spread.low - spread.step / 2.0, spread.high + spread.step / 2.0)
    };
    Panel {
        title: name.to_owned(),
        x: axis(&names::feature(&plane.features[0]), &columns, |s| s.0).without_grid(),
        y: axis(&names::feature(&plane.features[1]), &rows, |s| s.1).without_grid(),
        marks,
    }
}

/// The extent of an even lattice along one feature.
struct Lattice {
    low: f64,
    high: f64,
    step: f64,
}

fn lattice(grid: &[Sample], value: impl Fn(&Sample) -> f64) -> Lattice {
    let mut values: Vec<f64> = grid.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    match (values.first(), values.last()) {
        (Some(&low), Some(&high)) if values.len() > 1 => {
            Lattice { low, high, step: (high - low) / (values.len() - 1) as f64 }
        }
        _ => Lattice { low: 0.0, high: 1.0, step: 1.0 },
    }
}

/// Cuts the lattice into level runs of one class, so that a region takes few rectangles.
fn runs(grid: &[Sample]) -> Vec<&[Sample]> {
    grid.chunk_by(|a, b| a.1 == b.1 && a.2 == b.2 && a.0 < b.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_with_its_row_or_its_class() {
        let at = |x: f64, y: f64, class: &str| (x, y, class.to_owned());
        let grid = [at(0.0, 0.0, "a"), at(1.0, 0.0, "a"), at(2.0, 0.0, "b"), at(0.0, 1.0, "b")];
        let lengths: Vec<usize> = runs(&grid).iter().map(|run| run.len()).collect();
        assert_eq!(lengths, [2, 1, 1]);
    }
}
