//! The clock: every part of a step and the whole step in turns, on one thread.
//!
//! A round is a training step on the next batch, timed as a whole, then another taken apart: its parts run in the
//! step's order, each once, so that each finds the caches as the parts before it leave them. Rounds repeat until the
//! time is up, and medians count. What timing nothing takes is subtracted from each time.

use std::hint::black_box;
use std::time::{Duration, Instant};

use kernels::{Exec, Level, bandwidth, peak};
use models::NetworkElement;
use models::network::{Examples, Network, Position, ProfiledStep, Stage, Work};
use models::optimizer::Optimizer;

use super::{LEVEL2_BYTES, MEMORY_BYTES, Profile, Roofs, Timed};
use crate::engine::Inputs;
use crate::kinds::{self, Batch};
use crate::preprocess::{Part, Samples};
use crate::results::Statistics;
use crate::spec::{Dtype, NetworkTrial};

/// How often everything begins anew: from the first weights, with the roofs measured again.
const TURNS: u32 = 5;
/// Rounds of a turn at least.
const ROUNDS: usize = 3;
/// How often nothing is timed.
const CLOCK_READINGS: usize = 1001;

/// Times the step of a trial with `seed` on one thread, for about `duration`.
///
/// # Errors
/// A sentence, if the training part is empty, the network does not fit the data, or the loss is not finite.
pub fn measure(
    trial: &NetworkTrial,
    inputs: &Inputs,
    seed: u64,
    level: Level,
    duration: Duration,
) -> Result<Profile, String> {
    match trial.train.dtype {
        Dtype::F32 => run::<f32>(trial, inputs, seed, level, duration),
        Dtype::F64 => run::<f64>(trial, inputs, seed, level, duration),
    }
}

fn run<T: NetworkElement>(
    trial: &NetworkTrial,
    inputs: &Inputs,
    seed: u64,
    level: Level,
    duration: Duration,
) -> Result<Profile, String> {
    let data = inputs.data(&trial.dataset, seed).ok_or("the data of this trial were not loaded")?;
    let sets = inputs.prepared::<T>(level, &data, &trial.preprocess);
    let part = &sets.train;
    let batch = trial.train.batch.min(part.len());
    if batch == 0 {
        return Err(format!("{}: the training part is empty", data.name));
    }
    let mut bench = Bench::new(trial, part, seed, level)?;
    let order = kinds::order(trial.train.shuffle, seed).of_epoch(part.len(), 1);
    let mut batches = order.chunks_exact(batch).cycle();
    let mut next = || batches.next().unwrap_or_default();
    bench.round(next(), next())?;
    bench.forget();
    let (mut peaks, mut rates) = (Vec::new(), Vec::new());
    let memory = bandwidth::gigabytes_per_second(level, MEMORY_BYTES);
    for _ in 0..TURNS {
        peaks.push(peak::gflops::<T>(level, 1));
        rates.push(bandwidth::gigabytes_per_second(level, LEVEL2_BYTES));
        bench.restart()?;
        let begun = Instant::now();
        for round in 0.. {
            if round >= ROUNDS && begun.elapsed() >= duration / TURNS {
                break;
            }
            bench.round(next(), next())?;
        }
    }
    let middle = |values: &[f64]| Statistics::of(level, values).map_or(f64::NAN, |s| s.median);
    let roofs = Roofs { peak: middle(&peaks), level2: middle(&rates), memory };
    let kinds: Vec<&str> = bench.network.layers().iter().map(|layer| layer.kind).collect();
    Profile::new(Timed { level, batch, dtype: T::NAME }, roofs, &kinds, &bench.parts, &bench.steps)
        .ok_or_else(|| "nothing was timed".to_owned())
}

/// A network at its training, with the times so far.
struct Bench<'a, T> {
    trial: &'a NetworkTrial,
    samples: &'a Part<T>,
    targets: Batch<T>,
    network: Network<T>,
    optimizer: Optimizer<T>,
    /// The first weights.
    start: Vec<T>,
    level: Level,
    at: Position,
    /// Seconds that timing nothing takes.
    clock: f64,
    parts: Vec<(Work, Vec<f64>)>,
    /// Seconds of whole steps.
    steps: Vec<f64>,
}

impl<'a, T: NetworkElement> Bench<'a, T> {
    fn new(trial: &'a NetworkTrial, samples: &'a Part<T>, seed: u64, level: Level) -> Result<Self, String> {
        let network = kinds::network::<T>(trial, samples.len(), seed)?;
        let start = network.parameters().to_vec();
        let optimizer = Optimizer::new(trial.train.optimizer, start.len()).map_err(|e| e.to_string())?;
        let at = Position { seed, epoch: 0, first: 0 };
        let (parts, steps) = (Vec::new(), Vec::new());
        let targets = Batch::new(trial.train.batch.min(samples.len()));
        Ok(Self {
            trial,
            samples,
            targets,
            network,
            optimizer,
            start,
            level,
            at,
            clock: clock(level),
            parts,
            steps,
        })
    }

    /// Drops all times.
    fn forget(&mut self) {
        self.parts.iter_mut().for_each(|(_, times)| times.clear());
        self.steps.clear();
    }

    /// Begins the training again.
    fn restart(&mut self) -> Result<(), String> {
        self.network.parameters_mut().copy_from_slice(&self.start);
        self.optimizer =
            Optimizer::new(self.trial.train.optimizer, self.start.len()).map_err(|e| e.to_string())?;
        Ok(())
    }

    /// A whole step on the samples `whole`, then one taken apart on the samples `apart`.
    fn round(&mut self, whole: &[u32], apart: &[u32]) -> Result<(), String> {
        self.step(whole)?;
        self.step_apart(apart)
    }

    fn step(&mut self, rows: &[u32]) -> Result<(), String> {
        let samples = self.samples;
        self.targets.take(samples, rows);
        let gather = samples.gather(self.level, |i| rows[i] as usize);
        let (exec, at) = (Exec::serial(self.level), self.at);
        let examples = Examples { samples: rows.len(), gather: &gather, targets: self.targets.targets() };
        let begun = Instant::now();
        let loss = self
            .network
            .train_step_from(exec, examples, &mut self.optimizer, at)
            .map_err(|e| e.to_string())?;
        self.steps.push(since(begun, self.clock));
        if loss.is_finite() {
            return Ok(());
        }
        Err("training diverges: the loss is not finite, make the learning rate smaller".to_owned())
    }

    fn step_apart(&mut self, rows: &[u32]) -> Result<(), String> {
        let samples = self.samples;
        self.targets.take(samples, rows);
        let gather = samples.gather(self.level, |i| rows[i] as usize);
        let step = ProfiledStep {
            level: self.level,
            examples: Examples { samples: rows.len(), gather: &gather, targets: self.targets.targets() },
            optimizer: &self.optimizer,
            at: self.at,
        };
        let (parts, clock) = (&mut self.parts, self.clock);
        let mut index = 0;
        let observed = self.network.profile(step, &mut |work, run| {
            let begun = Instant::now();
            run()?;
            let seconds = since(begun, clock);
            if index == parts.len() {
                parts.push((counted(&samples.x, work), Vec::new()));
            }
            parts[index].1.push(seconds);
            index += 1;
            Ok(())
        });
        observed.map_err(|e| e.to_string())
    }
}

/// The work with what the gather reads here: as many values as it writes, or bytes.
fn counted<T>(samples: &Samples<T>, work: &Work) -> Work {
    let read = match samples {
        _ if work.stage != Stage::Gather => 0,
        Samples::Values(_) => work.bytes,
        Samples::Stored(..) => work.bytes / size_of::<T>() as u64,
    };
    Work { bytes: work.bytes + read, ..*work }
}

/// Seconds since `begun` less those of the clock, at least a nanosecond.
fn since(begun: Instant, clock: f64) -> f64 {
    let seconds = begun.elapsed().as_secs_f64() - clock;
    if seconds > 1e-9 { seconds } else { 1e-9 }
}

/// Seconds that timing nothing takes.
fn clock(level: Level) -> f64 {
    let reading = || {
        let begun = Instant::now();
        black_box(());
        begun.elapsed().as_secs_f64()
    };
    let readings: Vec<f64> = (0..CLOCK_READINGS).map(|_| reading()).collect();
    Statistics::of(level, &readings).map_or(0.0, |s| s.median)
}
