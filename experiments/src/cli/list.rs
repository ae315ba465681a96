//! `experiments list`: the shipped experiments.

use serde_json::{Value as Json, json};

use super::Global;
use super::output::{aligned, say};
use crate::exit::{Exit, Failure};
use crate::suite;

pub(super) fn list(global: &Global) -> Result<Exit, Failure> {
    let mut objects = Vec::new();
    let mut rows = vec![["name", "kind", "trials", "quick", "question"].map(str::to_owned).to_vec()];
    let mut broken = Vec::new();
    for name in suite::names()? {
        match suite::open(&name, &[]) {
            Ok(experiment) => {
                let trials = experiment.cells.len() * experiment.seeds.len();
                let quick = if experiment.quick { "quick" } else { "" };
                objects.push(json!({ "name": name, "kind": experiment.kind, "trials": trials,
                    "quick": experiment.quick, "question": experiment.question, "course": experiment.course }));
                rows.push(vec![
                    name,
                    experiment.kind.to_owned(),
                    trials.to_string(),
                    quick.to_owned(),
                    experiment.question,
                ]);
            }
            Err(failure) => broken.push(failure),
        }
    }
    if global.json {
        say(&format!("{:#}", Json::Array(objects)))?;
    } else {
        say(&aligned(&rows))?;
    }
    match broken.into_iter().next() {
        Some(failure) => Err(failure),
        None => Ok(Exit::Done),
    }
}
