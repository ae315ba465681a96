//! NEON (Advanced SIMD), which every 64-bit ARM CPU has.

use super::register::register;
use super::vector::{counted_masks, load_front, store_front};
use super::{Simd, Vector};

/// The token of NEON.
#[derive(Clone, Copy, Debug)]
pub struct Neon(());

impl Neon {
    /// The token, if this CPU has the instructions.
    pub fn detect() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }
}

impl Simd for Neon {
    const REGISTERS: usize = 32;
    type F32 = F32x4;
    type F64 = F64x2;
    type Narrow = Self;
}

macro_rules! vector {
    ($name:ident: $lanes:literal x $element:ident, $ops:ident) => {
        register! { $name: $lanes x $element, Neon, $ops,
            // NEON has no masked access.
            counted_masks!(Neon, $element, load_front);

            #[inline(always)]
            fn replace_negative(self, by: Self) -> Self {
                // SAFETY: a value exists, so a token did.
                let negative = unsafe { $ops::less_than_zero(self.0) };
                // SAFETY: a value exists, so a token did.
                Self(unsafe { $ops::select(negative, by.0, self.0) })
            }
        }
    };
}

vector!(F32x4: 4 x f32, f32x4);
vector!(F64x2: 2 x f64, f64x2);

/// What no single instruction does as the other levels' does.
macro_rules! composed {
    ($fma:ident, $even:ident, $odd:ident, $low:ident, $high:ident) => {
        /// NEON takes the addend first.
        #[target_feature(enable = "neon")]
        #[inline]
        pub(super) fn mul_add(a: Register, b: Register, c: Register) -> Register {
            $fma(c, a, b)
        }
        /// The even lanes of two registers, and the odd ones.
        #[target_feature(enable = "neon")]
        #[inline]
        pub(super) fn deinterleave(a: Register, b: Register) -> (Register, Register) {
            ($even(a, b), $odd(a, b))
        }
        /// The inverse of [`deinterleave`].
        #[target_feature(enable = "neon")]
        #[inline]
        pub(super) fn interleave(even: Register, odd: Register) -> (Register, Register) {
            ($low(even, odd), $high(even, odd))
        }
    };
}

/// The operations of [`F32x4`].
mod f32x4 {
    use std::arch::aarch64::*;
    pub(super) use std::arch::aarch64::{
        float32x4_t as Register, vaddq_f32 as add, vbslq_f32 as select, vcltzq_f32 as less_than_zero,
        vdupq_n_f32 as splat, vld1q_f32 as load, vst1q_f32 as store,
    };

    composed!(vfmaq_f32, vuzp1q_f32, vuzp2q_f32, vzip1q_f32, vzip2q_f32);
}

/// The operations of [`F64x2`].
mod f64x2 {
    use std::arch::aarch64::*;
    pub(super) use std::arch::aarch64::{
        float64x2_t as Register, vaddq_f64 as add, vbslq_f64 as select, vcltzq_f64 as less_than_zero,
        vdupq_n_f64 as splat, vld1q_f64 as load, vst1q_f64 as store,
    };

    composed!(vfmaq_f64, vuzp1q_f64, vuzp2q_f64, vzip1q_f64, vzip2q_f64);
}
