//! CSV with a header line.

use super::DataError;

/// A table of text cells.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    name: String,
    pub(super) columns: Vec<String>,
    rows: Vec<Vec<String>>,
    /// The line of each row in the file.
    lines: Vec<u64>,
}

impl Table {
    /// Reads a CSV file; `name` is for messages.
    pub(super) fn parse(name: &str, content: &[u8]) -> Result<Self, DataError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(content);
        let damaged = |error: csv::Error| {
            let fix = match error.kind() {
                csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8: save the file as UTF-8",
                _ => "give each row as many cells as the header line",
            };
            DataError::new(name, format!("cannot be read as CSV: {error}"), fix)
        };
        let columns: Vec<String> = reader.headers().map_err(damaged)?.iter().map(str::to_owned).collect();
        if let Some(twice) = repeated(&columns) {
            let reason = format!("has two columns that are called `{twice}`");
            return Err(DataError::new(name, reason, "give each column a name of its own"));
        }
        let mut table = Self { name: name.to_owned(), columns, rows: Vec::new(), lines: Vec::new() };
        for record in reader.records() {
            let record = record.map_err(damaged)?;
            table.lines.push(record.position().map_or(0, csv::Position::line));
            table.rows.push(record.iter().map(str::to_owned).collect());
        }
        if table.rows.is_empty() {
            return Err(DataError::new(name, "has no rows below its header line", "add one row per sample"));
        }
        Ok(table)
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The index of the column called `column`; `key` of the experiment file asked for it.
    pub(super) fn column(&self, column: &str, key: &str) -> Result<usize, DataError> {
        self.columns.iter().position(|name| name == column).ok_or_else(|| {
            let known = self.columns.join(", ");
            let near = crate::diagnostics::did_you_mean(column, self.columns.iter().map(String::as_str));
            let fix = match near {
                Some(near) => format!("did you mean `{near}`? Columns: {known}"),
                None => format!("columns: {known}"),
            };
            DataError::new(
                &self.name,
                format!("`{key}` asks for the column `{column}`, which does not exist"),
                fix,
            )
        })
    }

    /// The number in a cell.
    pub(super) fn number(&self, row: usize, column: usize) -> Result<f64, DataError> {
        let cell = &self.rows[row][column];
        let reason = match cell.parse::<f64>() {
            Ok(x) if x.is_finite() && (x as f32).is_finite() => return Ok(x),
            Ok(_) => "is no finite number that 32 bits can hold",
            Err(_) if cell.is_empty() => "is empty",
            Err(_) => "is no number",
        };
        let place = format!("{}:{}", self.name, self.lines[row]);
        let reason = format!("`{cell}` in the column `{}` {reason}", self.columns[column]);
        Err(DataError::new(
            place,
            reason,
            "correct the cell, remove the row, or choose other columns with `dataset.features`",
        ))
    }

    /// Labels by the first appearance of each class in the file, and the classes' names.
    pub(super) fn classes(&self, column: usize) -> Result<(Vec<u32>, Vec<String>), DataError> {
        if let Some(row) = self.rows.iter().position(|row| row[column].is_empty()) {
            let place = format!("{}:{}", self.name, self.lines[row]);
            let reason = format!("the class in the column `{}` is empty", self.columns[column]);
            return Err(DataError::new(place, reason, "fill the cell in, or remove the row"));
        }
        let mut names: Vec<String> = Vec::new();
        let labels = self.rows.iter().map(|row| match names.iter().position(|name| *name == row[column]) {
            Some(label) => label as u32,
            None => {
                names.push(row[column].clone());
                names.len() as u32 - 1
            }
        });
        let labels = labels.collect();
        Ok((labels, names))
    }
}

/// The first name that stands twice.
pub(super) fn repeated(names: &[String]) -> Option<&String> {
    names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)).map(|(_, name)| name)
}
