//! Memory of many samples, cut into blocks and lent by ranges of samples.
//!
//! ```text
//! block 0: | sample 0 | sample 1 | sample 2 | ...      [samples, width 0]
//! block 1: | sample 0 | sample 1 | sample 2 | ...      [samples, width 1]
//! block 2: | samples 0 to 3      | samples 4 to 7 ...  one row for a chunk of samples
//! ```
//!
//! Each block is contiguous, as matrix products need it, and yet a range of samples, with its rows in
//! every block, can be given to a thread of its own.

use std::marker::PhantomData;
use std::ops::Range;

/// One block of [`Samples`]: rows of `width` values from `offset` on, one row for each `period` samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where the block begins.
    pub offset: usize,
    /// Values of a row.
    pub width: usize,
    /// Samples that share a row, at least 1.
    pub period: usize,
}

impl Block {
    /// Rows for the samples before `samples`.
    fn rows(&self, samples: usize) -> usize {
        samples.div_ceil(self.period)
    }

    /// Where the rows of the samples before `samples` end; `None` where that is no number.
    fn end(&self, samples: usize) -> Option<usize> {
        self.rows(samples).checked_mul(self.width)?.checked_add(self.offset)
    }
}

/// A range of samples, and exclusive access to its rows in all blocks.
#[derive(Debug)]
pub struct Samples<'a, T> {
    values: *mut T,
    blocks: &'a [Block],
    range: Range<usize>,
    /// The samples whose rows nobody else has: the range, or more where this is a part.
    owned: Range<usize>,
    /// Of how many samples it is a range.
    samples: usize,
    borrow: PhantomData<&'a mut [T]>,
}

// SAFETY: no two live `Samples` share an element: `new` takes the slice whole and checks that the blocks lie apart,
// `split` gives each half the rows of its own samples, and `part` lends for as long as `self` is borrowed.
unsafe impl<T: Send> Send for Samples<'_, T> {}

impl<'a, T> Samples<'a, T> {
    /// The first `samples` samples of all blocks.
    ///
    /// # Panics
    /// If the blocks, in their order, overlap or reach beyond the slice, or have a period of 0.
    pub fn new(values: &'a mut [T], blocks: &'a [Block], samples: usize) -> Self {
        let mut end = 0;
        for block in blocks {
            assert!(block.period > 0 && block.offset >= end, "blocks overlap: {block:?} before {end}");
            end = block.end(samples).unwrap_or(usize::MAX);
        }
        assert!(end <= values.len(), "blocks of {end} values in a slice of {}", values.len());
        let (range, owned) = (0..samples, 0..samples);
        Self { values: values.as_mut_ptr(), blocks, range, owned, samples, borrow: PhantomData }
    }

    /// The samples.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// The samples before `at` and those from `at` on, which different threads may use.
    ///
    /// # Panics
    /// If `at` is outside the range, or parts samples that share a row.
    #[must_use]
    pub fn split(self, at: usize) -> (Self, Self) {
        let Range { start, end } = self.range;
        assert!(start <= at && at <= end, "sample {at} is outside {start}..{end}");
        let whole = at == end || self.blocks.iter().all(|block| at.is_multiple_of(block.period));
        assert!(whole, "sample {at} shares a row with the one before it");
        let left = Self { range: start..at, owned: start..at, ..self };
        let right = Self { range: at..end, owned: at..end, ..self };
        (left, right)
    }

    /// Some of the samples, for a shorter time.
    ///
    /// # Panics
    /// If they are outside the range.
    pub fn part(&mut self, range: Range<usize>) -> Samples<'_, T> {
        let Range { start, end } = self.range;
        let inside = start <= range.start && range.start <= range.end && range.end <= end;
        assert!(inside, "samples {range:?} are outside {start}..{end}");
        Samples { range, owned: self.owned.clone(), borrow: PhantomData, ..*self }
    }

    /// The rows of the blocks `read`, to be read, and of the blocks `written`, to be written.
    ///
    /// # Panics
    /// If a written block is named twice, unless its rows are empty, or the range cuts a row.
    #[inline]
    pub fn lend<const R: usize, const W: usize>(
        &mut self,
        read: [usize; R],
        written: [usize; W],
    ) -> ([&[T]; R], [&mut [T]; W]) {
        self.lend_reusing(read, written, |_| false)
    }

    /// Like [`Samples::lend`], but a `reused` block always lends its first rows, so each part overwrites what the
    /// previous one left in cache.
    ///
    /// # Panics
    /// As [`Samples::lend`], or if samples share a row of a block that is reused.
    ///
    /// ```
    /// use kernels::samples::{Block, Samples};
    ///
    /// let mut values = [0; 8];
    /// let blocks = [Block { offset: 0, width: 1, period: 1 }, Block { offset: 4, width: 1, period: 1 }];
    /// let mut all = Samples::new(&mut values, &blocks, 4);
    /// for first in [0, 2] {
    ///     let mut part = all.part(first..first + 2);
    ///     part.lend_reusing([], [0, 1], |block| block == 1).1.into_iter().for_each(|rows| rows.fill(first + 1));
    /// }
    /// assert_eq!(values, [1, 1, 3, 3, 3, 3, 0, 0]);
    /// ```
    #[inline]
    pub fn lend_reusing<const R: usize, const W: usize>(
        &mut self,
        read: [usize; R],
        written: [usize; W],
        reused: impl Fn(usize) -> bool,
    ) -> ([&[T]; R], [&mut [T]; W]) {
        for (i, block) in written.iter().enumerate() {
            let twice = read.contains(block) || written[..i].contains(block);
            assert!(!twice || self.blocks[*block].width == 0, "block {block} is written and lent twice");
        }
        let place = |block: usize| {
            let (start, len) = self.place(block, reused(block));
            (self.values.wrapping_add(start), len)
        };
        let read = read.map(|block| {
            let (first, len) = place(block);
            // SAFETY: every row of the samples owned lies inside the slice (`new`) and belongs to this value alone, blocks
            // do not overlap, and no block that is written is lent a second time. The slice borrows `self`.
            unsafe { std::slice::from_raw_parts(first.cast_const(), len) }
        });
        let written = written.map(|block| {
            let (first, len) = place(block);
            // SAFETY: as above.
            unsafe { std::slice::from_raw_parts_mut(first, len) }
        });
        (read, written)
    }

    /// Where the rows of a block begin and how many values they are.
    fn place(&self, block: usize, reused: bool) -> (usize, usize) {
        let block = &self.blocks[block];
        let Range { start, end } = self.range;
        if reused {
            assert!(block.period == 1, "a row of {} samples is reused", block.period);
            return (block.offset + self.owned.start * block.width, (end - start) * block.width);
        }
        let whole = |at: usize| at.is_multiple_of(block.period) || at == self.samples;
        assert!(whole(start) && whole(end), "samples {start}..{end} cut a row of {} samples", block.period);
        let first = self.range.start / block.period;
        // An empty range has no rows, wherever it is.
        let rows = if self.range.is_empty() { 0 } else { block.rows(self.range.end) - first };
        (block.offset + first * block.width, rows * block.width)
    }
}
