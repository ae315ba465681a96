//! The rungs of the matrix product as bars: GFLOP/s, with the share of one core's peak.

use super::Subject;
use super::axis::Axis;
use super::canvas::{Anchor, width_of};
use super::figure::{Entry, Figure, Key, Mark, Panel};
use super::names;
use super::read::{Rows, Spread};
use super::theme::{self, INK, MUTED, SMALL};

/// The speed of one rung.
struct Bar {
    rung: String,
    gflops: f64,
    share: Option<f64>,
}

/// One panel per value of the other swept keys (the shapes), one bar per rung, all on one scale.
pub(super) fn figure(subject: &Subject, results: &Rows) -> Option<Figure> {
    let speed = results.figure("gflops")?;
    let share = results.figure("peak_percent");
    let varying = results.varying();
    let rung = varying.iter().copied().find(|&key| results.keys[key].ends_with("rung"))?;
    let mut groups: Vec<(String, Vec<Bar>)> = Vec::new();
    for cell in results.cells() {
        let others = varying.iter().filter(|&&key| key != rung);
        let title: Vec<String> =
            others.map(|&key| names::setting(&results.keys[key], &cell.settings[key])).collect();
        let title = title.join(", ");
        let middle = |figure: usize| {
            let values = results.values(&cell.cell, figure);
            (!values.is_empty()).then(|| Spread::of(&values, subject.statistic).centre)
        };
        let Some(gflops) = middle(speed) else { continue };
        let name = cell.settings[rung].trim_matches('"').to_owned();
        let bar = Bar { rung: name, gflops, share: share.and_then(middle) };
        match groups.iter_mut().find(|(known, _)| *known == title) {
            Some((_, bars)) => bars.push(bar),
            None => groups.push((title, vec![bar])),
        }
    }
    let most = groups.iter().map(|(_, bars)| bars.len()).max()?;
    let longest = groups.iter().flat_map(|(_, bars)| bars).fold(0.0, |most: f64, bar| most.max(bar.gflops));
    let peak = results.figure("peak_gflops").and_then(|figure| results.rows.first()?.figures[figure]);
    let width = if groups.len() == 1 { 480.0 } else { 320.0 };
    let scale = Scale { longest, peak, width };
    let legend = |_| Entry { text: "peak of one core".into(), colour: MUTED, key: Key::Dashes };
    Some(Figure {
        title: subject.title.clone(),
        legend: peak.map(legend).into_iter().collect(),
        columns: groups.len().min(2),
        inside: (width, 30.0 * most as f64 + 10.0),
        panels: groups.into_iter().map(|(title, bars)| panel(title, &bars, &scale)).collect(),
        note: "Beside the bars: GFLOP/s and the share of one core's fused-multiply-add peak.".into(),
    })
}

/// What all panels have in common.
struct Scale {
    longest: f64,
    peak: Option<f64>,
    /// Of a panel, in pixels.
    width: f64,
}

impl Scale {
    /// The end of the axis: the text of the longest bar needs room.
    fn end(&self) -> f64 {
        self.longest * 1.42
    }

    /// Where a bar's text begins: behind the bar, or behind the peak where it would run into that.
    fn text_at(&self, gflops: f64, text: &str) -> f64 {
        let end = gflops + (2.0 * GAP + width_of(text, SMALL)) * self.end() / self.width;
        self.peak.filter(|&peak| gflops < peak && peak < end).unwrap_or(gflops)
    }
}

/// Pixels between a bar and its text.
const GAP: f64 = 5.0;

fn panel(title: String, bars: &[Bar], scale: &Scale) -> Panel {
    let names: Vec<String> = bars.iter().map(|bar| bar.rung.clone()).collect();
    let colour = theme::series(1, false)[0];
    let mut marks: Vec<Mark> = scale.peak.map(|peak| across(peak, bars.len())).into_iter().collect();
    for (row, Bar { gflops, share, .. }) in bars.iter().enumerate() {
        let y = row as f64;
        let text = format!("{}{}", short(*gflops), share.map_or(String::new(), in_brackets));
        marks.push(Mark::Tile { from: (0.0, y - 0.34), to: (*gflops, y + 0.34), colour, opacity: 1.0 });
        marks.push(Mark::Label {
            at: (scale.text_at(*gflops, &text), y),
            shift: (GAP, 0.0),
            text,
            size: SMALL,
            colour: INK,
            anchor: Anchor::Start,
        });
    }
    let x = Axis::exactly("GFLOP/s", 0.0, scale.end());
    Panel { title, x, y: Axis::names("", &names).reversed(), marks }
}

/// A dashed line from top to bottom.
fn across(x: f64, bars: usize) -> Mark {
    let points = vec![(x, -0.5), (x, bars as f64 - 0.5)];
    Mark::Line { points, colour: MUTED, width: 1.2, dashed: true }
}

/// Three digits or so.
fn short(x: f64) -> String {
    let digits = match x {
        x if x < 10.0 => 2,
        x if x < 100.0 => 1,
        _ => 0,
    };
    format!("{x:.digits$}")
}

fn in_brackets(share: f64) -> String {
    let digits = usize::from(share < 10.0);
    format!(" ({share:.digits$} %)")
}
