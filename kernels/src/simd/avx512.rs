//! AVX-512 (F, DQ, BW, VL) with FMA.

use std::arch::x86_64::*;

use super::{Simd, Vector};

/// The token of AVX-512 (F, DQ, BW, VL) with FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// The token, if this CPU has the instructions.
    pub fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma");
        found.then_some(Self(()))
    }
}

impl Simd for Avx512 {
    const NAME: &'static str = "avx512";
    const REGISTERS: usize = 32;
    type F32 = F32x16;
    type F64 = F64x8;

    #[inline]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
        #[inline]
        fn with_features<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        // SAFETY: the token exists, so `detect` has seen every feature that is enabled here.
        unsafe { with_features(f) }
    }
}

macro_rules! vector {
    ($name:ident, $element:ident, $register:ident, $lanes:literal, $mask:ident,
     $splat:ident, $fma:ident, $load:ident, $load_masked:ident, $store:ident, $store_masked:ident) => {
        #[doc = concat!("A register of ", $lanes, " x ", stringify!($element), ".")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name($register);

        impl Vector for $name {
            type Element = $element;
            type Simd = Avx512;
            type Mask = $mask;
            const LANES: usize = $lanes;
            const FREE_MASKS: bool = true;

            #[inline(always)]
            fn splat(_: Avx512, x: $element) -> Self {
                // SAFETY: the token proves that the CPU has AVX-512.
                Self(unsafe { $splat(x) })
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                // SAFETY: a value exists, so a token did.
                Self(unsafe { $fma(self.0, b.0, c.0) })
            }
            #[inline(always)]
            fn mask(_: Avx512, len: usize) -> $mask {
                if len >= $lanes { $mask::MAX } else { (1 << len) - 1 }
            }
            #[inline(always)]
            fn prefetch(_: Avx512, address: *const $element) {
                // SAFETY: SSE is in the baseline, and a prefetch never faults.
                unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) };
            }
            #[inline(always)]
            unsafe fn load_from(_: Avx512, source: *const $element) -> Self {
                // SAFETY: the token proves AVX-512; the caller promises readable elements.
                Self(unsafe { $load(source) })
            }
            #[inline(always)]
            unsafe fn load_masked(_: Avx512, source: *const $element, mask: $mask) -> Self {
                // SAFETY: the token proves AVX-512; the caller promises the mask's elements, and
                // the instruction touches no others.
                Self(unsafe { $load_masked(mask, source) })
            }
            #[inline(always)]
            unsafe fn store_to(self, target: *mut $element) {
                // SAFETY: a value exists, so a token did; the caller promises writable elements.
                unsafe { $store(target, self.0) }
            }
            #[inline(always)]
            unsafe fn store_masked(self, target: *mut $element, mask: $mask) {
                // SAFETY: a value exists, so a token did; the caller promises the mask's
                // elements, and the instruction touches no others.
                unsafe { $store_masked(target, mask, self.0) }
            }
        }
    };
}

vector!(
    F32x16,
    f32,
    __m512,
    16,
    __mmask16,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_loadu_ps,
    _mm512_maskz_loadu_ps,
    _mm512_storeu_ps,
    _mm512_mask_storeu_ps
);
vector!(
    F64x8,
    f64,
    __m512d,
    8,
    __mmask8,
    _mm512_set1_pd,
    _mm512_fmadd_pd,
    _mm512_loadu_pd,
    _mm512_maskz_loadu_pd,
    _mm512_storeu_pd,
    _mm512_mask_storeu_pd
);
