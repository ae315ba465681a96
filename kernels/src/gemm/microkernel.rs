//! The innermost loops: tiles of C below each other, each held in registers while k runs.
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
//!
//! The first tile of a panel of B can leave a copy of it behind while it multiplies: a tile has a
//! store to spare for every eight multiply-adds, so packing costs nothing but the room.

use super::Start;
use crate::simd::{Simd, Vector};
use crate::{Element, MatMut, MatRef};

/// Rows of A or columns of B: number i at the index p of the sum is `data[i * lane + p * step]`.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a, T> {
    pub(super) data: &'a [T],
    pub(super) lane: usize,
    pub(super) step: usize,
}

/// Tiles of one height below each other: `c` (+)= `a` `b`, with the k index running over `k` values.
pub(super) struct Strip<'a, T> {
    pub(super) start: Start,
    pub(super) k: usize,
    /// The strip's rows of A.
    pub(super) a: Operand<'a, T>,
    /// The strip's columns of B, which are contiguous. If masks are not free, whole registers of
    /// them must be readable, whatever stands right of the last column.
    pub(super) b: Operand<'a, T>,
    /// Where the first tile leaves a copy of B, [k] rows of whole registers; empty: nowhere.
    pub(super) copy: &'a mut [T],
    /// Whether C may have to come from memory.
    pub(super) far: bool,
    /// What will be read next.
    pub(super) ahead: &'a mut Ahead<T>,
    /// The strip of C, with contiguous columns.
    pub(super) c: MatMut<'a, T>,
}

/// Rows that will be read later and are asked for a few at a time, so that memory is never waited for.
///
/// The level-2 cache takes a row of some hundred bytes at a time, as memory likes to give it: panel by panel
/// the lines of a wide matrix would come from a thousand places.
pub(super) struct Ahead<T> {
    at: *const T,
    step: usize,
    lines: usize,
    rows: usize,
    /// Rows asked for at a time.
    burst: usize,
}

/// Steps of k between two requests.
const STEPS: usize = 16;

impl<T: Element> Ahead<T> {
    /// Nothing to ask for.
    pub(super) fn nothing() -> Self {
        Self { at: std::ptr::null(), step: 0, lines: 0, rows: 0, burst: 0 }
    }

    /// The rows of `next`, spread over `tiles` tiles of `k` steps.
    pub(super) fn of(next: MatRef<'_, T>, tiles: usize, k: usize) -> Self {
        let lines = (next.cols() * size_of::<T>()).div_ceil(64) + 1;
        let requests = (tiles * k.div_ceil(STEPS)).max(1);
        let burst = next.rows().div_ceil(requests);
        Self { at: next.data().as_ptr(), step: next.row_stride(), lines, rows: next.rows(), burst }
    }

    #[inline(always)]
    fn ask<V: Vector<Element = T>>(&mut self, simd: V::Simd) {
        let rows = if self.rows < self.burst { self.rows } else { self.burst };
        for _ in 0..rows {
            for line in 0..self.lines {
                V::prefetch(simd, self.at.wrapping_add(line * (64 / size_of::<T>())));
            }
            self.at = self.at.wrapping_add(self.step);
        }
        self.rows -= rows;
    }
}

/// A micro-kernel for tiles of one height and one width in registers.
pub(super) type MicroKernel<T, S> = fn(S, &mut Strip<'_, T>);

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
#[inline(always)]
pub(super) fn micro_kernel<T: Element, S: Simd>(rows: usize, vectors: usize) -> MicroKernel<T, S> {
    macro_rules! heights {
        ($vectors:literal, $($rows:literal)*) => {
            match rows {
                $($rows => compiled::<T, S, $rows, $vectors>,)*
                _ => unreachable!("no tile is {rows} rows high and {vectors} registers wide"),
            }
        };
    }
    // The condition is a constant of the level, so that the tiles of the other case are not compiled for it.
    if S::REGISTERS >= 32 {
        match vectors {
            1 => heights!(1, 1 2 3 4 5 6 7 8 9 10 11 12),
            2 => heights!(2, 1 2 3 4 5 6 7 8 9 10 11 12),
            _ => heights!(3, 1 2 3 4 5 6 7 8),
        }
    } else {
        match vectors {
            1 => heights!(1, 1 2 3 4 5 6 7 8 9 10 11 12),
            _ => heights!(2, 1 2 3 4 5 6),
        }
    }
}

/// [`run`] as a function of its own, compiled for the level.
fn compiled<T: Element, S: Simd, const MR: usize, const NV: usize>(simd: S, strip: &mut Strip<'_, T>) {
    simd.vectorize(
        #[inline(always)]
        || run::<T::Vector<S>, MR, NV>(simd, strip),
    );
}

#[inline(always)]
fn run<V: Vector, const MR: usize, const NV: usize>(simd: V::Simd, strip: &mut Strip<'_, V::Element>) {
    let Strip { start, k, a, b, .. } = *strip;
    let (rows, cols) = (strip.c.rows(), strip.c.cols());
    let full = (NV - 1) * V::LANES;
    assert!(rows >= MR && rows.is_multiple_of(MR) && cols > full && cols <= full + V::LANES);
    assert!(k > 0 && a.data.len() > (rows - 1) * a.lane + (k - 1) * a.step);
    let readable = if V::FREE_MASKS { cols } else { full + V::LANES };
    assert!(b.lane == 1 && b.data.len() >= (k - 1) * b.step + readable);
    let copying = !strip.copy.is_empty();
    assert!(!copying || strip.copy.len() >= k * NV * V::LANES);
    let last = V::mask(simd, cols - full);
    let last_of_b = V::FREE_MASKS.then_some(last);

    let c_stride = strip.c.row_stride();
    assert!(strip.c.col_stride() == 1 || cols == 1);
    let mut c_at = strip.c.as_mut_ptr();
    let mut a_of_tile = a.data.as_ptr();
    let (mut b_of_tile, mut b_step) = (b.data.as_ptr(), b.step);
    let mut copy_at = strip.copy.as_mut_ptr();
    for tile in 0..rows / MR {
        for i in 0..if strip.far { MR } else { 0 } {
            for v in 0..NV {
                V::prefetch(simd, c_at.wrapping_add(i * c_stride + v * V::LANES));
            }
        }
        let mut c = [[V::splat(simd, V::Element::ZERO); NV]; MR];
        if start == Start::Old {
            for (i, c_row) in c.iter_mut().enumerate() {
                // SAFETY: this row of the strip has `cols` elements, and the mask ends with them.
                *c_row = unsafe { load_row(simd, c_at.wrapping_add(i * c_stride), Some(last)) };
            }
        }
        let leaves_copy = copying && tile == 0;
        let (mut a_at, mut b_at) = (a_of_tile, b_of_tile);
        let mut left = k;
        while left > 0 {
            let steps = if left < STEPS { left } else { STEPS };
            strip.ahead.ask::<V>(simd);
            for _ in 0..steps {
                // SAFETY: b(p, 0..readable) lies inside B's slice or its whole copy, as asserted above.
                let b_row: [V; NV] = unsafe { load_row(simd, b_at, last_of_b) };
                if leaves_copy {
                    for (v, x) in b_row.iter().enumerate() {
                        // SAFETY: the copy has room for k rows of NV registers, as asserted above.
                        unsafe { x.store_to(copy_at.wrapping_add(v * V::LANES)) };
                    }
                    copy_at = copy_at.wrapping_add(NV * V::LANES);
                }
                for (i, c_row) in c.iter_mut().enumerate() {
                    // SAFETY: a(i, p) lies inside the slice, as asserted above.
                    let x = V::splat(simd, unsafe { a_at.add(i * a.lane).read() });
                    for v in 0..NV {
                        c_row[v] = x.mul_add(b_row[v], c_row[v]);
                    }
                }
                a_at = a_at.wrapping_add(a.step);
                b_at = b_at.wrapping_add(b_step);
            }
            left -= steps;
        }
        for (i, c_row) in c.into_iter().enumerate() {
            // SAFETY: the strip has this row of `cols` elements; the last register is masked.
            unsafe { store_row(c_row, c_at.wrapping_add(i * c_stride), last) };
        }
        if leaves_copy {
            (b_of_tile, b_step) = (strip.copy.as_ptr(), NV * V::LANES);
        }
        a_of_tile = a_of_tile.wrapping_add(MR * a.lane);
        c_at = c_at.wrapping_add(MR * c_stride);
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

/// NV registers to `target`, the last one through the mask.
///
/// # Safety
/// The elements of NV - 1 registers and of the mask must be writable.
#[inline(always)]
unsafe fn store_row<V: Vector, const NV: usize>(row: [V; NV], target: *mut V::Element, last: V::Mask) {
    for (v, x) in row.into_iter().enumerate() {
        let to = target.wrapping_add(v * V::LANES);
        if v < NV - 1 {
            // SAFETY: the caller promises the elements of this register.
            unsafe { x.store_to(to) };
        } else {
            // SAFETY: the caller promises the elements of the mask.
            unsafe { x.store_masked(to, last) };
        }
    }
}
