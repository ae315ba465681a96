//! A profile as a picture: every pass under the roofline, and the time of each layer as a bar.

use models::network::Stage;
use plotters::style::RGBColor;

use super::PlotError;
use super::axis::{Axis, Scale, short};
use super::canvas::{Anchor, Point, width_of};
use super::figure::{Entry, Figure, Key, Mark, Panel};
use super::theme::{self, INK, MUTED, SMALL};
use crate::profile::{Profile, Roofs, Row};

/// Width of both panels, and height of at least the first, in pixels.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
/// Height of a bar with the space around it.
const BAR: f64 = 22.0;
/// Radius of a disc whose pass takes no time, and what the whole step's would have in addition.
const RADIUS: f64 = 3.0;
const GROWTH: f64 = 14.0;
/// Pixels between a disc or a bar and its text.
const GAP: f64 = 4.0;
/// Height of a label's letters.
const LETTERS: f64 = 11.0;

/// The SVG text of a profile's picture.
///
/// # Errors
/// If the drawing library fails.
pub fn roofline(title: &str, profile: &Profile) -> Result<String, PlotError> {
    let passes = Passes::of(profile);
    let bars = bars(profile);
    let inside = (WIDTH, f64::max(HEIGHT, BAR * bars.len() as f64));
    let Roofs { peak, level2, memory } = profile.roofs;
    let mut legend = passes.legend();
    let (peak, level2, memory) = (short(round(peak)), short(round(level2)), short(round(memory)));
    let roof = format!("FMA peak {peak} GFLOP/s, level-2 cache {level2} GB/s");
    legend.push(Entry { text: roof, colour: INK, key: Key::Line });
    legend.push(Entry { text: format!("memory {memory} GB/s"), colour: MUTED, key: Key::Dashes });
    let figure = Figure {
        title: title.to_owned(),
        legend,
        panels: vec![under_the_roof(profile, &passes, inside), times(profile, &passes, &bars)],
        columns: 1,
        inside,
        note: format!(
            "One thread, {} samples, {}. A disc is a pass of a layer, its area grows with its time; a label is left out where \
             it has no room. A pass without products counts one operation per value written; gathering counts none.",
            profile.batch, profile.dtype
        ),
    };
    figure.svg()
}

/// To three digits or so.
fn round(x: f64) -> f64 {
    if x < 100.0 { (10.0 * x).round() / 10.0 } else { x.round() }
}

/// The passes of the profile, each with its colour.
struct Passes {
    /// Name in the profile, name in the legend, colour.
    known: Vec<(&'static str, &'static str, RGBColor)>,
}

/// What belongs to no layer.
const OTHERS: &str = "gather, loss, update";

impl Passes {
    fn of(profile: &Profile) -> Self {
        let named = [
            (Stage::Forward.name(), "forward"),
            (Stage::InputGradient.name(), "input gradient"),
            (Stage::WeightGradient.name(), "weight gradient"),
            (Stage::Gradients.name(), "both gradients"),
        ];
        let colours = theme::series(named.len(), false);
        let used = |pass: &str| profile.parts.iter().any(|row| row.pass == pass);
        let known = named.into_iter().zip(colours).map(|((pass, text), colour)| (pass, text, colour));
        Self { known: known.filter(|(pass, ..)| used(pass)).collect() }
    }

    fn colour(&self, pass: &str) -> RGBColor {
        self.known.iter().find(|(known, ..)| *known == pass).map_or(MUTED, |&(.., colour)| colour)
    }

    fn legend(&self) -> Vec<Entry> {
        let entry = |text: &str, colour| Entry { text: text.to_owned(), colour, key: Key::Dot };
        let mut legend: Vec<Entry> =
            self.known.iter().map(|&(_, text, colour)| entry(text, colour)).collect();
        legend.push(entry(OTHERS, MUTED));
        legend
    }
}

/// The panel of the roofline: intensity against rate, both logarithmic.
fn under_the_roof(profile: &Profile, passes: &Passes, inside: Point) -> Panel {
    let Roofs { peak, level2, memory } = profile.roofs;
    let mut rows: Vec<&Row> = profile.parts.iter().filter(|row| row.flops > 0).collect();
    // The largest discs first, so that none is hidden.
    rows.sort_by(|a, b| b.seconds.median.total_cmp(&a.seconds.median));
    let ridges = [peak / level2, peak / memory];
    let across = || rows.iter().map(|row| row.intensity()).chain(ridges);
    let low = across().fold(f64::INFINITY, f64::min) / 1.6;
    let high = across().fold(0.0, f64::max) * 1.6;
    let rates = rows.iter().map(|row| row.gflops()).chain([memory * low, 1.6 * peak]);
    let x = Axis::around("arithmetic intensity: FLOP per byte", Scale::Log, [low, high]);
    let y = Axis::around("GFLOP/s", Scale::Log, rates);
    let roof = |slope: f64| vec![(low, slope * low), (peak / slope, peak), (high, peak)];
    let mut marks = vec![
        Mark::Line { points: roof(memory), colour: MUTED, width: 1.2, dashed: true },
        Mark::Line { points: roof(level2), colour: INK, width: 1.6, dashed: false },
    ];
    let pixel = |at: Point| (inside.0 * x.place(at.0), inside.1 * (1.0 - y.place(at.1)));
    let lines = [roof(memory), roof(level2)].map(|line| line.into_iter().map(pixel).collect::<Vec<_>>());
    let mut discs = Vec::new();
    for row in &rows {
        let radius = RADIUS + GROWTH * (profile.step_percent(row.seconds.median) / 100.0).sqrt();
        let at = (row.intensity(), row.gflops());
        marks.push(Mark::Dots { points: vec![at], colour: passes.colour(row.pass), radius, opacity: 0.85 });
        discs.push(Disc { at, centre: pixel(at), radius, text: name(row) });
    }
    let lines: Vec<Area> = lines.iter().flat_map(|line| line.windows(2)).flat_map(along).collect();
    marks.extend(labels(&discs, &lines, inside));
    Panel { title: "Roofline".into(), x, y, marks }
}

/// `0 conv2d`, or `loss`.
fn name(row: &Row) -> String {
    if row.layer.is_some() { row.layer_name() } else { row.pass.to_owned() }
}

/// A disc: its place in the values of the axes and in pixels, and what is to stand beside it.
struct Disc {
    at: Point,
    centre: Point,
    radius: f64,
    text: String,
}

/// A rectangle in pixels: left, top, right, bottom.
type Area = [f64; 4];

fn overlap(a: &Area, b: &Area) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

/// Small squares along a straight line between two points.
fn along(ends: &[Point]) -> Vec<Area> {
    let (from, to) = (ends[0], ends[1]);
    let (across, down) = (to.0 - from.0, to.1 - from.1);
    let steps = ((across * across + down * down).sqrt() / 4.0).ceil();
    let square = |step: usize| {
        let share = step as f64 / f64::max(steps, 1.0);
        let (x, y) = (from.0 + share * across, from.1 + share * down);
        [x - 1.0, y - 1.0, x + 1.0, y + 1.0]
    };
    (0..=steps as usize).map(square).collect()
}

impl Disc {
    fn area(&self) -> Area {
        let ((x, y), r) = (self.centre, self.radius);
        [x - r, y - r, x + r, y + r]
    }

    /// Places for the label, the best first: how far it is moved, its anchor, and what it then covers.
    fn places(&self) -> Vec<(Point, Anchor, Area)> {
        let (width, half) = (width_of(&self.text, SMALL), LETTERS / 2.0);
        let (beside, above) = (self.radius + GAP, self.radius + GAP + half);
        let place = |(x, y): Point, anchor| {
            let left = self.centre.0 + x
                - match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => width / 2.0,
                    Anchor::End => width,
                };
            let top = self.centre.1 + y - half;
            ((x, y), anchor, [left, top, left + width, top + LETTERS])
        };
        let level = [(beside, 0.0, Anchor::Start), (-beside, 0.0, Anchor::End)];
        let upright = [(0.0, -above, Anchor::Middle), (0.0, above, Anchor::Middle)];
        let aslant = [-1.0, 1.0].into_iter().flat_map(|side| {
            let y = side * (0.7 * self.radius + half + 2.0);
            let x = 0.7 * self.radius + 2.0;
            [(x, y, Anchor::Start), (-x, y, Anchor::End)]
        });
        level.into_iter().chain(upright).chain(aslant).map(|(x, y, anchor)| place((x, y), anchor)).collect()
    }
}

/// A label for each disc that has room for one beside discs and lines, in the order of the discs.
fn labels(discs: &[Disc], lines: &[Area], inside: Point) -> Vec<Mark> {
    let mut taken: Vec<Area> = discs.iter().map(Disc::area).chain(lines.iter().copied()).collect();
    let mut marks = Vec::new();
    for disc in discs {
        let free = |area: &Area| {
            let within = area[0] >= 2.0 && area[1] >= 2.0 && area[2] <= inside.0 && area[3] <= inside.1 - 2.0;
            within && !taken.iter().any(|other| overlap(area, other))
        };
        let Some((shift, anchor, area)) = disc.places().into_iter().find(|(.., area)| free(area)) else {
            continue;
        };
        taken.push(area);
        let (at, text) = (disc.at, disc.text.clone());
        marks.push(Mark::Label { at, shift, text, size: SMALL, colour: INK, anchor });
    }
    marks
}

/// The time of a layer, or of a pass that belongs to none.
struct Bar {
    name: String,
    layer: Option<usize>,
    /// Name and microseconds of each pass.
    passes: Vec<(&'static str, f64)>,
}

/// The bars in the order of a step.
fn bars(profile: &Profile) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    for row in &profile.parts {
        let layer = row.layer.map(|(index, _)| index);
        let pass = (row.pass, 1e6 * row.seconds.median);
        match bars.iter_mut().find(|bar| layer.is_some() && bar.layer == layer) {
            Some(bar) => bar.passes.push(pass),
            None => bars.push(Bar { name: name(row), layer, passes: vec![pass] }),
        }
    }
    bars
}

/// The panel of the bars, each with its passes one behind the other.
fn times(profile: &Profile, passes: &Passes, bars: &[Bar]) -> Panel {
    let mut marks = Vec::new();
    let mut longest = 0.0;
    for (index, bar) in bars.iter().enumerate() {
        let (y, mut x) = (index as f64, 0.0);
        for &(pass, time) in &bar.passes {
            let (from, to) = ((x, y - 0.36), (x + time, y + 0.36));
            marks.push(Mark::Tile { from, to, colour: passes.colour(pass), opacity: 1.0 });
            x += time;
        }
        let share = profile.step_percent(x / 1e6);
        let text = format!("{} µs ({} %)", short(round(x)), short(round(share)));
        let (at, shift, anchor) = ((x, y), (GAP, 0.0), Anchor::Start);
        marks.push(Mark::Label { at, shift, text, size: SMALL, colour: INK, anchor });
        longest = f64::max(longest, x);
    }
    // The text of the longest bar needs room.
    let x = Axis::exactly("µs, and % of the whole step", 0.0, 1.25 * longest);
    let names: Vec<String> = bars.iter().map(|bar| bar.name.clone()).collect();
    Panel { title: "Where the time of a step goes".into(), x, y: Axis::names("", &names).reversed(), marks }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_clear_of_discs_lines_and_each_other() {
        let disc = |x, y, text: &str| Disc { at: (x, y), centre: (x, y), radius: 5.0, text: text.into() };
        let discs =
            [disc(100.0, 100.0, "0 dense"), disc(104.0, 101.0, "1 relu"), disc(108.0, 99.0, "2 dense")];
        let roof = along(&[(0.0, 90.0), (300.0, 90.0)]);
        let marks = labels(&discs, &roof, (300.0, 200.0));
        assert_eq!(marks.len(), 3);
        let covered = |disc: &Disc, mark: &Mark| {
            let Mark::Label { shift, anchor, .. } = mark else { unreachable!("labels are labels") };
            let place = disc.places().into_iter().find(|(by, end, _)| (by, end) == (shift, anchor));
            place.expect("one of its places").2
        };
        let areas: Vec<Area> = discs.iter().zip(&marks).map(|(disc, mark)| covered(disc, mark)).collect();
        for (index, area) in areas.iter().enumerate() {
            let others =
                areas[..index].iter().copied().chain(discs.iter().map(Disc::area)).chain(roof.clone());
            assert!(!others.into_iter().any(|other| overlap(area, &other)), "{area:?}");
        }
        // In a corner without room there is none.
        assert!(labels(&[disc(4.0, 4.0, "a label")], &[], (8.0, 8.0)).is_empty());
    }
}
