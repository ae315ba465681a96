//! The results table: which columns, what stands in each cell, what the caption has to say.
//!
//! [`Table::new`] decides; `terminal`, `markdown` and `latex` only set what was decided.
#![forbid(unsafe_code)]

mod json;
mod latex;
mod markdown;
mod number;
mod published;
mod series;
mod terminal;

pub use json::summary_json;
pub use number::Rounded;
pub use published::published_value;
pub use series::series_tables;

use kernels::Level;

use crate::outcome::Value;
use crate::results::{Row, Sheet, Statistics, SummaryRow, summarise};
use crate::spec::{Experiment, Statistic};

/// Significant digits of a median and its range.
const RANGE_DIGITS: usize = 4;

/// A table ready to be set.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The experiment's name, for the LaTeX label.
    pub name: String,
    /// What the table is about and how to read its numbers, one sentence each.
    pub caption: Vec<String>,
    /// The columns.
    pub columns: Vec<Column>,
    /// As many entries per row as there are columns.
    pub rows: Vec<Vec<Entry>>,
}

/// A column's heading and how its entries are set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub heading: String,
    /// What its entries are.
    pub shape: Shape,
}

/// What the entries of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Words, set to the left.
    Text,
    /// Single numbers.
    Number,
    /// Mean and deviation.
    Spread,
    /// Median, minimum and maximum.
    Range,
}

/// One cell of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Words.
    Text(String),
    /// One number, without a spread.
    Number(Rounded),
    /// mean ± sample standard deviation.
    Spread(Rounded, Rounded),
    /// median (minimum to maximum).
    Range(Rounded, Rounded, Rounded),
    /// There is none.
    Missing,
}

impl Table {
    /// The table of an experiment's results, with statistics computed at `level`.
    pub fn new(level: Level, experiment: &Experiment, sheet: &Sheet) -> Self {
        let sheet = &sheet.pooled(&experiment.table.pool);
        let mut summary = summarise(level, sheet);
        let mut shown = shown_metrics(experiment, sheet);
        if shown.is_empty() && sheet.rows.iter().any(|row| row.diverged) {
            shown = vec![first_column(experiment)];
            summary = without_values(sheet, &shown[0]);
        }
        let (columns, rows) = if sheet.keys.is_empty() {
            by_metric(experiment, &summary, &shown)
        } else if is_wide(experiment, &summary, &shown) {
            turned(experiment, &sheet.keys, &summary, &shown)
        } else {
            by_cell(experiment, sheet, &summary, &shown)
        };
        let caption = caption(experiment, &summary, &shown);
        Self { name: experiment.name.clone(), caption, columns, rows }
    }
}

/// The first figure that the table would show.
fn first_column(experiment: &Experiment) -> String {
    let usual = crate::kinds::default_columns(experiment.kind).first().copied();
    experiment.table.columns.first().map_or_else(|| usual.unwrap_or("result").to_owned(), String::clone)
}

/// The summary of trials none of which has a figure.
fn without_values(sheet: &Sheet, metric: &str) -> Vec<SummaryRow> {
    let row = |rows: &[Row]| SummaryRow {
        cell: rows[0].cell,
        settings: rows[0].settings.clone(),
        trials: rows.len(),
        diverged: rows.iter().filter(|row| row.diverged).count(),
        metric: metric.to_owned(),
        statistics: None,
        counts: false,
    };
    sheet.by_cell().map(row).collect()
}

/// One row per cell of the grid: its settings, n, then the metrics with the published figures beside them.
fn by_cell(
    experiment: &Experiment,
    sheet: &Sheet,
    summary: &[SummaryRow],
    shown: &[String],
) -> (Vec<Column>, Vec<Vec<Entry>>) {
    let mut columns: Vec<Column> =
        headings(&sheet.keys).into_iter().map(|h| column(h, Shape::Text)).collect();
    let with_n = summary.iter().any(|row| row.trials > 1);
    if with_n {
        columns.push(column("n".to_owned(), Shape::Text));
    }
    let reached = experiment.table.reached.as_ref();
    columns.extend(reached.map(|(metric, bound)| column(format!("{metric} ≥ {bound}"), Shape::Text)));
    for metric in shown {
        let of_metric = summary.iter().filter(|row| row.metric == *metric);
        columns.push(column(metric.clone(), shape(experiment, of_metric)));
        if published::stands_beside(experiment, metric) {
            columns.push(column(format!("{metric}, published"), Shape::Text));
        }
    }
    let mut rows = Vec::new();
    for (cell, trials) in summary.chunk_by(|a, b| a.cell == b.cell).zip(sheet.by_cell()) {
        let mut row: Vec<Entry> = cell[0].settings.iter().cloned().map(Entry::Text).collect();
        if with_n {
            row.push(Entry::Text(finished_of(&cell[0])));
        }
        row.extend(reached.map(|(metric, bound)| Entry::Text(reaching(trials, metric, *bound))));
        for metric in shown {
            let found = cell.iter().find(|r| r.metric == *metric);
            row.push(found.map_or(Entry::Missing, |r| entry(experiment, &sheet.keys, r)));
            if published::stands_beside(experiment, metric) {
                row.push(found.map_or(Entry::Missing, |r| published::entry(experiment, &sheet.keys, r)));
            }
        }
        rows.push(row);
    }
    (columns, rows)
}

/// More metrics than this stand below each other rather than side by side.
const METRICS_ABREAST: usize = 8;

/// Whether the table is easier to read with a column per cell: many figures of few cells, one trial each.
fn is_wide(experiment: &Experiment, summary: &[SummaryRow], shown: &[String]) -> bool {
    let cells = summary.chunk_by(|a, b| a.cell == b.cell).count();
    let plain = summary.iter().all(|row| row.trials == 1)
        && !shown.iter().any(|metric| published::stands_beside(experiment, metric));
    plain && shown.len() > METRICS_ABREAST && cells < shown.len()
}

/// One row per metric, one column per cell.
fn turned(
    experiment: &Experiment,
    keys: &[String],
    summary: &[SummaryRow],
    shown: &[String],
) -> (Vec<Column>, Vec<Vec<Entry>>) {
    let cells: Vec<&[SummaryRow]> = summary.chunk_by(|a, b| a.cell == b.cell).collect();
    let mut columns = vec![column("quantity".to_owned(), Shape::Text)];
    columns.extend(cells.iter().map(|cell| column(cell[0].settings.join(", "), Shape::Number)));
    let row = |metric: &String| {
        let figure = |cell: &&[SummaryRow]| {
            let found = cell.iter().find(|r| r.metric == *metric);
            found.map_or(Entry::Missing, |r| entry(experiment, keys, r))
        };
        std::iter::once(Entry::Text(metric.clone())).chain(cells.iter().map(figure)).collect()
    };
    (columns, shown.iter().map(row).collect())
}

/// Without a sweep, one row per metric.
fn by_metric(
    experiment: &Experiment,
    summary: &[SummaryRow],
    shown: &[String],
) -> (Vec<Column>, Vec<Vec<Entry>>) {
    let rows: Vec<&SummaryRow> =
        shown.iter().filter_map(|metric| summary.iter().find(|row| row.metric == *metric)).collect();
    let with_n = rows.iter().any(|row| row.trials > 1);
    let with_published = shown.iter().any(|metric| published::stands_beside(experiment, metric));
    let mut columns = vec![
        column("quantity".to_owned(), Shape::Text),
        column("ours".to_owned(), shape(experiment, rows.iter().copied())),
    ];
    if with_n {
        columns.push(column("n".to_owned(), Shape::Text));
    }
    if with_published {
        columns.push(column("published".to_owned(), Shape::Text));
    }
    let rows = rows.into_iter().map(|row| {
        let mut entries = vec![Entry::Text(row.metric.clone()), entry(experiment, &[], row)];
        if with_n {
            entries.push(Entry::Text(finished_of(row)));
        }
        if with_published {
            entries.push(published::entry(experiment, &[], row));
        }
        entries
    });
    let rows = rows.collect();
    (columns, rows)
}

fn column(heading: String, shape: Shape) -> Column {
    Column { heading, shape }
}

/// The metrics that the file asks for, else the kind's own choice among those there are.
fn shown_metrics(experiment: &Experiment, sheet: &Sheet) -> Vec<String> {
    let all: Vec<&str> = sheet.metrics().into_iter().filter(|m| !m.starts_with("diverged.")).collect();
    let wanted: Vec<&str> = if experiment.table.columns.is_empty() {
        crate::kinds::default_columns(experiment.kind).to_vec()
    } else {
        experiment.table.columns.iter().map(String::as_str).collect()
    };
    let chosen: Vec<String> = wanted.iter().filter(|m| all.contains(m)).map(|m| (*m).to_owned()).collect();
    if chosen.is_empty() { all.into_iter().map(str::to_owned).collect() } else { chosen }
}

/// `6`, or `5/6` where a trial diverged.
fn finished_of(row: &SummaryRow) -> String {
    match row.diverged {
        0 => row.trials.to_string(),
        diverged => format!("{}/{}", row.trials - diverged, row.trials),
    }
}

/// `74 of 100`: how many trials reach the bound.
fn reaching(trials: &[Row], metric: &str, bound: f64) -> String {
    let reach = |row: &&Row| row.metric(metric).is_some_and(|value| value.as_f64() >= bound);
    format!("{} of {}", trials.iter().filter(reach).count(), trials.len())
}

fn shape<'a>(experiment: &Experiment, mut rows: impl Iterator<Item = &'a SummaryRow>) -> Shape {
    match experiment.table.statistic {
        _ if !rows.any(|row| row.statistics.is_some_and(|s| s.n > 1)) => Shape::Number,
        Statistic::Mean => Shape::Spread,
        Statistic::Median => Shape::Range,
    }
}

/// Significant digits of a figure that stands beside a published one: more than books print.
const COMPARED_DIGITS: usize = 11;

fn entry(experiment: &Experiment, keys: &[String], row: &SummaryRow) -> Entry {
    let Some(s) = row.statistics else {
        let none_left = row.diverged > 0 && row.diverged == row.trials;
        return if none_left { Entry::Text("diverged".to_owned()) } else { Entry::Missing };
    };
    match (experiment.table.statistic, s.sd) {
        (_, None) if published_value(experiment, keys, row).is_some() && !row.counts => {
            Entry::Number(Rounded::to_digits(s.mean, COMPARED_DIGITS))
        }
        (_, None) => Entry::Number(alone(s.mean, row.counts)),
        (Statistic::Mean, Some(0.0)) => Entry::Spread(alone(s.mean, row.counts), Rounded::whole(0)),
        (Statistic::Mean, Some(sd)) => {
            let (mean, sd) = Rounded::pair(s.mean, sd);
            Entry::Spread(mean, sd)
        }
        (Statistic::Median, Some(_)) => range(&s, row.counts),
    }
}

fn range(s: &Statistics, counts: bool) -> Entry {
    let shown = |x: f64| match counts && x.fract() == 0.0 {
        true => Rounded::whole(x as u64),
        false => Rounded::to_digits(x, RANGE_DIGITS),
    };
    Entry::Range(shown(s.median), shown(s.min), shown(s.max))
}

fn alone(x: f64, count: bool) -> Rounded {
    if count && x.fract() == 0.0 { Rounded::whole(x as u64) } else { Rounded::alone(x) }
}

fn caption(experiment: &Experiment, summary: &[SummaryRow], shown: &[String]) -> Vec<String> {
    let head = match experiment.table.caption.as_str() {
        "" => &experiment.title,
        caption => caption,
    };
    let mut caption = vec![sentence(head)];
    let rows = || summary.iter().filter(|row| shown.contains(&row.metric));
    let over = over(experiment);
    if rows().any(|row| row.statistics.is_some_and(|s| s.n > 1)) {
        caption.push(match experiment.table.statistic {
            Statistic::Mean => {
                format!("Mean ± sample standard deviation (n − 1) over {over}.")
            }
            Statistic::Median => format!("Median (smallest to largest) over {over}."),
        });
    }
    if summary.iter().any(|row| row.diverged > 0) && summary.iter().any(|row| row.trials > 1) {
        caption.push(
            "n = a/b: of b trials a did not diverge; the statistics are over these a alone.".to_owned(),
        );
    }
    caption.extend(shown.iter().filter_map(|metric| in_some_only(summary, metric)));
    caption.extend(published::notes(experiment));
    caption.push(format!("Numeric contract {}.", kernels::CONTRACT));
    caption
}

/// What the statistics run over: `6 training seeds`, or `2 training seeds for each fold`.
fn over(experiment: &Experiment) -> String {
    let seeds = match experiment.seeds.len() {
        1 => "1 training seed".to_owned(),
        n => format!("{n} training seeds"),
    };
    match headings(&experiment.table.pool).as_slice() {
        [] => seeds,
        pooled => format!("{seeds} for each {}", pooled.join(" and ")),
    }
}

/// Says so where a cell's statistics are over fewer trials than went to their end.
fn in_some_only(summary: &[SummaryRow], metric: &str) -> Option<String> {
    let lacks = |row: &&SummaryRow| {
        row.metric == metric && row.statistics.is_some_and(|s| s.n < row.trials - row.diverged)
    };
    summary.iter().find(lacks)?;
    Some(format!("{metric}: over the trials that have it."))
}

/// With a full stop, unless it ends in a mark of its own.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// The fewest last parts of each dotted key that tell the keys apart: `units` for `model.layers.1.dense.units`.
fn headings(keys: &[String]) -> Vec<String> {
    let tail = |key: &str, parts: usize| -> String {
        let all: Vec<&str> = key.split('.').collect();
        all[all.len().saturating_sub(parts)..].join(".")
    };
    let heading = |key: &String| {
        let longest = key.split('.').count();
        let unique =
            |parts: &usize| keys.iter().filter(|k| tail(k, *parts) == tail(key, *parts)).count() == 1;
        tail(key, (1..=longest).find(unique).unwrap_or(longest))
    };
    keys.iter().map(heading).collect()
}

impl Entry {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(x) => x.to_string(),
            Self::Spread(mean, sd) => format!("{mean} ± {sd}"),
            Self::Range(median, min, max) => format!("{median} ({min} to {max})"),
            Self::Missing => "—".to_owned(),
        }
    }
}

impl From<Value> for Entry {
    fn from(value: Value) -> Self {
        Self::Number(match value {
            Value::Count(n) => Rounded::whole(n),
            Value::Real(x) => Rounded::alone(x),
        })
    }
}

#[cfg(test)]
mod tests;
