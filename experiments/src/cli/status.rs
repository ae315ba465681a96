//! `experiments status`: what is done, what is to do, what no longer belongs to the experiment.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::output::{say, show};
use super::table::{names, with_results};
use super::{Global, NameArgs};
use crate::engine::Plan;
use crate::exit::{Exit, Failure};
use crate::results::{self, Folder};
use crate::spec::{self, Experiment};
use crate::{kinds, suite};

pub(super) fn status(global: &Global, args: &NameArgs) -> Result<Exit, Failure> {
    let experiments = if args.experiments.is_empty() {
        let with_results = with_results(&global.results)?;
        names(&with_results)
    } else {
        args.experiments.clone()
    };
    let mut objects = Vec::new();
    for name in experiments {
        let experiment = open(&global.results, &name)?;
        if kinds::is_timing(&experiment) {
            continue;
        }
        let state = State::of(&experiment, &Folder::of(&global.results, &experiment))?;
        if global.json {
            objects.push(state.json(&experiment));
        } else {
            show(&state.text(&experiment))?;
        }
    }
    if global.json {
        say(&format!("{:#}", Json::Array(objects)))?;
    }
    Ok(Exit::Done)
}

/// The experiment as it is now, or as it was run where only its results are left.
fn open(results: &Path, name: &str) -> Result<Experiment, Failure> {
    let as_run = results.join(name).join("experiment.toml");
    match suite::open(name, &[]) {
        Err(_) if as_run.is_file() => {
            Ok(spec::parse(&format!("{name}.toml"), &fs_err::read_to_string(as_run)?, &[])?)
        }
        other => other,
    }
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
        let plan = Plan::new(experiment, 1)?;
        let recorded = plan.recorded(folder);
        let describe = |i: usize| {
            let trial = &plan.trials[i];
            let settings = experiment.swept.iter().zip(&trial.settings).map(|(k, v)| format!("{k}={v} "));
            format!("{}seed={}", settings.collect::<String>(), trial.seed)
        };
        let missing: Vec<String> =
            (0..plan.trials.len()).filter(|&i| recorded.outcomes[i].is_none()).map(describe).collect();
        let seconds = results::seconds(folder, &plan.trials);
        let mean = results::Statistics::of(&seconds).map(|s| s.mean);
        Ok(Self {
            done: plan.trials.len() - missing.len(),
            diverged: recorded.outcomes.iter().flatten().filter(|o| o.has_diverged()).count(),
            damaged: recorded.damaged.into_iter().map(|(i, why)| format!("{}: {why}", describe(i))).collect(),
            stale: stale(&folder.local, plan.trials.iter().map(|t| t.id.as_str()).collect())?,
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
                "  stale    {} record(s) of other settings, data or numeric contract; they are never used\n",
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

/// The number of records that belong to no trial of the experiment.
fn stale(local: &Path, own: BTreeSet<&str>) -> Result<usize, Failure> {
    let trials = local.join("trials");
    if !trials.is_dir() {
        return Ok(0);
    }
    let mut stale = 0;
    for entry in fs_err::read_dir(&trials)? {
        stale += usize::from(!own.contains(entry?.file_name().to_string_lossy().as_ref()));
    }
    Ok(stale)
}
