//! Products whose operands L2 holds: the two innermost loops alone, and everything is read where it is.
//!
//! 1. **Tiles.** Where a register starts one multiply-add in a cycle, narrow tiles keep the ports busy and are best, because
//!    the less a tile holds the less it costs to begin and end it; elsewhere the widest are.
//! 2. **Edges.** Columns that do not fill a wide tile go to tiles of one register, and those that fit half a register to
//!    registers of half the width.

#![forbid(unsafe_code)]

use super::blocking::{Blocking, half_rate};
use super::output::{Output, Start};
use super::strip::{Strip, near_kernel, tallest, widest};
use crate::simd::{Simd, Vector};
use crate::tuning::Gemm;
use crate::{Element, MatRef};

/// Whether all operands may be read and written where they are.
#[inline(always)]
pub(super) fn is_small<T: Element, S: Simd>(
    tuning: &Gemm,
    a: &MatRef<'_, T>,
    b: &MatRef<'_, T>,
    out: &Output<'_, T>,
) -> bool {
    let c = &out.c;
    let transposed = out.start == Start::Zero && c.row_stride() == 1 && c.rows() <= height::<S>(tuning, 1);
    let contiguous = b.col_stride() == 1 && (c.col_stride() == 1 || c.cols() == 1 || transposed);
    // Rows of B that lie far apart meet in a few sets of L1: where multiply-adds are short, they wait for them.
    let close = half_rate::<T::Vector<S>>(tuning)
        || b.row_stride() * size_of::<T>() < tuning.close_rows_bytes
        || c.rows() <= height::<S>(tuning, widest::<S>());
    // The last row of A decides how far it reaches, whichever of its strides is 1.
    let reach = a.rows() * a.row_stride() + a.cols() * a.col_stride();
    contiguous
        && close
        && b.rows() * b.row_stride() * size_of::<T>() <= tuning.small_b_bytes
        && reach * size_of::<T>() <= tuning.small_a_bytes
}

/// C = A B, one chain for each element.
#[inline(always)]
pub(super) fn in_place<T: Element, S: Simd>(
    simd: S,
    tuning: &Gemm,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    mut out: Output<'_, T>,
) {
    let (m, n, k, lanes) = (a.rows(), b.cols(), a.cols(), T::Vector::<S>::LANES);
    let (rest, narrow) = (n % lanes, T::Vector::<S::Narrow>::LANES);
    let single = if narrow < lanes && rest <= narrow { n - rest } else { n };
    let wide = if out.c.col_stride() == 1 { width::<T, S>(tuning) } else { 1 };
    let beyond = single % (wide * lanes);
    let whole = if beyond > (wide - 1) * lanes { single } else { single - beyond };
    for (columns, vectors) in [(0..whole, wide), (whole..single, 1)] {
        if !columns.is_empty() {
            strips(
                simd,
                tuning,
                vectors,
                a,
                b.submatrix(0..k, columns.clone()),
                out.submatrix(0..m, columns),
            );
        }
    }
    if single < n {
        strips(simd.narrow(), tuning, 1, a, b.submatrix(0..k, single..n), out.submatrix(0..m, single..n));
    }
}

/// Strips of tiles `vectors` registers wide, the last column of tiles cut short or not.
#[inline(always)]
fn strips<T: Element, S: Simd>(
    simd: S,
    tuning: &Gemm,
    vectors: usize,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    mut out: Output<'_, T>,
) {
    let (m, n, k) = (a.rows(), b.cols(), a.cols());
    for (rows, mr) in Blocking::tiles::<T::Vector<S>>(tuning, height::<S>(tuning, vectors), m).by_length() {
        let strip = Strip { a: a.submatrix(rows.clone(), 0..k), out: out.submatrix(rows, 0..n) };
        near_kernel::<T, S>(mr, vectors)(simd, strip, b);
    }
}

/// The tallest tile.
fn height<S: Simd>(tuning: &Gemm, vectors: usize) -> usize {
    tallest::<S>(vectors).min(tuning.tile_rows)
}

/// The width of a tile in registers: 1 or the widest.
fn width<T: Element, S: Simd>(tuning: &Gemm) -> usize {
    let narrow = half_rate::<T::Vector<S>>(tuning) || tuning.tile_registers < widest::<S>();
    if narrow { 1 } else { widest::<S>() }
}
