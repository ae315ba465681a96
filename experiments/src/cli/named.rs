//! The experiments that `status`, `table` and `plot` are asked about, and their results folders.

use std::path::{Path, PathBuf};

use crate::command;
use crate::engine::Plan;
use crate::exit::{Exit, Failure};
use crate::progress::tell;
use crate::results::{self, Folder};
use crate::spec::{self, Cell, Experiment, Image, Kind, Source};
use crate::{kinds, suite};

/// The folder below the results in which timings stand.
pub(super) const BENCHMARKS: &str = "benchmarks";

/// An experiment as it was asked for.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// What the verb `run` has to be given: the argument, or the name.
    pub(super) given: String,
    /// The experiment's name.
    pub(super) name: String,
}

/// Experiments as given: a name, a file whose stem is the name, or a results folder.
pub(super) fn given(arguments: &[String]) -> Vec<Named> {
    let named = |argument: &String| {
        let path = Path::new(argument);
        let is_file = path.extension().is_some_and(|extension| extension == "toml");
        let name = if is_file { path.file_stem() } else { path.file_name() };
        let name = name.map_or_else(|| argument.clone(), |name| name.to_string_lossy().into_owned());
        if is_file { Named { given: argument.clone(), name } } else { Named::of(name) }
    };
    arguments.iter().map(named).collect()
}

/// All experiments whose folder holds a `results.csv`, sorted.
pub(super) fn with_results(results: &Path) -> Result<Vec<Named>, Failure> {
    let is_whole =
        |folder: &Path| ["results.csv", "experiment.toml"].iter().all(|file| folder.join(file).is_file());
    below(results, is_whole)
}

/// All experiments that have results or records of trials, sorted.
pub(super) fn begun(results: &Path) -> Result<Vec<Named>, Failure> {
    below(results, |folder| folder.join("results.csv").is_file() || folder.join("local/trials").is_dir())
}

fn below(results: &Path, counts: impl Fn(&Path) -> bool) -> Result<Vec<Named>, Failure> {
    let mut names = Vec::new();
    for above in [results.to_owned(), results.join(BENCHMARKS)] {
        if !above.is_dir() {
            continue;
        }
        for entry in fs_err::read_dir(above)? {
            let entry = entry?;
            if counts(&entry.path()) {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Err(Failure::new(
            Exit::Io,
            format!(
                "error: {} holds no results\n   = fix: `{}` makes some",
                results.display(),
                command::on(results, &["run"])
            ),
        ));
    }
    Ok(names.into_iter().map(Named::of).collect())
}

impl Named {
    fn of(name: String) -> Self {
        let given = if suite::knows(&name) { name.clone() } else { format!("{name}.toml") };
        Self { given, name }
    }

    /// The results folder: its own, or that of its timings.
    pub(super) fn folder(&self, results: &Path) -> PathBuf {
        let timings = results.join(BENCHMARKS).join(&self.name);
        if timings.is_dir() { timings } else { results.join(&self.name) }
    }

    /// The experiment as its file says now, or as it was run where only its results are left.
    pub(super) fn now(&self, results: &Path) -> Result<Experiment, Failure> {
        match suite::open(&self.given, &[]) {
            Err(_) if !Path::new(&self.given).exists() && self.recorded(results).is_file() => {
                self.as_run(results)
            }
            other => other,
        }
    }

    /// The experiment as it was run.
    pub(super) fn as_run(&self, results: &Path) -> Result<Experiment, Failure> {
        let file = self.recorded(results);
        let text = suite::text_of(&file.display().to_string())?;
        spec::parse_as(&file.display().to_string(), &self.name, &text, &[]).map_err(|errors| {
            self.damaged(results, &format!("{errors}\nerror: {} is damaged", file.display()))
        })
    }

    fn recorded(&self, results: &Path) -> PathBuf {
        self.folder(results).join("experiment.toml")
    }

    /// The experiment of a whole and unchanged results folder; warns on stderr where the file that was asked for
    /// has other settings by now.
    pub(super) fn read(&self, results: &Path) -> Result<Experiment, Failure> {
        let files = self.folder(results);
        if !files.exists() && !suite::knows(&self.name) && !Path::new(&self.given).exists() {
            suite::open(&self.name, &[])?;
        }
        if let Some(missing) = ["results.csv", "experiment.toml"].iter().find(|f| !files.join(f).is_file()) {
            return Err(Failure::new(
                Exit::Io,
                format!(
                    "error: {} holds no {missing}\n   = fix: run `{}` first",
                    files.display(),
                    self.run_again(results)
                ),
            ));
        }
        let folder = Folder { local: files.join("local"), files };
        if !self.is_timing(results)
            && let Some(file) = folder.changed().into_iter().find(|file| READ.contains(&file.as_str()))
        {
            let path = folder.files.join(&file);
            let what = format!("error: {} is not as SHA256SUMS says", path.display());
            return Err(match folder.has_other_line_ends(&file) {
                true => self.other_line_ends(results, &what),
                false => self.damaged(results, &what),
            });
        }
        let experiment = self.as_run(results)?;
        if let Ok(now) = suite::open(&self.given, &[])
            && !self.is_timing(results)
            && (!results::is_of(&folder, &now) || has_other_data(&folder, &now))
        {
            tell(format_args!(
                "warning: {}: these results belong to other settings or data than those of {}\n   = fix: `{}` computes the new ones",
                folder.files.display(),
                now.file,
                self.run_again(results)
            ));
        }
        Ok(experiment)
    }

    fn is_timing(&self, results: &Path) -> bool {
        self.folder(results).starts_with(results.join(BENCHMARKS))
    }

    /// A file that git gave other line ends.
    fn other_line_ends(&self, results: &Path, what: &str) -> Failure {
        let folder = command::quoted(&self.folder(results).to_string_lossy());
        let message = format!(
            "{what}: its line ends were changed to CRLF, as git does with core.autocrlf=true\n   = fix: `{}` writes it again, and tells git to leave it; \
             or `git config core.autocrlf false`, `git rm -rq --cached {folder}`, `git checkout HEAD -- {folder}`",
            self.run_again(results)
        );
        Failure::new(Exit::Io, message)
    }

    /// The command that makes the results.
    fn run_again(&self, results: &Path) -> String {
        command::on(results, &["run", &self.given])
    }

    /// A damaged file of the results folder; `what` names it.
    pub(super) fn damaged(&self, results: &Path, what: &str) -> Failure {
        let fix = format!("`{}` writes it again", self.run_again(results));
        Failure::new(Exit::Io, format!("{what}\n   = fix: {fix}"))
    }
}

/// Whether the trials of `now`, which has the settings of the folder's, read files that have changed since.
fn has_other_data(folder: &Folder, now: &Experiment) -> bool {
    let from_files = |cell: &Cell| match &cell.kind {
        Kind::Convolve(trial) => matches!(trial.image, Image::File(_)),
        kind => kinds::dataset(kind).is_some_and(|spec| {
            matches!(spec.source, Source::Csv { .. } | Source::Images { .. } | Source::Idx { .. })
        }),
    };
    if !now.cells.iter().any(from_files) {
        return false;
    }
    // Files that are gone are no other files.
    let Ok(plan) = Plan::new(now, 1) else { return false };
    let known = results::ids(&folder.files.join("lock.toml"));
    plan.trials.iter().any(|trial| !known.contains(&trial.id))
}

/// The files of a results folder that a table or a picture is made from.
const READ: [&str; 4] = ["curves.csv", "experiment.toml", "lock.toml", "results.csv"];
