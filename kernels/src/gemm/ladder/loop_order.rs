//! Rung 2: the same three loops with the column index innermost.
//!
//! The n chains of a row now take their steps together. They are independent, and B and C are
//! read along their rows, so the compiler fills vector registers with them.

use super::Sizes;
use crate::simd::vectorized;
use crate::{Element, Exec};

/// C = A B, row-major.
pub fn multiply<T: Element>(exec: Exec, sizes: Sizes, a: &[T], b: &[T], c: &mut [T]) {
    let Sizes { m, n, k } = sizes;
    vectorized!(exec.level, {
        for i in 0..m {
            let c_row = &mut c[i * n..(i + 1) * n];
            c_row.fill(T::ZERO);
            for p in 0..k {
                let x = a[i * k + p];
                for (c, &b) in c_row.iter_mut().zip(&b[p * n..(p + 1) * n]) {
                    *c = x.mul_add(b, *c);
                }
            }
        }
    });
}
