//! Figures of the table over a swept key, with error bars over seeds and what was published.
//!
//! A key whose values are numbers goes along the x axis; names stand below each other, so that
//! they may be long.

use plotters::style::RGBColor;

use super::axis::{Axis, Scale};
use super::figure::{Entry, Figure, Key, Mark, Panel};
use super::names;
use super::read::{CellOf, Rows, Spread};
use super::theme::{self, PUBLISHED};
use super::{Shown, Subject};

/// The swept key along which the cells stand, and the series that its values are split into.
struct Design {
    /// The key's place, or none: then every cell is a place of its own.
    key: Option<usize>,
    /// The values of the key, or the cells' names, in order.
    places: Vec<String>,
    /// Whether the places are numbers.
    numeric: bool,
    /// The settings of the other varying keys, in order of appearance.
    series: Vec<String>,
}

/// `shown.figures`, or the table's columns, over `shown.x`, or the key that suits best.
pub(super) fn figure(subject: &Subject, results: &Rows, shown: &Shown) -> Option<Figure> {
    let figures = chosen_figures(subject, results, shown);
    let cells = results.cells();
    if figures.is_empty() || cells.len() < 2 {
        return None;
    }
    let design = Design::of(results, &cells, &shown.x);
    let colours = theme::series(design.series.len(), false);
    let mut legend: Vec<Entry> = design
        .series
        .iter()
        .zip(&colours)
        .filter(|(text, _)| !text.is_empty())
        .map(|(text, &colour)| Entry { text: text.clone(), colour, key: Key::Dot })
        .collect();
    let published = subject
        .published
        .iter()
        .any(|p| p.values.len() == 1 && figures.iter().any(|&figure| results.figures[figure] == p.metric));
    if published {
        legend.push(Entry { text: "published".into(), colour: PUBLISHED, key: Key::Dashes });
    }
    let panels: Vec<Panel> =
        figures.iter().map(|&f| design.panel(subject, results, f, &colours, shown)).collect();
    let seeds = results.seeds().len();
    let rows = (design.places.len() * design.series.len()) as f64;
    let height = if design.numeric { 240.0 } else { (22.0 * rows + 20.0).max(80.0) };
    Some(Figure {
        title: subject.title.clone(),
        legend,
        columns: panels.len().min(2),
        inside: (if panels.len() == 1 { 520.0 } else { 340.0 }, height),
        panels,
        note: if seeds > 1 {
            Spread::words(subject.statistic, &subject.trials(seeds))
        } else {
            String::new()
        },
    })
}

/// The figures to show, at most four; without being asked for, only those that differ between trials.
fn chosen_figures(subject: &Subject, results: &Rows, shown: &Shown) -> Vec<usize> {
    let wanted = if shown.figures.is_empty() { &subject.columns } else { &shown.figures };
    let figures = wanted.iter().filter_map(|name| results.figure(name));
    let varies = |&figure: &usize| {
        let first = results.rows.first().and_then(|row| row.figures[figure]);
        !shown.figures.is_empty() || results.rows.iter().any(|row| row.figures[figure] != first)
    };
    figures.filter(varies).take(4).collect()
}

impl Design {
    fn of(results: &Rows, cells: &[CellOf], wanted: &str) -> Self {
        let varying = results.varying();
        let is_number = |&key: &usize| {
            cells.iter().all(|cell| cell.settings[key].parse::<f64>().is_ok_and(f64::is_finite))
        };
        let named = varying.iter().copied().find(|&key| results.keys[key] == wanted);
        let key = named.or_else(|| varying.iter().copied().find(is_number)).or(varying.first().copied());
        let mut design = Self {
            key,
            places: Vec::new(),
            numeric: key.as_ref().is_some_and(is_number),
            series: Vec::new(),
        };
        for cell in cells {
            let (place, series) = design.split(results, cell);
            if !design.places.contains(&place) {
                design.places.push(place);
            }
            if !design.series.contains(&series) {
                design.series.push(series);
            }
        }
        design
    }

    /// A cell's place and the name of its series.
    fn split(&self, results: &Rows, cell: &CellOf) -> (String, String) {
        let others: Vec<String> = results
            .varying()
            .into_iter()
            .filter(|&key| Some(key) != self.key)
            .map(|key| names::setting(&results.keys[key], &cell.settings[key]))
            .collect();
        let place = self.key.map_or(cell.cell.clone(), |key| cell.settings[key].trim_matches('"').to_owned());
        (place, others.join(", "))
    }

    /// Where a place stands on its axis; series stand beside each other where places are names.
    fn along(&self, place: usize, series: usize) -> f64 {
        if self.numeric {
            return self.places[place].parse().unwrap_or(f64::NAN);
        }
        let count = self.series.len() as f64;
        place as f64 + (series as f64 - (count - 1.0) / 2.0) * 0.7 / count
    }

    fn panel(
        &self,
        subject: &Subject,
        results: &Rows,
        figure: usize,
        colours: &[RGBColor],
        shown: &Shown,
    ) -> Panel {
        let point = |along: f64, value: f64| if self.numeric { (along, value) } else { (value, along) };
        let bounds = names::bounds(&results.figures[figure]);
        let mut extent = Vec::new();
        let (mut behind, mut marks) = (Vec::new(), Vec::new());
        for (s, series) in self.series.iter().enumerate() {
            let colour = colours[s];
            let mut line = Vec::new();
            for cell in results.cells() {
                let (place, of) = self.split(results, &cell);
                let values = results.values(&cell.cell, figure);
                let Some(p) = self.places.iter().position(|known| *known == place) else { continue };
                if of != *series || values.is_empty() {
                    continue;
                }
                let along = self.along(p, s);
                let spread = Spread::of(&values, subject.statistic).within(bounds);
                extent.extend(values.iter().chain([&spread.low, &spread.high]));
                line.push(point(along, spread.centre));
                if values.len() > 1 {
                    let points = values.iter().map(|&value| point(along, value)).collect();
                    behind.push(Mark::Dots { points, colour, radius: 2.0, opacity: 0.35 });
                    let (from, to) = (point(along, spread.low), point(along, spread.high));
                    marks.push(Mark::ErrorBar { from, to, colour });
                }
            }
            if self.numeric {
                line.sort_by(|a, b| a.0.total_cmp(&b.0));
                behind.insert(0, Mark::Line { points: line.clone(), colour, width: 1.4, dashed: false });
            }
            marks.push(Mark::Dots { points: line, colour, radius: 4.2, opacity: 1.0 });
        }
        let theirs = self.published(subject, results, figure);
        extent.extend(theirs.iter().map(|&(_, value)| value));
        let scale = Scale::of(extent.iter().copied(), shown.log_y);
        behind.extend(self.published_marks(&theirs));
        behind.extend(marks);
        self.with_axes(results, figure, (scale, &extent), shown, behind)
    }

    /// (place, value) of what was published of a figure; no place: for all places.
    fn published(&self, subject: &Subject, results: &Rows, figure: usize) -> Vec<(Option<usize>, f64)> {
        let mut theirs = Vec::new();
        for p in subject.published.iter().filter(|p| p.metric == results.figures[figure]) {
            let [value] = p.values[..] else { continue };
            if p.cell.is_empty() {
                theirs.push((None, value));
                continue;
            }
            let met = results.cells().into_iter().filter(|cell| results.meets(&cell.settings, p));
            let mut places: Vec<usize> = met
                .filter_map(|cell| {
                    let place = self.split(results, &cell).0;
                    self.places.iter().position(|known| *known == place)
                })
                .collect();
            places.dedup();
            theirs.extend(places.into_iter().map(|place| (Some(place), value)));
        }
        theirs
    }

    /// A dashed line across the panel, or across the place that a published value belongs to.
    fn published_marks(&self, theirs: &[(Option<usize>, f64)]) -> Vec<Mark> {
        let numbers: Vec<f64> = (0..self.places.len()).map(|place| self.along(place, 0)).collect();
        let (first, last) = numbers.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| {
            (if x < low { x } else { low }, if x > high { x } else { high })
        });
        let mark = |&(place, value): &(Option<usize>, f64)| match (self.numeric, place) {
            (true, None) => dashes(vec![(first, value), (last, value)]),
            (true, Some(place)) => Mark::Tick { at: (numbers[place], value), colour: PUBLISHED },
            (false, None) => dashes(vec![(value, -0.5), (value, self.places.len() as f64 - 0.5)]),
            (false, Some(place)) => dashes(vec![(value, place as f64 - 0.45), (value, place as f64 + 0.45)]),
        };
        theirs.iter().map(mark).collect()
    }

    fn with_axes(
        &self,
        results: &Rows,
        figure: usize,
        (scale, extent): (Scale, &[f64]),
        shown: &Shown,
        marks: Vec<Mark>,
    ) -> Panel {
        let values = Axis::around(&names::label(&results.figures[figure]), scale, extent.iter().copied());
        let title = String::new();
        let label = self.key.map_or(String::new(), |key| names::key(&results.keys[key]));
        if !self.numeric {
            let y = Axis::names("", &self.places).reversed();
            return Panel { title, x: values, y, marks };
        }
        let numbers: Vec<f64> = (0..self.places.len()).map(|place| self.along(place, 0)).collect();
        let x_scale = if shown.log_x { Scale::Log } else { Scale::of_steps(&numbers) };
        let x = Axis::at(&label, x_scale, &numbers, &self.places).without_grid();
        Panel { title, x, y: values, marks }
    }
}

fn dashes(points: Vec<(f64, f64)>) -> Mark {
    Mark::Line { points, colour: PUBLISHED, width: 1.4, dashed: true }
}
