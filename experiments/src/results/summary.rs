//! `summary.csv`: what the seeds of each cell say, metric by metric.

use kernels::Level;

use super::{Sheet, Statistics, csv_text};
use crate::outcome::Value;

/// The statistics of one metric in one cell.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// The cell's index in the grid.
    pub cell: usize,
    /// The cell's value of each swept key.
    pub settings: Vec<String>,
    /// The number of trials, diverged ones included.
    pub trials: usize,
    /// How many of them diverged.
    pub diverged: usize,
    /// The metric.
    pub metric: String,
    /// Over the trials that did not diverge; `None` if none has the metric.
    pub statistics: Option<Statistics>,
    /// Whether every value is a count.
    pub counts: bool,
}

/// Statistics of every cell and metric, in the order of the sheet, computed at `level`.
///
/// Diverged trials count among `trials` only; how they ended stays in `results.csv`.
pub fn summarise(level: Level, sheet: &Sheet) -> Vec<SummaryRow> {
    let metrics: Vec<&str> = sheet.metrics().into_iter().filter(|m| !m.starts_with("diverged.")).collect();
    let mut summary = Vec::new();
    for rows in sheet.by_cell() {
        for &metric in &metrics {
            let values: Vec<Value> =
                rows.iter().filter(|r| !r.diverged).filter_map(|r| r.metric(metric)).collect();
            let reals: Vec<f64> = values.iter().map(|v| v.as_f64()).collect();
            summary.push(SummaryRow {
                cell: rows[0].cell,
                settings: rows[0].settings.clone(),
                trials: rows.len(),
                diverged: rows.iter().filter(|row| row.diverged).count(),
                metric: metric.to_owned(),
                statistics: Statistics::of(level, &reals),
                counts: values.iter().all(|v| matches!(v, Value::Count(_))),
            });
        }
    }
    summary
}

/// `<swept keys>,n,trials,metric,mean,sd,median,min,max,published`; `published` gives the figure of
/// others for a cell's settings and metric.
pub fn summary_csv(
    keys: &[String],
    summary: &[SummaryRow],
    published: impl Fn(&SummaryRow) -> Option<f64>,
) -> Vec<u8> {
    let mut header: Vec<&str> = keys.iter().map(String::as_str).collect();
    header.extend(["n", "trials", "metric", "mean", "sd", "median", "min", "max", "published"]);
    let real = |x: Option<f64>| x.map_or_else(String::new, |x| Value::Real(x).to_string());
    let rows = summary.iter().map(|row| {
        let s = row.statistics;
        let mut fields = row.settings.clone();
        fields.extend([
            s.map_or(0, |s| s.n).to_string(),
            row.trials.to_string(),
            row.metric.clone(),
            real(s.map(|s| s.mean)),
            real(s.and_then(|s| s.sd)),
            real(s.map(|s| s.median)),
            real(s.map(|s| s.min)),
            real(s.map(|s| s.max)),
            real(published(row)),
        ]);
        fields
    });
    csv_text(&header, rows)
}
