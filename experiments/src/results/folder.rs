//! Where an experiment's results stand, and writing them.

use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use kernels::Level;

use super::{Sheet, curves_csv, digests_csv, lock, summarise, summary_csv};
use crate::durable;
use crate::outcome::Outcome;
use crate::spec::Experiment;
use crate::table::{self, Table};
use crate::trial::Trial;

/// The results folder of one experiment.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Where the committed files stand.
    pub files: PathBuf,
    /// Where the trials' records, times and provenance stand.
    pub local: PathBuf,
}

impl Folder {
    /// The folder of `experiment` below `results`.
    ///
    /// With `--set` the files go to `local/set/<the settings>/`, so that an excursion never
    /// overwrites the experiment's own results; the records are shared.
    pub fn of(results: &Path, experiment: &Experiment) -> Self {
        let files = results.join(&experiment.name);
        let local = files.join("local");
        if experiment.overrides.is_empty() {
            return Self { files, local };
        }
        Self { files: local.join("set").join(slug(&experiment.overrides)), local }
    }

    /// Makes the folders and proves that they can be written, before anything is computed.
    ///
    /// The returned lock is shared by all processes at work in the folder; the first one sweeps
    /// what killed runs left.
    ///
    /// # Errors
    /// As the operating system says, with the path.
    pub fn open(&self) -> io::Result<fs::File> {
        durable::create_folder(&self.files)?;
        durable::create_folder(&self.local)?;
        let probe = self.files.join(format!(".probe.tmp.{}", std::process::id()));
        fs::write(&probe, b"")?;
        fs::remove_file(&probe)?;
        let lock = fs::File::create(self.local.join("lock"))?;
        match lock.file().try_lock() {
            Ok(()) => self.sweep()?,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        lock.file().lock_shared()?;
        Ok(lock)
    }

    fn sweep(&self) -> io::Result<()> {
        durable::sweep(&self.files)?;
        durable::sweep(&self.local)?;
        let trials = self.local.join("trials");
        if trials.is_dir() {
            for entry in fs::read_dir(&trials)? {
                durable::sweep(&entry?.path())?;
            }
        }
        Ok(())
    }

    /// Writes every committed file that differs from what stands there, with statistics computed at `level`; returns all
    /// their paths.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn write(
        &self,
        level: Level,
        experiment: &Experiment,
        finished: &[(Trial, Outcome)],
    ) -> io::Result<Vec<PathBuf>> {
        let files = contents(level, experiment, finished);
        let sums: String = files.iter().map(|(name, text)| sum_line(name, text)).collect();
        let mut paths = Vec::new();
        for (name, text) in files.iter().chain([&(SUMS, sums.into_bytes())]) {
            let path = self.files.join(name);
            durable::write_if_changed(&path, text)?;
            paths.push(path);
        }
        self.remove_stale(&files)?;
        Ok(paths)
    }

    /// Compares the files with their digests in `SHA256SUMS`.
    pub fn check(&self) -> Files {
        if ["results.csv", SUMS].iter().all(|file| !self.files.join(file).exists()) {
            return Files::Absent;
        }
        match self.changed().into_iter().next() {
            None => Files::Intact,
            Some(name) if self.has_other_line_ends(&name) => Files::OtherLineEnds(name),
            Some(name) => Files::Differs(name),
        }
    }

    /// The reproducible files that are not as `SHA256SUMS` says, or that it does not list.
    pub fn changed(&self) -> Vec<String> {
        let sums = self.sums();
        let listed = listed(&sums);
        let intact = |sha256: &str, name: &str| {
            fs::read(self.files.join(name)).is_ok_and(|bytes| durable::sha256_hex(&bytes) == sha256)
        };
        let differ = listed.iter().filter(|(sha256, name)| !intact(sha256, name)).map(|(_, name)| *name);
        let unlisted = REPRODUCIBLE
            .into_iter()
            .filter(|file| self.files.join(file).exists() && listed.iter().all(|(_, name)| name != file));
        differ.chain(unlisted).map(str::to_owned).collect()
    }

    /// Whether `SHA256SUMS` would be right of a file if its CRLF line ends were LF.
    pub fn has_other_line_ends(&self, name: &str) -> bool {
        let sums = self.sums();
        let sha256 = listed(&sums).into_iter().find(|(_, listed)| *listed == name).map(|(sha256, _)| sha256);
        let bytes = fs::read(self.files.join(name)).unwrap_or_default();
        sha256.is_some_and(|sha256| durable::is_crlf_of(&bytes, sha256))
    }

    /// `SHA256SUMS`, empty where it cannot be read.
    fn sums(&self) -> String {
        fs::read_to_string(self.files.join(SUMS)).unwrap_or_default()
    }

    /// Removes `curves.csv` or `digests.csv` of an earlier form of the experiment that had them.
    fn remove_stale(&self, files: &[(&str, Vec<u8>)]) -> io::Result<()> {
        for name in ["curves.csv", "digests.csv"] {
            let path = self.files.join(name);
            if !files.iter().any(|(written, _)| *written == name) && path.exists() {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

/// The digests and names of a `SHA256SUMS`.
fn listed(sums: &str) -> Vec<(&str, &str)> {
    sums.lines().filter_map(|line| line.split_once("  ")).collect()
}

const SUMS: &str = "SHA256SUMS";

/// What `SHA256SUMS` lists of the files that are there.
const REPRODUCIBLE: [&str; 8] = [
    "curves.csv",
    "digests.csv",
    "experiment.toml",
    "lock.toml",
    "results.csv",
    "summary.csv",
    "table.md",
    "table.tex",
];

/// What the committed files are, by their own digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Files {
    /// There are none.
    Absent,
    /// All as they were written.
    Intact,
    /// This one is not.
    Differs(String),
    /// This one is, but for CRLF line ends.
    OtherLineEnds(String),
}

impl std::fmt::Display for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => write!(f, "absent"),
            Self::Intact => write!(f, "intact"),
            Self::Differs(name) => write!(f, "changed ({name} is not as SHA256SUMS says)"),
            Self::OtherLineEnds(name) => {
                write!(f, "changed ({name} is not as SHA256SUMS says: its line ends were changed to CRLF)")
            }
        }
    }
}

/// The reproducible files, by name, in the order of `SHA256SUMS`.
fn contents(
    level: Level,
    experiment: &Experiment,
    finished: &[(Trial, Outcome)],
) -> Vec<(&'static str, Vec<u8>)> {
    let trials: Vec<Trial> = finished.iter().map(|(trial, _)| trial.clone()).collect();
    let sheet = Sheet::new(&experiment.swept, finished);
    let summary = summarise(level, &sheet);
    let published = |row: &super::SummaryRow| table::published_value(experiment, &experiment.swept, row);
    let table = Table::new(level, experiment, &sheet);
    let mut files = vec![
        ("experiment.toml", experiment.text.clone().into_bytes()),
        ("lock.toml", lock::lock_toml(experiment, &trials).into_bytes()),
        ("results.csv", sheet.to_csv()),
        ("summary.csv", summary_csv(&experiment.swept, &summary, published)),
    ];
    let mut tables = vec![table];
    if let Some(curves) = curves_csv(&experiment.swept, finished) {
        // What was just written reads back; a failure would only leave the small tables out.
        tables.extend(table::series_tables(level, experiment, &curves).unwrap_or_default());
        files.push(("curves.csv", curves));
    }
    files.extend(digests_csv(&experiment.swept, finished).map(|text| ("digests.csv", text)));
    let set = |set: fn(&Table) -> String| tables.iter().map(set).collect::<Vec<_>>().join("\n").into_bytes();
    files.extend([("table.md", set(Table::to_markdown)), ("table.tex", set(Table::to_latex))]);
    files.sort_by_key(|(name, _)| *name);
    files
}

/// A line of `sha256sum`.
fn sum_line(name: &str, text: &[u8]) -> String {
    format!("{}  {name}\n", durable::sha256_hex(text))
}

/// `--set` arguments as a folder's name.
pub(crate) fn slug(overrides: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._=-,+".contains(c);
    let joined = overrides.join(",");
    let text: String = joined.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    if text == joined && text.len() <= 80 {
        return text;
    }
    let digest = durable::sha256_hex(joined.as_bytes());
    format!("{}-{}", &text[..text.len().min(60)], &digest[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_digests_that_is_empty_or_missing_is_not_intact() {
        let temporary = tempfile::tempdir().unwrap();
        let files = temporary.path().to_owned();
        let folder = Folder { local: files.join("local"), files };
        assert_eq!(folder.check(), Files::Absent);
        fs::write(folder.files.join("results.csv"), "a").unwrap();
        assert_eq!(folder.check(), Files::Differs("results.csv".into()));
        fs::write(folder.files.join(SUMS), "").unwrap();
        assert_eq!(folder.check(), Files::Differs("results.csv".into()));
        fs::write(folder.files.join(SUMS), sum_line("results.csv", b"a")).unwrap();
        assert_eq!(folder.check(), Files::Intact);
        fs::write(folder.files.join(SUMS), sum_line("results.csv", b"a\n").replace('\n', "\r\n")).unwrap();
        fs::write(folder.files.join("results.csv"), "a\r\n").unwrap();
        assert_eq!(folder.check(), Files::OtherLineEnds("results.csv".into()));
        fs::write(folder.files.join("results.csv"), "b\r\n").unwrap();
        assert_eq!(folder.check(), Files::Differs("results.csv".into()));
    }

    #[test]
    fn different_settings_have_different_folder_names() {
        let slug = |o: &[&str]| slug(&o.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        assert_eq!(slug(&["train.epochs=3", "seeds.list=1"]), "train.epochs=3,seeds.list=1");
        assert_ne!(slug(&["a=\"b\""]), slug(&["a='b'"]));
        assert!(slug(&["é/../x=1"]).chars().all(|c| c != '/'));
        assert!(slug(&["a=é"; 100]).len() < 80);
    }
}
