//! Copies of B's columns in the order in which the micro-kernel reads them.
//!
//! ```text
//! B, micro-panels of 4 columns, [k][4]
//!   b00 b01 b02 b03 | b10 b11 b12 b13 | ...
//! ```
//!
//! Micro-panels follow each other, each as wide as itself, so the one that begins at column j begins at `j * kc`. The strides
//! are the caller's. What need not be copied is read where it is, and so is A: a broadcast from a
//! strided row costs what one from a packed tile does.

#![forbid(unsafe_code)]

use super::blocking::{Blocking, Packing};
use super::prefetch::Prefetcher;
use super::ranges::Ranges;
use super::scratch::Lease;
use crate::simd::{Simd, Strided, Vector};
use crate::{Element, MatRef};

/// A panel of B, where it was or with copies of its micro-panels.
pub(super) struct PanelOfB<'a, T> {
    source: MatRef<'a, T>,
    lanes: usize,
    /// The micro-panels, in registers.
    columns: Ranges,
    copies: &'a mut [T],
    /// Whether every micro-panel has a place of its own, for further blocks of A.
    keeps: bool,
    /// Whether the copies are there.
    packed: bool,
}

/// A micro-panel of B for the strips of a block.
pub(super) struct MicroPanel<'a, T> {
    source: MatRef<'a, T>,
    /// Room for a copy, [k, whole registers]; empty: there is none.
    copy: &'a mut [T],
    packed: bool,
    /// Rows of the next micro-panel.
    pub(super) prefetch: Prefetcher<T>,
    /// The tile of C after the strip.
    pub(super) next_c: *const T,
}

impl<'a, T: Element> PanelOfB<'a, T> {
    /// A panel that `blocks` blocks of A pass by.
    #[inline(always)]
    pub(super) fn new<S: Simd>(
        simd: S,
        sizes: &Blocking,
        blocks: usize,
        source: MatRef<'a, T>,
        buffer: &'a mut Lease,
    ) -> Self {
        let lanes = T::Vector::<S>::LANES;
        let (depth, vectors) = (source.rows(), source.cols().div_ceil(lanes));
        let columns = Ranges::at_most(sizes.nr, vectors);
        let packed = sizes.b == Packing::Before;
        let keeps = packed || blocks > 1;
        let copies = buffer.elements(match sizes.b {
            Packing::None => 0,
            _ if keeps => vectors * lanes * depth,
            _ => sizes.nr * lanes * depth,
        });
        if packed {
            for run in columns.iter() {
                let cols = run.start * lanes..source.cols().min(run.end * lanes);
                let to = &mut copies[run.start * lanes * depth..];
                pack(simd, source.submatrix(0..depth, cols), run.len() * lanes, to);
            }
        }
        Self { source, lanes, columns, copies, keeps, packed }
    }

    /// How many micro-panels it has.
    pub(super) fn len(&self) -> usize {
        self.columns.count()
    }

    /// The columns of micro-panel `i`; none past the last one.
    #[inline(always)]
    pub(super) fn columns(&self, i: usize) -> std::ops::Range<usize> {
        let registers = self.columns.get(i);
        let all = self.source.cols();
        let at = |register: usize| if register * self.lanes < all { register * self.lanes } else { all };
        at(registers.start)..at(registers.end)
    }

    /// Micro-panel `i` for a block of `tiles` tiles.
    #[inline(always)]
    pub(super) fn micro_panel(&mut self, i: usize, tiles: usize) -> MicroPanel<'_, T> {
        let depth = self.source.rows();
        let registers = self.columns.get(i);
        let next = self.source.submatrix(0..depth, self.columns(i + 1));
        let prefetch = if self.packed { Prefetcher::nothing() } else { Prefetcher::rows_of(next, tiles) };
        let source = self.source.submatrix(0..depth, self.columns(i));
        let first = if self.keeps { registers.start * self.lanes * depth } else { 0 };
        let copy = if self.copies.is_empty() {
            &mut []
        } else {
            &mut self.copies[first..][..registers.len() * self.lanes * depth]
        };
        MicroPanel { source, copy, packed: self.packed, prefetch, next_c: std::ptr::null() }
    }

    /// From the second block of A on, the copies are read.
    pub(super) fn has_met_a_block(&mut self) {
        self.packed = !self.copies.is_empty();
    }
}

impl<T: Element> MicroPanel<'_, T> {
    /// Where the next tile reads it: the copy, `width` wide, or B itself.
    #[inline(always)]
    pub(super) fn operand(&self, width: usize) -> MatRef<'_, T> {
        if self.packed { MatRef::of_rows(self.copy, self.source.rows(), width) } else { self.source }
    }

    /// Where the next tile leaves a copy, `width` wide, for those after it; `None` if there is one, or none is wanted.
    #[inline(always)]
    pub(super) fn begin_copy(&mut self, width: usize) -> Option<*mut T> {
        if self.packed || self.copy.is_empty() {
            return None;
        }
        assert!(self.copy.len() >= self.source.rows() * width);
        self.packed = true;
        Some(self.copy.as_mut_ptr())
    }
}

/// Fills `to`, a whole number of registers, from `from` as far as it goes.
#[inline(always)]
fn copy_row<T: Element, S: Simd>(simd: S, from: &[T], to: &mut [T]) {
    let lanes = T::Vector::<S>::LANES;
    for (to, from) in to.chunks_exact_mut(lanes).zip(from.chunks(lanes)) {
        if from.len() == lanes {
            T::Vector::<S>::load(simd, from).store(to);
        } else {
            T::Vector::<S>::load_partial(simd, from).store(to);
        }
    }
}

/// The columns of `x`, as one micro-panel `width` wide: x(p, j) goes to `p * width + j`.
///
/// What stands right of the last column is never used.
#[inline(always)]
fn pack<T: Element, S: Simd>(simd: S, x: MatRef<'_, T>, width: usize, packed: &mut [T]) {
    let packed = &mut packed[..x.rows() * width];
    if x.col_stride() == 1 && width.is_multiple_of(T::Vector::<S>::LANES) {
        for (p, to) in packed.chunks_exact_mut(width).enumerate() {
            copy_row(simd, &x.data()[p * x.row_stride()..][..x.cols()], to);
        }
    } else if x.row_stride() == 1 && width.is_multiple_of(T::Vector::<S>::LANES) {
        contiguous_columns(simd, x, width, packed);
    } else {
        elements(x, width, packed);
    }
}

/// A micro-panel of contiguous columns, a whole number of registers wide: block by block, so that both the lines that
/// are read and the rows that are written stay in L1.
#[inline(always)]
fn contiguous_columns<T: Element, S: Simd>(simd: S, x: MatRef<'_, T>, width: usize, packed: &mut [T]) {
    let (lanes, narrow) = (T::Vector::<S>::LANES, T::Vector::<S::Narrow>::LANES);
    let (data, stride, k) = (x.data(), x.col_stride(), x.rows());
    if k < lanes {
        return if narrow < lanes && narrow <= k {
            contiguous_columns(simd.narrow(), x, width, packed);
        } else {
            elements(x, width, packed);
        };
    }
    for p in (0..k).step_by(lanes) {
        // The last block ends with the columns and writes again what the one before it has written.
        let p = if k - p < lanes { k - lanes } else { p };
        for j in (0..x.cols()).step_by(lanes) {
            let columns = if x.cols() - j < lanes { x.cols() - j } else { lanes };
            let to = &mut packed[p * width + j..];
            let from = Strided { data: &data[j * stride + p..], stride };
            T::Vector::<S>::transpose_block(simd, from, columns, Strided { data: to, stride: width });
        }
    }
}

/// A micro-panel with any strides.
#[inline(always)]
fn elements<T: Element>(x: MatRef<'_, T>, width: usize, packed: &mut [T]) {
    for (p, to) in packed.chunks_exact_mut(width).enumerate() {
        for (j, to) in to.iter_mut().enumerate().take(x.cols()) {
            *to = x.data()[p * x.row_stride() + j * x.col_stride()];
        }
    }
}
