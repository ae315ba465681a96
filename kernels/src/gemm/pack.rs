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

/// The rows of `a`, as one tile: a(i, p) goes to `p * rows + i`.
#[inline(always)]
pub(super) fn tile_of_a<T: Element>(a: MatRef<'_, T>, packed: &mut [T]) {
    if a.rows() == 0 {
        return;
    }
    let data = a.data();
    for (p, to) in packed.chunks_exact_mut(a.rows()).enumerate().take(a.cols()) {
        for (i, to) in to.iter_mut().enumerate() {
            *to = data[i * a.row_stride() + p * a.col_stride()];
        }
    }
}

/// The columns of `b`, as one panel `width` wide: b(p, j) goes to `p * width + j`.
///
/// `width` is a whole number of registers; what stands right of the last column is never used.
#[inline(always)]
pub(super) fn panel_of_b<T: Element, S: Simd>(simd: S, b: MatRef<'_, T>, width: usize, packed: &mut [T]) {
    let cols = b.cols();
    if cols == 0 {
        return;
    }
    let data = b.data();
    let lanes = T::Vector::<S>::LANES;
    for (p, to) in packed.chunks_exact_mut(width).enumerate().take(b.rows()) {
        let from = &data[p * b.row_stride()..];
        if b.col_stride() == 1 {
            for (to, from) in to.chunks_exact_mut(lanes).zip(from[..cols].chunks(lanes)) {
                T::Vector::<S>::load_partial(simd, from).store(to);
            }
        } else {
            for (j, to) in to.iter_mut().enumerate().take(cols) {
                *to = from[j * b.col_stride()];
            }
        }
    }
}
