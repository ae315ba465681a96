//! What a micro-kernel needs of a vector register.

use std::ops::Add;

use super::{MOST_LANES, Simd};
use crate::Element;

/// The rows or columns of a block: the first one is at `data`, each next one `stride` elements further.
#[derive(Clone, Copy, Debug)]
pub struct Strided<P> {
    /// A pointer or a slice.
    pub data: P,
    /// In elements.
    pub stride: usize,
}

impl<T> Strided<*mut T> {
    /// The same, to be read.
    #[inline(always)]
    pub(crate) fn cast_const(self) -> Strided<*const T> {
        Strided { data: self.data.cast_const(), stride: self.stride }
    }
}

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

    /// Transposes a block: element p of column j, at `from.data + j * from.stride + p`, goes to
    /// `to.data + p * to.stride + j`, for p below `LANES` and j below `columns`, which is at most `LANES`. What is
    /// written right of the last column, up to `LANES`, is +0.0.
    ///
    /// # Safety
    /// `LANES` elements of every column must be readable, and `LANES` at `to.data + p * to.stride` writable.
    #[inline(always)]
    unsafe fn transpose(
        _: Self::Simd,
        from: Strided<*const Self::Element>,
        columns: usize,
        to: Strided<*mut Self::Element>,
    ) {
        for p in 0..Self::LANES {
            for j in 0..Self::LANES {
                let source = from.data.wrapping_add(j * from.stride + p);
                let target = to.data.wrapping_add(p * to.stride + j);
                // SAFETY: the caller promises LANES elements of every column.
                let x = if j < columns { unsafe { source.read() } } else { Self::Element::ZERO };
                // SAFETY: the caller promises LANES elements of every row of the target.
                unsafe { target.write(x) };
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
        from: Strided<&[Self::Element]>,
        columns: usize,
        to: Strided<&mut [Self::Element]>,
    ) {
        assert!(columns > 0 && columns <= Self::LANES);
        assert!(from.data.len() >= (columns - 1) * from.stride + Self::LANES);
        assert!(to.data.len() >= (Self::LANES - 1) * to.stride + Self::LANES);
        let from = Strided { data: from.data.as_ptr(), stride: from.stride };
        let to = Strided { data: to.data.as_mut_ptr(), stride: to.stride };
        // SAFETY: both slices are as long as the block needs, as just asserted.
        unsafe { Self::transpose(simd, from, columns, to) }
    }

    /// Lanes 0, 2, 4, ... of `self` and then of `next`, and lanes 1, 3, 5, ... of both.
    #[must_use]
    fn deinterleave(self, next: Self) -> (Self, Self);

    /// The inverse of [`Vector::deinterleave`]: the lanes of `self` and `odd` alternate, in two registers.
    #[must_use]
    fn interleave(self, odd: Self) -> (Self, Self);

    /// Prefetches a register's worth of elements to L1. Any address will do, and a level without such an instruction
    /// does nothing.
    #[inline(always)]
    fn prefetch(_: Self::Simd, _: *const Self::Element) {}

    /// As [`Vector::prefetch`], but to L2, for which many more lines can be under way.
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

/// [`Vector::load_masked`] without such an instruction, for `len` lanes.
///
/// # Safety
/// `len` elements must be readable.
#[inline(always)]
pub(super) unsafe fn load_front<V: Vector>(simd: V::Simd, source: *const V::Element, len: usize) -> V {
    if len == V::LANES {
        // SAFETY: the caller promises them.
        return unsafe { V::load_from(simd, source) };
    }
    let mut lanes = [V::Element::ZERO; MOST_LANES];
    for (i, lane) in lanes.iter_mut().enumerate().take(len) {
        let source = source.wrapping_add(i);
        // SAFETY: the caller promises them.
        *lane = unsafe { source.read() };
    }
    V::load(simd, &lanes)
}

/// [`Vector::store_masked`] without such an instruction, for `len` lanes.
///
/// # Safety
/// `len` elements must be writable.
#[inline(always)]
pub(super) unsafe fn store_front<V: Vector>(x: V, target: *mut V::Element, len: usize) {
    if len == V::LANES {
        // SAFETY: the caller promises them.
        return unsafe { x.store_to(target) };
    }
    let mut lanes = [V::Element::ZERO; MOST_LANES];
    x.store(&mut lanes);
    for (i, lane) in lanes.into_iter().enumerate().take(len) {
        let target = target.wrapping_add(i);
        // SAFETY: the caller promises them.
        unsafe { target.write(lane) };
    }
}

/// The masks of a [`Vector`] without masked stores, or with slow ones: the number of lanes.
macro_rules! counted_masks {
    ($simd:ty, $element:ty, $load:path) => {
        /// The number of lanes.
        type Mask = usize;

        #[inline(always)]
        fn mask(_: $simd, len: usize) -> usize {
            if len < Self::LANES { len } else { Self::LANES }
        }
        #[inline(always)]
        unsafe fn load_masked(simd: $simd, source: *const $element, mask: usize) -> Self {
            // SAFETY: the token proves the instructions; the caller promises that the mask's elements are readable.
            unsafe { $load(simd, source, mask) }
        }
        #[inline(always)]
        unsafe fn store_masked(self, target: *mut $element, mask: usize) {
            // SAFETY: the caller promises that the mask's elements are writable.
            unsafe { store_front(self, target, mask) };
        }
    };
}
pub(super) use counted_masks;
