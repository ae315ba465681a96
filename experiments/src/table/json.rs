//! The summary as JSON, for other programs.

use serde_json::{Map, Number, Value as Json, json};

use crate::results::SummaryRow;

/// One object per cell and metric; what is not finite is `null`, because JSON has no word for it.
pub fn summary_json(
    keys: &[String],
    summary: &[SummaryRow],
    published: impl Fn(&SummaryRow) -> Option<f64>,
) -> Json {
    let rows = summary.iter().map(|row| {
        let settings: Map<String, Json> =
            keys.iter().cloned().zip(row.settings.iter().cloned().map(Json::String)).collect();
        let s = row.statistics;
        json!({
            "settings": settings,
            "metric": row.metric,
            "n": s.map_or(0, |s| s.n),
            "trials": row.trials,
            "mean": real(s.map(|s| s.mean)),
            "sd": real(s.and_then(|s| s.sd)),
            "median": real(s.map(|s| s.median)),
            "min": real(s.map(|s| s.min)),
            "max": real(s.map(|s| s.max)),
            "published": real(published(row)),
        })
    });
    Json::Array(rows.collect())
}

fn real(x: Option<f64>) -> Json {
    x.and_then(Number::from_f64).map_or(Json::Null, Json::Number)
}
