//! Kind `network`: a network trained on data.
//!
//! # Figures
//! `curves.csv` has one row per epoch, and the last row (with `train.select`, the selected epoch's) gives the
//! figures of `results.csv`:
//!
//! | name | is |
//! |---|---|
//! | `train.loss`, `train.accuracy` | the mean over the epoch's samples as training goes, each before the update that it leads to |
//! | `train_evaluated.loss`, ... | the training part after the epoch (`evaluate.train`) |
//! | `validation.loss`, `test.accuracy`, ... | that part after the epoch, every `evaluate.every` epochs and after the last |
//! | `delta_norm.k`, `weight_norm.k` | probes of the k-th layer with weights, from 1 |
//! | `start.delta_norm.k` | the same before the first epoch |
//! | `selected.epoch`, `final.test.accuracy`, ... | with `train.select`: the epoch whose weights count, and the last one's figures |
//! | `test.accuracy.shift.s` | the test images shifted by s pixels (`evaluate.shifts`) |
//! | `epochs`, `parameters` | epochs trained, and the size of the network |
//!
//! # Files
//! `confusion.csv`, `predictions.csv`, `mistakes.csv` of the test part; `filters.csv` and `feature-maps.csv` of a
//! convolution that comes first; `boundary.csv` of two features; `weights.safetensors` if the file asks for it.

mod batch;
mod checkpoint;
mod figures;
mod files;
mod pictures;
mod probes;
mod training;

pub(crate) use batch::Batch;
pub(super) use batch::shift;
pub(super) use files::has_kept_files;
pub(super) use pictures::Pictures;
pub(crate) use training::{largest_batch, network};

use super::{Context, Stopped};
use crate::outcome::Outcome;
use crate::spec::{Dtype, NetworkTrial};

/// Trains and evaluates.
pub(super) fn run(trial: &NetworkTrial, context: &Context<'_>) -> Result<Outcome, Stopped> {
    match trial.train.dtype {
        Dtype::F32 => training::run::<f32>(trial, context),
        Dtype::F64 => training::run::<f64>(trial, context),
    }
}
