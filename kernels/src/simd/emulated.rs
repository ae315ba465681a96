//! Plain Rust on a CPU without a fused multiply-add: correct bits, about thirty times slower.

#![forbid(unsafe_code)]

use super::{Array, Portable, Simd};
use crate::Element;

/// The token of the emulated level, which every CPU has. It is chosen only where there is no other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Emulated(());

impl Emulated {
    /// The token.
    pub fn new() -> Self {
        Self(())
    }
}

impl Simd for Emulated {
    const NAME: &'static str = "emulated";
    const PLAIN: bool = true;
    const REGISTERS: usize = 16;
    type F32 = Array<f32, Self, 4>;
    type F64 = Array<f64, Self, 2>;
    type Narrow = Self;

    #[inline(always)]
    fn narrow(self) -> Self {
        self
    }

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

/// a b + c for values of f32, in f64, so that rounding the result to f32 rounds once.
///
/// The product of two 24-bit significands fits in 53 bits: it is exact. TwoSum (Knuth, 1969)
/// gives the sum and its error; an inexact sum is rounded to odd (Boldo and Melquiond, 2008),
/// which keeps the trace of the error below the bits that f32 rounds to.
///
/// A call, not inlined: it is slow as it is, and would be most of the machine code of every kernel.
#[inline(never)]
fn fuse_in_f64(a: f64, b: f64, c: f64) -> f64 {
    let product = a * b;
    let sum = product + c;
    let c_part = sum - product;
    let error = (product - (sum - c_part)) + (c - c_part);
    let bits = sum.to_bits();
    let even = bits & 1 == 0;
    if error == 0.0 || !even || !sum.is_finite() {
        return sum;
    }
    let away_from_zero = (error > 0.0) == (sum > 0.0);
    f64::from_bits(if away_from_zero { bits + 1 } else { bits - 1 })
}
