//! Published series (a figure per epoch) beside ours, one small table each.

use kernels::Level;

use super::{COMPARED_DIGITS, Column, Entry, Rounded, Shape, Table, published, sentence};
use crate::outcome::Value;
use crate::results::Statistics;
use crate::spec::{Experiment, Published};

/// One table per published series whose column `curves.csv` has, its rows along the curve's axis; means are computed at
/// `level`.
///
/// # Errors
/// With the reason, if `curves` is no `curves.csv` of this experiment.
pub fn series_tables(level: Level, experiment: &Experiment, curves: &[u8]) -> Result<Vec<Table>, String> {
    let mut reader = csv::Reader::from_reader(curves);
    let header: Vec<String> =
        reader.headers().map_err(|e| e.to_string())?.iter().map(str::to_owned).collect();
    let axis = 2 + experiment.swept.len();
    if header.len() <= axis || header[2..axis] != experiment.swept[..] {
        return Err("its columns are not those of this experiment".to_owned());
    }
    let records: Vec<csv::StringRecord> =
        reader.records().collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    let series = experiment.published.iter().filter(|p| p.values.len() > 1);
    Ok(series
        .filter_map(|p| {
            let column = header.iter().position(|h| *h == p.metric)?;
            let at = |key: &String| header.iter().position(|h| h == key);
            let cell: Vec<(usize, &str)> =
                p.cell.iter().map(|(key, value)| Some((at(key)?, value.as_str()))).collect::<Option<_>>()?;
            let rows = records.iter().filter(|r| cell.iter().all(|(at, value)| &r[*at] == *value));
            Some(table(experiment, p, &header[axis], &points(rows, axis, column), level))
        })
        .collect())
}

/// (axis value as text, our values over the seeds), in the order of first appearance.
fn points<'a>(
    records: impl Iterator<Item = &'a csv::StringRecord>,
    axis: usize,
    column: usize,
) -> Vec<(String, Vec<Value>)> {
    let mut points: Vec<(String, Vec<Value>)> = Vec::new();
    for record in records {
        let Ok(value) = record[column].parse() else { continue };
        match points.iter_mut().find(|(x, _)| *x == record[axis]) {
            Some((_, values)) => values.push(value),
            None => points.push((record[axis].to_owned(), vec![value])),
        }
    }
    points
}

fn table(
    experiment: &Experiment,
    p: &Published,
    axis: &str,
    points: &[(String, Vec<Value>)],
    level: Level,
) -> Table {
    let column = |heading: &str| Column { heading: heading.to_owned(), shape: Shape::Number };
    let rows = p.at.iter().zip(&p.values).map(|(&at, &published)| {
        let (x, ours) = match points.get(at - 1) {
            Some((x, values)) => (Entry::Text(x.clone()), ours(level, values)),
            None => (Entry::Missing, Entry::Missing),
        };
        vec![x, ours, Entry::Number(full(published))]
    });
    let cell: Vec<String> = p.cell.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    let place = if cell.is_empty() { String::new() } else { format!(" for {}", cell.join(", ")) };
    let mut caption = vec![sentence(&format!("{} by {axis}{place}, beside the published series", p.metric))];
    caption.push(published::note(experiment, p));
    Table {
        name: format!("{}-{}", experiment.name, p.metric),
        caption,
        columns: vec![
            Column { heading: axis.to_owned(), shape: Shape::Text },
            column("ours"),
            column("published"),
        ],
        rows: rows.collect(),
    }
}

/// The seeds' common value or their mean.
fn ours(level: Level, values: &[Value]) -> Entry {
    match values {
        [Value::Count(n)] => Entry::Number(Rounded::whole(*n)),
        _ => {
            let reals: Vec<f64> = values.iter().map(|v| v.as_f64()).collect();
            Statistics::of(level, &reals).map_or(Entry::Missing, |s| Entry::Number(full(s.mean)))
        }
    }
}

fn full(x: f64) -> Rounded {
    Rounded::to_digits(x, COMPARED_DIGITS)
}
