//! Memory that starts on a cache line, and how it is cut into blocks.

use kernels::Element;
use kernels::samples::Block;

/// Bytes that a block starts at a multiple of: a cache line, and the widest vector.
pub(super) const ALIGNMENT: usize = 64;

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

/// A block of the network's values: a row for each sample, or for each chunk of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockId(pub(super) usize);

impl BlockId {
    /// No values: what is lent where there is no block.
    pub(super) const EMPTY: Self = Self(0);
    /// The network's input.
    pub(super) const INPUT: Self = Self(1);
    /// The loss of each sample.
    pub(super) const LOSSES: Self = Self(2);
}

/// Blocks one after the other, each on a new cache line.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocks {
    pub(super) list: Vec<Block>,
    /// Elements of all.
    pub(super) len: usize,
}

impl Blocks {
    /// One more, of elements E: a row of `width` for every `period` of the samples.
    pub(super) fn add<E>(&mut self, samples: usize, width: usize, period: usize) -> BlockId {
        self.list.push(Block { offset: self.len, width, period });
        let len = samples.div_ceil(period) * width;
        self.len += len.next_multiple_of(ALIGNMENT / size_of::<E>());
        BlockId(self.list.len() - 1)
    }

    /// The rows of the first `samples` samples in one block.
    pub(super) fn rows<'a, E>(&self, values: &'a [E], block: BlockId, samples: usize) -> &'a [E] {
        let block = &self.list[block.0];
        &values[block.offset..][..samples.div_ceil(block.period) * block.width]
    }
}
