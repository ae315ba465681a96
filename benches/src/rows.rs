//! Tables of timings as files: one line per row, which a later run with other threads keeps.

use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;

use csv::StringRecord;

/// A line of a table.
pub trait Row: Sized {
    /// The names of the columns.
    const COLUMNS: &'static [&'static str];

    /// The fields, one per column.
    fn fields(&self) -> Vec<String>;

    /// The row of such fields; `None` where they are not understood.
    fn read(record: &StringRecord) -> Option<Self>;
}

/// A field that may be empty: `None` where it is neither empty nor a value.
pub fn optional<T: FromStr>(record: &StringRecord, i: usize) -> Option<Option<T>> {
    match record.get(i)? {
        "" => Some(None),
        field => field.parse().ok().map(Some),
    }
}

/// The rows of a file; none where it is absent.
///
/// # Panics
/// If a line is no such row, with its file and number: rows that a later run would drop in silence were measured once.
pub fn read_rows<R: Row>(path: &Path) -> Vec<R> {
    read(path).unwrap_or_else(|error| panic!("{}{error}", path.display()))
}

/// The rows, or the line that is none and why: `:3: ..`.
fn read<R: Row>(path: &Path) -> Result<Vec<R>, String> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(|error| format!(": {error}"))?,
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = R::COLUMNS.join(",");
    let head = reader.headers().map_err(|error| format!(":1: {error}"))?;
    if head != R::COLUMNS {
        return Err(format!(":1: these columns are expected: {columns}"));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record
            .map_err(|error| format!(":{}: {error}", error.position().map_or(0, csv::Position::line)))?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push(R::read(&record).ok_or_else(|| format!(":{line}: no row of {columns}"))?);
    }
    Ok(rows)
}

/// Writes a file of rows, and its folder.
///
/// # Panics
/// If the system refuses.
pub fn write_rows<R: Row>(path: &Path, rows: &[R]) {
    let write = || -> csv::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut writer = csv::Writer::from_path(path)?;
        writer.write_record(R::COLUMNS)?;
        rows.iter().try_for_each(|row| writer.write_record(row.fields()))?;
        Ok(writer.flush()?)
    };
    write().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Replaces the rows of a file that `is_old` with others, sorts all by their key, and returns them.
///
/// # Panics
/// As [`read_rows`] and [`write_rows`].
pub fn replace_rows<R: Row, K: Ord>(
    path: &Path,
    is_old: impl Fn(&R) -> bool,
    rows: Vec<R>,
    key: impl Fn(&R) -> K,
) -> Vec<R> {
    let mut all = read_rows(path);
    all.retain(|row| !is_old(row));
    all.extend(rows);
    all.sort_by_key(key);
    write_rows(path, &all);
    println!("wrote {}", path.display());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Threads and a name.
    #[derive(Clone, Debug, PartialEq)]
    struct Named(usize, String);

    impl Row for Named {
        const COLUMNS: &'static [&'static str] = &["threads", "name"];

        fn fields(&self) -> Vec<String> {
            vec![self.0.to_string(), self.1.clone()]
        }

        fn read(record: &StringRecord) -> Option<Self> {
            Some(Self(record.get(0)?.parse().ok()?, record.get(1)?.to_owned()))
        }
    }

    fn named(threads: usize, name: &str) -> Named {
        Named(threads, name.to_owned())
    }

    #[test]
    fn rows_of_other_threads_stay() {
        let folder = std::env::temp_dir().join(format!("rows-{}", std::process::id()));
        let path = folder.join("table.csv");
        write_rows(&path, &[named(1, "old"), named(2, "with a, comma"), named(2, "b")]);
        let rows = replace_rows(&path, |row| row.0 == 1, vec![named(1, "new")], |row: &Named| row.0);
        assert_eq!(rows, [named(1, "new"), named(2, "with a, comma"), named(2, "b")]);
        assert_eq!(read_rows::<Named>(&path), rows);
        let text = std::fs::read_to_string(&path).expect("the file");
        assert_eq!(text, "threads,name\n1,new\n2,\"with a, comma\"\n2,b\n");
        std::fs::remove_dir_all(&folder).expect("the folder");
    }

    #[test]
    fn a_line_that_is_no_row_is_named() {
        let path = std::env::temp_dir().join(format!("unreadable-{}.csv", std::process::id()));
        for (text, error) in [
            ("threads,name\n1,a\ntwo,b\n", ":3: no row of threads,name"),
            ("threads,name\n1,\"a\nb\"\n2\n", ":4: CSV error: record 2"),
            ("threads,name,more\n", ":1: these columns are expected: threads,name"),
            ("", ":1: these columns are expected: threads,name"),
        ] {
            std::fs::write(&path, text).expect("a file");
            let said = read::<Named>(&path).expect_err("an error");
            assert!(said.starts_with(error), "{said}");
        }
        std::fs::remove_file(&path).expect("the file");
        assert_eq!(read::<Named>(&path), Ok(Vec::new()));
    }

    #[test]
    fn an_empty_field_is_not_an_unreadable_one() {
        let record = StringRecord::from(vec!["", "1.5", "x"]);
        let fields: Vec<Option<Option<f64>>> = (0..4).map(|i| optional(&record, i)).collect();
        assert_eq!(fields, [Some(None), Some(Some(1.5)), None, None]);
    }
}
