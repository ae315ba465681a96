//! Rung 3: the loops cut into blocks.
//!
//! Rung 2 reads all of B for every row of A. Here a block of B of 64 x 256 elements (64 KiB in
//! f32) serves every row while it is in the cache. The blocks of k come in ascending order and
//! each continues the chains in C, so the bits stay.

use super::Sizes;
use crate::simd::vectorized;
use crate::{Element, Exec};

const K_BLOCK: usize = 64;
const N_BLOCK: usize = 256;

/// C = A B, row-major.
pub fn multiply<T: Element>(exec: Exec, sizes: Sizes, a: &[T], b: &[T], c: &mut [T]) {
    let Sizes { m, n, k } = sizes;
    vectorized!(exec.level, {
        c.fill(T::ZERO);
        for j0 in (0..n).step_by(N_BLOCK) {
            let j1 = n.min(j0 + N_BLOCK);
            for p0 in (0..k).step_by(K_BLOCK) {
                for i in 0..m {
                    let c_row = &mut c[i * n + j0..i * n + j1];
                    for p in p0..k.min(p0 + K_BLOCK) {
                        let x = a[i * k + p];
                        for (c, &b) in c_row.iter_mut().zip(&b[p * n + j0..p * n + j1]) {
                            *c = x.mul_add(b, *c);
                        }
                    }
                }
            }
        }
    });
}
