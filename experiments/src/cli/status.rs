//! `experiments status`: what is done, what is to do, what no longer belongs to the experiment.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::named::{self, Named};
use super::output::{say, show};
use super::{Global, NameArgs};
use crate::command;
use crate::engine::Plan;
use crate::exit::{Exit, Failure};
use crate::kinds;
use crate::results::{self, Folder};
use crate::spec::{self, Experiment};

pub(super) fn status(global: &Global, args: &NameArgs) -> Result<Exit, Failure> {
    let names = match args.experiments.as_slice() {
        [] => named::begun(&global.results)?,
        arguments => named::given(arguments),
    };
    let mut objects = Vec::new();
    for named in names {
        let (json, text) = match named.now(&global.results) {
            // Records of an experiment whose file nobody named and that never came to its results.
            Err(_) if args.experiments.is_empty() && !Path::new(&named.given).exists() => {
                unknown(&named, &global.results)
            }
            Err(failure) => return Err(failure),
            Ok(experiment) if kinds::is_timing(&experiment) => timing(&named, &global.results),
            Ok(experiment) => {
                match State::of(&experiment, &Folder::of(&global.results, &experiment)) {
                    Ok(state) => (state.json(&experiment), state.text(&experiment)),
                    // Data that one of many lacks are no reason to keep quiet about the others.
                    Err(failure) if args.experiments.is_empty() => without_data(&named, &failure),
                    Err(failure) => return Err(failure),
                }
            }
        };
        if global.json {
            objects.push(json);
        } else {
            show(&text)?;
        }
    }
    if global.json {
        say(&format!("{:#}", Json::Array(objects)))?;
    }
    Ok(Exit::Done)
}

fn unknown(named: &Named, results: &Path) -> (Json, String) {
    let Named { name, given } = named;
    let command = command::on(results, &["status", given]);
    let text = format!("{name}: begun; `{command}` with the path of its file says how far\n");
    (json!({ "name": name, "begun": true }), text)
}

fn without_data(named: &Named, failure: &Failure) -> (Json, String) {
    let why = failure.message.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let text = format!("{}: cannot tell, {why}\n", named.name);
    (json!({ "name": named.name, "error": why }), text)
}

/// Timings have no trials to count.
fn timing(named: &Named, results: &Path) -> (Json, String) {
    let measured = named.folder(results).join("results.csv").is_file();
    let what = if measured { "measured" } else { "not measured yet" };
    let text = format!("{}: {what}; each run measures its times anew\n", named.name);
    (json!({ "name": named.name, "timings": true, "measured": measured }), text)
}

struct State {
    done: usize,
    diverged: usize,
    /// Trials without a whole record, as `units=32 seed=3`.
    missing: Vec<String>,
    /// The reasons why records are not trusted.
    damaged: Vec<String>,
    /// Records of trials that are not the experiment's any more.
    stale: usize,
    files: results::Files,
    /// Estimated from the trials that are done, as if one ran at a time.
    seconds_left: Option<f64>,
}

impl State {
    fn of(experiment: &Experiment, folder: &Folder) -> Result<Self, Failure> {
        let plan = Plan::new(experiment, 1).map_err(|failure| spec::placed(experiment, failure))?;
        let recorded = plan.recorded(folder);
        let describe = |i: usize| plan.trials[i].describe(&experiment.swept);
        let missing: Vec<String> =
            (0..plan.trials.len()).filter(|&i| recorded.outcomes[i].is_none()).map(describe).collect();
        let seconds = results::seconds(folder, &plan.trials);
        let total = seconds.iter().fold(0.0, |total, s| total + s);
        let mean = (!seconds.is_empty()).then(|| total / seconds.len() as f64);
        Ok(Self {
            done: plan.trials.len() - missing.len(),
            diverged: recorded.outcomes.iter().flatten().filter(|o| o.has_diverged()).count(),
            damaged: recorded.damaged.into_iter().map(|(i, why)| format!("{}: {why}", describe(i))).collect(),
            stale: stale(&folder.local, plan.trials.iter().map(|t| t.id.clone()).collect())?,
            files: folder.check(),
            seconds_left: mean.map(|mean| mean * missing.len() as f64),
            missing,
        })
    }

    fn text(&self, experiment: &Experiment) -> String {
        let total = self.done + self.missing.len();
        let mut text = format!("{}: {} of {total} trials done", experiment.name, self.done);
        if self.diverged > 0 {
            text += &format!(" ({} diverged)", self.diverged);
        }
        if let Some(seconds) = self.seconds_left.filter(|_| !self.missing.is_empty()) {
            text += &format!(", about {seconds:.0} s left, one at a time");
        }
        text += &format!("; files {}\n", self.files);
        for trial in &self.missing {
            text += &format!("  to do    {trial}\n");
        }
        for record in &self.damaged {
            text += &format!("  damaged  {record}\n");
        }
        if self.stale > 0 {
            text += &format!(
                "  stale    {} record(s) of other settings, data or numeric contract, which are not used here\n",
                self.stale
            );
        }
        text
    }

    fn json(&self, experiment: &Experiment) -> Json {
        json!({
            "name": experiment.name,
            "done": self.done,
            "diverged": self.diverged,
            "to_do": self.missing,
            "damaged": self.damaged,
            "stale": self.stale,
            "files": self.files.to_string(),
            "seconds_left": self.seconds_left,
        })
    }
}

/// The number of records that belong neither to a trial of the experiment, whose identities are `own`, nor to the
/// results of a run with `--set`.
fn stale(local: &Path, mut own: BTreeSet<String>) -> Result<usize, Failure> {
    let entries = |folder: PathBuf| -> Result<Vec<PathBuf>, Failure> {
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        Ok(fs_err::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?)
    };
    for excursion in entries(local.join("set"))? {
        own.extend(results::ids(&excursion.join("lock.toml")));
    }
    let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let records = entries(local.join("trials"))?;
    Ok(records.iter().filter_map(name).filter(|id| !own.contains(id)).count())
}
