//! Prefetching rows that are read later, evenly over the tiles that come before them.

#![forbid(unsafe_code)]

use crate::simd::Vector;
use crate::{Element, MatRef};

/// Rows whose cache lines are prefetched a few at a time, so that memory is never waited for.
pub(super) struct Prefetcher<T> {
    row: *const T,
    stride: usize,
    /// Cache lines of a row, and how many of them are done.
    lines: usize,
    line: usize,
    /// Lines that are left.
    left: usize,
    /// In every `calls` calls, `rate` lines are due.
    rate: usize,
    calls: usize,
    due: usize,
}

/// Steps of k between two calls.
pub(super) const STEPS: usize = 8;
/// Elements of a cache line.
const fn line<T>() -> usize {
    64 / size_of::<T>()
}

impl<T: Element> Prefetcher<T> {
    /// Nothing.
    pub(super) fn nothing() -> Self {
        Self { row: std::ptr::null(), stride: 0, lines: 1, line: 0, left: 0, rate: 0, calls: 1, due: 0 }
    }

    /// The rows of `next`, whose columns are contiguous, spread over `tiles` tiles of `next.rows()` steps.
    pub(super) fn rows_of(next: MatRef<'_, T>, tiles: usize) -> Self {
        if next.cols() == 0 {
            return Self::nothing();
        }
        // Rows begin anywhere in a line, so that they may end in one more.
        let lines = next.cols().div_ceil(line::<T>()) + 1;
        let left = next.rows() * lines;
        Self {
            row: next.data().as_ptr(),
            stride: next.row_stride(),
            lines,
            left,
            rate: left,
            calls: (tiles * (next.rows() / STEPS)).max(1),
            ..Self::nothing()
        }
    }

    /// Prefetches the lines that are due: to be called once for every [`STEPS`] steps of k.
    #[inline(always)]
    pub(super) fn some<V: Vector<Element = T>>(&mut self, simd: V::Simd) {
        self.due += self.rate;
        while self.due >= self.calls && self.left > 0 {
            self.due -= self.calls;
            self.left -= 1;
            V::prefetch(simd, self.row.wrapping_add(self.line * line::<T>()));
            self.line += 1;
            if self.line == self.lines {
                self.line = 0;
                self.row = self.row.wrapping_add(self.stride);
            }
        }
    }
}
