//! `experiments plot`: the results as pictures, from a results folder alone.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::named::{self, Named};
use super::output::say;
use super::{Global, PlotArgs};
use crate::exit::{Exit, Failure};
use crate::plot::{self, PlotError};
use crate::progress::tell;

pub(super) fn plot(global: &Global, args: &PlotArgs) -> Result<Exit, Failure> {
    let names = match args.experiments.as_slice() {
        [] => named::with_results(&global.results)?,
        arguments => named::given(arguments),
    };
    let mut objects = Vec::new();
    for named in &names {
        let files = pictures(&global.results, named, args)?;
        let name = &named.name;
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        if global.json {
            objects.push(json!({ "name": name, "files": files }));
            continue;
        }
        if files.is_empty() && !global.quiet {
            tell(format_args!("{name}: nothing to draw"));
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
fn pictures(results: &Path, named: &Named, args: &PlotArgs) -> Result<Vec<PathBuf>, Failure> {
    let experiment = named.read(results)?;
    let folder = named.folder(results);
    Ok(if args.metrics.is_empty() {
        plot::write_all(&folder, &experiment)?
    } else {
        plot::write_figures(&folder, &experiment, &args.metrics, args.log)?
    })
}

impl From<PlotError> for Failure {
    fn from(error: PlotError) -> Self {
        if let PlotError::Io(error) = error {
            return error.into();
        }
        let exit = if matches!(error, PlotError::Metric { .. }) { Exit::Usage } else { Exit::Io };
        Self::new(exit, format!("error: {error}"))
    }
}
