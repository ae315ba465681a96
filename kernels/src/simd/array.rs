//! A vector of plain Rust values, for the levels without intrinsics.

use std::marker::PhantomData;
use std::ops::Add;

use super::vector::{counted_masks, read_front, write_front};
use super::{Simd, Vector};
use crate::Element;

/// A level whose vectors are arrays.
pub trait Portable: Simd {
    /// a b + c with one rounding.
    fn fuse<T: Element>(a: T, b: T, c: T) -> T;
}

/// `N` elements that the compiler may keep in a register.
#[derive(Clone, Copy, Debug)]
pub struct Array<T, S, const N: usize> {
    lanes: [T; N],
    simd: PhantomData<S>,
}

impl<T, S, const N: usize> Array<T, S, N> {
    #[inline(always)]
    fn new(lanes: [T; N]) -> Self {
        Self { lanes, simd: PhantomData }
    }
}

impl<T: Element, S: Portable, const N: usize> Add for Array<T, S, N> {
    type Output = Self;

    #[inline(always)]
    fn add(mut self, other: Self) -> Self {
        for i in 0..N {
            self.lanes[i] += other.lanes[i];
        }
        self
    }
}

impl<T: Element, S: Portable, const N: usize> Vector for Array<T, S, N> {
    type Element = T;
    type Simd = S;
    const LANES: usize = N;

    counted_masks!(S, N, T);

    #[inline(always)]
    fn splat(_: S, x: T) -> Self {
        Self::new([x; N])
    }

    #[inline(always)]
    fn mul_add(mut self, b: Self, c: Self) -> Self {
        for i in 0..N {
            self.lanes[i] = S::fuse(self.lanes[i], b.lanes[i], c.lanes[i]);
        }
        self
    }

    #[inline(always)]
    fn replace_negative(mut self, by: Self) -> Self {
        for i in 0..N {
            if self.lanes[i] < T::ZERO {
                self.lanes[i] = by.lanes[i];
            }
        }
        self
    }

    #[inline(always)]
    fn deinterleave(self, next: Self) -> (Self, Self) {
        let lane = |i: usize| if i < N { self.lanes[i] } else { next.lanes[i - N] };
        let every_second = |first| Self::new(std::array::from_fn(|i| lane(2 * i + first)));
        (every_second(0), every_second(1))
    }

    #[inline(always)]
    fn interleave(self, odd: Self) -> (Self, Self) {
        let lane = |i: usize| if i.is_multiple_of(2) { self.lanes[i / 2] } else { odd.lanes[i / 2] };
        let from = |first| Self::new(std::array::from_fn(|i| lane(first + i)));
        (from(0), from(N))
    }

    #[inline(always)]
    unsafe fn load_from(_: S, source: *const T) -> Self {
        // SAFETY: the caller promises N readable elements.
        Self::new(unsafe { source.cast::<[T; N]>().read() })
    }

    #[inline(always)]
    unsafe fn store_to(self, target: *mut T) {
        // SAFETY: the caller promises N writable elements.
        unsafe { target.cast::<[T; N]>().write(self.lanes) };
    }
}
