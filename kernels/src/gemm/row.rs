//! One row of C: c' (+)= a' B, where every element of B is read once and nothing can be reused.
//!
//! What counts is that memory is read as it likes best: eight rows of B side by side, from left
//! to right. C passes through the registers once for every eight values of k.

#![forbid(unsafe_code)]

use super::Start;
use crate::simd::{Simd, Vector};
use crate::{Element, MatRef};

/// Rows of B that are read side by side.
const DEPTH: usize = 8;

/// The row `c` of the product of the row `a` [1, k] and `b` [k, n] with contiguous rows.
#[inline(always)]
pub(super) fn product<T: Element, S: Simd>(
    simd: S,
    start: Start,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    c: &mut [T],
) {
    if start == Start::Zero {
        c.fill(T::ZERO);
    }
    let k = a.cols();
    let whole = k - k % DEPTH;
    for p in (0..whole).step_by(DEPTH) {
        continue_chains::<T, S, DEPTH>(simd, p, a, b, c);
    }
    for p in whole..k {
        continue_chains::<T, S, 1>(simd, p, a, b, c);
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
