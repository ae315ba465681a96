//! The input gradient of a kernel that begins and ends with one tap on the map (no padding): what `across.rs` does,
//! without the taps beside the map.
//!
//! ```text
//! grad_x[h][w] reads grad_y[h - i][w - j]       a row of grad_x is K - 1 longer than one of grad_y
//!
//! for each row h of grad_x
//!   for each filter, and each i with a row h - i of grad_y
//!     g = grad_y[h - i][..]                     each value in every lane of a register
//!     for j in 0..K
//!       for p in 0..P   c[p + j] = fma(g[p], w[i][j], c[p + j])
//! ```
//!
//! A quarter to a half of the taps lie beside a small map. That leaving them out keeps the bits is shown in
//! `across.rs`; where a result is -0.0 the caller computes the sample again with all taps.

use super::across::has_negative_zero;
use super::patches::Patches;
use super::tile;
use crate::Element;
use crate::simd::{Kernel, Simd, Vector};

/// Taps in a row of the kernel.
const K: usize = 5;

/// out [filters, positions] = weights times the patches; true if no result is -0.0.
pub(super) struct Full<'a, T> {
    pub(super) patches: &'a Patches,
    pub(super) filters: usize,
    pub(super) packed: &'a [T],
    /// The planes without a frame.
    pub(super) planes: &'a [T],
    pub(super) out: &'a mut [T],
    /// Room for [positions, register].
    pub(super) result: &'a mut [T],
}

/// Whether there is a kernel for the reads of `patches`, with all `filters` in one register of every level with 32
/// of them.
pub(super) fn fits(patches: &Patches, filters: usize) -> bool {
    let walk = patches.walk();
    filters <= 8 && patches.is_full() && walk.cols == K && (8..=14).contains(&walk.width)
}

impl<T: Element> Kernel for Full<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        if const { !tile::exists::<T, S>() || S::REGISTERS < 32 } {
            false // too few registers for the row and its results
        } else if tile::is_narrow::<T, S>(self.filters) {
            self.rows::<S, T::Vector<S::Narrow>>(simd, simd.narrow())
        } else {
            false
        }
    }
}

impl<T: Element> Full<'_, T> {
    #[inline(always)]
    fn rows<S: Simd, V: Vector<Element = T>>(self, level: S, simd: V::Simd) -> bool {
        macro_rules! widths {
            ($($width:literal)*) => {
                match self.patches.walk().width {
                    $($width => all_rows::<S, V, $width>(level, simd, self),)*
                    width => unreachable!("no row is {width} positions wide"),
                }
            };
        }
        widths!(8 9 10 11 12 13 14)
    }
}

/// All rows of MR positions, compiled for the level.
fn all_rows<S: Simd, V: Vector, const MR: usize>(
    level: S,
    simd: V::Simd,
    full: Full<'_, V::Element>,
) -> bool {
    level.vectorize(
        #[inline(always)]
        || {
            let Full { patches, packed, planes, out, result, .. } = full;
            let walk = patches.walk();
            let result = &mut result[..walk.positions() * V::LANES];
            let area = planes.len() / walk.channels;
            for (row, result) in result.chunks_exact_mut(MR * V::LANES).enumerate() {
                let live = patches.live_taps(row);
                let mut c = [[[V::splat(simd, V::Element::ZERO); 1]; MR]; 1];
                let weights = packed.chunks_exact(walk.rows * K * V::LANES);
                for (plane, weights) in planes.chunks_exact(area).zip(weights) {
                    for i in live.clone() {
                        let line = &plane[(row - i) * (MR + 1 - K)..][..MR + 1 - K];
                        let weights = &weights[i * K * V::LANES..][..K * V::LANES];
                        for j in 0..K {
                            let w = V::load(simd, &weights[j * V::LANES..]);
                            for p in 0..MR + 1 - K {
                                c[0][p + j][0] = V::splat(simd, line[p]).mul_add(w, c[0][p + j][0]);
                            }
                        }
                    }
                }
                tile::store(c, result);
            }
            tile::turn_from::<S, V>((level, simd), (result, V::LANES), 0, (out, walk.positions()));
            !has_negative_zero(level, result)
        },
    )
}
