//! In which order layers and samples are worked through.
//!
//! Depth first: a group of samples that the level-2 cache holds goes through several layers before the
//! next one starts. A dense layer reads all its weights for every group, so that it takes as many
//! samples as there are. Batch normalisation waits for the whole batch:
//!
//! ```text
//! conv relu pool conv relu pool | dense relu dense      batch-norm      relu dense
//! '--- run, groups of 4 ------'   '- run, all --'
//! '------------ stretch ------------------------'       barrier         stretch
//! ```

use std::ops::Range;

use kernels::Element;

use crate::layers::{Layer, volume};

/// What the values and gradients of a group may take of a level-2 cache.
const GROUP_BYTES: usize = 512 << 10;

/// Layers that treat each sample alone. Between two stretches stands one layer that needs the whole batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) layers: Range<usize>,
    pub(super) runs: Vec<Run>,
}

/// Layers that a group of samples goes through before the next group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) layers: Range<usize>,
    /// Samples of a group: a multiple of the layers' chunks.
    pub(super) group: usize,
}

/// Cuts the layers, the first of which takes `inputs` elements of `size` bytes.
pub(super) fn stretches<T: Element>(
    layers: &[Box<dyn Layer<T>>],
    inputs: usize,
    size: usize,
) -> Vec<Stretch> {
    let barriers = (0..layers.len()).filter(|&index| layers[index].needs_whole_batch());
    let ends: Vec<usize> = barriers.chain([layers.len()]).collect();
    let starts = [0].into_iter().chain(ends.iter().map(|end| end + 1));
    let stretch = |(start, &end): (usize, &usize)| {
        let layers_here = start..end;
        Stretch { runs: runs(layers, layers_here.clone(), inputs, size), layers: layers_here }
    };
    starts.zip(&ends).map(stretch).collect()
}

/// Cuts a stretch where a layer that wants many samples follows one that does not, or the other way round.
fn runs<T: Element>(
    layers: &[Box<dyn Layer<T>>],
    stretch: Range<usize>,
    inputs: usize,
    size: usize,
) -> Vec<Run> {
    let (mut runs, mut start, mut kind) = (Vec::new(), stretch.start, None);
    for index in stretch.clone().filter(|&index| layers[index].flops() > 0) {
        let wants_many = layers[index].wants_many_samples();
        if kind.is_some_and(|kind| kind != wants_many) {
            runs.push(run(layers, start..index, inputs, size));
            start = index;
        }
        kind = Some(wants_many);
    }
    if start < stretch.end {
        runs.push(run(layers, start..stretch.end, inputs, size));
    }
    runs
}

fn run<T: Element>(layers: &[Box<dyn Layer<T>>], range: Range<usize>, inputs: usize, size: usize) -> Run {
    if layers[range.clone()].iter().any(|layer| layer.wants_many_samples()) {
        return Run { layers: range, group: usize::MAX };
    }
    let chunk = layers[range.clone()].iter().map(|layer| layer.chunk()).max().unwrap_or(1);
    let before = range.start.checked_sub(1).map_or(inputs, |layer| volume(layers[layer].output()));
    let outputs: usize = layers[range.clone()].iter().map(|layer| volume(layer.output())).sum();
    let group = GROUP_BYTES / (2 * (before + outputs) * size).max(1);
    Run { layers: range, group: (group / chunk * chunk).max(chunk) }
}
