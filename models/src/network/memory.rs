//! All memory of a network, planned once.
//!
//! ```text
//! values:  | layer 0's output | layer 1's output | ...          [max_batch, outputs] each
//! deltas:  | dJ/d of the same | ...
//! ```
//!
//! A layer that only reshapes has no block of its own: its output is its input's block, and at
//! the front of a network the caller's own slice.

use std::ops::Range;

use kernels::Element;

use crate::layers::{Layer, volume};
use crate::loss::Loss;

/// Bytes that a block starts at a multiple of: a cache line, and the widest vector.
const ALIGNMENT: usize = 64;

/// Where the values of one boundary between layers stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the caller's input.
    Input,
    /// In the arena, from this element on.
    Arena(usize),
}

/// The sizes and places of one layer.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// Elements of one sample's input and output.
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// Where input and output stand in the arenas.
    pub(super) from: Place,
    pub(super) to: Place,
    /// The layer's part of the parameters and of the running statistics.
    pub(super) parameters: Range<usize>,
    pub(super) statistics: Range<usize>,
}

/// The places of all layers and the sizes of the arenas.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) blocks: Vec<Block>,
    /// Elements of the activations, and of the deltas.
    pub(super) arena: usize,
    pub(super) scratch: usize,
    pub(super) parameters: usize,
    pub(super) statistics: usize,
    /// The first layer with parameters: nothing below it needs a gradient.
    pub(super) first_learning: usize,
}

impl Plan {
    pub(super) fn new<T: Element>(
        input: &[usize],
        layers: &[Box<dyn Layer<T>>],
        loss: Loss,
        max_batch: usize,
    ) -> Self {
        let mut plan = Self {
            blocks: Vec::with_capacity(layers.len()),
            arena: 0,
            scratch: 0,
            parameters: 0,
            statistics: 0,
            first_learning: layers.len(),
        };
        let (mut inputs, mut from) = (volume(input), Place::Input);
        for (index, layer) in layers.iter().enumerate() {
            let outputs = volume(layer.output());
            let to = if layer.only_reshapes() { from } else { plan.reserve::<T>(max_batch * outputs) };
            let parameters = layer.parameters().iter().map(|tensor| tensor.len()).sum::<usize>();
            let statistics = layer.statistics().iter().map(|tensor| tensor.len()).sum::<usize>();
            plan.blocks.push(Block {
                inputs,
                outputs,
                from,
                to,
                parameters: plan.parameters..plan.parameters + parameters,
                statistics: plan.statistics..plan.statistics + statistics,
            });
            plan.parameters += parameters;
            plan.statistics += statistics;
            plan.scratch = plan.scratch.max(layer.scratch(max_batch));
            if parameters > 0 && plan.first_learning == layers.len() {
                plan.first_learning = index;
            }
            (inputs, from) = (outputs, to);
        }
        plan.scratch = plan.scratch.max(loss.scratch_len(max_batch, plan.outputs()));
        plan
    }

    /// Elements of one sample's last output.
    pub(super) fn outputs(&self) -> usize {
        self.blocks.last().map_or(0, |block| block.outputs)
    }

    /// Bytes of all arenas and of one loss per sample.
    pub(super) fn bytes<T>(&self, max_batch: usize) -> usize {
        (2 * (self.parameters + self.arena) + self.scratch + max_batch) * size_of::<T>()
    }

    /// The next block of the arena, on a new cache line.
    fn reserve<T>(&mut self, len: usize) -> Place {
        let place = Place::Arena(self.arena);
        self.arena += len.next_multiple_of(ALIGNMENT / size_of::<T>());
        place
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
}
