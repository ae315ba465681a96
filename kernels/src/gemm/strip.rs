//! Strips: tiles of one height below each other, each by the micro-kernel.
//!
//! ```text
//! for each MR rows of C, from top to bottom
//!   load the tile, continue its chains over all k, store it
//! ```
//!
//! Where the code departs from this idea:
//!
//! 1. **Two kernels.** [`near`] is for operands that the caches hold: it does nothing but multiply, column of tiles
//!    after column of tiles.
//!    [`far`] is for one micro-panel of a B that comes from memory, and does all of what follows.
//! 2. **Packing in passing.** The first tile of a micro-panel copies B for the tiles below while it multiplies: one store for
//!    eight multiply-adds is free, so packing costs memory and no time.
//! 3. **Prefetching.** The next micro-panel and the next tile of C are prefetched on the way.
//! 4. **An instance for every height and width**, so that no tile computes rows that are not there.
//! 5. **A loop for each kind of edge**, because a masked load costs a multiply-add.
//! 6. **The epilogue.** [`near`] adds a bias in registers, [`far`] in a second pass over the strip, while L1 holds it:
//!    inside its tiles the code for it would cost every product 2 %.

use super::microkernel::{Edge, Geometry, Place, RowOffsets, microkernel};
use super::output::{Bias, Output, Start};
use super::pack::MicroPanel;
use crate::simd::{Simd, Vector, vectorized};
use crate::{Element, MatRef};

/// Tiles of one height below each other.
pub(super) struct Strip<'a, T> {
    /// Its rows of A.
    pub(super) a: MatRef<'a, T>,
    /// Its rows of C: contiguous, as a rule. [`near`] also takes one tile with contiguous columns that starts from +0.0.
    pub(super) out: Output<'a, T>,
}

impl<T: Element> Strip<'_, T> {
    /// Checks once what the tiles rely on: rows of A, columns of B and all of C lie where they may be touched.
    #[inline(always)]
    fn geometry<const MR: usize>(&self, b: &MatRef<'_, T>) -> Geometry {
        let (a, c) = (&self.a, &self.out.c);
        let (rows, cols, k) = (c.rows(), c.cols(), a.cols());
        assert!(rows > 0 && rows.is_multiple_of(MR) && cols > 0 && k > 0);
        assert!(a.rows() == rows && b.rows() == k && b.cols() >= cols && b.col_stride() == 1);
        assert!(self.out.bias.covers(rows, cols));
        Geometry {
            start: self.out.start,
            k,
            a_rows: RowOffsets::new::<MR>(a.row_stride() * size_of::<T>()),
            a_row_stride: a.row_stride(),
            a_k_stride: a.col_stride(),
            b_k_stride: b.row_stride(),
            c_row_stride: c.row_stride(),
            c_col_stride: if cols == 1 { 1 } else { c.col_stride() },
        }
    }
}

/// [`near`] for one height and one width in registers.
pub(super) type Near<T, S> = fn(S, Strip<'_, T>, MatRef<'_, T>);
/// [`far`] for one height and one width in registers.
pub(super) type Far<T, S> = fn(S, Strip<'_, T>, &mut MicroPanel<'_, T>);

/// The tallest tile of a width of 1, 2 or 3 registers.
pub(super) const fn tallest<S: Simd>(vectors: usize) -> usize {
    match (S::PLAIN, S::REGISTERS >= 32, vectors) {
        (true, ..) => 4,
        (_, true, 3) => 8,  // 24 accumulators + 3 of B + a broadcast, of 32
        (_, true, 2) => 12, // 24
        (_, true, _) => 16, // 16: as many strides of A as there are registers for addresses
        (_, false, 2) => 6, // 12 accumulators + 2 of B + a broadcast, of 16
        (_, false, _) => 12,
    }
}

/// The widest tile, in registers.
pub(super) const fn widest<S: Simd>() -> usize {
    match (S::PLAIN, S::REGISTERS >= 32) {
        (true, _) => 1,
        (_, true) => 3,
        (_, false) => 2,
    }
}

/// Picks the instance of a kernel for `rows` rows and `vectors` registers per row.
macro_rules! instance {
    ($kernel:ident, $rows:ident, $vectors:ident, $($width:literal: $($height:literal)*;)*) => {
        match ($vectors, $rows) {
            $($(($width, $height) => $kernel::<T, S, $height, $width>,)*)*
            _ => unreachable!("no tile is {} rows high and {} registers wide", $rows, $vectors),
        }
    };
}

/// The instance of [`near`]. The conditions are evaluated when it is compiled (`const`), so that a level has no tiles of
/// others.
#[inline(always)]
pub(super) fn near_kernel<T: Element, S: Simd>(rows: usize, vectors: usize) -> Near<T, S> {
    if const { S::REGISTERS >= 32 } {
        instance!(near, rows, vectors,
            
            1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; 2: 1 2 3 4 5 6 7 8 9 10 11 12; 3: 1 2 3 4 5 6 7 8;)
    } else {
        instance!(near, rows, vectors, 1: 1 2 3 4 5 6 7 8 9 10 11 12; 2: 1 2 3 4 5 6;)
    }
}

/// The instance of [`far`].
#[inline(always)]
pub(super) fn far_kernel<T: Element, S: Simd>(rows: usize, vectors: usize) -> Far<T, S> {
    if const { S::PLAIN } {
        instance!(far, rows, vectors, 1: 1 2 3 4;)
    } else if const { S::REGISTERS >= 32 } {
        instance!(far, rows, vectors,
            1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; 2: 1 2 3 4 5 6 7 8 9 10 11 12; 3: 1 2 3 4 5 6 7 8;)
    } else {
        instance!(far, rows, vectors, 1: 1 2 3 4 5 6 7 8 9 10 11 12; 2: 1 2 3 4 5 6;)
    }
}

/// Where `cols` columns end in NV registers.
#[inline(always)]
fn edge<V: Vector, const NV: usize>(simd: V::Simd, cols: usize) -> Edge<V::Mask> {
    let before = (NV - 1) * V::LANES;
    assert!(cols > before);
    let mask = if cols - before < V::LANES { Some(V::mask(simd, cols - before)) } else { None };
    Edge { cols, b: mask, c: mask }
}

/// A strip over all columns of C, a column of tiles after the other; the last one may be cut short.
fn near<T: Element, S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    mut strip: Strip<'_, T>,
    b: MatRef<'_, T>,
) {
    vectorized!(simd, {
        let geometry = strip.geometry::<MR>(&b);
        let Output { c, start, bias } = &mut strip.out;
        let transposed = NV == 1 && c.row_stride() == 1 && c.rows() == MR && *start == Start::Zero;
        assert!(geometry.c_col_stride == 1 || transposed);
        let width = NV * T::Vector::<S>::LANES;
        let (mut left, mut top) = (c.cols(), c.as_mut_ptr());
        let mut at = Place { a: strip.a.data().as_ptr(), b: b.data().as_ptr(), c: top, copy: None };
        while left > 0 {
            let edge = edge::<T::Vector<S>, NV>(simd, left);
            let whole = Edge { b: None, c: None, ..edge };
            for tile in 0..c.rows() / MR {
                let bias = bias.submatrix(tile * MR, c.cols() - left);
                // SAFETY: `Strip::geometry` has checked that all that the tiles of the strip touch is theirs.
                unsafe {
                    match edge.c {
                        None => microkernel::<T::Vector<S>, MR, NV>(simd, geometry, at, whole, bias, None),
                        Some(_) => microkernel::<T::Vector<S>, MR, NV>(simd, geometry, at, edge, bias, None),
                    }
                }
                at = at.below::<MR>(geometry);
            }
            left = left.saturating_sub(width);
            top = top.wrapping_add(width * geometry.c_col_stride);
            at = Place { a: strip.a.data().as_ptr(), b: at.b.wrapping_add(width), c: top, ..at };
        }
    });
}

/// One micro-panel of NV registers, the last of them cut short or not.
fn far<T: Element, S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    mut strip: Strip<'_, T>,
    b: &mut MicroPanel<'_, T>,
) {
    vectorized!(simd, {
        let width = NV * T::Vector::<S>::LANES;
        let source = b.operand(width);
        let mut geometry = strip.geometry::<MR>(&source);
        assert!(strip.out.c.cols() <= width && geometry.c_col_stride == 1);
        let mut edge = edge::<T::Vector<S>, NV>(simd, strip.out.c.cols());
        edge.b = if source.cols() == width { None } else { edge.c };
        let (tiles, c) = (strip.out.c.rows() / MR, strip.out.c.as_mut_ptr());
        let mut at = Place { a: strip.a.data().as_ptr(), b: source.data().as_ptr(), c, copy: None };
        let mut copy = b.begin_copy(width);
        for tile in 0..tiles {
            let below = at.below::<MR>(geometry);
            let next_c = if tile + 1 < tiles { below.c.cast_const() } else { b.next_c };
            prefetch_tile::<T::Vector<S>, MR, NV>(simd, geometry, next_c);
            // SAFETY: `Strip::geometry` has checked that all that the tiles of the strip touch is theirs, and the
            // copy has room for k rows of NV registers.
            unsafe {
                let far_tile = microkernel::<T::Vector<S>, MR, NV>;
                let (no_copy, no_mask) = (Place { copy: None, ..at }, Edge { b: None, ..edge });
                let (to_copy, ahead) = (|to| Place { copy: Some(to), ..at }, Some(&mut b.prefetch));
                match (edge.b, copy) {
                    (None, None) => far_tile(simd, geometry, no_copy, no_mask, Bias::None, ahead),
                    (Some(_), None) => far_tile(simd, geometry, no_copy, edge, Bias::None, ahead),
                    (None, Some(to)) => far_tile(simd, geometry, to_copy(to), no_mask, Bias::None, ahead),
                    (Some(_), Some(to)) => far_tile(simd, geometry, to_copy(to), edge, Bias::None, ahead),
                }
            }
            at = below;
            if let Some(copy) = copy.take() {
                // The tiles below read the copy, whose registers are whole.
                at.b = copy;
                geometry.b_k_stride = width;
                edge.b = None;
            }
        }
        strip.out.add_bias(simd);
    });
}

/// Prefetches the registers of a tile of C.
#[inline(always)]
fn prefetch_tile<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    geometry: Geometry,
    c: *const V::Element,
) {
    for i in 0..MR {
        for v in 0..NV {
            V::prefetch(simd, c.wrapping_add(i * geometry.c_row_stride + v * V::LANES));
        }
    }
}
