//! Experiments that measure times: always measured again, alone, and written where nothing is hashed.

use super::{Done, Run};
use crate::cli::named::BENCHMARKS;
use crate::exit::{Exit, Failure};
use crate::outcome::Outcome;
use crate::progress::Progress;
use crate::results::Sheet;
use crate::spec::{Cell, Experiment};
use crate::table::Table;
use crate::trial::Trial;
use crate::{durable, kinds, plot, provenance, results};

impl Run<'_> {
    /// Kind `kernels`: always measured again, alone, and written where nothing is hashed.
    pub(super) fn timings(&self, experiment: &Experiment) -> Result<Done, Failure> {
        let folder = self.global.results.join(BENCHMARKS).join(&experiment.name);
        durable::create_folder(&folder).map_err(|e| self.cannot_write(&e))?;
        results::keep_line_ends(&self.global.results).map_err(|e| self.cannot_write(&e))?;
        let trials: Vec<_> = experiment.cells.iter().filter_map(|cell| kinds::timing(&cell.kind)).collect();
        let repeats = trials.iter().map(|trial| trial.repeats).max().unwrap_or(0) as u64;
        self.say(&format!("{}: {} rungs, {repeats} repetitions", experiment.name, trials.len()));
        let progress = Progress::new(&experiment.name, &experiment.swept, 1, repeats, self.global.quiet);
        let turn = progress.trial(repeats);
        let outcomes = kinds::kernels::measure(&trials, self.level, || turn.advance(1));
        progress.finish();
        let outcomes = outcomes.map_err(|stopped| {
            Failure::new(Exit::TrialFailed, format!("error: {}: {stopped}", experiment.name))
        })?;
        let finished: Vec<(Trial, Outcome)> =
            trials_of_timings(experiment).into_iter().zip(outcomes).collect();
        let sheet = Sheet::new(&experiment.swept, &finished);
        let machine = format!("{:#}\n", provenance::provenance(self.level, 1, provenance::cores()));
        let table = Table::new(self.level, experiment, &sheet);
        let mut files = Vec::new();
        for (name, text) in [
            ("experiment.toml", experiment.text.clone().into_bytes()),
            ("results.csv", sheet.to_csv()),
            ("table.md", table.to_markdown().into_bytes()),
            ("machine.json", machine.into_bytes()),
        ] {
            let path = folder.join(name);
            durable::write_if_changed(&path, &text)?;
            files.push(path);
        }
        files.extend(plot::write_all(&folder, experiment)?);
        let json = self.print(experiment, &finished, &files, 0)?;
        Ok(Done { exit: Exit::Done, matched: true, json })
    }
}

/// Timings have a cell each and no seed of their own; nothing is looked up by their identity.
fn trials_of_timings(experiment: &Experiment) -> Vec<Trial> {
    let seed = experiment.seeds.first().copied().unwrap_or(0);
    let trial = |(cell, settings): (usize, &Cell)| Trial {
        cell,
        seed,
        settings: settings.settings.iter().map(|(_, value)| value.clone()).collect(),
        data: Vec::new(),
        id: String::new(),
    };
    experiment.cells.iter().enumerate().map(trial).collect()
}
