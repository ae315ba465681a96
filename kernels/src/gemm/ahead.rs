//! Asking for memory before it is needed, evenly over the tiles that come before.

#![forbid(unsafe_code)]

use crate::simd::Vector;
use crate::{Element, MatRef};

/// Rows that will be read later, whose cache lines are asked for a few at a time, so that memory is never waited for.
pub(super) struct Ahead<T> {
    row: *const T,
    step: usize,
    /// Cache lines of a row, and how many of them have been asked for.
    lines: usize,
    line: usize,
    /// Lines that are left.
    left: usize,
    /// In every `requests` requests, `rate` lines are due.
    rate: usize,
    requests: usize,
    due: usize,
}

/// Steps of k between two requests.
pub(super) const STEPS: usize = 8;
/// Elements of a cache line.
const fn line<T>() -> usize {
    64 / size_of::<T>()
}

impl<T: Element> Ahead<T> {
    /// Nothing to ask for.
    pub(super) fn nothing() -> Self {
        Self { row: std::ptr::null(), step: 0, lines: 1, line: 0, left: 0, rate: 0, requests: 1, due: 0 }
    }

    /// The rows of `next`, whose columns are contiguous, spread over `tiles` tiles of `k` steps.
    pub(super) fn of(next: MatRef<'_, T>, tiles: usize, k: usize) -> Self {
        // Rows begin anywhere in a line, so that they may end in one more.
        let lines = next.cols().div_ceil(line::<T>()) + 1;
        let left = next.rows() * lines;
        let requests = (tiles * (k / STEPS)).max(1);
        Self {
            row: next.data().as_ptr(),
            step: next.row_stride(),
            lines,
            left,
            rate: left,
            requests,
            ..Self::nothing()
        }
    }

    /// Asks for the lines that are due: once for every [`STEPS`] steps of k.
    #[inline(always)]
    pub(super) fn ask<V: Vector<Element = T>>(&mut self, simd: V::Simd) {
        self.due += self.rate;
        while self.due >= self.requests && self.left > 0 {
            self.due -= self.requests;
            self.left -= 1;
            V::prefetch(simd, self.row.wrapping_add(self.line * line::<T>()));
            self.line += 1;
            if self.line == self.lines {
                self.line = 0;
                self.row = self.row.wrapping_add(self.step);
            }
        }
    }
}
