//! `curves.csv` and `digests.csv`: what a trial has besides its row of figures.

use super::csv_text;
use crate::outcome::Outcome;
use crate::trial::Trial;

/// `cell,seed,<swept keys>,<axis>,<columns>`, or `None` if no trial has a curve.
///
/// Trials of different cells may have different columns; a cell is empty where a trial has none.
/// The axis is the first trial's.
pub fn curves_csv(keys: &[String], finished: &[(Trial, Outcome)]) -> Option<Vec<u8>> {
    let mut columns: Vec<&str> = Vec::new();
    for name in finished.iter().flat_map(|(_, outcome)| &outcome.curve.columns) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    if columns.is_empty() {
        return None;
    }
    let header = header(keys, &columns);
    let rows = finished.iter().flat_map(|(trial, outcome)| {
        let places: Vec<Option<usize>> =
            columns.iter().map(|c| outcome.curve.columns.iter().position(|own| own == c)).collect();
        outcome.curve.rows.iter().map(move |row| {
            let value = |place: &Option<usize>| place.and_then(|p| row[p]);
            let mut fields = start(trial);
            fields.extend(places.iter().map(|p| value(p).map_or_else(String::new, |v| v.to_string())));
            fields
        })
    });
    Some(csv_text(&header, rows))
}

/// `cell,seed,<swept keys>,name,sha256`, or `None` if no trial has a digest.
pub fn digests_csv(keys: &[String], finished: &[(Trial, Outcome)]) -> Option<Vec<u8>> {
    if finished.iter().all(|(_, outcome)| outcome.digests.is_empty()) {
        return None;
    }
    let rows = finished.iter().flat_map(|(trial, outcome)| {
        outcome.digests.iter().map(|(name, sha256)| {
            let mut fields = start(trial);
            fields.extend([name.clone(), sha256.clone()]);
            fields
        })
    });
    Some(csv_text(&header(keys, &["name", "sha256"]), rows))
}

fn header<'a>(keys: &'a [String], columns: &[&'a str]) -> Vec<&'a str> {
    let mut header = vec!["cell", "seed"];
    header.extend(keys.iter().map(String::as_str));
    header.extend(columns);
    header
}

fn start(trial: &Trial) -> Vec<String> {
    let mut fields = vec![trial.cell.to_string(), trial.seed.to_string()];
    fields.extend(trial.settings.iter().cloned());
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Curve, Value};

    fn trial(cell: usize) -> Trial {
        Trial { cell, seed: 7, settings: vec!["a".into()], data: Vec::new(), id: String::new() }
    }

    #[test]
    fn a_column_that_a_trial_lacks_stays_empty() {
        let mut first = Outcome::ok();
        first.curve = Curve::over("epoch", ["loss"]);
        first.curve.push(1_usize, [Some(Value::Real(0.5))]);
        let mut second = Outcome::ok();
        second.curve = Curve::over("epoch", ["accuracy"]);
        second.curve.push(1_usize, [None]);
        second.curve.push(2_usize, [Some(Value::Real(1.0))]);
        second.digests.push(("weights".into(), "ff".into()));
        let finished = [(trial(0), first), (trial(1), second)];
        let text = |csv: Option<Vec<u8>>| String::from_utf8(csv.unwrap()).unwrap();
        assert_eq!(
            text(curves_csv(&["case".into()], &finished)),
            "cell,seed,case,epoch,loss,accuracy\n0,7,a,1,0.5,\n1,7,a,1,,\n1,7,a,2,,1.0\n"
        );
        assert_eq!(
            text(digests_csv(&["case".into()], &finished)),
            "cell,seed,case,name,sha256\n1,7,a,weights,ff\n"
        );
    }

    #[test]
    fn nothing_makes_no_file() {
        let finished = [(trial(0), Outcome::ok())];
        assert_eq!(curves_csv(&[], &finished), None);
        assert_eq!(digests_csv(&[], &finished), None);
    }
}
