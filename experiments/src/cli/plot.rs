//! `experiments plot`: the results as pictures, from a results folder alone.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::output::say;
use super::{Global, PlotArgs, table};
use crate::exit::{Exit, Failure};
use crate::plot::{self, PlotError};
use crate::spec;

pub(super) fn plot(global: &Global, args: &PlotArgs) -> Result<Exit, Failure> {
    let names = if args.experiments.is_empty() {
        table::with_results(&global.results)?
    } else {
        table::names(&args.experiments)
    };
    let mut objects = Vec::new();
    for name in &names {
        let files = pictures(&table::folder(&global.results, name), name, args)?;
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        if global.json {
            objects.push(json!({ "name": name, "files": files }));
            continue;
        }
        if files.is_empty() && !global.quiet {
            eprintln!("{name}: nothing to draw");
        }
        for file in files {
            say(&file)?;
        }
    }
    if global.json {
        say(&format!("{:#}", Json::Array(objects)))?;
    }
    Ok(Exit::Done)
}

/// Draws the pictures of one results folder.
fn pictures(folder: &Path, name: &str, args: &PlotArgs) -> Result<Vec<PathBuf>, Failure> {
    let file = folder.join("experiment.toml");
    if !file.is_file() {
        return Err(Failure::new(
            Exit::Io,
            format!(
                "error: {} holds no results\n   = fix: `experiments run` makes some, `experiments list` prints the names",
                folder.display()
            ),
        ));
    }
    let experiment = spec::parse(&format!("{name}.toml"), &fs_err::read_to_string(&file)?, &[])?;
    Ok(if args.metrics.is_empty() {
        plot::write_all(folder, &experiment)?
    } else {
        plot::write_figures(folder, &experiment, &args.metrics, args.log)?
    })
}

impl From<PlotError> for Failure {
    fn from(error: PlotError) -> Self {
        let exit = if matches!(error, PlotError::Metric { .. }) { Exit::Usage } else { Exit::Io };
        Self::new(exit, format!("error: {error}"))
    }
}
