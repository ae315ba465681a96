//! `experiments table`: the table of a results folder, from its files alone.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::output::{say, show};
use super::{Format, Global, TableArgs};
use crate::engine::Inputs;
use crate::exit::{Exit, Failure};
use crate::results::{Sheet, SummaryRow, summarise, summary_csv};
use crate::spec::{self, Experiment};
use crate::suite;
use crate::table::{Table, published_value, series_tables, summary_json};

pub(super) fn table(global: &Global, args: &TableArgs) -> Result<Exit, Failure> {
    let names =
        if args.experiments.is_empty() { with_results(&global.results)? } else { names(&args.experiments) };
    let format = if global.json { Format::Json } else { args.format };
    let mut objects = Vec::new();
    for (i, name) in names.iter().enumerate() {
        if i > 0 && format != Format::Json {
            show("\n")?;
        }
        if let Some(table) = without_results(&global.results, name, format) {
            show(&table)?;
            continue;
        }
        let results = Results::read(&global.results, name)?;
        match format {
            Format::Terminal => {
                show(&format!("{}\n\n{}", results.experiment.title, results.set(Table::to_terminal)))?;
            }
            Format::Markdown => show(&results.set(Table::to_markdown))?,
            Format::Latex => show(&results.set(Table::to_latex))?,
            Format::Csv => show(&String::from_utf8_lossy(&results.csv()))?,
            Format::Json => objects.push(results.json()),
        }
    }
    if format == Format::Json {
        say(&format!("{:#}", Json::Array(objects)))?;
    }
    Ok(Exit::Done)
}

/// What others published, where there are no results of ours and the format is one to be read.
fn without_results(results: &Path, name: &str, format: Format) -> Option<String> {
    let set: fn(&Table) -> String = match format {
        Format::Terminal => Table::to_terminal,
        Format::Markdown => Table::to_markdown,
        Format::Latex => Table::to_latex,
        Format::Csv | Format::Json => return None,
    };
    if folder(results, name).join("results.csv").is_file() {
        return None;
    }
    let experiment = suite::open(name, &[]).ok().filter(|experiment| !experiment.published.is_empty())?;
    let why = match Inputs::load(&experiment, 1) {
        Ok(_) => format!("`experiments run {name}` makes them"),
        Err(failure) => failure.message.lines().next().unwrap_or_default().replace("error: ", ""),
    };
    Some(set(&Table::of_published(&experiment, &why)))
}

/// The folder below the results in which timings stand.
pub(super) const BENCHMARKS: &str = "benchmarks";

/// The results folder of `name`: its own, or that of its timings.
pub(super) fn folder(results: &Path, name: &str) -> PathBuf {
    let timings = results.join(BENCHMARKS).join(name);
    if timings.is_dir() { timings } else { results.join(name) }
}

/// Experiments as given: a name, or a file whose stem is the name.
pub(super) fn names(arguments: &[String]) -> Vec<String> {
    let stem = |argument: &String| {
        let path = Path::new(argument);
        let is_file = path.extension().is_some_and(|extension| extension == "toml");
        let name = if is_file { path.file_stem() } else { path.file_name() };
        name.map_or_else(|| argument.clone(), |name| name.to_string_lossy().into_owned())
    };
    arguments.iter().map(stem).collect()
}

/// The names of all folders with results, sorted.
pub(super) fn with_results(results: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for above in [results.to_owned(), results.join(BENCHMARKS)] {
        if !above.is_dir() {
            continue;
        }
        for entry in fs_err::read_dir(above)? {
            let entry = entry?;
            if entry.path().join("results.csv").is_file() && entry.path().join("experiment.toml").is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    names.sort();
    if names.is_empty() {
        return Err(Failure::new(
            Exit::Io,
            format!("error: {} holds no results\n   = fix: `experiments run` makes some", results.display()),
        ));
    }
    Ok(names)
}

/// The files of a results folder.
struct Results {
    experiment: Experiment,
    sheet: Sheet,
    series: Vec<Table>,
}

impl Results {
    fn read(results: &Path, name: &str) -> Result<Self, Failure> {
        let folder = folder(results, name);
        if !folder.join("results.csv").is_file() {
            return Err(Failure::new(
                Exit::Io,
                format!(
                    "error: {} holds no results.csv\n   = fix: run `experiments run {name}` first",
                    folder.display()
                ),
            ));
        }
        let text = fs_err::read_to_string(folder.join("experiment.toml"))?;
        let experiment = spec::parse(&format!("{name}.toml"), &text, &[])?;
        let damaged = |file: &str, reason: String| {
            let path = folder.join(file);
            Failure::new(
                Exit::Io,
                format!(
                    "error: {}: {reason}\n   = fix: `experiments run {name}` writes it again",
                    path.display()
                ),
            )
        };
        let csv = fs_err::read(folder.join("results.csv"))?;
        let sheet = Sheet::from_csv(&csv).map_err(|reason| damaged("results.csv", reason))?;
        let curves = folder.join("curves.csv");
        let series = if curves.is_file() {
            series_tables(&experiment, &fs_err::read(&curves)?)
                .map_err(|reason| damaged("curves.csv", reason))?
        } else {
            Vec::new()
        };
        Ok(Self { experiment, sheet, series })
    }

    /// The table and the published series, each set by `set`.
    fn set(&self, set: fn(&Table) -> String) -> String {
        let mut text = set(&Table::new(&self.experiment, &self.sheet));
        for table in &self.series {
            text.push('\n');
            text += &set(table);
        }
        text
    }

    fn published(&self, row: &SummaryRow) -> Option<f64> {
        published_value(&self.experiment, &self.experiment.swept, row)
    }

    fn csv(&self) -> Vec<u8> {
        summary_csv(&self.sheet.keys, &summarise(&self.sheet), |row| self.published(row))
    }

    fn json(&self) -> Json {
        let summary = summary_json(&self.sheet.keys, &summarise(&self.sheet), |row| self.published(row));
        json!({ "name": self.experiment.name, "title": self.experiment.title, "summary": summary })
    }
}
