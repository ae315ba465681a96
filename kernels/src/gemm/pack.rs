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

use super::blocking::{Blocking, CopyOfA, CopyOfB, Even};
use super::microkernel::Operand;
use crate::aligned::Aligned;
use crate::simd::{Simd, Vector};
use crate::{Element, MatRef};

/// A block of A, where it was or copied.
#[derive(Clone, Copy)]
pub(super) struct BlockOfA<'a, T> {
    source: MatRef<'a, T>,
    tiles: Option<&'a [T]>,
}

impl<'a, T: Element> BlockOfA<'a, T> {
    #[inline(always)]
    pub(super) fn new<S: Simd>(
        simd: S,
        sizes: &Blocking,
        source: MatRef<'a, T>,
        buffer: &'a mut Aligned,
    ) -> Self {
        let (rows, depth) = (source.rows(), source.cols());
        match sizes.a {
            CopyOfA::None => Self { source, tiles: None },
            CopyOfA::Tiles => {
                let packed = buffer.elements(rows * depth);
                for rows in Even::of_tiles::<T::Vector<S>>(sizes.mr, rows).runs() {
                    let tile = source.tile(rows.clone(), 0..depth);
                    panel(simd, tile.t(), rows.len(), &mut packed[rows.start * depth..]);
                }
                Self { source, tiles: Some(packed) }
            }
        }
    }

    /// Its rows.
    pub(super) fn rows(&self) -> usize {
        self.source.rows()
    }

    /// The values of k that it spans.
    pub(super) fn depth(&self) -> usize {
        self.source.cols()
    }

    /// The tile with the given rows, one of those that `new` has packed, or several where it has not.
    #[inline(always)]
    pub(super) fn tile(&self, rows: Range<usize>) -> Operand<'a, T> {
        let (lane, step) = (self.source.row_stride(), self.source.col_stride());
        match self.tiles {
            Some(packed) => Operand { data: &packed[rows.start * self.depth()..], lane: 1, step: rows.len() },
            None => Operand { data: &self.source.data()[rows.start * lane..], lane, step },
        }
    }

    /// Whether each tile lies apart from the next one.
    pub(super) fn is_in_tiles(&self) -> bool {
        self.tiles.is_some()
    }
}

/// A chunk of B, where it was or with copies of its panels.
pub(super) struct ChunkOfB<'a, T> {
    source: MatRef<'a, T>,
    lanes: usize,
    copy: CopyOfB,
    copies: &'a mut [T],
    /// Whether every copied panel keeps its place, for further blocks of A.
    keeps: bool,
}

/// A panel of B for a strip of tiles.
pub(super) struct Panel<'a, T> {
    pub(super) operand: Operand<'a, T>,
    /// Where to leave a copy.
    pub(super) copy: &'a mut [T],
}

impl<'a, T: Element> ChunkOfB<'a, T> {
    #[inline(always)]
    pub(super) fn new<S: Simd>(
        simd: S,
        sizes: &Blocking,
        panels: Even,
        keeps: bool,
        source: MatRef<'a, T>,
        buffer: &'a mut Aligned,
    ) -> Self {
        let lanes = T::Vector::<S>::LANES;
        let (depth, vectors) = (source.rows(), source.cols().div_ceil(lanes));
        let room = match sizes.b {
            CopyOfB::None => 0,
            CopyOfB::InPassing if !keeps => sizes.nr * lanes * depth,
            _ => vectors * lanes * depth,
        };
        let copies = buffer.elements(room);
        if sizes.b == CopyOfB::Before {
            for run in panels.runs() {
                let columns = run.start * lanes..source.cols().min(run.end * lanes);
                let to = &mut copies[run.start * lanes * depth..];
                panel(simd, source.tile(0..depth, columns), run.len() * lanes, to);
            }
        }
        Self { source, lanes, copy: sizes.b, copies, keeps: keeps || sizes.b == CopyOfB::Before }
    }

    /// The panel with the given registers of each row; `first` for the strip that meets it first.
    #[inline(always)]
    pub(super) fn panel(&mut self, vectors: Range<usize>, first: bool) -> Panel<'_, T> {
        let (depth, step) = (self.source.rows(), vectors.len() * self.lanes);
        let place = if self.keeps { vectors.start * self.lanes * depth } else { 0 };
        if self.copy == CopyOfB::Before || self.copy == CopyOfB::InPassing && !first {
            return Panel { operand: Operand { data: &self.copies[place..], lane: 1, step }, copy: &mut [] };
        }
        let data = &self.source.data()[vectors.start * self.lanes..];
        let operand = Operand { data, lane: self.source.col_stride(), step: self.source.row_stride() };
        let copying = self.copy == CopyOfB::InPassing;
        Panel { operand, copy: if copying { &mut self.copies[place..][..depth * step] } else { &mut [] } }
    }

    /// Whether panels are read from where B is.
    pub(super) fn reads_source(&self) -> bool {
        self.copy != CopyOfB::Before
    }

    /// Says that every panel has met its first tile.
    pub(super) fn is_copied(&mut self) {
        if self.copy == CopyOfB::InPassing && self.keeps {
            self.copy = CopyOfB::Before;
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
    } else if x.row_stride() == 1 && width.is_multiple_of(T::Vector::<S>::LANES) {
        contiguous_columns(simd, x, width, packed);
    } else {
        elements(x, width, packed);
    }
}

/// A panel of contiguous columns, a whole number of registers wide: block by block, so that both the lines that
/// are read and the rows that are written stay in the level-1 cache.
#[inline(always)]
fn contiguous_columns<T: Element, S: Simd>(simd: S, x: MatRef<'_, T>, width: usize, packed: &mut [T]) {
    let lanes = T::Vector::<S>::LANES;
    let (data, stride) = (x.data(), x.col_stride());
    let whole = x.rows() - x.rows() % lanes;
    for p in (0..whole).step_by(lanes) {
        for j in (0..x.cols()).step_by(lanes) {
            let columns = if x.cols() - j < lanes { x.cols() - j } else { lanes };
            let to = &mut packed[p * width + j..];
            T::Vector::<S>::transpose_block(simd, (&data[j * stride + p..], stride), columns, (to, width));
        }
    }
    elements(x.tile(whole..x.rows(), 0..x.cols()), width, &mut packed[whole * width..]);
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
