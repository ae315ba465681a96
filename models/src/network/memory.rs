//! All memory of a network, planned once.
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

use kernels::Element;
use kernels::samples::Block;

use super::schedule::{Stretch, stretches};
use crate::layers::{Layer, volume};
use crate::loss::Loss;

/// Bytes that a block starts at a multiple of: a cache line, and the widest vector.
const ALIGNMENT: usize = 64;
/// Parameters whose gradient is computed and used at a time: with their gradient they stay in the level-1 cache
/// and the level-2 cache holds what they are computed from.
const PIECE: usize = 8192;
/// Rows of a piece, at least: a product of fewer rows is slow, whatever fits a cache.
const ROWS: usize = 16;

/// The sizes and places of one layer. Numbers without a unit are blocks of [`Plan::values`].
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Elements of one sample's output.
    pub(super) outputs: usize,
    /// The blocks of input and output.
    pub(super) x: usize,
    pub(super) y: usize,
    /// The blocks of their gradients. Below the first layer that learns there are none, and these are [`EMPTY`].
    pub(super) grad_x: usize,
    pub(super) grad_y: usize,
    /// The block of the chunks' gradients.
    pub(super) chunks: usize,
    /// The block of [`Plan::kept`].
    pub(super) kept: usize,
    /// The layer's part of the parameters and of the running statistics.
    pub(super) parameters: Range<usize>,
    pub(super) statistics: Range<usize>,
}

/// The block without values.
pub(super) const EMPTY: usize = 0;
/// The block of the input.
pub(super) const INPUT: usize = 1;
/// The block of the losses.
pub(super) const LOSSES: usize = 2;

/// Some parameters of one layer, whose gradient is computed and used at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) layer: usize,
    /// Among all parameters.
    pub(super) range: Range<usize>,
    /// Operations for the gradient and the update, about, in a full batch.
    pub(super) cost: usize,
}

/// The places of all layers, the sizes of all memory, and the order of work.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) layouts: Vec<Layout>,
    /// The blocks of elements, and their length in all.
    pub(super) values: Vec<Block>,
    pub(super) values_len: usize,
    /// Blocks of gradients that a step needs for one group of samples at a time.
    pub(super) reused: Vec<bool>,
    /// The blocks of what layers keep, and their length in all.
    pub(super) kept: Vec<Block>,
    pub(super) kept_len: usize,
    /// Elements of scratch of one thread.
    pub(super) scratch: usize,
    pub(super) parameters: usize,
    pub(super) statistics: usize,
    /// The parameters in pieces, ascending.
    pub(super) pieces: Vec<Piece>,
    /// The first layer with parameters: nothing below it needs a gradient.
    pub(super) first_learning: usize,
    /// Where the batch may be cut: at multiples of so many samples.
    pub(super) grain: usize,
    pub(super) stretches: Vec<Stretch>,
    /// Operations of one sample's step, about.
    pub(super) flops: usize,
}

impl Plan {
    pub(super) fn new<T: Element>(
        input: &[usize],
        layers: &[Box<dyn Layer<T>>],
        loss: Loss,
        max_batch: usize,
    ) -> Self {
        let first_learning =
            layers.iter().position(|layer| !layer.parameters().is_empty()).unwrap_or(layers.len());
        let mut plan = Self {
            layouts: Vec::with_capacity(layers.len()),
            values: Vec::new(),
            values_len: 0,
            reused: Vec::new(),
            kept: Vec::new(),
            kept_len: 0,
            scratch: 0,
            parameters: 0,
            statistics: 0,
            pieces: Vec::new(),
            first_learning,
            grain: layers.iter().map(|layer| layer.chunk()).max().unwrap_or(1),
            stretches: stretches(layers, volume(input), size_of::<T>()),
            flops: layers.iter().map(|layer| 3 * layer.flops() as usize).sum(),
        };
        for (block, width) in [(EMPTY, 0), (INPUT, volume(input)), (LOSSES, 1)] {
            let reserved = plan.reserve::<T>(max_batch, width, 1);
            debug_assert_eq!(reserved, block);
        }
        let (mut x, mut grad_x) = (INPUT, EMPTY);
        for (index, layer) in layers.iter().enumerate() {
            let outputs = volume(layer.output());
            let (y, grad_y) = match (layer.only_reshapes(), index >= first_learning) {
                (true, _) => (x, grad_x),
                (false, false) => (plan.reserve::<T>(max_batch, outputs, 1), EMPTY),
                (false, true) => {
                    (plan.reserve::<T>(max_batch, outputs, 1), plan.reserve::<T>(max_batch, outputs, 1))
                }
            };
            let parameters = layer.parameters().iter().map(|tensor| tensor.len()).sum::<usize>();
            let statistics = layer.statistics().iter().map(|tensor| tensor.len()).sum::<usize>();
            let chunks = match layer.chunk() {
                1 => EMPTY,
                chunk => plan.reserve::<T>(max_batch, parameters, chunk),
            };
            let kept = plan.keep(max_batch, layer.kept());
            plan.layouts.push(Layout {
                outputs,
                x,
                y,
                grad_x,
                grad_y,
                chunks,
                kept,
                parameters: plan.parameters..plan.parameters + parameters,
                statistics: plan.statistics..plan.statistics + statistics,
            });
            plan.cut_parameters(index, layer.as_ref(), parameters, max_batch);
            plan.parameters += parameters;
            plan.statistics += statistics;
            plan.scratch = plan.scratch.max(layer.scratch(max_batch));
            (x, grad_x) = (y, grad_y);
        }
        if plan.last().1 == EMPTY {
            // Nothing learns, and yet a loss may be measured.
            let outputs = plan.outputs();
            let grad_y = plan.reserve::<T>(max_batch, outputs, 1);
            plan.layouts.iter_mut().last().into_iter().for_each(|layout| layout.grad_y = grad_y);
        }
        plan.reused = (0..plan.values.len()).map(|block| plan.is_reused(block)).collect();
        plan.scratch = plan.scratch.max(loss.scratch_len(max_batch, plan.outputs()));
        let longest = plan.pieces.iter().map(|piece| piece.range.len()).max().unwrap_or(0);
        plan.scratch = plan.scratch.max(longest).next_multiple_of(ALIGNMENT / size_of::<T>());
        plan
    }

    /// Whether a block is a gradient that is written and read within the layers that one group of samples goes through
    /// before the next: not one that comes from above them, nor one that a sum over the whole batch reads.
    fn is_reused(&self, block: usize) -> bool {
        let mut runs = self.stretches.iter().flat_map(|stretch| &stretch.runs);
        let is_grad_y = |layer: usize| self.layouts[layer].grad_y == block;
        block != EMPTY
            && runs.clone().any(|run| run.group < usize::MAX && run.layers.clone().any(is_grad_y))
            && !runs.any(|run| is_grad_y(run.layers.end - 1))
    }

    /// Elements of one sample's last output.
    pub(super) fn outputs(&self) -> usize {
        self.layouts.last().map_or(0, |layout| layout.outputs)
    }

    /// The block of the last output, and of its gradient.
    pub(super) fn last(&self) -> (usize, usize) {
        self.layouts.last().map_or((INPUT, EMPTY), |layout| (layout.y, layout.grad_y))
    }

    /// Bytes of all memory with scratch for `threads` threads.
    pub(super) fn bytes<T>(&self, threads: usize) -> usize {
        let elements = 2 * self.parameters + self.values_len + threads * self.scratch;
        elements * size_of::<T>() + self.kept_len * size_of::<u16>()
    }

    /// The next block of the elements, on a new cache line.
    fn reserve<T>(&mut self, samples: usize, width: usize, period: usize) -> usize {
        self.values.push(Block { offset: self.values_len, width, period });
        let len = samples.div_ceil(period) * width;
        self.values_len += len.next_multiple_of(ALIGNMENT / size_of::<T>());
        self.values.len() - 1
    }

    /// The next block of what layers keep.
    fn keep(&mut self, samples: usize, width: usize) -> usize {
        self.kept.push(Block { offset: self.kept_len, width, period: 1 });
        self.kept_len += (samples * width).next_multiple_of(ALIGNMENT / size_of::<u16>());
        self.kept.len() - 1
    }

    /// Cuts a layer's parameters into pieces of whole rows of about [`PIECE`] parameters, more in a wide layer, and at
    /// least four: a small layer has work for several threads too.
    fn cut_parameters<T: Element>(
        &mut self,
        layer: usize,
        kind: &dyn Layer<T>,
        len: usize,
        max_batch: usize,
    ) {
        let row = kind.row().max(1);
        let rows = len / row;
        let piece = row * (PIECE / row).max(ROWS).min(rows.div_ceil(4).max(1));
        let each = if kind.chunk() == 1 { 2 * max_batch } else { max_batch / kind.chunk() };
        for start in (0..len).step_by(piece) {
            let range = self.parameters + start..self.parameters + len.min(start + piece);
            self.pieces.push(Piece { layer, cost: range.len() * (each + 8), range });
        }
    }
}

/// Elements that start on a cache line.
#[derive(Debug)]
pub(super) struct Arena<T> {
    values: Vec<T>,
    start: usize,
    len: usize,
}

impl<T: Element> Arena<T> {
    pub(super) fn new(len: usize) -> Self {
        let values = vec![T::ZERO; len + ALIGNMENT / size_of::<T>()];
        let start = values.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT / size_of::<T>());
        Self { values, start, len }
    }

    pub(super) fn as_slice(&self) -> &[T] {
        &self.values[self.start..self.start + self.len]
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.values[self.start..self.start + self.len]
    }

    /// Makes room for `len` elements, whose values are then any.
    pub(super) fn grow(&mut self, len: usize) {
        if self.len < len {
            *self = Self::new(len);
        }
    }
}
