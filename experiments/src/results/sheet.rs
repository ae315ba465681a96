//! `results.csv`: one row per cell and seed, full precision, no times.

use std::num::ParseFloatError;

use super::csv_text;
use crate::outcome::{Outcome, Status, Value};
use crate::trial::Trial;

/// The rows of one experiment, by cell and then by seed in the file's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    /// The swept keys.
    pub keys: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// One trial in the sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The cell's index in the grid.
    pub cell: usize,
    /// The training seed.
    pub seed: u64,
    /// The cell's value of each swept key, as text.
    pub settings: Vec<String>,
    /// Whether it went to its end.
    pub diverged: bool,
    /// The trial's figures in order.
    pub metrics: Vec<(String, Value)>,
}

const OK: &str = "ok";
const DIVERGED: &str = "diverged";

impl Sheet {
    /// The sheet of finished trials.
    pub fn new(keys: &[String], finished: &[(Trial, Outcome)]) -> Self {
        let rows = finished.iter().map(|(trial, outcome)| Row::new(trial, outcome)).collect();
        Self { keys: keys.to_vec(), rows }
    }

    /// Every metric's name, in the order of first appearance.
    pub fn metrics(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.rows.iter().flat_map(|row| &row.metrics) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The sheet as `results.csv`: `cell,seed,<swept keys>,status,<metrics>`.
    pub fn to_csv(&self) -> Vec<u8> {
        let metrics = self.metrics();
        let mut header = vec!["cell", "seed"];
        header.extend(self.keys.iter().map(String::as_str));
        header.push("status");
        header.extend(&metrics);
        let rows = self.rows.iter().map(|row| {
            let mut fields = vec![row.cell.to_string(), row.seed.to_string()];
            fields.extend(row.settings.iter().cloned());
            fields.push(if row.diverged { DIVERGED } else { OK }.to_owned());
            fields.extend(metrics.iter().map(|m| row.metric(m).map_or_else(String::new, |v| v.to_string())));
            fields
        });
        csv_text(&header, rows)
    }

    /// Reads `results.csv` back.
    ///
    /// # Errors
    /// With the reason, if the text is no sheet that [`Self::to_csv`] could have written.
    pub fn from_csv(text: &[u8]) -> Result<Self, String> {
        let mut reader = csv::Reader::from_reader(text);
        let header: Vec<String> =
            reader.headers().map_err(|e| e.to_string())?.iter().map(str::to_owned).collect();
        let status = header.iter().position(|h| h == "status").ok_or("it has no column `status`")?;
        if status < 2 || header[0] != "cell" || header[1] != "seed" {
            return Err("it does not begin with the columns `cell,seed`".to_owned());
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| e.to_string())?;
            let line = record.position().map_or(0, csv::Position::line);
            rows.push(Row::read(&record, &header, status).map_err(|e| format!("line {line}: {e}"))?);
        }
        Ok(Self { keys: header[2..status].to_vec(), rows })
    }

    /// The sheet without the swept keys `pool`: cells that differ in these alone become one, whose
    /// rows stand together.
    pub fn pooled(&self, pool: &[String]) -> Self {
        let kept: Vec<usize> = (0..self.keys.len()).filter(|&k| !pool.contains(&self.keys[k])).collect();
        let pick = |values: &[String]| kept.iter().map(|&k| values[k].clone()).collect::<Vec<String>>();
        let mut cells: Vec<Vec<String>> = Vec::new();
        let mut rows = self.rows.clone();
        for row in &mut rows {
            row.settings = pick(&row.settings);
            row.cell = cells.iter().position(|known| *known == row.settings).unwrap_or_else(|| {
                cells.push(row.settings.clone());
                cells.len() - 1
            });
        }
        // Stable: within a cell the rows keep their order.
        rows.sort_by_key(|row| row.cell);
        Self { keys: pick(&self.keys), rows }
    }

    /// The rows cell by cell.
    pub fn by_cell(&self) -> impl Iterator<Item = &[Row]> {
        self.rows.chunk_by(|a, b| a.cell == b.cell)
    }
}

impl Row {
    fn new(trial: &Trial, outcome: &Outcome) -> Self {
        let mut metrics = outcome.metrics.clone();
        if let Status::Diverged { epoch, step } = outcome.status {
            metrics.push(("diverged.epoch".to_owned(), Value::Count(epoch)));
            metrics.push(("diverged.step".to_owned(), Value::Count(step)));
        }
        Self {
            cell: trial.cell,
            seed: trial.seed,
            settings: trial.settings.clone(),
            diverged: outcome.status != Status::Ok,
            metrics,
        }
    }

    fn read(record: &csv::StringRecord, header: &[String], status: usize) -> Result<Self, String> {
        let mut metrics = Vec::new();
        for (name, text) in header.iter().zip(record).skip(status + 1).filter(|(_, t)| !t.is_empty()) {
            let value = text.parse().map_err(|e: ParseFloatError| format!("`{name}`: {e}: `{text}`"))?;
            metrics.push((name.clone(), value));
        }
        Ok(Self {
            cell: record[0].parse().map_err(|e| format!("`cell`: {e}"))?,
            seed: record[1].parse().map_err(|e| format!("`seed`: {e}"))?,
            settings: record.iter().take(status).skip(2).map(str::to_owned).collect(),
            diverged: match &record[status] {
                OK => false,
                DIVERGED => true,
                other => return Err(format!("`{other}` is no status: expected `{OK}` or `{DIVERGED}`")),
            },
            metrics,
        })
    }

    /// The value of a metric, if the trial has it.
    pub fn metric(&self, name: &str) -> Option<Value> {
        self.metrics.iter().find(|(n, _)| n == name).map(|(_, v)| *v)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let row = |cell, seed, diverged, metrics: &[(&str, Value)]| Row {
            cell,
            seed,
            settings: vec![format!("a,\"{cell}\"")],
            diverged,
            metrics: metrics.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect(),
        };
        Sheet {
            keys: vec!["case".into()],
            rows: vec![
                row(0, 1, false, &[("test.accuracy", Value::Real(0.1)), ("updates", Value::Count(3))]),
                row(0, 2, true, &[("diverged.epoch", Value::Count(4)), ("diverged.step", Value::Count(1))]),
                row(1, 1, false, &[("test.accuracy", Value::Real(1.0)), ("updates", Value::Count(0))]),
            ],
        }
    }

    #[test]
    fn the_csv_has_one_column_per_metric_and_empty_cells_where_there_is_none() {
        let text = String::from_utf8(sheet().to_csv()).unwrap();
        assert_eq!(
            text,
            "cell,seed,case,status,test.accuracy,updates,diverged.epoch,diverged.step\n\
             0,1,\"a,\"\"0\"\"\",ok,0.1,3,,\n\
             0,2,\"a,\"\"0\"\"\",diverged,,,4,1\n\
             1,1,\"a,\"\"1\"\"\",ok,1.0,0,,\n"
        );
    }

    #[test]
    fn a_sheet_reads_back_as_it_was_written() {
        assert_eq!(Sheet::from_csv(&sheet().to_csv()), Ok(sheet()));
    }

    #[test]
    fn pooled_cells_stand_together() {
        let mut sheet = sheet();
        sheet.keys.push("fold".into());
        for (row, fold) in sheet.rows.iter_mut().zip(["0", "1", "0"]) {
            row.settings.push(fold.into());
        }
        assert_eq!(sheet.pooled(&[]).by_cell().count(), 3);
        let pooled = sheet.pooled(&["fold".into()]);
        assert_eq!(pooled.keys, ["case"]);
        assert_eq!(pooled.by_cell().map(<[Row]>::len).collect::<Vec<_>>(), [2, 1]);
        let whole = sheet.pooled(&["fold".into(), "case".into()]);
        assert_eq!((whole.keys.len(), whole.by_cell().count()), (0, 1));
    }

    #[test]
    fn what_is_no_sheet_is_refused_with_its_line() {
        assert!(Sheet::from_csv(b"a,b\n").is_err());
        let error = Sheet::from_csv(b"cell,seed,status\n0,1,fine\n").unwrap_err();
        assert!(error.contains("line 2") && error.contains("fine"), "{error}");
    }
}
