//! One row of C: c' (+)= a' B, where every element of B is read once and nothing can be reused.
//!
//! Memory is the bottleneck, so what counts is how B is read. A B that stays in L2 is read in columns
//! as wide as the registers hold, so that C never leaves them; a larger one four rows side by side, from left
//! to right; one that lies transposed, block by block.

#![forbid(unsafe_code)]

use super::output::{Output, Start};
use crate::simd::{Simd, Strided, Vector, vectorized};
use crate::tuning::Gemm;
use crate::{Element, MatRef};

/// Rows of B that are read side by side: few, because rows 4 KiB apart meet in one set of L1.
const DEPTH: usize = 4;
/// The most lanes that a register has.
const MOST_LANES: usize = 16;

/// Whether [`product`] can read `b`.
pub(super) fn reads<T: Element>(b: &MatRef<'_, T>) -> bool {
    b.col_stride() == 1 || b.row_stride() == 1
}

/// The only row of the product of the row `a` [1, k] and `b` [k, n], one of whose strides is 1.
#[inline(never)]
pub(super) fn product<T: Element, S: Simd>(
    simd: S,
    tuning: &Gemm,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    mut out: Output<'_, T>,
) {
    vectorized!(simd, {
        if out.start == Start::Zero {
            out.c.row_mut(0).fill(T::ZERO);
        }
        chains(simd, tuning, a, b, out.c.row_mut(0));
        out.add_bias(simd);
    });
}

#[inline(always)]
fn chains<T: Element, S: Simd>(simd: S, tuning: &Gemm, a: MatRef<'_, T>, b: MatRef<'_, T>, c: &mut [T]) {
    let k = a.cols();
    if b.col_stride() != 1 {
        return transposed(simd, a, b, c);
    }
    if k * b.row_stride() * size_of::<T>() <= tuning.row_b_bytes {
        return in_registers(simd, a, b, c);
    }
    let whole = k - k % DEPTH;
    for p in (0..whole).step_by(DEPTH) {
        continue_chains::<T, S, DEPTH>(simd, p, a, b, c);
    }
    for p in whole..k {
        continue_chains::<T, S, 1>(simd, p, a, b, c);
    }
}

/// Columns by as many registers as there are, with k running within.
#[inline(always)]
fn in_registers<T: Element, S: Simd>(simd: S, a: MatRef<'_, T>, b: MatRef<'_, T>, c: &mut [T]) {
    let lanes = T::Vector::<S>::LANES;
    let mut j = 0;
    while c.len() - j >= 8 * lanes {
        columns::<T, S, 8>(simd, j, a, b, &mut c[j..][..8 * lanes]);
        j += 8 * lanes;
    }
    while c.len() - j >= lanes {
        columns::<T, S, 1>(simd, j, a, b, &mut c[j..][..lanes]);
        j += lanes;
    }
    for (j, sum) in c.iter_mut().enumerate().skip(j) {
        for p in 0..a.cols() {
            *sum = a.data()[p * a.col_stride()].mul_add(b.data()[p * b.row_stride() + j], *sum);
        }
    }
}

/// W registers of C from column j on.
#[inline(always)]
fn columns<T: Element, S: Simd, const W: usize>(
    simd: S,
    j: usize,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    c: &mut [T],
) {
    let lanes = T::Vector::<S>::LANES;
    let mut sums = [T::Vector::<S>::splat(simd, T::ZERO); W];
    for w in 0..W {
        sums[w] = T::Vector::<S>::load(simd, &c[w * lanes..]);
    }
    for p in 0..a.cols() {
        let x = T::Vector::<S>::splat(simd, a.data()[p * a.col_stride()]);
        let row = &b.data()[p * b.row_stride() + j..][..W * lanes];
        for (w, sum) in sums.iter_mut().enumerate() {
            *sum = x.mul_add(T::Vector::<S>::load(simd, &row[w * lanes..]), *sum);
        }
    }
    for (w, sum) in sums.into_iter().enumerate() {
        sum.store(&mut c[w * lanes..]);
    }
}

/// B with contiguous columns, as weights stored [out, in]: blocks are transposed in registers on the way.
#[inline(always)]
fn transposed<T: Element, S: Simd>(simd: S, a: MatRef<'_, T>, b: MatRef<'_, T>, c: &mut [T]) {
    let lanes = T::Vector::<S>::LANES;
    let k = a.cols();
    let mut j = 0;
    while c.len() - j >= lanes && k >= lanes {
        transposed_columns(simd, j, a, b, c);
        j += lanes;
    }
    for (j, sum) in c.iter_mut().enumerate().skip(j) {
        let column = &b.data()[j * b.col_stride()..][..k];
        for (p, &y) in column.iter().enumerate() {
            *sum = a.data()[p * a.col_stride()].mul_add(y, *sum);
        }
    }
}

/// A register of columns from column j on. Only one, because columns that lie a power of two apart meet in one
/// set of L1.
#[inline(always)]
fn transposed_columns<T: Element, S: Simd>(
    simd: S,
    j: usize,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    c: &mut [T],
) {
    let lanes = T::Vector::<S>::LANES;
    let (k, stride) = (a.cols(), b.col_stride());
    let c = &mut c[j..][..lanes];
    let mut sum = T::Vector::<S>::load(simd, c);
    let mut block = [T::ZERO; MOST_LANES * MOST_LANES];
    let whole = k - k % lanes;
    for p in (0..whole).step_by(lanes) {
        let from = Strided { data: &b.data()[j * stride + p..], stride };
        T::Vector::<S>::transpose_block(simd, from, lanes, Strided { data: &mut block, stride: lanes });
        for q in 0..lanes {
            let x = T::Vector::<S>::splat(simd, a.data()[(p + q) * a.col_stride()]);
            sum = x.mul_add(T::Vector::<S>::load(simd, &block[q * lanes..]), sum);
        }
    }
    sum.store(c);
    for p in whole..k {
        let x = a.data()[p * a.col_stride()];
        for (i, sum) in c.iter_mut().enumerate() {
            *sum = x.mul_add(b.data()[(j + i) * stride + p], *sum);
        }
    }
}

/// Continues every chain of `c` over the values `p..p + D` of k.
#[inline(always)]
fn continue_chains<T: Element, S: Simd, const D: usize>(
    simd: S,
    p: usize,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    c: &mut [T],
) {
    let (n, lanes) = (c.len(), T::Vector::<S>::LANES);
    let factors: [T; D] = std::array::from_fn(|q| a.data()[(p + q) * a.col_stride()]);
    let rows: [&[T]; D] = std::array::from_fn(|q| &b.data()[(p + q) * b.row_stride()..][..n]);
    let registers = factors.map(|x| T::Vector::<S>::splat(simd, x));
    let whole = n - n % lanes;
    for j in (0..whole).step_by(lanes) {
        let mut sum = T::Vector::<S>::load(simd, &c[j..]);
        for (x, row) in registers.into_iter().zip(rows) {
            sum = x.mul_add(T::Vector::<S>::load(simd, &row[j..]), sum);
        }
        sum.store(&mut c[j..]);
    }
    for j in whole..n {
        for (x, row) in factors.into_iter().zip(rows) {
            c[j] = x.mul_add(row[j], c[j]);
        }
    }
}
