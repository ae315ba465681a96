//! Planes in a frame of zeros, in which every tap of every window lies: no read is compared with an edge.
//!
//! ```text
//! plane     framed          position (h, w) under tap (c, i, j) reads
//! a b c     0 0 0 0 0         framed[start + h * row + w * column + c * channel + i * tap row + j * tap column]
//! d e f     0 a b c 0
//!           0 d e f 0       under tap (0, 0, 0):  0 0 0   under (0, 0, 1):  0 0 0   under (0, 1, 1):  a b c
//!           0 0 0 0 0                             0 a b                     a b c                     d e f
//! ```

use std::ops::Range;

use crate::simd::vectorized;
use crate::window::Reads;
use crate::{Element, Exec};

/// Values after the framed planes that may be read but mean nothing: at least a register.
const SLACK: usize = 64;

/// Where the reads of a gather lie in framed planes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// Along the rows and along the columns.
    pub(crate) reads: [Reads; 2],
    /// Zeros above and left of the plane.
    before: [usize; 2],
    /// Rows and columns with the zeros.
    size: [usize; 2],
    /// Channels, rows and columns of the kernel.
    pub(super) taps: [usize; 3],
    /// From a channel to the next, from a row of the kernel to the next, from a tap to the next in its row.
    pub(super) tap_strides: [isize; 3],
    /// From a row of positions to the next, and from a position to the next in its row.
    pub(super) strides: [usize; 2],
    /// What position (0, 0) reads under the first tap. Taps of an input gradient run backwards from it.
    pub(super) start: usize,
    /// The lowest read of position (0, 0), and how far its highest lies from there.
    pub(super) lowest: usize,
    pub(super) span: usize,
}

impl Frame {
    pub(crate) fn new(reads: [Reads; 2], channels: usize) -> Self {
        let [rows, cols] = reads;
        let ([above, height], [left, width]) = (along_axis(&rows), along_axis(&cols));
        let tap_strides = [(height * width) as isize, rows.tap_stride * width as isize, cols.tap_stride];
        let taps = [channels, rows.taps, cols.taps];
        let spans = [0, 1, 2].map(|axis| taps[axis].saturating_sub(1) as isize * tap_strides[axis]);
        let place = |before: usize, reads: &Reads| (before as isize + reads.origin(0)) as usize;
        let start =
            if rows.taps * cols.taps == 0 { 0 } else { place(above, &rows) * width + place(left, &cols) };
        Self {
            reads,
            before: [above, left],
            size: [height, width],
            taps,
            tap_strides,
            strides: [rows.stride * width, cols.stride],
            start,
            lowest: start.wrapping_add_signed(spans.iter().filter(|&&span| span < 0).sum()),
            span: spans.iter().map(|span| span.unsigned_abs()).sum(),
        }
    }

    /// All taps: the rows of the column matrix.
    pub(crate) fn all_taps(&self) -> usize {
        self.taps.iter().product()
    }

    /// Rows and columns of positions.
    pub(super) fn map(&self) -> [usize; 2] {
        self.reads.map(|reads| reads.positions)
    }

    /// All positions: the columns of the column matrix.
    pub(crate) fn positions(&self) -> usize {
        self.map().iter().product()
    }

    /// Values of the framed planes.
    pub(crate) fn len(&self) -> usize {
        self.taps[0] * self.size[0] * self.size[1] + SLACK
    }

    /// The planes [channels, rows, columns] in their frame: as they are where no read lies beside them, copied into
    /// `framed` elsewhere.
    pub(super) fn framed<'a, T: Element>(&self, exec: Exec, planes: &'a [T], framed: &'a mut [T]) -> &'a [T] {
        if self.size == self.reads.map(|reads| reads.input) {
            return planes;
        }
        self.copy(exec, planes, framed);
        framed
    }

    /// Copies the planes into their frame of zeros.
    pub(super) fn copy<T: Element>(&self, exec: Exec, planes: &[T], framed: &mut [T]) {
        if self.all_taps() == 0 {
            return;
        }
        let ([rows, cols], [above, left], [height, width]) = (self.reads, self.before, self.size);
        vectorized!(exec.level, {
            framed.fill(T::ZERO);
            let planes = planes.chunks_exact(rows.input * cols.input);
            for (framed, plane) in framed.chunks_exact_mut(height * width).zip(planes) {
                let lines = framed.chunks_exact_mut(width).skip(above);
                for (to, line) in lines.zip(plane.chunks_exact(cols.input)) {
                    copy_row(line, &mut to[left..left + cols.input]);
                }
            }
        });
    }

    /// What position (0, 0) reads under a tap, by its number.
    #[inline(always)]
    pub(super) fn tap(&self, tap: usize) -> usize {
        let [_, rows, cols] = self.taps;
        let [channel, row, col] = [tap / (rows * cols), tap / cols % rows, tap % cols];
        let [channel_stride, row_stride, col_stride] = self.tap_strides;
        let from_first =
            channel as isize * channel_stride + row as isize * row_stride + col as isize * col_stride;
        self.start.wrapping_add_signed(from_first)
    }

    /// The rows of the kernel that meet the planes at `row` of the map; the others lie in the frame.
    #[inline(always)]
    pub(super) fn taps_on_map(&self, row: usize) -> Range<usize> {
        let [rows, _] = &self.reads;
        let mut meeting = (0..rows.taps).filter(|&tap| {
            let read = (row * rows.stride) as isize + rows.origin(tap);
            read >= 0 && read < rows.input as isize
        });
        let Some(first) = meeting.next() else { return 0..0 };
        first..meeting.next_back().unwrap_or(first) + 1
    }

    /// Whether the gather is the *full* convolution of the planes: position (h, w) reads (h - i, w - j) under tap
    /// (i, j), wherever planes and kernel meet at all. The input gradient without padding is.
    pub(super) fn is_full(&self) -> bool {
        let full = |reads: &Reads| {
            let backwards = reads.origin(0) == 0 && (reads.taps == 1 || reads.tap_stride == -1);
            reads.stride == 1 && backwards && reads.input + reads.taps == reads.positions + 1
        };
        self.reads.iter().all(full)
    }
}

/// The zeros before an axis, and its length with all zeros that `reads` needs.
fn along_axis(reads: &Reads) -> [usize; 2] {
    let Some(last_tap) = reads.taps.checked_sub(1) else { return [0, 0] };
    let last = (reads.positions.saturating_sub(1) * reads.stride) as isize;
    let (one, other) = (reads.origin(0), reads.origin(last_tap));
    let (lowest, highest) = (one.min(other), one.max(other) + last);
    let (before, end) = ((-lowest).max(0) as usize, (highest + 1).max(reads.input as isize) as usize);
    [before, before + end]
}

/// Copies a row in blocks, of which the last one begins earlier: a call of memcpy would take longer than a short row.
#[inline(always)]
pub(super) fn copy_row<T: Element>(from: &[T], to: &mut [T]) {
    match from.len() {
        16.. => copy_blocks::<T, 16>(from, to),
        8.. => copy_blocks::<T, 8>(from, to),
        _ => to.iter_mut().zip(from).for_each(|(to, &from)| *to = from),
    }
}

#[inline(always)]
fn copy_blocks<T: Element, const N: usize>(from: &[T], to: &mut [T]) {
    for first in (0..from.len()).step_by(N) {
        let first = if first + N <= from.len() { first } else { from.len() - N };
        to[first..first + N].copy_from_slice(&from[first..first + N]);
    }
}
