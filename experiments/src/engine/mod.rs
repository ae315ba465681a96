//! Runs the trials of an experiment over the cores, and resumes.
//!
//! The trial is the unit. What a trial computes depends on nothing but its identity, so any
//! number may run at the same time, in any order, with any number of threads each. A trial with
//! a whole record on the disk is not run again.
#![forbid(unsafe_code)]

mod inputs;
pub mod limits;
mod workers;

pub use inputs::Inputs;
pub use workers::{Failure, Options, Report, run};

use crate::fit;
use crate::kinds;
use crate::outcome::Outcome;
use crate::record::{self, Found};
use crate::results::Folder;
use crate::spec::Experiment;
use crate::trial::{Trial, trials};

/// An experiment with its data and its trials.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// The data of all cells.
    pub inputs: Inputs,
    /// By cell and then by seed.
    pub trials: Vec<Trial>,
}

/// What the disk says of each trial of a plan, in the plan's order.
#[derive(Debug, Default)]
pub struct Recorded {
    /// The outcome of each trial that has a whole record.
    pub outcomes: Vec<Option<Outcome>>,
    /// Trials whose record cannot be trusted, and why.
    pub damaged: Vec<(usize, String)>,
}

impl<'a> Plan<'a> {
    /// Loads the data and names the trials; `at_once` trials are meant to run at the same time.
    ///
    /// # Errors
    /// As [`Inputs::load`].
    pub fn new(experiment: &'a Experiment, at_once: usize) -> Result<Self, crate::exit::Failure> {
        let inputs = Inputs::load(experiment, at_once)?;
        let trials = trials(experiment, |kind, seed| inputs.digests(kind, seed));
        Ok(Self { experiment, inputs, trials })
    }

    /// Reads the records of all trials.
    pub fn recorded(&self, folder: &Folder) -> Recorded {
        let kind = |trial: &Trial| &self.experiment.cells[trial.cell].kind;
        let mut recorded = Recorded::default();
        for (index, trial) in self.trials.iter().enumerate() {
            recorded.outcomes.push(
                match record::load(&record::folder(&folder.local, &trial.id), &trial.id) {
                    // What is kept is no part of a trial's identity: its file may have been asked for since.
                    Found::Whole(outcome) if !kinds::has_kept_files(kind(trial), &outcome) => None,
                    Found::Whole(outcome) => Some(outcome),
                    Found::Missing => None,
                    Found::Damaged(reason) => {
                        recorded.damaged.push((index, reason));
                        None
                    }
                },
            );
        }
        recorded
    }

    /// Bytes of memory that the largest of the trials `todo` takes besides its data.
    pub fn memory(&self, todo: &[usize]) -> usize {
        let of_trial = |trial: &Trial| {
            let kind = &self.experiment.cells[trial.cell].kind;
            let data = kinds::dataset(kind).and_then(|spec| self.inputs.data(spec, trial.seed))?;
            Some(fit::memory(kind, &data))
        };
        todo.iter().filter_map(|&index| of_trial(&self.trials[index])).max().unwrap_or(0)
    }

    /// The indices of the trials that satisfy every `key=value`; `seed` is a key too.
    pub fn matching(&self, only: &[(String, String)]) -> Vec<usize> {
        let keys = &self.experiment.swept;
        let fits = |trial: &Trial, (key, value): &(String, String)| {
            if key == "seed" {
                return trial.seed.to_string() == *value;
            }
            keys.iter().zip(&trial.settings).any(|(k, v)| k == key && v == value)
        };
        (0..self.trials.len()).filter(|&i| only.iter().all(|filter| fits(&self.trials[i], filter))).collect()
    }
}
