//! Tables of timings as files: one line per row, which a later run with other threads keeps.

use std::path::Path;

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

/// The rows of a file; none where it is absent.
pub fn read_rows<R: Row>(path: &Path) -> Vec<R> {
    let Ok(mut reader) = csv::Reader::from_path(path) else { return Vec::new() };
    reader.records().flatten().filter_map(|record| R::read(&record)).collect()
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
/// As [`write_rows`].
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
}
