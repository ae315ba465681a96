//! The training loop: epochs of shuffled batches, figures after each, checkpoints in between.

use std::ops::Range;
use std::sync::Arc;

use models::NetworkElement;
use models::checkpoint::{Best, Progress, load_state, read_progress, save_state};
use models::network::{Examples, Network, Position};
use models::optimizer::Optimizer;

use super::batch::{Augmentation, Batch, image_of, shifted};
use super::checkpoint::{Checkpoint, flatten, unflatten};
use super::figures::{self, Figures};
use super::files;
use super::probes::{self, Learning};
use crate::data::Data;
use crate::kinds::neuron::order;
use crate::kinds::{self, Context, Stopped};
use crate::outcome::{Curve, Outcome, Status, Value};
use crate::preprocess::Prepared;
use crate::spec::NetworkTrial;

/// Samples that an evaluation takes at a time, at least; the bits do not depend on it.
const EVALUATION_BATCH: usize = 128;

/// The largest batch that memory is planned for, with `samples` for training.
pub(crate) fn largest_batch(trial: &NetworkTrial, samples: usize) -> usize {
    trial.train.batch.min(samples).max(EVALUATION_BATCH)
}

/// The network of a trial with its first weights, in memory for `samples` samples for training.
pub(crate) fn network<T: NetworkElement>(
    trial: &NetworkTrial,
    samples: usize,
    seed: u64,
) -> Result<Network<T>, String> {
    let (model, largest) = (&trial.model, largest_batch(trial, samples));
    let mut network = Network::new(&model.input, &model.layers, trial.train.loss, largest)
        .map_err(|error| error.to_string())?;
    match &model.parameters {
        None => network.initialise(model.init, seed),
        Some(values) => {
            let values: Vec<T> = values.iter().map(|&value| T::from_f64(value)).collect();
            network.set_parameters(&values).map_err(|error| error.to_string())?;
        }
    }
    Ok(network)
}

/// Trains the network of one trial and evaluates it.
pub(super) fn run<T: NetworkElement>(
    trial: &NetworkTrial,
    context: &Context<'_>,
) -> Result<Outcome, Stopped> {
    let data = context.inputs.data(&trial.dataset, context.seed).ok_or_else(kinds::no_data)?;
    let sets = context.inputs.prepared::<T>(context.exec.level, &data, &trial.preprocess);
    let mut training = Training::new(trial, *context, &data, &sets)?;
    let start = training.start_norms()?;
    training.resume();
    let status = training.train()?;
    training.outcome(status, start)
}

/// A trial at work.
pub(super) struct Training<'a, T> {
    trial: &'a NetworkTrial,
    context: Context<'a>,
    data: &'a Arc<Data>,
    sets: &'a Prepared<T>,
    network: Network<T>,
    optimizer: Optimizer<T>,
    learning: Vec<Learning>,
    batch: Batch<T>,
    checkpoint: Checkpoint,
    curve: Curve,
    /// Epoch and position within it, from 0; the best epoch so far.
    at: Progress<T>,
    /// Sum of the sample losses and number of right answers of the epoch so far.
    loss: f64,
    right: u64,
}

/// How an epoch ended.
enum Epoch {
    Whole,
    Diverged { step: u64 },
}

impl<'a, T: NetworkElement> Training<'a, T> {
    fn new(
        trial: &'a NetworkTrial,
        context: Context<'a>,
        data: &'a Arc<Data>,
        sets: &'a Prepared<T>,
    ) -> Result<Self, Stopped> {
        let samples = sets.train.rows.len();
        if samples == 0 {
            return Err(Stopped::Failed(format!("{}: the training part is empty", data.name)));
        }
        let (input, layers) = (&trial.model.input, &trial.model.layers);
        if input.iter().product::<usize>() != data.width() {
            let (name, shape) = (&data.name, &data.shape);
            return Err(Stopped::Failed(format!(
                "model.input is {input:?}, a sample of {name} is {shape:?}"
            )));
        }
        let network = network::<T>(trial, samples, context.seed).map_err(Stopped::Failed)?;
        let learning = probes::learning_layers(&network, layers);
        let curve = Curve::over("epoch", figures::columns(trial, sets, learning.len()));
        // A checkpoint belongs to this trial only if the rows in it have these columns.
        let experiment = format!("{} {}", context.id, curve.columns.join(","));
        Ok(Self {
            trial,
            context,
            data,
            sets,
            optimizer: Optimizer::new(trial.train.optimizer, network.parameters().len()).map_err(failed)?,
            batch: Batch::new(network.max_batch()),
            checkpoint: Checkpoint::new(context.folder),
            curve,
            at: Progress { experiment, ..empty() },
            network,
            learning,
            loss: 0.0,
            right: 0,
        })
    }

    /// Norms of the gradients before the first step, where asked.
    fn start_norms(&mut self) -> Result<Vec<f64>, Stopped> {
        if self.trial.probes.delta_norms { self.delta_norms(0) } else { Ok(Vec::new()) }
    }

    fn delta_norms(&mut self, epoch: u32) -> Result<Vec<f64>, Stopped> {
        let at = Position { seed: self.context.seed, epoch, first: 0 };
        let (network, part) = (&mut self.network, &self.sets.train);
        probes::delta_norms(self.context.exec, network, &self.learning, part, at)
    }

    /// All epochs that are still to do.
    fn train(&mut self) -> Result<Status, Stopped> {
        while (self.at.epoch as usize) < self.trial.train.epochs && !self.patience_is_over() {
            if let Epoch::Diverged { step } = self.epoch()? {
                return Ok(Status::Diverged { epoch: u64::from(self.at.epoch) + 1, step });
            }
            if let Epoch::Diverged { step } = self.record_epoch()? {
                return Ok(Status::Diverged { epoch: u64::from(self.at.epoch) + 1, step });
            }
            self.at.epoch += 1;
            (self.at.position, self.loss, self.right) = (0, 0.0, 0);
            self.context.progress.advance(1);
        }
        Ok(Status::Ok)
    }

    /// The batches of one epoch from where it stands.
    fn epoch(&mut self) -> Result<Epoch, Stopped> {
        let (seed, train) = (self.context.seed, &self.trial.train);
        let samples = self.sets.train.rows.len();
        let epoch = self.at.epoch;
        let rows = order(train.shuffle, seed).of_epoch(samples, epoch as usize + 1);
        while (self.at.position as usize) < samples {
            self.save_if_due()?;
            let first = self.at.position as usize;
            let last = samples.min(first + train.batch);
            self.batch.take(&self.sets.train, &rows[first..last]);
            let loss = self.step(&rows, first..last)?;
            // One chain over the samples of the epoch (N16), as in an evaluation.
            self.loss = self.network.losses().iter().fold(self.loss, |sum, loss| sum + loss.to_f64());
            if !loss.is_finite() || !self.loss.is_finite() {
                return Ok(Epoch::Diverged { step: (first / train.batch) as u64 + 1 });
            }
            let answers = self.network.answers().zip(self.batch.labels());
            self.right += answers.filter(|(answer, label)| answer == *label).count() as u64;
            self.at.position = last as u64;
            self.at.step += 1;
        }
        Ok(Epoch::Whole)
    }

    /// One step on the samples at positions `batch` of the epoch's order `rows`.
    fn step(&mut self, rows: &[u32], batch: Range<usize>) -> Result<f64, Stopped> {
        let (seed, epoch, first) = (self.context.seed, self.at.epoch, batch.start);
        let at = Position { seed, epoch, first: first as u64 };
        let (exec, samples, targets) = (self.context.exec, batch.len(), self.batch.targets());
        let (network, optimizer) = (&mut self.network, &mut self.optimizer);
        let part = &self.sets.train;
        let this_batch = part.gather(exec.level, |i| rows[first + i] as usize);
        let gather = |range: Range<usize>, x: &mut [T]| {
            this_batch(range.clone(), x);
            // What the same thread gathers in the next step arrives while this one is computed.
            let next = rows[batch.end..].iter().skip(range.start).take(range.len());
            part.prefetch(exec.level, next.map(|&row| row as usize));
        };
        let pixels = self.trial.train.augment_shift;
        let loss = if pixels > 0 {
            let (image, augmentation) =
                (image_of(&self.trial.model.input), Augmentation { pixels, seed, epoch });
            let gather = shifted(image, gather, |i| augmentation.shift(image, first + i));
            network.train_step_from(exec, Examples { samples, gather: &gather, targets }, optimizer, at)?
        } else {
            network.train_step_from(exec, Examples { samples, gather: &gather, targets }, optimizer, at)?
        };
        Ok(loss)
    }

    /// Saves where the trial stands if a checkpoint is due, and stops it if the run was interrupted.
    fn save_if_due(&mut self) -> Result<(), Stopped> {
        let interrupted = self.context.interrupt.requested();
        if interrupted || self.checkpoint.is_due() {
            self.at.sums = vec![self.loss, self.right as f64];
            self.at.sums.extend(flatten(&self.curve.rows));
            let state = save_state(&self.network, &self.optimizer, &self.at).map_err(failed)?;
            self.checkpoint.save(&state)?;
        }
        if interrupted { Err(Stopped::Interrupted) } else { Ok(()) }
    }

    /// Goes on from the checkpoint, if there is one of this very trial. One that does not fit in any of its
    /// parts leaves the trial at its start, weights included.
    fn resume(&mut self) {
        let Some(state) = self.checkpoint.load() else { return };
        let experiment = &self.at.experiment;
        let Ok(at) = read_progress(&self.network, experiment, &state) else { return };
        let [loss, right, rows @ ..] = &at.sums[..] else { return };
        let Some(rows) = unflatten(rows, self.curve.columns.len()) else { return };
        if load_state(&mut self.network, &mut self.optimizer, experiment, &state).is_err() {
            return;
        }
        (self.loss, self.right, self.curve.rows) = (*loss, *right as u64, rows);
        self.context.progress.advance(u64::from(at.epoch));
        self.at = at;
    }

    /// A row of the curve for the epoch that just ended, if it is one to be evaluated; remembers its weights if
    /// they are the best so far. Training sees each loss before its update: what the last one did shows here.
    fn record_epoch(&mut self) -> Result<Epoch, Stopped> {
        let epoch = self.at.epoch;
        let done = epoch as usize + 1;
        if !done.is_multiple_of(self.trial.evaluate.every.max(1)) && done != self.trial.train.epochs {
            return Ok(Epoch::Whole);
        }
        let samples = self.sets.train.rows.len() as f64;
        let accuracy = (!self.sets.train.labels.is_empty()).then_some(self.right as f64 / samples);
        let mut row: Vec<Option<Value>> = Figures { loss: self.loss / samples, accuracy }.values().collect();
        let mut finite = self.network.parameters().iter().all(|w| w.is_finite());
        for (_, part) in figures::parts(self.trial, self.sets) {
            let figures = Figures::of(self.context.exec, &mut self.network, part)?;
            finite &= figures.loss.is_finite();
            row.extend(figures.values());
        }
        let real = |x: f64| Some(Value::Real(x));
        if self.trial.probes.delta_norms_by_epoch {
            let norms = self.delta_norms(epoch)?;
            finite &= norms.iter().all(|norm| norm.is_finite());
            row.extend(norms.into_iter().map(real));
        }
        if !finite {
            let steps = self.sets.train.rows.len().div_ceil(self.trial.train.batch);
            return Ok(Epoch::Diverged { step: steps as u64 });
        }
        if self.trial.probes.weight_norms {
            let norms = probes::weight_norms(self.context.exec, &self.network, &self.learning);
            row.extend(norms.into_iter().map(real));
        }
        self.curve.push(u64::from(epoch) + 1, row);
        self.remember_best();
        Ok(Epoch::Whole)
    }

    /// Strictly better only, so that of equal epochs the first is chosen; a NaN is never better.
    fn remember_best(&mut self) {
        let Some(select) = &self.trial.train.select else { return };
        let Some(value) = self.figure(self.curve.rows.len() - 1, &select.metric) else { return };
        let better = match &self.at.best {
            None => !value.is_nan(),
            Some(best) if select.largest => value > best.value,
            Some(best) => value < best.value,
        };
        if better {
            self.at.best = Some(Best {
                epoch: self.at.epoch,
                value,
                parameters: self.network.parameters().to_vec(),
                statistics: self.network.statistics().to_vec(),
            });
        }
    }

    /// True if so many epochs brought nothing better. Training ends at an evaluation, so that the last figures
    /// are those of the last weights.
    fn patience_is_over(&self) -> bool {
        let patience = self.trial.train.select.as_ref().and_then(|select| select.patience);
        let evaluated = self.row_of(self.at.epoch).is_some();
        match (patience, &self.at.best) {
            (Some(patience), Some(best)) if evaluated => (self.at.epoch - best.epoch) as usize > patience,
            _ => false,
        }
    }

    /// The row of the curve after `epochs` epochs.
    fn row_of(&self, epochs: u32) -> Option<usize> {
        let is = |row: &Vec<Option<Value>>| row[0] == Some(Value::Count(u64::from(epochs)));
        self.curve.rows.iter().rposition(is)
    }

    fn figure(&self, row: usize, column: &str) -> Option<f64> {
        let place = self.curve.columns.iter().position(|name| name == column)?;
        self.curve.rows.get(row)?[place].map(Value::as_f64)
    }

    /// The metrics, the digests and the files, once training has ended.
    fn outcome(mut self, status: Status, start: Vec<f64>) -> Result<Outcome, Stopped> {
        let mut outcome = Outcome { status, ..Outcome::ok() };
        if status == Status::Ok {
            self.report(&mut outcome)?;
        } else {
            outcome.digests.push(("weights".to_owned(), files::weights_digest(&self.network)));
        }
        for (k, norm) in start.into_iter().enumerate() {
            outcome.metric(format!("start.{}.{}", probes::DELTA_NORM, k + 1), norm);
        }
        outcome.metric("epochs", u64::from(self.at.epoch));
        outcome.metric("parameters", self.network.parameters().len());
        outcome.curve = self.curve;
        Checkpoint::remove(self.context.folder)?;
        Ok(outcome)
    }

    /// The figures of the weights that count: the selected epoch's, else the last one's.
    fn report(&mut self, outcome: &mut Outcome) -> Result<(), Stopped> {
        let last = self.curve.rows.len().checked_sub(1);
        let selected = self.at.best.take();
        let counted = selected.as_ref().map_or(last, |best| self.row_of(best.epoch + 1));
        self.report_row(outcome, counted, "");
        if let Some(best) = selected {
            outcome.metric("selected.epoch", u64::from(best.epoch) + 1);
            self.report_row(outcome, last, "final.");
            outcome.digests.push(("weights.final".to_owned(), files::weights_digest(&self.network)));
            self.network.parameters_mut().copy_from_slice(&best.parameters);
            self.network.statistics_mut().copy_from_slice(&best.statistics);
        }
        outcome.digests.insert(0, ("weights".to_owned(), files::weights_digest(&self.network)));
        let (exec, sets, shape) = (self.context.exec, self.sets, &self.data.shape);
        let shifts = &self.trial.evaluate.shifts;
        outcome.metrics.extend(figures::after_shifts(exec, &mut self.network, &sets.test, shape, shifts)?);
        outcome.files = files::files(self.trial, exec, self.data, sets, &mut self.network)?;
        Ok(())
    }

    fn report_row(&self, outcome: &mut Outcome, row: Option<usize>, prefix: &str) {
        let Some(values) = row.and_then(|row| self.curve.rows.get(row)) else { return };
        for (name, value) in self.curve.columns.iter().zip(values).skip(1) {
            if let Some(value) = value {
                outcome.metric(format!("{prefix}{name}"), *value);
            }
        }
    }
}

fn empty<T>() -> Progress<T> {
    Progress { experiment: String::new(), epoch: 0, step: 0, position: 0, sums: Vec::new(), best: None }
}

fn failed(error: impl std::error::Error) -> Stopped {
    Stopped::Failed(error.to_string())
}
