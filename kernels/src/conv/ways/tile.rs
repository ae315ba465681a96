//! The register tile with filters in the lanes, behind all three passes:
//!
//! ```text
//! C[row][filter] += sum over k of A(row, k) B[k][filter]
//!
//! for each k                                    in three nested loops
//!   b[v] = B[k][v * LANES ..]                   NV registers, contiguous
//!   for each row                                A(row, k): one value, in every lane
//!     for v in 0..NV   c[row][v] = fma(A(row, k), b[v], c[row][v])
//! ```
//!
//! | pass | a row is | k runs over | B is |
//! |---|---|---|---|
//! | forward, input gradient (`filter_lanes.rs`) | a position of the map | the taps | the weights |
//! | weight gradient (`weight_tiles.rs`) | a tap | the positions of the map | the output gradient |
//!
//! A is never made: A(row, k) is read where the framed planes hold it. No lane is lost at the end of a map's rows,
//! whatever their width, and a row of C is one chain over k in its order (N2, N3).

use crate::simd::{Simd, Vector};
use crate::{Element, Level};

/// Whether convolutions have tiles of their own at a level: f32 where there are vectors. Elsewhere they are matrix
/// products of copied columns, with the same bits and a tenth of the machine code.
pub(super) const fn exists<T: Element, S: Simd>() -> bool {
    !S::PLAIN && size_of::<T>() == size_of::<f32>()
}

/// [`exists`] at a level.
pub(super) fn exists_at<T: Element>(level: Level) -> bool {
    !level.is_plain() && size_of::<T>() == size_of::<f32>()
}

/// Whether V is a register of half the width that S has: all filters fit one.
pub(super) const fn is_half<S: Simd, V: Vector>() -> bool {
    V::LANES < <V::Element as Element>::Vector::<S>::LANES
}

/// How k runs: three nested loops, the outermost first, and the stride of each in A. In B the k of the two inner loops
/// lie one after the other, those of the outermost `b_stride` values apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct KLoops {
    pub(super) counts: [usize; 3],
    /// Where the rows of A begin.
    pub(super) start: usize,
    pub(super) a_strides: [isize; 3],
    pub(super) b_stride: usize,
}

/// The chains of ROWS x COLS rows, which begin with `c`: the rows (r, s) read `rows[r][at + s]`, where `at`
/// moves with k. `b` is [k, NV registers].
#[inline(always)]
pub(super) fn multiply<V: Vector, const ROWS: usize, const COLS: usize, const NV: usize>(
    simd: V::Simd,
    loops: &KLoops,
    rows: [&[V::Element]; ROWS],
    b: &[V::Element],
    mut c: [[[V; NV]; COLS]; ROWS],
) -> [[[V; NV]; COLS]; ROWS] {
    let width = NV * V::LANES;
    let [outer, middle, inner] = loops.counts;
    let (mut outer_at, mut outer_b) = (loops.start, 0);
    for _ in 0..outer {
        let (mut middle_at, mut k) = (outer_at, outer_b);
        for _ in 0..middle {
            let mut at = middle_at;
            for _ in 0..inner {
                let b = &b[k..k + width];
                let b: [V; NV] = std::array::from_fn(
                    #[inline(always)]
                    |v| V::load(simd, &b[v * V::LANES..]),
                );
                for r in 0..ROWS {
                    let a = &rows[r][at..at + COLS];
                    for s in 0..COLS {
                        let a = V::splat(simd, a[s]);
                        for v in 0..NV {
                            c[r][s][v] = a.mul_add(b[v], c[r][s][v]);
                        }
                    }
                }
                at = at.wrapping_add_signed(loops.a_strides[2]);
                k += width;
            }
            middle_at = middle_at.wrapping_add_signed(loops.a_strides[1]);
        }
        outer_at = outer_at.wrapping_add_signed(loops.a_strides[0]);
        outer_b += loops.b_stride;
    }
    c
}

/// ROWS x COLS rows of C, contiguous.
#[inline(always)]
pub(super) fn load<V: Vector, const ROWS: usize, const COLS: usize, const NV: usize>(
    simd: V::Simd,
    c: &[V::Element],
) -> [[[V; NV]; COLS]; ROWS] {
    let mut tile = [[[V::splat(simd, V::Element::ZERO); NV]; COLS]; ROWS];
    let c = &c[..ROWS * COLS * NV * V::LANES];
    for r in 0..ROWS {
        for s in 0..COLS {
            for v in 0..NV {
                tile[r][s][v] = V::load(simd, &c[((r * COLS + s) * NV + v) * V::LANES..]);
            }
        }
    }
    tile
}

/// The opposite of [`load`].
#[inline(always)]
pub(super) fn store<V: Vector, const ROWS: usize, const COLS: usize, const NV: usize>(
    tile: [[[V; NV]; COLS]; ROWS],
    c: &mut [V::Element],
) {
    let c = &mut c[..ROWS * COLS * NV * V::LANES];
    for r in 0..ROWS {
        for s in 0..COLS {
            for v in 0..NV {
                tile[r][s][v].store(&mut c[((r * COLS + s) * NV + v) * V::LANES..]);
            }
        }
    }
}
