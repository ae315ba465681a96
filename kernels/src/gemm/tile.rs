//! A tile of C in registers: from C or +0.0, through k, and back to C.
//!
//! ```text
//! for p in 0..k                      b[p]:  | v0 | v1 | v2 |     NV registers of B
//!   for i in 0..MR                 a[0,p]:  | c00| c01| c02|     broadcast a[i,p], then
//!     for v in 0..NV               a[1,p]:  | c10| c11| c12|     c[i,v] = fma(a[i,p], b[p,v], c[i,v])
//! ```
//!
//! A fused multiply-add takes about four cycles and one or two start in each, so at least four or eight
//! chains must be under way; MR * NV of them are. Every element of C is one chain (N2):
//! the accumulators start from C or +0.0 and nothing is ever summed across lanes or tiles.

use std::hint::black_box;
use std::mem::MaybeUninit;

use super::Start;
use super::epilogue::Bias;
use crate::Element;
use crate::simd::Vector;

/// The mask of the last of NV registers, where `cols` columns cut it short.
#[inline(always)]
pub(super) fn last_register<V: Vector, const NV: usize>(simd: V::Simd, cols: usize) -> Option<V::Mask> {
    let before = (NV - 1) * V::LANES;
    assert!(cols > before);
    // A masked load or store costs a multiply-add or more, so that it is kept for where it is needed.
    if cols - before < V::LANES { Some(V::mask(simd, cols - before)) } else { None }
}

/// Counts and strides of the tiles of a strip.
#[derive(Clone, Copy)]
pub(super) struct Steps {
    pub(super) start: Start,
    pub(super) k: usize,
    pub(super) tiles: usize,
    pub(super) a_lane: usize,
    pub(super) a_rows: Rows,
    pub(super) a_step: usize,
    pub(super) b_step: usize,
    pub(super) c_stride: usize,
    pub(super) c_step: usize,
}

/// How many bytes the rows of a tile lie apart: 1, 3, 5, 7, 9 and 11 times a stride, from which an address is made of
/// a register and a shift.
///
/// The compiler must not see that they are multiples of one another. It would save registers and find each row by
/// adding the stride to the row before, a chain of additions that takes as long as the multiply-adds.
#[derive(Clone, Copy)]
pub(super) struct Rows([usize; 6]);

impl Rows {
    #[inline(always)]
    pub(super) fn new<const MR: usize>(stride: usize) -> Self {
        let mut odd = [0; 6];
        for (i, bytes) in odd.iter_mut().enumerate().take(MR / 2) {
            *bytes = black_box((2 * i + 1) * stride);
        }
        Self(odd)
    }

    #[inline(always)]
    fn offset(&self, row: usize) -> usize {
        match row {
            0 => 0,
            row => self.0[(row >> row.trailing_zeros()) / 2] << row.trailing_zeros(),
        }
    }
}

/// Where a tile begins, and on its way through k where it is.
#[derive(Clone, Copy)]
pub(super) struct Place<T> {
    pub(super) a: *const T,
    pub(super) b: *const T,
    pub(super) c: *mut T,
}

impl<T> Place<T> {
    /// The tile below.
    #[inline(always)]
    pub(super) fn below<const MR: usize>(self, steps: Steps) -> Self {
        let (a, c) = (self.a.wrapping_add(MR * steps.a_lane), self.c.wrapping_add(MR * steps.c_stride));
        Self { a, c, ..self }
    }
}

/// The accumulators of a tile, from C or +0.0.
///
/// # Safety
/// In MR rows of C the elements of NV registers, or as many as the mask tells, must be readable.
#[inline(always)]
pub(super) unsafe fn begin<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    steps: Steps,
    c: *const V::Element,
    last: Option<V::Mask>,
) -> [[V; NV]; MR] {
    let mut sums = [[V::splat(simd, V::Element::ZERO); NV]; MR];
    if steps.start == Start::Old {
        for (i, row) in sums.iter_mut().enumerate() {
            // SAFETY: the caller promises the elements of the row.
            *row = unsafe { load_row(simd, c.wrapping_add(i * steps.c_stride), last) };
        }
    }
    sums
}

/// Continues the chains of a tile over `n` steps of k, and leaves a copy of B if there is a place for it.
///
/// # Safety
/// For every step MR elements of A must be readable, and of B NV registers or as much as the mask tells; NV
/// registers must be writable at the copy.
#[inline(always)]
pub(super) unsafe fn multiply<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    n: usize,
    steps: Steps,
    at: &mut Place<V::Element>,
    last: Option<V::Mask>,
    mut copy: Option<&mut *mut V::Element>,
    sums: &mut [[V; NV]; MR],
) {
    for _ in 0..n {
        // SAFETY: the caller promises the elements of B.
        let b_row: [V; NV] = unsafe { load_row(simd, at.b, last) };
        if let Some(copy) = &mut copy {
            // SAFETY: the caller promises room for NV registers.
            unsafe { store_row(b_row, **copy, None) };
            **copy = copy.wrapping_add(NV * V::LANES);
        }
        for (i, row) in sums.iter_mut().enumerate() {
            // SAFETY: the caller promises the elements of A.
            let x = V::splat(simd, unsafe { at.a.byte_add(steps.a_rows.offset(i)).read() });
            for v in 0..NV {
                row[v] = x.mul_add(b_row[v], row[v]);
            }
        }
        at.a = at.a.wrapping_add(steps.a_step);
        at.b = at.b.wrapping_add(steps.b_step);
    }
}

/// Adds the bias to the elements of a tile.
///
/// # Safety
/// It must reach over MR rows of NV registers, or of as many columns as the mask tells.
#[inline(always)]
pub(super) unsafe fn add_to_tile<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    bias: Bias<'_, V::Element>,
    last: Option<V::Mask>,
    sums: &mut [[V; NV]; MR],
) {
    match bias {
        Bias::None => {}
        Bias::OfRows(bias) => {
            for (row, &x) in sums.iter_mut().zip(bias) {
                let x = V::splat(simd, x);
                for sum in row {
                    *sum = *sum + x;
                }
            }
        }
        Bias::OfColumns(bias) => {
            // SAFETY: the caller promises the values of the columns.
            let xs: [V; NV] = unsafe { load_row(simd, bias.as_ptr(), last) };
            for row in sums {
                for v in 0..NV {
                    row[v] = row[v] + xs[v];
                }
            }
        }
    }
}

/// Stores the accumulators of a tile.
///
/// # Safety
/// In MR rows of C the elements of NV registers, or as many as the mask tells, must be writable.
#[inline(always)]
pub(super) unsafe fn end<V: Vector, const MR: usize, const NV: usize>(
    sums: [[V; NV]; MR],
    steps: Steps,
    c: *mut V::Element,
    last: Option<V::Mask>,
) {
    for (i, row) in sums.into_iter().enumerate() {
        // SAFETY: the caller promises the elements of the row.
        unsafe { store_row(row, c.wrapping_add(i * steps.c_stride), last) };
    }
}

/// Stores the accumulators of a tile whose columns, `steps.c_step` apart, are contiguous: at most `cols` of them.
///
/// # Safety
/// In so many columns of C, MR elements must be writable.
#[inline(always)]
pub(super) unsafe fn end_turned<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    sums: [[V; NV]; MR],
    cols: usize,
    steps: Steps,
    c: *mut V::Element,
) {
    let mut block = [MaybeUninit::<Block<V::Element>>::uninit(); 2];
    let [rows, columns] = block.each_mut().map(|block| block.as_mut_ptr().cast::<V::Element>());
    for i in (0..MR).step_by(V::LANES) {
        let height = if MR - i < V::LANES { MR - i } else { V::LANES };
        // SAFETY: a block has room for LANES registers, and the caller promises the elements of C.
        unsafe {
            for (at, row) in sums[i..i + height].iter().enumerate() {
                row[0].store_to(rows.add(at * V::LANES));
            }
            V::transpose(simd, (rows, V::LANES), height, (columns, V::LANES));
            let mask = V::mask(simd, height);
            for j in 0..V::LANES {
                if j < cols {
                    let column = V::load_from(simd, columns.add(j * V::LANES));
                    column.store_masked(c.add(i + j * steps.c_step), mask);
                }
            }
        }
    }
}

/// Room for LANES registers, in whole cache lines.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Block<T>(#[allow(dead_code)] [T; 256]);

/// NV registers from `source`, the last one through the mask if there is one.
///
/// # Safety
/// The elements of NV registers, or as many as the mask tells, must be readable.
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

/// NV registers to `target`, the last one through the mask if there is one.
///
/// # Safety
/// The elements of NV registers, or as many as the mask tells, must be writable.
#[inline(always)]
unsafe fn store_row<V: Vector, const NV: usize>(
    row: [V; NV],
    target: *mut V::Element,
    last: Option<V::Mask>,
) {
    for (v, x) in row.into_iter().enumerate() {
        let to = target.wrapping_add(v * V::LANES);
        match last {
            // SAFETY: the caller promises the elements of the mask.
            Some(mask) if v == NV - 1 => unsafe { x.store_masked(to, mask) },
            // SAFETY: the caller promises the elements of this register.
            _ => unsafe { x.store_to(to) },
        }
    }
}
