//! The innermost loop: one tile of C held in registers while k runs.
//!
//! ```text
//! for p in 0..k                      b[p]:  | v0 | v1 | v2 |     NV registers of B
//!   for i in 0..MR                 a[0,p]:  | c00| c01| c02|     broadcast a[i,p], then
//!     for v in 0..NV               a[1,p]:  | c10| c11| c12|     c[i,v] = fma(a[i,p], b[p,v], c[i,v])
//! ```
//!
//! A fused multiply-add takes about four cycles and one or two start in each, so at least eight
//! chains must be under way; MR * NV of them are. Every element of C is one chain (N2):
//! the accumulators start from C or +0.0 and nothing is ever summed across lanes or tiles.

use super::Start;
use crate::simd::{Simd, Vector};
use crate::{Element, MatMut};

/// Rows of A or columns of B: number i at the index p of the sum is `data[i * lane + p * step]`.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a, T> {
    pub(super) data: &'a [T],
    pub(super) lane: usize,
    pub(super) step: usize,
}

/// One tile: `c` (+)= `a` `b`, with the k index running over `k` values.
pub(super) struct Tile<'a, T> {
    pub(super) start: Start,
    pub(super) k: usize,
    /// The tile's rows of A.
    pub(super) a: Operand<'a, T>,
    /// The tile's columns of B, which are contiguous. If masks are not free, whole registers of
    /// them must be readable, whatever stands right of the last column.
    pub(super) b: Operand<'a, T>,
    /// The tile of C, with contiguous columns.
    pub(super) c: MatMut<'a, T>,
}

/// A micro-kernel for tiles of one height and one width in registers.
pub(super) type MicroKernel<T, S> = fn(S, Tile<'_, T>);

/// The tallest tile that [`micro_kernel`] has, for a width of 1, 2 or 3 registers.
pub(super) const fn tallest(registers: usize, vectors: usize) -> usize {
    match (registers >= 32, vectors) {
        (true, 3) => 8,  // 24 accumulators + 3 of B + a broadcast, of 32
        (true, _) => 12, // 24 or 12
        (false, 2) => 6, // 12 accumulators + 2 of B + a broadcast, of 16
        (false, _) => 12,
    }
}

/// Elements of the largest tile: 12 rows of two registers of 16 f32.
pub(super) const LARGEST_TILE: usize = 8 * 3 * 16;

/// The widest tile in registers.
pub(super) const fn widest(registers: usize) -> usize {
    if registers >= 32 { 3 } else { 2 }
}

/// The micro-kernel for tiles of `rows` rows and `vectors` registers per row.
///
/// There is one for every height, so that no tile computes rows that are not there.
pub(super) fn micro_kernel<T: Element, S: Simd>(rows: usize, vectors: usize) -> MicroKernel<T, S> {
    macro_rules! heights {
        ($vectors:literal, $($rows:literal)*) => {
            match rows {
                $($rows => compiled::<T, S, $rows, $vectors>,)*
                _ => unreachable!("no tile is {rows} rows high and {vectors} registers wide"),
            }
        };
    }
    match vectors {
        1 => heights!(1, 1 2 3 4 5 6 7 8 9 10 11 12),
        2 => heights!(2, 1 2 3 4 5 6 7 8 9 10 11 12),
        _ => heights!(3, 1 2 3 4 5 6 7 8),
    }
}

/// [`run`] as a function of its own, compiled for the level.
fn compiled<T: Element, S: Simd, const MR: usize, const NV: usize>(simd: S, tile: Tile<'_, T>) {
    simd.vectorize(
        #[inline(always)]
        || run::<T::Vector<S>, MR, NV>(simd, tile),
    );
}

#[inline(always)]
fn run<V: Vector, const MR: usize, const NV: usize>(simd: V::Simd, mut tile: Tile<'_, V::Element>) {
    let Tile { start, k, a, b, .. } = tile;
    let cols = tile.c.cols();
    let full = (NV - 1) * V::LANES;
    assert!(tile.c.rows() == MR && cols > full && cols <= full + V::LANES);
    assert!(k > 0 && a.data.len() > (MR - 1) * a.lane + (k - 1) * a.step);
    let readable = if V::FREE_MASKS { cols } else { full + V::LANES };
    assert!(b.lane == 1 && b.data.len() >= (k - 1) * b.step + readable);
    let last = V::mask(simd, cols - full);
    let last_of_b = V::FREE_MASKS.then_some(last);

    let mut c = [[V::splat(simd, V::Element::ZERO); NV]; MR];
    if start == Start::Old {
        for (i, c_row) in c.iter_mut().enumerate() {
            // SAFETY: the row has `cols` elements, and the mask ends with them.
            *c_row = unsafe { load_row(simd, tile.c.row_mut(i).as_ptr(), Some(last)) };
        }
    }
    let (mut a_at, mut b_at) = (a.data.as_ptr(), b.data.as_ptr());
    for _ in 0..k {
        // SAFETY: b(p, 0..readable) lies inside the slice, as asserted above.
        let b_row: [V; NV] = unsafe { load_row(simd, b_at, last_of_b) };
        // The same row of the next panel, which B read in place would have to wait for.
        for v in 0..NV {
            V::prefetch(simd, b_at.wrapping_add((NV + v) * V::LANES));
        }
        for (i, c_row) in c.iter_mut().enumerate() {
            // SAFETY: a(i, p) lies inside the slice, as asserted above.
            let x = V::splat(simd, unsafe { a_at.add(i * a.lane).read() });
            for v in 0..NV {
                c_row[v] = x.mul_add(b_row[v], c_row[v]);
            }
        }
        a_at = a_at.wrapping_add(a.step);
        b_at = b_at.wrapping_add(b.step);
    }
    for (i, c_row) in c.into_iter().enumerate() {
        let row = tile.c.row_mut(i).as_mut_ptr();
        for (v, x) in c_row.into_iter().enumerate() {
            if v < NV - 1 {
                // SAFETY: the row has `cols` elements, and this register ends before the last one.
                unsafe { x.store_to(row.add(v * V::LANES)) };
            } else {
                // SAFETY: the mask ends with the row's `cols` elements.
                unsafe { x.store_masked(row.add(v * V::LANES), last) };
            }
        }
    }
}

/// NV registers from `source`, the last one through the mask if there is one.
///
/// # Safety
/// The elements of NV - 1 registers and of the mask, or else of NV registers, must be readable.
#[inline(always)]
unsafe fn load_row<V: Vector, const NV: usize>(
    simd: V::Simd,
    source: *const V::Element,
    last: Option<V::Mask>,
) -> [V; NV] {
    std::array::from_fn(
        #[inline(always)]
        |v| {
            let from = source.wrapping_add(v * V::LANES);
            match last {
                // SAFETY: the caller promises the elements of the mask.
                Some(mask) if v == NV - 1 => unsafe { V::load_masked(simd, from, mask) },
                // SAFETY: the caller promises the elements of this register.
                _ => unsafe { V::load_from(simd, from) },
            }
        },
    )
}
