//! The micro-kernel: a tile of C in registers, from C or +0.0, through k, and back to C.
//!
//! ```text
//! load C
//! for p in 0..k                      b[p]:  | v0 | v1 | v2 |     NV registers of B
//!   for i in 0..MR                 a[0,p]:  | c00| c01| c02|     broadcast a[i,p], then
//!     for v in 0..NV               a[1,p]:  | c10| c11| c12|     c[i,v] = fma(a[i,p], b[p,v], c[i,v])
//! store C
//! ```
//!
//! A fused multiply-add takes about four cycles and one or two start in each, so at least four or eight
//! accumulators must be under way; MR * NV of them are. Every element of C, a lane of an accumulator, is one
//! chain (N2): it starts from C or +0.0, and nothing is ever summed across lanes or tiles.
//!
//! Where the code departs from this idea:
//!
//! 1. **The edge.** Where C ends inside the last register, that one is loaded and stored through a mask. A masked load
//!    costs a multiply-add on Zen 4, so callers decide before the loop whether there is a mask.
//! 2. **A copy on the way.** The registers of B that have been loaded may be stored, one after the other: the packed B for
//!    the tiles below.
//! 3. **Prefetching.** Every eight steps of k some lines are prefetched that are read later.
//! 4. **Opaque row offsets** ([`RowOffsets`]), against a chain of additions that the compiler would make.
//! 5. **C with contiguous columns** ([`store_transposed`]), for a tile that starts from +0.0.

use std::hint::black_box;
use std::mem::MaybeUninit;

use super::output::{Bias, Start};
use super::prefetch::{self, Prefetcher};
use crate::Element;
use crate::simd::{Strided, Vector};

/// What the tiles of a strip have in common; strides in elements.
#[derive(Clone, Copy)]
pub(super) struct Geometry {
    pub(super) start: Start,
    pub(super) k: usize,
    pub(super) a_rows: RowOffsets,
    pub(super) a_row_stride: usize,
    pub(super) a_k_stride: usize,
    pub(super) b_k_stride: usize,
    pub(super) c_row_stride: usize,
    pub(super) c_col_stride: usize,
}

/// How many bytes row i of a tile lies below row 0: stored for odd i; for the others by doubling.
///
/// The compiler must not see that they are multiples of one another. It would save registers and find each row by
/// adding the stride to the row before, a chain of additions that takes as long as the multiply-adds.
#[derive(Clone, Copy)]
pub(super) struct RowOffsets([usize; 8]);

impl RowOffsets {
    #[inline(always)]
    pub(super) fn new<const MR: usize>(bytes: usize) -> Self {
        let mut odd = [0; 8];
        for (i, offset) in odd.iter_mut().enumerate().take(MR / 2) {
            *offset = black_box((2 * i + 1) * bytes);
        }
        Self(odd)
    }

    #[inline(always)]
    fn of(&self, row: usize) -> usize {
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
    /// Where the next row of B is copied to.
    pub(super) copy: Option<*mut T>,
}

impl<T> Place<T> {
    /// The tile below.
    #[inline(always)]
    pub(super) fn below<const MR: usize>(self, geometry: Geometry) -> Self {
        let (a, c) = (
            self.a.wrapping_add(MR * geometry.a_row_stride),
            self.c.wrapping_add(MR * geometry.c_row_stride),
        );
        Self { a, c, ..self }
    }
}

/// Where the columns of a tile end, inside its last register or with it.
#[derive(Clone, Copy)]
pub(super) struct Edge<M> {
    pub(super) cols: usize,
    /// The mask of B's last register, and of C's.
    pub(super) b: Option<M>,
    pub(super) c: Option<M>,
}

/// C[MR, NV registers] = C or +0.0, + A B + bias; `prefetch` is fetched on the way.
///
/// # Safety
/// For each of k steps MR elements of A must be readable, and of B NV registers or as much as its mask holds; MR rows of C must
/// be the caller's up to NV registers or the end of its mask, and the bias must reach as far. There must be room for k times
/// NV registers at the copy.
#[inline(always)]
pub(super) unsafe fn microkernel<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    geometry: Geometry,
    mut at: Place<V::Element>,
    edge: Edge<V::Mask>,
    bias: Bias<'_, V::Element>,
    mut prefetch: Option<&mut Prefetcher<V::Element>>,
) {
    let mut c = [[V::splat(simd, V::Element::ZERO); NV]; MR];
    if geometry.start == Start::Old {
        for (i, row) in c.iter_mut().enumerate() {
            // SAFETY: the caller promises the elements of the row.
            *row = unsafe { load_row(simd, at.c.wrapping_add(i * geometry.c_row_stride), edge.c) };
        }
    }
    // The compiler must not see how few the steps are: it would write the loop out eight times.
    let most = if prefetch.is_some() { black_box(prefetch::STEPS) } else { geometry.k };
    let mut left = geometry.k;
    while left > 0 {
        let steps = match &mut prefetch {
            None => left,
            Some(prefetch) => {
                prefetch.some::<V>(simd);
                if left < most { left } else { most }
            }
        };
        left -= steps;
        for _ in 0..steps {
            // SAFETY: the caller promises the elements of B.
            let b: [V; NV] = unsafe { load_row(simd, at.b, edge.b) };
            if let Some(copy) = &mut at.copy {
                // SAFETY: the caller promises room for NV registers.
                unsafe { store_row(b, *copy, None) };
                *copy = copy.wrapping_add(NV * V::LANES);
            }
            for (i, row) in c.iter_mut().enumerate() {
                // SAFETY: the caller promises the elements of A.
                let a = V::splat(simd, unsafe { at.a.wrapping_byte_add(geometry.a_rows.of(i)).read() });
                for v in 0..NV {
                    row[v] = a.mul_add(b[v], row[v]);
                }
            }
            at.a = at.a.wrapping_add(geometry.a_k_stride);
            at.b = at.b.wrapping_add(geometry.b_k_stride);
        }
    }
    // SAFETY: the caller promises the bias.
    unsafe { add_bias(simd, &mut c, bias, edge.c) };
    if NV == 1 && geometry.c_col_stride != 1 {
        // SAFETY: the caller promises the elements of C.
        return unsafe { store_transposed(simd, c, geometry, at.c, edge.cols) };
    }
    for (i, row) in c.into_iter().enumerate() {
        // SAFETY: the caller promises the elements of the row.
        unsafe { store_row(row, at.c.wrapping_add(i * geometry.c_row_stride), edge.c) };
    }
}

/// The epilogue.
///
/// # Safety
/// The bias must reach over MR rows of NV registers, or of as many columns as the mask holds.
#[inline(always)]
unsafe fn add_bias<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    c: &mut [[V; NV]; MR],
    bias: Bias<'_, V::Element>,
    edge: Option<V::Mask>,
) {
    match bias {
        Bias::None => {}
        Bias::OfRows(bias) => {
            for (i, row) in c.iter_mut().enumerate() {
                // SAFETY: the caller promises the values of the rows.
                let x = V::splat(simd, unsafe { bias.as_ptr().wrapping_add(i).read() });
                for c in row {
                    *c = *c + x;
                }
            }
        }
        Bias::OfColumns(bias) => {
            // SAFETY: the caller promises the values of the columns.
            let xs: [V; NV] = unsafe { load_row(simd, bias.as_ptr(), edge) };
            for row in c {
                for v in 0..NV {
                    row[v] = row[v] + xs[v];
                }
            }
        }
    }
}

/// Stores a tile of one register where C has contiguous columns: at most `cols` of them.
///
/// # Safety
/// In so many columns of C, MR elements must be writable.
#[inline(always)]
unsafe fn store_transposed<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    tile: [[V; NV]; MR],
    geometry: Geometry,
    c: *mut V::Element,
    cols: usize,
) {
    let mut blocks = [MaybeUninit::<Registers<V::Element>>::uninit(); 2];
    let [rows, columns] = blocks.each_mut().map(|block| block.as_mut_ptr().cast::<V::Element>());
    for (i, row) in tile.into_iter().enumerate() {
        // SAFETY: the block has room for MR registers.
        unsafe { row[0].store_to(rows.wrapping_add(i * V::LANES)) };
    }
    for i in (0..MR).step_by(V::LANES) {
        let height = if MR - i < V::LANES { MR - i } else { V::LANES };
        let from = Strided { data: rows.wrapping_add(i * V::LANES).cast_const(), stride: V::LANES };
        // SAFETY: both blocks have room for LANES registers from there on.
        unsafe { V::transpose(simd, from, height, Strided { data: columns, stride: V::LANES }) };
        let mask = V::mask(simd, height);
        for j in 0..V::LANES {
            if j < cols {
                // SAFETY: the block has LANES registers.
                let column = unsafe { V::load_from(simd, columns.wrapping_add(j * V::LANES)) };
                // SAFETY: the caller promises the elements of C.
                unsafe { column.store_masked(c.wrapping_add(i + j * geometry.c_col_stride), mask) };
            }
        }
    }
}

/// Room for 16 registers of the widest level, in whole cache lines.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Registers<T>([T; 256]);

/// NV registers from `source`, the last one through the mask if there is one.
///
/// # Safety
/// The elements of NV registers, or as many as the mask holds, must be readable.
#[inline(always)]
unsafe fn load_row<V: Vector, const NV: usize>(
    simd: V::Simd,
    source: *const V::Element,
    edge: Option<V::Mask>,
) -> [V; NV] {
    std::array::from_fn(
        #[inline(always)]
        |v| {
            let from = source.wrapping_add(v * V::LANES);
            match edge {
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
/// The elements of NV registers, or as many as the mask holds, must be writable.
#[inline(always)]
unsafe fn store_row<V: Vector, const NV: usize>(
    row: [V; NV],
    target: *mut V::Element,
    edge: Option<V::Mask>,
) {
    for (v, x) in row.into_iter().enumerate() {
        let to = target.wrapping_add(v * V::LANES);
        match edge {
            // SAFETY: the caller promises the elements of the mask.
            Some(mask) if v == NV - 1 => unsafe { x.store_masked(to, mask) },
            // SAFETY: the caller promises the elements of this register.
            _ => unsafe { x.store_to(to) },
        }
    }
}
