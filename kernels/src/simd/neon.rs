//! NEON (Advanced SIMD), which every 64-bit ARM CPU has.

use std::arch::aarch64::*;
use std::ops::Add;

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
    const NAME: &'static str = "neon";
    const REGISTERS: usize = 32;
    type F32 = F32x4;
    type F64 = F64x2;
    type Narrow = Self;

    #[inline(always)]
    fn narrow(self) -> Self {
        self
    }

    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        f() // NEON is part of the baseline: nothing to enable.
    }
}

macro_rules! vector {
    ($name:ident, $element:ident, $register:ident, $lanes:literal,
     $splat:ident, $add:ident, $fma:ident, $load:ident, $store:ident, $less_than_zero:ident, $select:ident,
     $even:ident, $odd:ident, $low:ident, $high:ident) => {
        #[doc = concat!("A register of ", $lanes, " x ", stringify!($element), ".")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name($register);

        impl Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                // SAFETY: a value exists, so a token did.
                Self(unsafe { $add(self.0, other.0) })
            }
        }

        impl Vector for $name {
            type Element = $element;
            type Simd = Neon;
            /// The number of lanes: NEON has no masked access.
            type Mask = usize;
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(_: Neon, x: $element) -> Self {
                // SAFETY: the token proves that the CPU has NEON.
                Self(unsafe { $splat(x) })
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                // SAFETY: a value exists, so a token did. NEON takes the addend first.
                Self(unsafe { $fma(c.0, self.0, b.0) })
            }
            #[inline(always)]
            fn replace_negative(self, by: Self) -> Self {
                // SAFETY: a value exists, so a token did.
                Self(unsafe { $select($less_than_zero(self.0), by.0, self.0) })
            }
            #[inline(always)]
            fn deinterleave(self, next: Self) -> (Self, Self) {
                // SAFETY: a value exists, so a token did.
                unsafe { (Self($even(self.0, next.0)), Self($odd(self.0, next.0))) }
            }
            #[inline(always)]
            fn interleave(self, odd: Self) -> (Self, Self) {
                // SAFETY: a value exists, so a token did.
                unsafe { (Self($low(self.0, odd.0)), Self($high(self.0, odd.0))) }
            }
            #[inline(always)]
            fn mask(_: Neon, len: usize) -> usize {
                if len < $lanes { len } else { $lanes }
            }
            #[inline(always)]
            unsafe fn load_from(_: Neon, source: *const $element) -> Self {
                // SAFETY: the token proves NEON; the caller promises readable elements.
                Self(unsafe { $load(source) })
            }
            #[inline(always)]
            unsafe fn load_masked(simd: Neon, source: *const $element, mask: usize) -> Self {
                if mask == $lanes {
                    // SAFETY: the mask holds every lane.
                    return unsafe { Self::load_from(simd, source) };
                }
                let mut lanes = [0.0; $lanes];
                for (i, lane) in lanes.iter_mut().enumerate().take(mask) {
                    // SAFETY: the caller promises that the mask's elements are readable.
                    *lane = unsafe { source.add(i).read() };
                }
                Self::load(simd, &lanes)
            }
            #[inline(always)]
            unsafe fn store_to(self, target: *mut $element) {
                // SAFETY: a value exists, so a token did; the caller promises writable elements.
                unsafe { $store(target, self.0) }
            }
            #[inline(always)]
            unsafe fn store_masked(self, target: *mut $element, mask: usize) {
                if mask == $lanes {
                    // SAFETY: the mask holds every lane.
                    return unsafe { self.store_to(target) };
                }
                let mut lanes = [0.0; $lanes];
                self.store(&mut lanes);
                for (i, lane) in lanes.into_iter().enumerate().take(mask) {
                    // SAFETY: the caller promises that the mask's elements are writable.
                    unsafe { target.add(i).write(lane) };
                }
            }
        }
    };
}

vector!(
    F32x4,
    f32,
    float32x4_t,
    4,
    vdupq_n_f32,
    vaddq_f32,
    vfmaq_f32,
    vld1q_f32,
    vst1q_f32,
    vcltzq_f32,
    vbslq_f32,
    vuzp1q_f32,
    vuzp2q_f32,
    vzip1q_f32,
    vzip2q_f32
);
vector!(
    F64x2,
    f64,
    float64x2_t,
    2,
    vdupq_n_f64,
    vaddq_f64,
    vfmaq_f64,
    vld1q_f64,
    vst1q_f64,
    vcltzq_f64,
    vbslq_f64,
    vuzp1q_f64,
    vuzp2q_f64,
    vzip1q_f64,
    vzip2q_f64
);
