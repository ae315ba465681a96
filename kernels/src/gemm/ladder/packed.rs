//! Rung 4: B copied into panels of 16 columns, and a tile of C held in registers.
//!
//! Rung 3 loads and stores an element of C for each of its steps. Here a tile of 4 x 16 elements
//! stays in local variables while k runs, and the panel of B beside it is one contiguous copy:
//!
//! ```text
//! B [k, n]                  panel 0 [k][16]      panel 1 [k][16]
//!   b00 b01 ... b0n           b00 .. b0,15         b0,16 .. b0,31
//!   b10 b11 ... b1n    ->     b10 .. b1,15         b1,16 .. b1,31
//! ```

use super::Sizes;
use crate::simd::vectorized;
use crate::{Element, Exec};

const MR: usize = 4;
const NR: usize = 16;

/// C = A B, row-major.
pub fn multiply<T: Element>(exec: Exec, sizes: Sizes, a: &[T], b: &[T], c: &mut [T]) {
    let Sizes { m, n, k } = sizes;
    let mut panel = vec![[T::ZERO; NR]; k];
    vectorized!(exec.level, {
        for j0 in (0..n).step_by(NR) {
            let cols = NR.min(n - j0);
            for (p, row) in panel.iter_mut().enumerate() {
                row[..cols].copy_from_slice(&b[p * n + j0..][..cols]);
            }
            for i0 in (0..m).step_by(MR) {
                let rows = MR.min(m - i0);
                // A row that is not there repeats the last one; its sums are not stored.
                let a_rows = [0, 1, 2, 3].map(|i: usize| &a[(i0 + i.min(rows - 1)) * k..][..k]);
                let tile = tile(a_rows, &panel);
                for (i, row) in tile.iter().enumerate().take(rows) {
                    c[(i0 + i) * n + j0..][..cols].copy_from_slice(&row[..cols]);
                }
            }
        }
    });
}

/// Four rows of A times one panel.
#[inline(always)]
fn tile<T: Element>(a_rows: [&[T]; MR], panel: &[[T; NR]]) -> [[T; NR]; MR] {
    let mut c = [[T::ZERO; NR]; MR];
    for (p, b) in panel.iter().enumerate() {
        for (c_row, a_row) in c.iter_mut().zip(a_rows) {
            for (c, &b) in c_row.iter_mut().zip(b) {
                *c = a_row[p].mul_add(b, *c);
            }
        }
    }
    c
}
