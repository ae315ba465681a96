//! Products whose operands L2 holds: the two innermost loops alone, and everything is read where it is.
//!
//! 1. **Tiles.** Where a register starts one multiply-add in a cycle, tiles one register wide keep the ports busy and are best,
//!    because the less a tile holds the less it costs to begin and end it. Elsewhere they are up to [`widest`] registers
//!    wide, of even width over C: four registers are two tiles of two.
//! 2. **Edges.** The last register of a tile may be cut short. Where multiply-adds on half a register are twice as fast, columns
//!    that fit it go to registers of half the width.

#![forbid(unsafe_code)]

use super::blocking::{Blocking, half_rate};
use super::output::{Output, Start};
use super::ranges::Ranges;
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
    // A micro-panel that L1 cannot hold is read from L2 by every strip: where multiply-adds are short, they wait for it.
    let in_l1 = b.rows() <= rows_in_l1::<T::Vector<S>>(tuning, widest::<S>(), b.row_stride());
    let close = half_rate::<T::Vector<S>>(tuning)
        || in_l1
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
    let half_rate = half_rate::<T::Vector<S>>(tuning);
    let whole = if half_rate && narrow < lanes && rest <= narrow { n - rest } else { n };
    let wide =
        if half_rate || out.c.col_stride() != 1 { 1 } else { widest::<S>().min(tuning.tile_registers) };
    for (registers, vectors) in Ranges::at_most(wide, whole.div_ceil(lanes)).by_length() {
        let columns = registers.start * lanes..whole.min(registers.end * lanes);
        let (b, out) = (b.submatrix(0..k, columns.clone()), out.submatrix(0..m, columns));
        strips(simd, tuning, vectors, a, b, out);
    }
    if whole < n {
        strips(simd.narrow(), tuning, 1, a, b.submatrix(0..k, whole..n), out.submatrix(0..m, whole..n));
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

/// How many rows of a micro-panel of NV registers L1 holds: those that lie a multiple of a power of two apart meet in few sets.
fn rows_in_l1<V: Vector>(tuning: &Gemm, vectors: usize, row_stride: usize) -> usize {
    const LINE: usize = 64;
    let lines = (row_stride * size_of::<V::Element>() / LINE).max(1);
    let apart = (1 << lines.trailing_zeros()).max(vectors * size_of::<V>() / LINE + 1);
    tuning.l1_ways * (tuning.l1_way_bytes / LINE) / apart
}
