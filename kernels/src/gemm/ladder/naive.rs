//! Rung 1: the formula c_ij = sum over p of a_ip b_pj, as it is written.
//!
//! Each element is one chain, and every link waits for the one before it: four cycles for two
//! operations, whatever the width of the registers. B is read down its columns, n elements apart.

use super::Sizes;
use crate::simd::vectorized;
use crate::{Element, Exec};

/// C = A B, row-major.
pub fn multiply<T: Element>(exec: Exec, sizes: Sizes, a: &[T], b: &[T], c: &mut [T]) {
    let Sizes { m, n, k } = sizes;
    vectorized!(exec.level, {
        for i in 0..m {
            for j in 0..n {
                let mut sum = T::ZERO;
                for p in 0..k {
                    sum = a[i * k + p].mul_add(b[p * n + j], sum);
                }
                c[i * n + j] = sum;
            }
        }
    });
}
