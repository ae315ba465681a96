//! `experiments table`: the table of a results folder, from its files alone.

use std::path::Path;

use kernels::{Exec, Level};
use serde_json::{Value as Json, json};

use super::named::{self, Named};
use super::output::{say, show};
use super::{Format, Global, TableArgs};
use crate::command;
use crate::engine::Inputs;
use crate::exit::{Exit, Failure};
use crate::results::{Sheet, SummaryRow, summarise, summary_csv};
use crate::spec::Experiment;
use crate::suite;
use crate::table::{Table, published_value, series_tables, summary_json};

pub(super) fn table(global: &Global, args: &TableArgs) -> Result<Exit, Failure> {
    let level = Exec::from_env()?.level;
    let names = match args.experiments.as_slice() {
        [] => named::with_results(&global.results)?,
        arguments => named::given(arguments),
    };
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
        let results = Results::read(level, &global.results, name)?;
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
fn without_results(results: &Path, named: &Named, format: Format) -> Option<String> {
    let set: fn(&Table) -> String = match format {
        Format::Terminal => Table::to_terminal,
        Format::Markdown => Table::to_markdown,
        Format::Latex => Table::to_latex,
        Format::Csv | Format::Json => return None,
    };
    if named.folder(results).join("results.csv").is_file() {
        return None;
    }
    let experiment =
        suite::open(&named.given, &[]).ok().filter(|experiment| !experiment.published.is_empty())?;
    let why = match Inputs::load(&experiment, 1) {
        Ok(_) => format!("`{}` makes them", command::on(results, &["run", &named.given])),
        Err(failure) => failure.message.lines().next().unwrap_or_default().replace("error: ", ""),
    };
    Some(set(&Table::of_published(&experiment, &why)))
}

/// The files of a results folder.
struct Results {
    level: Level,
    experiment: Experiment,
    sheet: Sheet,
    series: Vec<Table>,
}

impl Results {
    fn read(level: Level, results: &Path, named: &Named) -> Result<Self, Failure> {
        let experiment = named.read(results)?;
        let folder = named.folder(results);
        let damaged = |file: &str, reason: String| {
            named.damaged(results, &format!("error: {}: {reason}", folder.join(file).display()))
        };
        let csv = fs_err::read(folder.join("results.csv"))?;
        let sheet = Sheet::from_csv(&csv).map_err(|reason| damaged("results.csv", reason))?;
        let curves = folder.join("curves.csv");
        let series = if curves.is_file() {
            series_tables(level, &experiment, &fs_err::read(&curves)?)
                .map_err(|reason| damaged("curves.csv", reason))?
        } else {
            Vec::new()
        };
        Ok(Self { level, experiment, sheet, series })
    }

    /// The table and the published series, each set by `set`.
    fn set(&self, set: fn(&Table) -> String) -> String {
        let mut text = set(&Table::new(self.level, &self.experiment, &self.sheet));
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
        summary_csv(&self.sheet.keys, &summarise(self.level, &self.sheet), |row| self.published(row))
    }

    fn json(&self) -> Json {
        let summary =
            summary_json(&self.sheet.keys, &summarise(self.level, &self.sheet), |row| self.published(row));
        json!({ "name": self.experiment.name, "title": self.experiment.title, "summary": summary })
    }
}
