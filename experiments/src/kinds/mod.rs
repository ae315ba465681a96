//! The kinds of experiment: each turns one cell and one seed into an [`Outcome`].
//!
//! Nothing above this module knows what a network or a perceptron is; nothing below it knows of
//! files, grids or tables.
#![forbid(unsafe_code)]

mod activations;
mod adaline;
mod boundary;
mod convolve;
mod gradient_check;
pub mod kernels;
mod network;
mod neuron;
mod perceptron;

pub(crate) use network::{Batch, largest_batch, network};
pub(crate) use neuron::order;

use std::io;
use std::path::Path;

use ::kernels::{Element, Exec};
use sha2::{Digest, Sha256};

use crate::durable;
use crate::engine::Inputs;
use crate::interrupt::Interrupt;
use crate::outcome::Outcome;
use crate::progress::TrialProgress;
use crate::spec::{DatasetSpec, Experiment, KernelsTrial, Kind};

/// What a trial is given besides its cell.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// How to run; never changes what comes out.
    pub exec: Exec,
    /// The training seed.
    pub seed: u64,
    /// The trial's identity.
    pub id: &'a str,
    /// The trial's own folder, for checkpoints; it may not exist yet.
    pub folder: &'a Path,
    /// The experiment's data.
    pub inputs: &'a Inputs,
    /// Asked between epochs.
    pub interrupt: &'a Interrupt,
    /// Told of every epoch.
    pub progress: &'a TrialProgress<'a>,
}

/// Why a trial has no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Interrupted; what it had is saved.
    Interrupted,
    /// It cannot be computed, and why.
    Failed(String),
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Interrupted => write!(f, "interrupted"),
            Self::Failed(reason) => write!(f, "{reason}"),
        }
    }
}

impl From<::kernels::Error> for Stopped {
    fn from(error: ::kernels::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<models::Error> for Stopped {
    fn from(error: models::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs one trial.
///
/// # Errors
/// [`Stopped`], if there is no outcome; a trial that diverges has one.
pub fn run(kind: &Kind, context: &Context<'_>) -> Result<Outcome, Stopped> {
    match kind {
        Kind::Network(trial) => network::run(trial, context),
        Kind::Perceptron(trial) => perceptron::run(trial, context),
        Kind::Adaline(trial) => adaline::run(trial, context),
        Kind::Activations(trial) => activations::run(trial, context),
        Kind::GradientCheck(trial) => gradient_check::run(trial, context),
        Kind::Convolve(trial) => convolve::run(trial, context),
        Kind::Kernels(_) => {
            Err(Stopped::Failed("timings have no trials; this is a defect, please report it".to_owned()))
        }
    }
}

/// The data that a trial reads, if any.
pub fn dataset(kind: &Kind) -> Option<&DatasetSpec> {
    match kind {
        Kind::Network(trial) => Some(&trial.dataset),
        Kind::Perceptron(trial) => Some(&trial.dataset),
        Kind::Adaline(trial) => Some(&trial.dataset),
        Kind::GradientCheck(_) | Kind::Convolve(_) | Kind::Kernels(_) | Kind::Activations(_) => None,
    }
}

/// Whether the experiment measures times, which go to `benchmarks/` and are never hashed.
pub fn is_timing(experiment: &Experiment) -> bool {
    experiment.cells.iter().any(|cell| timing(&cell.kind).is_some())
}

/// The timing that a kind asks for, if any.
pub fn timing(kind: &Kind) -> Option<&KernelsTrial> {
    match kind {
        Kind::Kernels(trial) => Some(trial),
        _ => None,
    }
}

/// Whether the outcome has every file that the experiment asks to keep.
pub fn has_kept_files(kind: &Kind, outcome: &Outcome) -> bool {
    match kind {
        Kind::Network(trial) => outcome.has_diverged() || network::has_kept_files(trial, outcome),
        _ => true,
    }
}

/// How far the progress bar moves for one trial: its epochs, or 1.
pub fn units(kind: &Kind) -> u64 {
    let epochs = match kind {
        Kind::Network(trial) => trial.train.epochs,
        Kind::Perceptron(trial) => trial.epochs,
        Kind::Adaline(trial) => trial.epochs,
        Kind::GradientCheck(_) | Kind::Convolve(_) | Kind::Kernels(_) | Kind::Activations(_) => 1,
    };
    epochs.max(1) as u64
}

/// SHA-256 of values as little-endian bytes, every NaN as the contract's one (N8).
fn digest_of<T: Element>(values: &[T]) -> String {
    let mut hash = Sha256::new();
    for value in values {
        hash.update(&value.canonical().bits().to_le_bytes()[..size_of::<T>()]);
    }
    durable::hex(&hash.finalize())
}

/// A field of a CSV file, quoted where it has to be.
fn csv_field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// The engine loads the data of every cell before it runs one.
fn no_data() -> Stopped {
    Stopped::Failed("the data of this trial were not loaded; this is a defect, please report it".to_owned())
}

/// What the table shows where the experiment file names no columns; those that the results lack are left out.
pub fn default_columns(kind: &str) -> &'static [&'static str] {
    match kind {
        "network" => &["train.loss", "validation.accuracy", "test.accuracy", "test.loss"],
        "perceptron" => &["updates", "epochs", "errors", "bound"],
        "adaline" => &["cost", "errors"],
        "gradient-check" => &["max_relative_error", "best_step"],
        "kernels" => &["gflops", "peak_percent"],
        _ => &[],
    }
}
