//! The fast way to columns: planes with a frame of zeros, read in whole registers.
//!
//! Behind the frame every tap of every window reads inside the buffer, so a row of columns is a
//! sequence of runs, one for each row of positions, and nothing is compared with an edge:
//!
//! ```text
//! 0 0 0 0 0      tap (0,0), positions of the first row:   0 0 0
//! 0 a b c 0      tap (0,1)                                0 0 0
//! 0 d e f 0      tap (1,0)                                0 a b
//! 0 0 0 0 0      tap (1,1)                                a b c    ...
//! ```
//!
//! A run is copied in whole registers. What it writes too much, the next run overwrites: runs are
//! copied in ascending order, and [`SLACK`] values stand after the last one.

use std::ops::Range;

use super::gather::Gather;
use super::walk::Walk;
use crate::simd::{Kernel, Simd, Vector};
use crate::window::Reads;
use crate::{Element, Exec};

/// Values after the frame and after the columns that may be read and written but mean nothing: at
/// least a register.
pub(super) const SLACK: usize = 64;

/// Planes in a frame of zeros, and where their taps lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patches {
    gather: Gather,
    channels: usize,
    rows: Frame,
    cols: Frame,
}

/// One axis of the frame.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// Zeros before the input.
    before: usize,
    /// Length with the zeros.
    len: usize,
}

impl Frame {
    /// The frame that holds every read of `reach`.
    fn new(reach: &Reads) -> Self {
        let Some(last_tap) = reach.taps.checked_sub(1) else { return Self { before: 0, len: 0 } };
        let last = (reach.positions.saturating_sub(1) * reach.stride) as isize;
        let (one, other) = (reach.origin(0), reach.origin(last_tap));
        let (lowest, highest) = if one < other { (one, other + last) } else { (other, one + last) };
        let before = if lowest < 0 { -lowest as usize } else { 0 };
        let end = if highest < reach.input as isize { reach.input } else { highest as usize + 1 };
        Self { before, len: before + end }
    }
}

impl Patches {
    pub(super) fn new(gather: Gather, channels: usize) -> Self {
        Self { gather, channels, rows: Frame::new(&gather.rows), cols: Frame::new(&gather.cols) }
    }

    /// Rows of the column matrix: (channel, tap row, tap column).
    pub(super) fn taps(&self) -> usize {
        self.channels * self.gather.taps()
    }

    /// Values of the planes with their frame.
    pub(super) fn framed_len(&self) -> usize {
        self.channels * self.rows.len * self.cols.len + SLACK
    }

    /// Copies the planes [channels, rows, columns] into their frame of zeros.
    pub(super) fn frame<T: Element>(&self, exec: Exec, planes: &[T], framed: &mut [T]) {
        let (width, height) = (self.gather.cols.input, self.gather.rows.input);
        let left = self.cols.before;
        if self.taps() == 0 {
            return;
        }
        exec.level.vectorize(
            #[inline(always)]
            || {
                framed.fill(T::ZERO);
                let framed = framed.chunks_exact_mut(self.rows.len * self.cols.len);
                for (framed, plane) in framed.zip(planes.chunks_exact(width * height)) {
                    let rows = framed.chunks_exact_mut(self.cols.len).skip(self.rows.before);
                    for (row, line) in rows.zip(plane.chunks_exact(width)) {
                        row[left..left + width].copy_from_slice(line);
                    }
                }
            },
        );
    }

    /// Writes the columns `positions` of the column matrix, [taps, positions.len()] row-major;
    /// `columns` has [`SLACK`] values more.
    pub(super) fn fill<T: Element>(
        &self,
        exec: Exec,
        framed: &[T],
        positions: Range<usize>,
        columns: &mut [T],
    ) {
        exec.level.dispatch(Fill { patches: self, framed, positions, columns });
    }

    /// Writes the rows `positions` of the transposed column matrix, [positions.len(), taps]
    /// row-major; `rows` has [`SLACK`] values more. Its runs are the rows of the kernel.
    pub(super) fn fill_transposed<T: Element>(
        &self,
        exec: Exec,
        framed: &[T],
        positions: Range<usize>,
        rows: &mut [T],
    ) {
        exec.level.dispatch(FillTransposed { patches: self, framed, positions, rows });
    }

    /// The reads as one walk over the framed planes.
    pub(super) fn walk(&self) -> Walk {
        let Gather { rows, cols } = self.gather;
        let area = self.rows.len * self.cols.len;
        let (row_delta, col_delta) = (rows.tap_stride * self.cols.len as isize, cols.tap_stride);
        let row_span = (rows.taps - 1) as isize * row_delta;
        let col_span = (cols.taps - 1) as isize * col_delta;
        // The taps of an input gradient run backwards: the first one is not the lowest.
        let first = -(row_span.min(0) + col_span.min(0));
        Walk {
            origin: (self.origin(0, 0) as isize - first) as usize,
            reach: (self.channels - 1) * area + row_span.unsigned_abs() + col_span.unsigned_abs(),
            row_step: rows.stride * self.cols.len,
            col_step: cols.stride,
            height: rows.positions,
            width: cols.positions,
            contiguous_rows: rows.stride == 1,
            first: first as usize,
            channels: self.channels,
            rows: rows.taps,
            cols: cols.taps,
            steps: [col_delta, row_delta - col_span, area as isize - row_span - col_span],
            deltas: [area as isize, row_delta, col_delta],
        }
    }

    /// The rows of the kernel that meet the planes at `row` of the map; the others lie in the frame.
    #[inline(always)]
    pub(super) fn live_taps(&self, row: usize) -> Range<usize> {
        let rows = &self.gather.rows;
        let meets = |tap: usize| {
            let read = (row * rows.stride) as isize + rows.origin(tap);
            read >= 0 && read < rows.input as isize
        };
        let (mut first, mut end) = (0, rows.taps);
        while first < end && !meets(first) {
            first += 1;
        }
        while end > first && !meets(end - 1) {
            end -= 1;
        }
        first..end
    }

    /// True if position (h, w) reads (h - i, w - j) under tap (i, j), and every read that lies on the map is read.
    pub(super) fn is_full(&self) -> bool {
        let full = |reach: &Reads| {
            let backwards = reach.origin(0) == 0 && (reach.taps == 1 || reach.tap_stride == -1);
            reach.stride == 1 && backwards && reach.input + reach.taps == reach.positions + 1
        };
        full(&self.gather.rows) && full(&self.gather.cols)
    }

    /// Rows of the kernel that meet the planes, summed over the rows of the map.
    pub(super) fn live_rows(&self) -> usize {
        (0..self.gather.rows.positions).map(|row| self.live_taps(row).len()).sum()
    }

    /// The planes with their frame: as they are where no read lies beside them, copied into `framed` elsewhere.
    pub(super) fn framed<'a, T: Element>(&self, exec: Exec, planes: &'a [T], framed: &'a mut [T]) -> &'a [T] {
        let Gather { rows, cols } = self.gather;
        if self.rows.len == rows.input && self.cols.len == cols.input {
            return planes;
        }
        self.frame(exec, planes, framed);
        framed
    }

    /// The start of position (0, 0) under a tap.
    #[inline(always)]
    fn origin(&self, row_tap: usize, col_tap: usize) -> usize {
        let row = (self.gather.rows.origin(row_tap) + self.rows.before as isize) as usize;
        let col = (self.gather.cols.origin(col_tap) + self.cols.before as isize) as usize;
        row * self.cols.len + col
    }
}

struct Fill<'a, T> {
    patches: &'a Patches,
    framed: &'a [T],
    positions: Range<usize>,
    columns: &'a mut [T],
}

impl<T: Element> Kernel for Fill<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { patches, framed, positions, columns } = self;
        let Gather { rows, cols } = patches.gather;
        let area = patches.rows.len * patches.cols.len;
        let row_step = rows.stride * patches.cols.len;
        let (first_row, first_col) = (positions.start / cols.positions, positions.start % cols.positions);
        let mut at = 0;
        for channel in 0..patches.channels {
            for (row_tap, col_tap) in (0..rows.taps).flat_map(|i| (0..cols.taps).map(move |j| (i, j))) {
                let tap = channel * area + patches.origin(row_tap, col_tap);
                let end = at + positions.len();
                let (mut row, mut col) = (tap + first_row * row_step, first_col);
                while at < end {
                    let len = if cols.positions - col < end - at { cols.positions - col } else { end - at };
                    copy_run(simd, cols.stride, &framed[row + col * cols.stride..], len, &mut columns[at..]);
                    at += len;
                    (row, col) = (row + row_step, 0);
                }
            }
        }
    }
}

struct FillTransposed<'a, T> {
    patches: &'a Patches,
    framed: &'a [T],
    positions: Range<usize>,
    rows: &'a mut [T],
}

impl<T: Element> Kernel for FillTransposed<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { patches, framed, positions, rows: to } = self;
        let Gather { rows, cols } = patches.gather;
        let area = patches.rows.len * patches.cols.len;
        // Only the forward reads are asked for transposed; their taps run forwards.
        let (row_tap, col_tap) = (rows.tap_stride as usize * patches.cols.len, cols.tap_stride as usize);
        let origin = patches.origin(0, 0);
        let mut at = 0;
        for position in positions {
            let (h, w) = (position / cols.positions, position % cols.positions);
            let first = origin + h * rows.stride * patches.cols.len + w * cols.stride;
            for channel in 0..patches.channels {
                for i in 0..rows.taps {
                    let from = &framed[first + channel * area + i * row_tap..];
                    copy_run(simd, col_tap, from, cols.taps, &mut to[at..]);
                    at += cols.taps;
                }
            }
        }
    }
}

/// Copies `len` values that lie `step` apart; for step 1 in whole registers, reading and writing
/// up to a register too much.
#[inline(always)]
fn copy_run<T: Element, S: Simd>(simd: S, step: usize, from: &[T], len: usize, to: &mut [T]) {
    if step == 1 {
        let lanes = T::Vector::<S>::LANES;
        let whole = len.next_multiple_of(lanes);
        let registers = from[..whole].chunks_exact(lanes).zip(to[..whole].chunks_exact_mut(lanes));
        registers.for_each(
            #[inline(always)]
            |(from, to)| T::Vector::<S>::load(simd, from).store(to),
        );
    } else {
        to[..len].iter_mut().zip(from.iter().step_by(step)).for_each(|(to, &from)| *to = from);
    }
}
