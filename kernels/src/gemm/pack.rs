//! Copies of A's rows and B's columns in the order in which the micro-kernel reads them.
//!
//! ```text
//! A, a tile of 3 rows, [k][3]            B, a panel of 4 columns, [k][4]
//!   a00 a10 a20 | a01 a11 a21 | ...        b00 b01 b02 b03 | b10 b11 b12 b13 | ...
//! ```
//!
//! Tiles and panels follow each other, each as wide as itself, so the one that begins at row i
//! (column j) begins at `i * kc` (`j * kc`). The strides are the caller's: a transpose is free.
//! What need not be copied is read where it is.

#![forbid(unsafe_code)]

use std::ops::Range;

use super::blocking::{Blocking, Even};
use super::microkernel::Operand;
use crate::aligned::Aligned;
use crate::simd::{Simd, Vector};
use crate::{Element, MatRef};

/// A block of A, packed or where it was.
#[derive(Clone, Copy)]
pub(super) struct BlockOfA<'a, T> {
    source: MatRef<'a, T>,
    packed: Option<&'a [T]>,
}

impl<'a, T: Element> BlockOfA<'a, T> {
    #[inline(always)]
    pub(super) fn new<S: Simd>(
        simd: S,
        sizes: &Blocking,
        source: MatRef<'a, T>,
        buffer: &'a mut Aligned,
    ) -> Self {
        if !sizes.pack_a {
            return Self { source, packed: None };
        }
        let (rows, depth) = (source.rows(), source.cols());
        let packed = buffer.elements(rows * depth);
        for rows in Even::at_most(sizes.mr, rows).runs() {
            let tile = source.tile(rows.clone(), 0..depth);
            panel(simd, tile.t(), rows.len(), &mut packed[rows.start * depth..]);
        }
        Self { source, packed: Some(packed) }
    }

    /// The values of k that it spans.
    pub(super) fn depth(&self) -> usize {
        self.source.cols()
    }

    /// The tile with the given rows, one of those that `new` has packed.
    #[inline(always)]
    pub(super) fn tile(&self, rows: Range<usize>) -> Operand<'a, T> {
        let (lane, step) = (self.source.row_stride(), self.source.col_stride());
        match self.packed {
            Some(packed) => Operand { data: &packed[rows.start * self.depth()..], lane: 1, step: rows.len() },
            None => Operand { data: &self.source.data()[rows.start * lane..], lane, step },
        }
    }
}

/// A chunk of B, packed or where it was.
#[derive(Clone, Copy)]
pub(super) struct ChunkOfB<'a, T> {
    source: MatRef<'a, T>,
    lanes: usize,
    packed: &'a [T],
    /// The first panel that is packed, in registers from the left.
    packed_from: usize,
}

impl<'a, T: Element> ChunkOfB<'a, T> {
    #[inline(always)]
    pub(super) fn new<S: Simd>(
        simd: S,
        sizes: &Blocking,
        panels: Even,
        source: MatRef<'a, T>,
        buffer: &'a mut Aligned,
    ) -> Self {
        let lanes = T::Vector::<S>::LANES;
        let whole = source.cols().is_multiple_of(lanes) || T::Vector::<S>::FREE_MASKS;
        let vectors = source.cols().div_ceil(lanes);
        // Where masks cost something, a last panel with a partial register gets room for all of it.
        let packed_from = match (sizes.pack_b, whole) {
            (true, _) => 0,
            (false, true) => vectors,
            (false, false) => panels.runs().last().map_or(0, |panel| panel.start),
        };
        let packed = buffer.elements((vectors - packed_from) * lanes * source.rows());
        let part = source.tile(0..source.rows(), (packed_from * lanes).min(source.cols())..source.cols());
        if packed_from == 0 && source.col_stride() == 1 {
            contiguous_rows(simd, part, panels, packed);
        } else {
            for run in panels.runs().filter(|run| run.start >= packed_from) {
                let start = (run.start - packed_from) * lanes;
                let columns = start..part.cols().min((run.end - packed_from) * lanes);
                let to = &mut packed[start * source.rows()..];
                panel(simd, part.tile(0..source.rows(), columns), run.len() * lanes, to);
            }
        }
        Self { source, lanes, packed, packed_from }
    }

    /// The panel with the given registers of each row.
    #[inline(always)]
    pub(super) fn panel(&self, vectors: Range<usize>) -> Operand<'a, T> {
        if vectors.start >= self.packed_from {
            let start = (vectors.start - self.packed_from) * self.lanes * self.source.rows();
            return Operand { data: &self.packed[start..], lane: 1, step: vectors.len() * self.lanes };
        }
        let (lane, step) = (self.source.col_stride(), self.source.row_stride());
        Operand { data: &self.source.data()[vectors.start * self.lanes..], lane, step }
    }
}

/// Every panel of a chunk with contiguous rows. Row by row through all panels, because the rows
/// of a wide matrix lie on different pages.
#[inline(always)]
fn contiguous_rows<T: Element, S: Simd>(simd: S, x: MatRef<'_, T>, panels: Even, packed: &mut [T]) {
    let lanes = T::Vector::<S>::LANES;
    for p in 0..x.rows() {
        let row = &x.data()[p * x.row_stride()..][..x.cols()];
        for panel in panels.runs() {
            let width = panel.len() * lanes;
            let to = &mut packed[panel.start * lanes * x.rows() + p * width..][..width];
            copy_row(simd, &row[panel.start * lanes..], to);
        }
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

/// The columns of `x`, as one panel `width` wide: x(p, j) goes to `p * width + j`.
///
/// What stands right of the last column is never used. A tile of A is packed as a panel of A'.
#[inline(always)]
fn panel<T: Element, S: Simd>(simd: S, x: MatRef<'_, T>, width: usize, packed: &mut [T]) {
    let packed = &mut packed[..x.rows() * width];
    if x.col_stride() == 1 && width.is_multiple_of(T::Vector::<S>::LANES) {
        for (p, to) in packed.chunks_exact_mut(width).enumerate() {
            copy_row(simd, &x.data()[p * x.row_stride()..][..x.cols()], to);
        }
    } else if x.row_stride() == 1 {
        contiguous_columns(x, width, packed);
    } else {
        elements(x, width, packed);
    }
}

/// A panel of contiguous columns: eight elements of each at a time, so that both the lines that
/// are read and the rows that are written stay in the level-1 cache.
#[inline(always)]
fn contiguous_columns<T: Element>(x: MatRef<'_, T>, width: usize, packed: &mut [T]) {
    const DEPTH: usize = 8;
    let (data, stride, cols) = (x.data(), x.col_stride(), x.cols());
    let mut blocks = packed.chunks_exact_mut(DEPTH * width);
    let mut p = 0;
    for block in &mut blocks {
        let mut rows = block.chunks_exact_mut(width);
        let mut rows: [&mut [T]; DEPTH] =
            std::array::from_fn(|_| &mut rows.next().unwrap_or_default()[..cols]);
        for j in 0..cols {
            let column = &data[j * stride + p..][..DEPTH];
            for (row, &from) in rows.iter_mut().zip(column) {
                row[j] = from;
            }
        }
        p += DEPTH;
    }
    let rest = x.tile(p..x.rows(), 0..cols);
    elements(rest, width, blocks.into_remainder());
}

/// A panel with any strides.
#[inline(always)]
fn elements<T: Element>(x: MatRef<'_, T>, width: usize, packed: &mut [T]) {
    for (p, to) in packed.chunks_exact_mut(width).enumerate() {
        for (j, to) in to.iter_mut().enumerate().take(x.cols()) {
            *to = x.data()[p * x.row_stride() + j * x.col_stride()];
        }
    }
}
