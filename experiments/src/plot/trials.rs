//! The files that trials left under `local/trials/<id>/`, found through `lock.toml`.

use std::path::{Path, PathBuf};

use fs_err as fs;

use super::PlotError;
use super::read;

/// The trials of a results folder.
pub(super) struct Trials {
    local: PathBuf,
    /// (cell, seed, id) in the order of `lock.toml`.
    ids: Vec<(String, String, String)>,
}

/// A CSV file: its header and its records.
pub(super) type Table = (Vec<String>, Vec<Vec<String>>);

impl Trials {
    /// The trials that `lock.toml` lists; none if there is no such file.
    pub(super) fn of(folder: &Path) -> Result<Self, PlotError> {
        // Results of `--set` stand below the `local` of the experiment itself.
        let local =
            match folder.ancestors().find(|above| above.file_name().is_some_and(|name| name == "local")) {
                Some(above) => above.to_owned(),
                None => folder.join("local"),
            };
        let path = folder.join("lock.toml");
        if !path.exists() {
            return Ok(Self { local, ids: Vec::new() });
        }
        let text = fs::read_to_string(&path)?;
        let lock: toml::Table = text.parse().map_err(|source| PlotError::Toml { path, source })?;
        let cells = lock.get("cell").and_then(toml::Value::as_array).into_iter().flatten();
        Ok(Self { local, ids: cells.flat_map(trials_of_cell).collect() })
    }

    /// Counts the trials of `cell` as those of `first`.
    pub(super) fn count_as(&mut self, cell: &str, first: &str) {
        for (of, _, _) in self.ids.iter_mut().filter(|(of, _, _)| of == cell) {
            first.clone_into(of);
        }
    }

    /// A file of the trials of a cell, seed after seed, where it is there.
    pub(super) fn tables(&self, cell: &str, file: &str) -> Result<Vec<Table>, PlotError> {
        let of_cell = self.ids.iter().filter(|(of, _, _)| of == cell);
        let paths = of_cell.map(|(_, _, id)| self.local.join("trials").join(id).join(file));
        paths.filter(|path| path.is_file()).map(|path| read::table(&path)).collect()
    }
}

fn trials_of_cell(cell: &toml::Value) -> Vec<(String, String, String)> {
    let (Some(index), Some(trials)) = (
        cell.get("index").and_then(toml::Value::as_integer),
        cell.get("trials").and_then(toml::Value::as_table),
    ) else {
        return Vec::new();
    };
    let mut ids: Vec<(u64, String)> =
        trials.iter().filter_map(|(seed, id)| Some((seed.parse().ok()?, id.as_str()?.to_owned()))).collect();
    ids.sort();
    ids.into_iter().map(|(seed, id)| (index.to_string(), seed.to_string(), id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trials_file_is_found_by_its_cell() {
        let folder = tempfile::tempdir().unwrap();
        let lock =
            "name = \"x\"\n[[cell]]\nindex = 3\nresolved = \"\"\n[cell.trials]\n10 = \"bb\"\n2 = \"aa\"\n";
        fs::write(folder.path().join("lock.toml"), lock).unwrap();
        for (id, class) in [("aa", "first"), ("bb", "second")] {
            let trial = folder.path().join("local/trials").join(id);
            fs::create_dir_all(&trial).unwrap();
            fs::write(trial.join("confusion.csv"), format!("true,{class}\n{class},1\n")).unwrap();
        }
        let trials = Trials::of(folder.path()).unwrap();
        let tables = trials.tables("3", "confusion.csv").unwrap();
        assert_eq!(tables.iter().map(|table| table.0[1].as_str()).collect::<Vec<_>>(), ["first", "second"]);
        assert!(trials.tables("0", "confusion.csv").unwrap().is_empty());
        let excursion = folder.path().join("local/set/a=1");
        fs::create_dir_all(&excursion).unwrap();
        fs::write(excursion.join("lock.toml"), lock).unwrap();
        assert_eq!(Trials::of(&excursion).unwrap().tables("3", "confusion.csv").unwrap().len(), 2);
    }
}
