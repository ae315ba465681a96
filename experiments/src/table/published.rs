//! Figures that others published, beside ours.

use super::{Column, Entry, Shape, Table, headings, sentence};
use crate::outcome::Value;
use crate::results::SummaryRow;
use crate::spec::{Experiment, Published};

/// The published figure for a row and metric, if there is one; the first of several.
pub fn published_value(experiment: &Experiment, keys: &[String], row: &SummaryRow) -> Option<f64> {
    matching(experiment, keys, row).next().map(|p| p.values[0])
}

impl Table {
    /// The published figures of an experiment without results of ours; `why` says why there are none.
    pub fn of_published(experiment: &Experiment, why: &str) -> Self {
        let sources = sources(experiment);
        let mut headings = headings(&experiment.swept);
        headings.extend(["quantity", "ours", "published"].map(str::to_owned));
        let row = |p: &Published| {
            let setting = |key: &String| p.cell.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
            let entry = |text: Option<String>| text.map_or(Entry::Missing, Entry::Text);
            let mut row: Vec<Entry> = experiment.swept.iter().map(|key| entry(setting(key))).collect();
            let figure = format!("{} [{}]", Value::Real(p.values[0]), mark(&sources, p));
            row.extend([Entry::Text(p.metric.clone()), Entry::Missing, Entry::Text(figure)]);
            row
        };
        let mut caption = vec![sentence(&experiment.title), sentence(&format!("No figures of ours: {why}"))];
        caption.extend(notes(experiment));
        Self {
            name: experiment.name.clone(),
            caption,
            columns: headings.into_iter().map(|heading| Column { heading, shape: Shape::Text }).collect(),
            rows: experiment.published.iter().filter(|p| p.values.len() == 1).map(row).collect(),
        }
    }
}

/// Whether any cell has a published figure for `metric`.
pub(super) fn stands_beside(experiment: &Experiment, metric: &str) -> bool {
    experiment.published.iter().any(|p| p.metric == metric && p.values.len() == 1)
}

/// The published figures of a cell with a mark for each source, as `0.9542 [1]`.
pub(super) fn entry(experiment: &Experiment, keys: &[String], row: &SummaryRow) -> Entry {
    let sources = sources(experiment);
    let marked: Vec<String> = matching(experiment, keys, row)
        .map(|p| format!("{} [{}]", Value::Real(p.values[0]), mark(&sources, p)))
        .collect();
    if marked.is_empty() { Entry::Missing } else { Entry::Text(marked.join(", ")) }
}

/// One caption sentence per source, with every difference of set-up.
pub(super) fn notes(experiment: &Experiment) -> Vec<String> {
    let sources = sources(experiment);
    let single = |s: &(&str, &str)| {
        experiment
            .published
            .iter()
            .find(|p| p.values.len() == 1 && (p.source.as_str(), p.note.as_str()) == *s)
    };
    sources.iter().filter_map(single).map(|p| note_of(&sources, p)).collect()
}

/// The caption sentence of one published figure or series.
pub(super) fn note(experiment: &Experiment, p: &Published) -> String {
    note_of(&sources(experiment), p)
}

fn note_of(sources: &[(&str, &str)], p: &Published) -> String {
    let difference = if p.note.is_empty() { "same set-up" } else { p.note.as_str() };
    sentence(&format!("[{}] Published: {}; {difference}", mark(sources, p), p.source))
}

fn mark(sources: &[(&str, &str)], p: &Published) -> usize {
    sources.iter().position(|s| s.0 == p.source && s.1 == p.note).map_or(0, |i| i + 1)
}

/// (source, note) of every published figure once, in file order.
fn sources(experiment: &Experiment) -> Vec<(&str, &str)> {
    let mut sources: Vec<(&str, &str)> = Vec::new();
    for p in &experiment.published {
        let source = (p.source.as_str(), p.note.as_str());
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources
}

/// The published figures of the row's metric whose place is the row's.
fn matching<'a>(
    experiment: &'a Experiment,
    keys: &'a [String],
    row: &'a SummaryRow,
) -> impl Iterator<Item = &'a Published> {
    let fits = move |(key, value): &(String, String)| {
        keys.iter().zip(&row.settings).any(|(k, v)| k == key && v == value)
    };
    experiment
        .published
        .iter()
        .filter(move |p| p.metric == row.metric && p.values.len() == 1 && p.cell.iter().all(&fits))
}
