//! The rungs of the matrix product as bars: GFLOP/s, with the share of one core's peak.

use super::Subject;
use super::axis::Axis;
use super::canvas::Anchor;
use super::figure::{Figure, Mark, Panel};
use super::names;
use super::read::{Rows, Spread};
use super::theme::{self, INK, SMALL};

/// The speed of one rung.
struct Bar {
    rung: String,
    gflops: f64,
    share: Option<f64>,
}

/// One panel per value of the other swept keys (the shapes), one bar per rung.
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
    Some(Figure {
        title: subject.title.clone(),
        legend: Vec::new(),
        columns: groups.len().min(2),
        inside: (if groups.len() == 1 { 480.0 } else { 320.0 }, 30.0 * most as f64 + 10.0),
        panels: groups.into_iter().map(|(title, bars)| panel(title, &bars)).collect(),
        note: "Beside the bars: GFLOP/s and the share of one core's fused-multiply-add peak.".into(),
    })
}

fn panel(title: String, bars: &[Bar]) -> Panel {
    let names: Vec<String> = bars.iter().map(|bar| bar.rung.clone()).collect();
    let longest = bars.iter().fold(0.0, |most: f64, bar| most.max(bar.gflops));
    let colour = theme::series(1, false)[0];
    let mut marks = Vec::new();
    for (row, Bar { gflops, share, .. }) in bars.iter().enumerate() {
        let y = row as f64;
        marks.push(Mark::Tile { from: (0.0, y - 0.34), to: (*gflops, y + 0.34), colour, opacity: 1.0 });
        let digits = if *gflops < 10.0 { 2 } else { 1 };
        let share = share.map_or(String::new(), |share| format!(" ({share:.0} %)"));
        marks.push(Mark::Label {
            at: (*gflops, y),
            shift: (5.0, 0.0),
            text: format!("{gflops:.digits$}{share}"),
            size: SMALL,
            colour: INK,
            anchor: Anchor::Start,
        });
    }
    // Room for the longest bar's text.
    let x = Axis::exactly("GFLOP/s", 0.0, longest * 1.3);
    Panel { title, x, y: Axis::names("", &names).reversed(), marks }
}
