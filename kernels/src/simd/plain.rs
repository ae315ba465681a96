//! Plain Rust: with the CPU's own fused multiply-add, on a CPU without one, and the vectors of both, which are arrays.

use std::marker::PhantomData;
use std::ops::Add;

use super::vector::{counted_masks, load_front, store_front};
use super::{Simd, Vector};
use crate::Element;
use crate::math::accurate::Double;

/// The token of the scalar level: plain Rust on a CPU that has a fused multiply-add.
#[derive(Clone, Copy, Debug)]
pub struct Scalar(());

impl Scalar {
    /// The token, if this CPU fuses multiply and add: x86-64 since 2013, every 64-bit ARM CPU.
    pub fn detect() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        let found = is_x86_feature_detected!("fma");
        #[cfg(not(target_arch = "x86_64"))]
        let found = true;
        found.then_some(Self(()))
    }
}

impl Simd for Scalar {
    const PLAIN: bool = true;
    const REGISTERS: usize = 16;
    type F32 = Array<f32, Self, 8>;
    type F64 = Array<f64, Self, 4>;
    type Narrow = Self;

    // Without the feature `mul_add` is a call of the C library, a hundred times slower.
    #[cfg(target_arch = "x86_64")]
    vectorize_with!("fma");
}

impl Portable for Scalar {
    #[inline(always)]
    fn fuse<T: Element>(a: T, b: T, c: T) -> T {
        a.mul_add(b, c)
    }
}

/// The token of the emulated level, which every CPU has: correct bits, about thirty times slower. It is chosen only
/// where there is no other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Emulated(());

impl Emulated {
    /// The token.
    pub fn new() -> Self {
        Self(())
    }
}

impl Simd for Emulated {
    const PLAIN: bool = true;
    const REGISTERS: usize = 16;
    type F32 = Array<f32, Self, 4>;
    type F64 = Array<f64, Self, 2>;
    type Narrow = Self;

    /// Not inlined, so that a body is compiled once, as those of the other levels are.
    #[inline(never)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        f()
    }
}

impl Portable for Emulated {
    #[inline(always)]
    fn fuse<T: Element>(a: T, b: T, c: T) -> T {
        if size_of::<T>() == size_of::<f32>() {
            T::from_f64(fuse_in_f64(a.to_f64(), b.to_f64(), c.to_f64()))
        } else {
            a.mul_add(b, c) // a call of the C library, exact by IEEE 754
        }
    }
}

/// a b + c for values of f32, in f64, so that rounding the result to f32 rounds once: the product of two 24-bit
/// significands fits in 53 bits and is exact, and the sum is rounded to odd.
///
/// A call, not inlined: it is slow as it is, and would be most of the machine code of every kernel.
#[inline(never)]
fn fuse_in_f64(a: f64, b: f64, c: f64) -> f64 {
    Double::sum(a * b, c).to_odd()
}

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

    counted_masks!(S, T, load_front);

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
