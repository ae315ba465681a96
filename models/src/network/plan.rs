//! The plan of a network: the places of everything in memory, and the order of work. Made once, for the largest batch.
//!
//! ```text
//! values:  | input | layer 0's output | ...       [max_batch, outputs] each
//!          | dJ/d of the same | ...               [max_batch, outputs] each
//!          | chunk gradients of layer 0 | ...     [chunks, parameters] each, where the layer has them (N3)
//!          | losses |                             [max_batch]
//! kept:    | what layer 0 keeps | ...             [max_batch, kept] each: places of maxima, masks
//! ```
//!
//! Every block is lent to threads by ranges of samples ([`kernels::samples`]). A layer that only
//! reshapes has no blocks of its own: its output is its input's.

use std::ops::Range;

use kernels::{Element, Tuning};

use super::arena::{ALIGNMENT, BlockId, Blocks};
use super::segments::{Segment, segments};
use crate::layers::{Layer, TensorPlan, volume};
use crate::loss::Loss;

/// Where the values of one layer are.
#[derive(Clone, Debug)]
pub(super) struct LayerLayout {
    /// Input and output.
    pub(super) x: BlockId,
    pub(super) y: BlockId,
    /// Their gradients, which are not computed below the first layer that learns.
    pub(super) grad_x: Option<BlockId>,
    pub(super) grad_y: Option<BlockId>,
    /// The gradients of the chunks.
    pub(super) chunks: Option<BlockId>,
    /// The layer's parameters among all, and its running statistics.
    pub(super) parameters: Range<usize>,
    pub(super) statistics: Range<usize>,
}

/// A tensor of a layer, and its place among all parameters, or among all running statistics.
#[derive(Clone, Debug)]
pub(super) struct PlacedTensor {
    pub(super) layer: usize,
    pub(super) tensor: TensorPlan,
    pub(super) range: Range<usize>,
}

/// Parameters of one layer whose gradient and update are computed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) layer: usize,
    /// Among all parameters.
    pub(super) range: Range<usize>,
    /// Operations for the gradient and the update, about, in a full batch.
    pub(super) cost: usize,
}

/// The places of all layers, the sizes of all memory, and the order of work.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) layouts: Vec<LayerLayout>,
    /// In the order of PyTorch's `state_dict`.
    pub(super) tensors: Vec<PlacedTensor>,
    /// The blocks of elements.
    pub(super) values: Blocks,
    /// Blocks of gradients that a step needs for one micro-batch at a time.
    pub(super) reused: Vec<bool>,
    /// What the layers keep: the block of each has the layer's index.
    pub(super) kept: Blocks,
    /// Elements of scratch of one thread.
    pub(super) scratch: usize,
    pub(super) parameters: usize,
    pub(super) statistics: usize,
    /// All parameters, ascending.
    pub(super) buckets: Vec<Bucket>,
    /// The first layer with parameters: nothing below it needs a gradient.
    pub(super) first_learning: usize,
    /// The batch may be cut at multiples of so many samples.
    pub(super) longest_chunk: usize,
    pub(super) segments: Vec<Segment>,
    /// Operations of one sample's step, about.
    pub(super) flops: usize,
}

impl Plan {
    pub(super) fn new<T: Element>(
        input: &[usize],
        layers: &[Layer<T>],
        loss: Loss,
        max_batch: usize,
    ) -> Self {
        let learns = |layer: &Layer<T>| !layer.properties.tensors.is_empty();
        let mut values = Blocks::default();
        for (block, width) in [(BlockId::EMPTY, 0), (BlockId::INPUT, volume(input)), (BlockId::LOSSES, 1)] {
            let added = values.add::<T>(max_batch, width, 1);
            debug_assert_eq!(added, block);
        }
        let mut plan = Self {
            values,
            first_learning: layers.iter().position(learns).unwrap_or(layers.len()),
            longest_chunk: layers.iter().filter_map(|layer| layer.properties.chunk).max().unwrap_or(1),
            segments: segments(layers, volume(input)),
            flops: layers.iter().map(|layer| 3 * layer.properties.flops as usize).sum(),
            ..Self::default()
        };
        for (index, layer) in layers.iter().enumerate() {
            plan.place(index, layer, max_batch);
            plan.fill_buckets(index, layer, max_batch);
        }
        let outputs = plan.outputs();
        if let Some(last) = plan.layouts.last_mut().filter(|last| last.grad_y.is_none()) {
            // Nothing learns, and yet a loss may be measured.
            last.grad_y = Some(plan.values.add::<T>(max_batch, outputs, 1));
        }
        plan.reused = (0..plan.values.list.len()).map(|block| plan.is_reused(BlockId(block))).collect();
        plan.scratch = plan.scratch.max(loss.scratch_len(max_batch, outputs));
        let longest = plan.buckets.iter().map(|bucket| bucket.range.len()).max().unwrap_or(0);
        plan.scratch = plan.scratch.max(longest).next_multiple_of(ALIGNMENT / size_of::<T>());
        plan
    }

    /// Gives the next layer its memory.
    fn place<T: Element>(&mut self, index: usize, layer: &Layer<T>, max_batch: usize) {
        let (x, grad_x) = self.last();
        let properties = &layer.properties;
        let mut rows_of_outputs = || self.values.add::<T>(max_batch, layer.outputs(), 1);
        let (y, grad_y) = if layer.is_reshape() {
            (x, grad_x)
        } else {
            (rows_of_outputs(), (index >= self.first_learning).then(rows_of_outputs))
        };
        let (first_parameter, first_statistic) = (self.parameters, self.statistics);
        for tensor in &properties.tensors {
            let end = if tensor.learns { &mut self.parameters } else { &mut self.statistics };
            let range = *end..*end + tensor.len();
            *end = range.end;
            self.tensors.push(PlacedTensor { layer: index, tensor: tensor.clone(), range });
        }
        let (parameters, statistics) = (first_parameter..self.parameters, first_statistic..self.statistics);
        let chunks = properties.chunk.map(|chunk| self.values.add::<T>(max_batch, parameters.len(), chunk));
        self.kept.add::<u16>(max_batch, properties.kept, 1);
        self.scratch = self.scratch.max(properties.scratch + max_batch * properties.scratch_per_sample);
        self.layouts.push(LayerLayout { x, y, grad_x, grad_y, chunks, parameters, statistics });
    }

    /// Puts a layer's parameters into buckets of whole rows, of more parameters in a wide layer, and into at least
    /// four: a small layer has work for several threads too.
    fn fill_buckets<T: Element>(&mut self, layer: usize, kind: &Layer<T>, max_batch: usize) {
        let parameters = self.layouts[layer].parameters.clone();
        let row = kind.properties.row.max(1);
        let (rows, tuning) = (parameters.len() / row, Tuning::in_use());
        let bucket =
            (tuning.bucket_parameters / row).max(tuning.bucket_rows).min(rows.div_ceil(4).max(1)) * row;
        let each = kind.properties.chunk.map_or(2 * max_batch, |chunk| max_batch / chunk) + 8;
        for start in parameters.clone().step_by(bucket) {
            let range = start..parameters.end.min(start + bucket);
            self.buckets.push(Bucket { layer, cost: range.len() * each, range });
        }
    }

    /// Whether a block is a gradient that is written and read within one layer group, by one micro-batch after the
    /// other: not one that comes from the group above, nor one that a sum over the whole batch reads.
    fn is_reused(&self, block: BlockId) -> bool {
        let mut groups = self.segments.iter().flat_map(|segment| &segment.groups);
        let is_grad_y = |layer: usize| self.layouts[layer].grad_y == Some(block);
        groups.clone().any(|group| group.micro_batch.is_some() && group.layers.clone().any(is_grad_y))
            && !groups.any(|group| is_grad_y(group.layers.end - 1))
    }

    /// Elements of one sample's last output.
    pub(super) fn outputs(&self) -> usize {
        self.values.list[self.last().0.0].width
    }

    /// The last output and its gradient.
    pub(super) fn last(&self) -> (BlockId, Option<BlockId>) {
        self.layouts.last().map_or((BlockId::INPUT, None), |layout| (layout.y, layout.grad_y))
    }

    /// Bytes of all memory with scratch for `threads` threads.
    pub(super) fn bytes<T>(&self, threads: usize) -> usize {
        let elements = 2 * self.parameters + self.values.len + threads * self.scratch;
        elements * size_of::<T>() + self.kept.len * size_of::<u16>()
    }
}
