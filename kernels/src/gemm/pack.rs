//! Copies of A's rows and B's columns in the order in which the micro-kernel reads them.
//!
//! ```text
//! A, a tile of 3 rows, [k][3]            B, a panel of 4 columns, [k][4]
//!   a00 a10 a20 | a01 a11 a21 | ...        b00 b01 b02 b03 | b10 b11 b12 b13 | ...
//! ```
//!
//! Tiles and panels follow each other, each as wide as itself, so the one that begins at row i
//! (column j) begins at `i * kc` (`j * kc`). The strides are the caller's: a transpose is free.

#![forbid(unsafe_code)]

use crate::simd::{Simd, Vector};
use crate::{Element, MatRef};

/// The columns of `x`, as one panel `width` wide: x(p, j) goes to `p * width + j`.
///
/// What stands right of the last column is never used. A tile of A is packed as a panel of A'.
#[inline(always)]
pub(super) fn panel<T: Element, S: Simd>(simd: S, x: MatRef<'_, T>, width: usize, packed: &mut [T]) {
    let packed = &mut packed[..x.rows() * width];
    if x.cols() == 0 {
    } else if x.col_stride() == 1 && width.is_multiple_of(T::Vector::<S>::LANES) {
        registers(simd, x, width, packed);
    } else if x.row_stride() == 1 {
        transposed(x, width, packed);
    } else {
        elements(x, width, packed);
    }
}

/// A panel of contiguous rows, register by register.
#[inline(always)]
fn registers<T: Element, S: Simd>(simd: S, x: MatRef<'_, T>, width: usize, packed: &mut [T]) {
    let lanes = T::Vector::<S>::LANES;
    for (p, to) in packed.chunks_exact_mut(width).enumerate() {
        let from = &x.data()[p * x.row_stride()..][..x.cols()];
        for (to, from) in to.chunks_exact_mut(lanes).zip(from.chunks(lanes)) {
            T::Vector::<S>::load_partial(simd, from).store(to);
        }
    }
}

/// A panel of contiguous columns: eight elements of each at a time, so that both the lines that
/// are read and the rows that are written stay in the level-1 cache.
#[inline(always)]
fn transposed<T: Element>(x: MatRef<'_, T>, width: usize, packed: &mut [T]) {
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
