//! What a micro-kernel asks of a vector register.

use std::ops::Add;

use super::Simd;
use crate::Element;

/// One vector register of `LANES` elements.
///
/// A value can only be made through the token of its instruction set, so having one proves that
/// the CPU can run its methods. All of them are `#[inline(always)]`, to be compiled inside
/// [`Simd::vectorize`].
pub trait Vector: Copy + Add<Output = Self> {
    /// `f32` or `f64`.
    type Element: Element;
    /// The instruction set.
    type Simd: Simd;
    /// Which lanes a partial load or store touches.
    type Mask: Copy;
    /// Elements per register.
    const LANES: usize;

    /// `x` in every lane.
    fn splat(simd: Self::Simd, x: Self::Element) -> Self;

    /// `self * b + c` with one rounding per lane (N1).
    #[must_use]
    fn mul_add(self, b: Self, c: Self) -> Self;

    /// The lanes of `by` where those of `self` are below zero; a NaN is not (N7).
    #[must_use]
    fn replace_negative(self, by: Self) -> Self;

    /// The mask of the first `len` lanes; all of them if `len` is larger.
    fn mask(simd: Self::Simd, len: usize) -> Self::Mask;

    /// The `LANES` elements at `source`.
    ///
    /// # Safety
    /// They must be readable.
    unsafe fn load_from(simd: Self::Simd, source: *const Self::Element) -> Self;

    /// The elements at `source` in the lanes of `mask`, +0.0 in the others.
    ///
    /// # Safety
    /// The elements of the mask must be readable.
    unsafe fn load_masked(simd: Self::Simd, source: *const Self::Element, mask: Self::Mask) -> Self;

    /// Writes `LANES` elements at `target`.
    ///
    /// # Safety
    /// They must be writable.
    unsafe fn store_to(self, target: *mut Self::Element);

    /// Writes the lanes of `mask` at `target`.
    ///
    /// # Safety
    /// The elements of the mask must be writable.
    unsafe fn store_masked(self, target: *mut Self::Element, mask: Self::Mask);

    /// Transposes a block: element p of column j, at `source + j * stride + p`, goes to `target + p * pitch + j`, for
    /// p below `LANES` and j below `columns`, which is at most `LANES`. What is written right of the last column, up
    /// to `LANES`, is +0.0.
    ///
    /// # Safety
    /// `LANES` elements of every column must be readable, and `LANES` at `target + p * pitch` writable.
    #[inline(always)]
    unsafe fn transpose(
        simd: Self::Simd,
        (source, stride): (*const Self::Element, usize),
        columns: usize,
        (target, pitch): (*mut Self::Element, usize),
    ) {
        let _ = simd;
        for p in 0..Self::LANES {
            for j in 0..Self::LANES {
                // SAFETY: column j is readable if there is one, and the row of the target is writable.
                unsafe {
                    let x = if j < columns { source.add(j * stride + p).read() } else { Self::Element::ZERO };
                    target.add(p * pitch + j).write(x);
                }
            }
        }
    }

    /// [`Vector::transpose`] from and to slices.
    ///
    /// # Panics
    /// If one of them is too short.
    #[inline(always)]
    fn transpose_block(
        simd: Self::Simd,
        (source, stride): (&[Self::Element], usize),
        columns: usize,
        (target, pitch): (&mut [Self::Element], usize),
    ) {
        assert!(columns > 0 && columns <= Self::LANES);
        assert!(source.len() >= (columns - 1) * stride + Self::LANES);
        assert!(target.len() >= (Self::LANES - 1) * pitch + Self::LANES);
        // SAFETY: both slices are as long as the block needs, as just asserted.
        unsafe { Self::transpose(simd, (source.as_ptr(), stride), columns, (target.as_mut_ptr(), pitch)) }
    }

    /// Lanes 0, 2, 4, ... of `self` and then of `next`, and lanes 1, 3, 5, ... of both.
    #[must_use]
    fn deinterleave(self, next: Self) -> (Self, Self);

    /// The inverse of [`Vector::deinterleave`]: the lanes of `self` and `odd` by turns, in two registers.
    #[must_use]
    fn interleave(self, odd: Self) -> (Self, Self);

    /// Asks for a register's worth of elements to be brought to the nearest cache. Any address
    /// will do, and a level without such an instruction does nothing.
    #[inline(always)]
    fn prefetch(_: Self::Simd, _: *const Self::Element) {}

    /// As [`Vector::prefetch`], but to the level-2 cache, for which many more lines can be under way.
    #[inline(always)]
    fn prefetch_far(_: Self::Simd, _: *const Self::Element) {}

    /// The first `LANES` elements of `source`.
    ///
    /// # Panics
    /// If there are fewer.
    #[inline(always)]
    fn load(simd: Self::Simd, source: &[Self::Element]) -> Self {
        assert!(source.len() >= Self::LANES);
        // SAFETY: the slice has at least LANES elements.
        unsafe { Self::load_from(simd, source.as_ptr()) }
    }

    /// The first `LANES` elements of `source`, +0.0 for what it lacks.
    #[inline(always)]
    fn load_partial(simd: Self::Simd, source: &[Self::Element]) -> Self {
        // SAFETY: the mask ends with the slice.
        unsafe { Self::load_masked(simd, source.as_ptr(), Self::mask(simd, source.len())) }
    }

    /// Writes all lanes to the front of `target`.
    ///
    /// # Panics
    /// If it has fewer elements.
    #[inline(always)]
    fn store(self, target: &mut [Self::Element]) {
        assert!(target.len() >= Self::LANES);
        // SAFETY: the slice has at least LANES elements.
        unsafe { self.store_to(target.as_mut_ptr()) }
    }

    /// Writes as many lanes as `target` has elements, and at most all, to its front.
    #[inline(always)]
    fn store_partial(self, simd: Self::Simd, target: &mut [Self::Element]) {
        // SAFETY: the mask ends with the slice.
        unsafe { self.store_masked(target.as_mut_ptr(), Self::mask(simd, target.len())) }
    }
}
