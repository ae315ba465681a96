//! `results.csv` and `curves.csv`, read back.

use std::path::Path;

use fs_err as fs;

use super::PlotError;
use crate::spec::{Published, Statistic};

/// One row of `results.csv` or `curves.csv`: a cell, a seed, and figures.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// The cell's number, as written.
    pub(super) cell: String,
    pub(super) seed: String,
    /// The values of the swept keys.
    pub(super) settings: Vec<String>,
    /// One value for each figure; `None` where there is none.
    pub(super) figures: Vec<Option<f64>>,
}

/// A file of rows under named columns.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rows {
    /// The swept keys.
    pub(super) keys: Vec<String>,
    /// The names of the figures. In `curves.csv` the first is the x axis.
    pub(super) figures: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// A cell as plots name it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CellOf {
    pub(super) cell: String,
    pub(super) settings: Vec<String>,
}

/// `results.csv`: `cell,seed,<swept keys>,status,<metrics>`.
pub(super) fn results(folder: &Path) -> Result<Rows, PlotError> {
    let path = folder.join("results.csv");
    let (header, records) = table(&path)?;
    let status = header.iter().position(|name| name == "status").filter(|&status| status >= 2);
    let status = status.ok_or_else(|| PlotError::Columns { path: path.clone() })?;
    Ok(rows(&header, &records, status, status + 1))
}

/// `curves.csv`: `cell,seed,<swept keys>,<x axis>,<columns>`; `None` if the experiment has none.
pub(super) fn curves(folder: &Path, keys: usize) -> Result<Option<Rows>, PlotError> {
    let path = folder.join("curves.csv");
    if !path.exists() {
        return Ok(None);
    }
    let (header, records) = table(&path)?;
    if header.len() < keys + 2 {
        return Err(PlotError::Columns { path });
    }
    let curves = rows(&header, &records, keys + 2, keys + 2);
    Ok((curves.figures.len() > 1 && !curves.rows.is_empty()).then_some(curves))
}

/// The header and the records of a CSV file.
pub(super) fn table(path: &Path) -> Result<(Vec<String>, Vec<Vec<String>>), PlotError> {
    let text = fs::read_to_string(path)?;
    let unreadable = |source| PlotError::Csv { path: path.to_owned(), source };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(str::to_owned).collect();
    if header.is_empty() {
        return Err(PlotError::Columns { path: path.to_owned() });
    }
    let records: Result<Vec<Vec<String>>, csv::Error> =
        reader.records().map(|record| Ok(record?.iter().map(str::to_owned).collect())).collect();
    Ok((header, records.map_err(unreadable)?))
}

/// Columns 2 up to `keys_end` are swept keys, those from `figures` on are figures.
fn rows(header: &[String], records: &[Vec<String>], keys_end: usize, figures: usize) -> Rows {
    let row = |record: &Vec<String>| Row {
        cell: record[0].clone(),
        seed: record[1].clone(),
        settings: record[2..keys_end].to_vec(),
        figures: record[figures..].iter().map(|text| text.parse().ok()).collect(),
    };
    Rows {
        keys: header[2..keys_end].to_vec(),
        figures: header[figures..].to_vec(),
        rows: records.iter().map(row).collect(),
    }
}

impl Rows {
    /// The place of a figure among the figures.
    pub(super) fn figure(&self, name: &str) -> Option<usize> {
        self.figures.iter().position(|figure| figure == name)
    }

    /// The cells in the order of the file.
    pub(super) fn cells(&self) -> Vec<CellOf> {
        let mut cells: Vec<CellOf> = Vec::new();
        for row in &self.rows {
            if !cells.iter().any(|known| known.cell == row.cell) {
                cells.push(CellOf { cell: row.cell.clone(), settings: row.settings.clone() });
            }
        }
        cells
    }

    /// Without the swept keys `pool`: cells that differ in these alone count as their first one, and every
    /// trial of theirs as a seed.
    pub(super) fn pooled(mut self, pool: &[String]) -> Self {
        let (dropped, kept): (Vec<usize>, Vec<usize>) =
            (0..self.keys.len()).partition(|&key| pool.contains(&self.keys[key]));
        if dropped.is_empty() {
            return self;
        }
        let pick = |values: &[String], places: &[usize]| -> Vec<String> {
            places.iter().map(|&place| values[place].clone()).collect()
        };
        let mut firsts: Vec<CellOf> = Vec::new();
        for row in &mut self.rows {
            row.seed = format!("{} {}", row.seed, pick(&row.settings, &dropped).join(" "));
            row.settings = pick(&row.settings, &kept);
            match firsts.iter().find(|first| first.settings == row.settings) {
                Some(first) => row.cell.clone_from(&first.cell),
                None => firsts.push(CellOf { cell: row.cell.clone(), settings: row.settings.clone() }),
            }
        }
        self.keys = pick(&self.keys, &kept);
        self
    }

    /// The seeds in the order of the file.
    pub(super) fn seeds(&self) -> Vec<&str> {
        let mut seeds: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !seeds.contains(&row.seed.as_str()) {
                seeds.push(&row.seed);
            }
        }
        seeds
    }

    /// The finite values of a figure in a cell, one for each seed that has one.
    pub(super) fn values(&self, cell: &str, figure: usize) -> Vec<f64> {
        let of_cell = self.rows.iter().filter(|row| row.cell == cell);
        of_cell.filter_map(|row| row.figures[figure]).filter(|value| value.is_finite()).collect()
    }

    /// Whether a cell with these settings is one that a published figure belongs to.
    pub(super) fn meets(&self, settings: &[String], published: &Published) -> bool {
        let bare = |text: &str| text.trim_matches('"').to_owned();
        published.cell.iter().all(|(key, value)| {
            let place = self.keys.iter().position(|known| known == key);
            place.is_some_and(|place| bare(&settings[place]) == bare(value))
        })
    }

    /// The places of the keys that take more than one value.
    pub(super) fn varying(&self) -> Vec<usize> {
        let varies =
            |key: &usize| self.rows.iter().any(|row| row.settings[*key] != self.rows[0].settings[*key]);
        (0..self.keys.len()).filter(varies).collect()
    }
}

/// The middle of some values and how far they spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) centre: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Spread {
    /// The statistic of one or more values; one value has no spread.
    pub(super) fn of(values: &[f64], statistic: Statistic) -> Self {
        match statistic {
            Statistic::Mean => Self::mean(values),
            Statistic::Median => Self::median(values),
        }
    }

    /// The part of the spread that a figure can take at all.
    pub(super) fn within(self, bounds: Option<(f64, f64)>) -> Self {
        match bounds {
            Some((least, most)) => Self { low: self.low.max(least), high: self.high.min(most), ..self },
            None => self,
        }
    }

    /// Mean, and one sample standard deviation to each side.
    fn mean(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().fold(0.0, |sum, v| sum + v) / n;
        let squares = values.iter().fold(0.0, |sum, v| sum + (v - mean) * (v - mean));
        let sd = if values.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 };
        Self { centre: mean, low: mean - sd, high: mean + sd }
    }

    /// Median, from the smallest to the largest value.
    fn median(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (lower, upper) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Self { centre: lower / 2.0 + upper / 2.0, low: sorted[0], high: sorted[sorted.len() - 1] }
    }

    /// What centre and ends are, for a figure's note.
    pub(super) fn words(statistic: Statistic, trials: &str) -> String {
        match statistic {
            Statistic::Mean => format!("Mean over {trials}, one standard deviation to each side."),
            Statistic::Median => format!("Median over {trials}, from the smallest to the largest value."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_keys_before_the_status_and_figures_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let text = "cell,seed,train.batch,status,test.accuracy,note\n0,1,8,ok,0.5,\n1,1,16,diverged,,3\n";
        fs::write(folder.path().join("results.csv"), text).unwrap();
        let rows = results(folder.path()).unwrap();
        assert_eq!(rows.keys, ["train.batch"]);
        assert_eq!(rows.figures, ["test.accuracy", "note"]);
        assert_eq!(rows.values("0", 0), [0.5]);
        assert!(rows.values("1", 0).is_empty());
        assert_eq!(rows.varying(), [0]);
        assert_eq!(curves(folder.path(), 1).unwrap(), None);
    }

    #[test]
    fn a_file_without_its_columns_is_an_error_with_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("results.csv", ""),
            ("results.csv", "status\n"),
            ("curves.csv", ""),
            ("curves.csv", "cell,seed\n"),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
            let error = match name {
                "results.csv" => results(folder.path()).map(|_| ()),
                _ => curves(folder.path(), 1).map(|_| ()),
            };
            let error = error.unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("fix: "), "{error}");
        }
    }

    #[test]
    fn pooled_cells_count_as_the_first_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let text = "cell,seed,units,fold,status,a\n0,1,8,0,ok,1\n1,1,8,1,ok,2\n2,1,16,0,ok,3\n";
        fs::write(folder.path().join("results.csv"), text).unwrap();
        let rows = results(folder.path()).unwrap().pooled(&["fold".into()]);
        assert_eq!(rows.keys, ["units"]);
        assert_eq!(rows.cells().iter().map(|cell| cell.cell.as_str()).collect::<Vec<_>>(), ["0", "2"]);
        assert_eq!(rows.values("0", 0), [1.0, 2.0]);
        assert_eq!(rows.seeds(), ["1 0", "1 1"]);
    }

    #[test]
    fn the_spread_is_what_its_words_say() {
        let spread = |values: &[f64], statistic| {
            let Spread { centre, low, high } = Spread::of(values, statistic);
            [centre, low, high]
        };
        assert_eq!(spread(&[2.0], Statistic::Mean), [2.0, 2.0, 2.0]);
        assert_eq!(spread(&[1.0, 3.0], Statistic::Mean), [2.0, 2.0 - 2f64.sqrt(), 2.0 + 2f64.sqrt()]);
        assert_eq!(spread(&[9.0, 1.0, 3.0], Statistic::Median), [3.0, 1.0, 9.0]);
        assert_eq!(spread(&[1.0, 2.0, 4.0, 9.0], Statistic::Median), [3.0, 1.0, 9.0]);
    }
}
