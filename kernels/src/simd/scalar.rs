//! Plain Rust with the CPU's own fused multiply-add.

use super::{Array, Portable, Simd};
use crate::Element;

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
    const NAME: &'static str = "scalar";
    const PLAIN: bool = true;
    const REGISTERS: usize = 16;
    type F32 = Array<f32, Self, 8>;
    type F64 = Array<f64, Self, 4>;
    type Narrow = Self;

    #[inline(always)]
    fn narrow(self) -> Self {
        self
    }

    // Without the feature `mul_add` is a call of the C library, a hundred times slower.
    #[cfg(target_arch = "x86_64")]
    vectorize_with!("fma");

    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        f()
    }
}

impl Portable for Scalar {
    #[inline(always)]
    fn fuse<T: Element>(a: T, b: T, c: T) -> T {
        a.mul_add(b, c)
    }
}
