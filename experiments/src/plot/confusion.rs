//! Confusion matrices: which class was taken for which, counted over the seeds of a cell.

use super::Subject;
use super::axis::Axis;
use super::canvas::Anchor;
use super::figure::{Figure, Mark, Panel, readable_on};
use super::theme;

/// Counts by true class (rows) and predicted class (columns).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Counts {
    classes: Vec<String>,
    counts: Vec<Vec<u64>>,
}

impl Counts {
    /// From the header and the records of a `confusion.csv`.
    pub(super) fn read((header, records): (Vec<String>, Vec<Vec<String>>)) -> Self {
        let count = |text: &String| text.parse().unwrap_or(0);
        Self {
            classes: header[1..].to_vec(),
            counts: records.iter().map(|record| record[1..].iter().map(count).collect()).collect(),
        }
    }

    /// Adds another trial's counts.
    pub(super) fn add(&mut self, other: &Self) {
        for (row, theirs) in self.counts.iter_mut().zip(&other.counts) {
            for (count, theirs) in row.iter_mut().zip(theirs) {
                *count += theirs;
            }
        }
    }
}

/// One matrix per cell: (the cell's name, its counts, over how many seeds).
pub(super) fn figure(subject: &Subject, cells: &[(String, Counts, usize)]) -> Figure {
    let classes = cells.iter().map(|(_, counts, _)| counts.classes.len()).max().unwrap_or(0);
    let side = (classes as f64 * 34.0).clamp(120.0, 380.0);
    let seeds = cells.iter().map(|&(_, _, seeds)| seeds).max().unwrap_or(0);
    let share = "The shade is the share of the true class.";
    Figure {
        title: subject.title.clone(),
        legend: Vec::new(),
        panels: cells.iter().map(|(name, counts, _)| panel(name, counts, side)).collect(),
        columns: cells.len().min(2),
        inside: (side, side),
        note: if seeds > 1 {
            format!("Test samples, summed over {}. {share}", subject.trials(seeds))
        } else {
            share.into()
        },
    }
}

fn panel(name: &str, counts: &Counts, side: f64) -> Panel {
    let size = side / counts.classes.len().max(1) as f64;
    let mut marks = Vec::new();
    for (row, line) in counts.counts.iter().enumerate() {
        let total = line.iter().sum::<u64>().max(1) as f64;
        for (column, &count) in line.iter().enumerate() {
            if count == 0 {
                continue;
            }
            let (x, y) = (column as f64, row as f64);
            let colour = theme::shade(count as f64 / total);
            marks.push(Mark::Tile { from: (x - 0.5, y - 0.5), to: (x + 0.5, y + 0.5), colour, opacity: 1.0 });
            marks.push(Mark::Label {
                at: (x, y),
                shift: (0.0, 0.0),
                text: count.to_string(),
                size: (size * 0.34).clamp(7.0, 12.0),
                colour: readable_on(colour),
                anchor: Anchor::Middle,
            });
        }
    }
    Panel {
        title: name.to_owned(),
        x: Axis::names("predicted", &counts.classes),
        y: Axis::names("true", &counts.classes).reversed(),
        marks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_two_trials_add() {
        let text = |s: &str| s.split(',').map(str::to_owned).collect::<Vec<_>>();
        let mut counts = Counts::read((text("true,a,b"), vec![text("a,5,1"), text("b,0,4")]));
        counts.add(&counts.clone());
        assert_eq!(counts.counts, [[10, 2], [0, 8]]);
        assert_eq!(counts.classes, ["a", "b"]);
    }
}
