//! In which order layers and samples are worked through: segments, layer groups and micro-batches, as the drawing in
//! `step.rs` shows them. A dense layer reads all its weights for every micro-batch, so that its layer group takes all
//! samples at once.

use std::ops::Range;

use kernels::{Element, Tuning};

use crate::layers::Layer;

/// Layers that treat each sample alone. Between two segments is one layer that needs the whole batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) layers: Range<usize>,
    pub(super) groups: Vec<LayerGroup>,
}

/// Layers that a micro-batch goes through before the next one does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LayerGroup {
    pub(super) layers: Range<usize>,
    /// Samples of a micro-batch, a multiple of the layers' chunks; none: all that there are.
    pub(super) micro_batch: Option<usize>,
}

impl LayerGroup {
    /// The micro-batches of some samples, from the first one on.
    pub(super) fn micro_batches(
        &self,
        samples: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = Range<usize>> + use<> {
        let all = samples.len().max(1);
        let len = self.micro_batch.unwrap_or(all).min(all);
        samples.clone().step_by(len).map(move |start| start..samples.end.min(start + len))
    }
}

/// Cuts the layers, the first of which takes `inputs` values, at the barriers.
pub(super) fn segments<T: Element>(layers: &[Layer<T>], inputs: usize) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut start = 0;
    let barriers = (0..layers.len()).filter(|&index| layers[index].is_barrier());
    for end in barriers.chain([layers.len()]) {
        segments.push(Segment { layers: start..end, groups: layer_groups(layers, start..end, inputs) });
        start = end + 1;
    }
    segments
}

/// Cuts a segment where a layer with products that needs many samples follows one that does not, or the other way.
fn layer_groups<T: Element>(layers: &[Layer<T>], segment: Range<usize>, inputs: usize) -> Vec<LayerGroup> {
    let many = |index: usize| layers[index].properties.needs_many_samples;
    let products: Vec<usize> = segment.clone().filter(|&index| layers[index].properties.flops > 0).collect();
    let cuts = products.windows(2).filter(|pair| many(pair[0]) != many(pair[1])).map(|pair| pair[1]);
    let (mut groups, mut start) = (Vec::new(), segment.start);
    for end in cuts.chain([segment.end]).filter(|_| !segment.is_empty()) {
        let micro_batch = micro_batch(layers, start..end, inputs);
        groups.push(LayerGroup { layers: start..end, micro_batch });
        start = end;
    }
    groups
}

/// As many samples as have their values and gradients in L2.
fn micro_batch<T: Element>(layers: &[Layer<T>], group: Range<usize>, inputs: usize) -> Option<usize> {
    let here = &layers[group.clone()];
    if here.iter().any(|layer| layer.properties.needs_many_samples) {
        return None;
    }
    let chunk = here.iter().filter_map(|layer| layer.properties.chunk).max().unwrap_or(1);
    let before = group.start.checked_sub(1).map_or(inputs, |below| layers[below].outputs());
    let values = before + here.iter().map(Layer::outputs).sum::<usize>();
    let samples = Tuning::in_use().micro_batch_bytes / (2 * values * size_of::<T>()).max(1);
    Some((samples / chunk * chunk).max(chunk))
}
