//! AVX-512 (F, DQ, BW, VL) with FMA.

use std::arch::x86_64::*;

use super::register::{register, x86};
use super::{Simd, Strided, Vector};

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
    const REGISTERS: usize = 32;
    type F32 = F32x16;
    type F64 = F64x8;
    type Narrow = super::Avx2;

    vectorize_with!("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma");
}

macro_rules! vector {
    ($name:ident: $lanes:literal x $element:ident, $ops:ident) => {
        register! { $name: $lanes x $element, Avx512, $ops,
            type Mask = $ops::Mask;

            #[inline(always)]
            fn replace_negative(self, by: Self) -> Self {
                #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
                #[inline]
                fn replace(x: $ops::Register, by: $ops::Register) -> $ops::Register {
                    $ops::blend($ops::compare::<_CMP_LT_OQ>(x, $ops::zero()), x, by)
                }
                // SAFETY: a value exists, so a token did.
                Self(unsafe { replace(self.0, by.0) })
            }
            #[inline(always)]
            fn mask(_: Avx512, len: usize) -> $ops::Mask {
                if len >= $lanes { $ops::Mask::MAX } else { (1 << len) - 1 }
            }
            #[inline(always)]
            unsafe fn load_masked(_: Avx512, source: *const $element, mask: $ops::Mask) -> Self {
                // SAFETY: the token proves AVX-512; the caller promises the mask's elements, and
                // the instruction touches no others.
                Self(unsafe { $ops::load_masked(mask, source) })
            }
            #[inline(always)]
            unsafe fn store_masked(self, target: *mut $element, mask: $ops::Mask) {
                // SAFETY: a value exists, so a token did; the caller promises the mask's
                // elements, and the instruction touches no others.
                unsafe { $ops::store_masked(target, mask, self.0) }
            }
            x86!($lanes x $element, Avx512, $ops);
        }
    };
}

vector!(F32x16: 16 x f32, f32x16);
vector!(F64x8: 8 x f64, f64x8);

/// The 128-bit lanes of four registers as a 4 x 4 block, with rows and columns exchanged.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
#[inline]
fn transpose_lanes(x: [__m512; 4]) -> [__m512; 4] {
    let halves = |x, y| (_mm512_shuffle_f32x4::<0x44>(x, y), _mm512_shuffle_f32x4::<0xEE>(x, y));
    let (a, b) = halves(x[0], x[1]);
    let (c, d) = halves(x[2], x[3]);
    [
        _mm512_shuffle_f32x4::<0x88>(a, c),
        _mm512_shuffle_f32x4::<0xDD>(a, c),
        _mm512_shuffle_f32x4::<0x88>(b, d),
        _mm512_shuffle_f32x4::<0xDD>(b, d),
    ]
}

/// The operations of [`F32x16`].
mod f32x16 {
    use std::arch::x86_64::*;
    pub(super) use std::arch::x86_64::{
        __m512 as Register, __mmask16 as Mask, _mm512_add_ps as add, _mm512_cmp_ps_mask as compare,
        _mm512_fmadd_ps as mul_add, _mm512_loadu_ps as load, _mm512_mask_blend_ps as blend,
        _mm512_mask_storeu_ps as store_masked, _mm512_maskz_loadu_ps as load_masked, _mm512_set1_ps as splat,
        _mm512_setzero_ps as zero, _mm512_storeu_ps as store,
    };

    /// The even lanes of two registers, and the odd ones.
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
    #[inline]
    pub(super) fn deinterleave(a: __m512, b: __m512) -> (__m512, __m512) {
        let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        let odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
        (_mm512_permutex2var_ps(a, even, b), _mm512_permutex2var_ps(a, odd, b))
    }

    /// The inverse of [`deinterleave`].
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
    #[inline]
    pub(super) fn interleave(even: __m512, odd: __m512) -> (__m512, __m512) {
        let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        let high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        (_mm512_permutex2var_ps(even, low, odd), _mm512_permutex2var_ps(even, high, odd))
    }

    /// A 16 x 16 block with rows and columns exchanged.
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
    #[inline]
    pub(super) fn transpose(x: [__m512; 16]) -> [__m512; 16] {
        let mut quads = x;
        // Within each 128-bit lane, 4 x 4 blocks.
        for g in (0..16).step_by(4) {
            let (low01, high01) = (_mm512_unpacklo_ps(x[g], x[g + 1]), _mm512_unpackhi_ps(x[g], x[g + 1]));
            let (low23, high23) =
                (_mm512_unpacklo_ps(x[g + 2], x[g + 3]), _mm512_unpackhi_ps(x[g + 2], x[g + 3]));
            let pairs = |a, b| {
                let (a, b) = (_mm512_castps_pd(a), _mm512_castps_pd(b));
                (_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)), _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)))
            };
            (quads[g], quads[g + 1]) = pairs(low01, low23);
            (quads[g + 2], quads[g + 3]) = pairs(high01, high23);
        }
        // Then the lanes themselves: lane q of quads[4 g + c] belongs to row 4 q + c.
        let mut rows = quads;
        for c in 0..4 {
            [rows[c], rows[c + 4], rows[c + 8], rows[c + 12]] =
                super::transpose_lanes([quads[c], quads[c + 4], quads[c + 8], quads[c + 12]]);
        }
        rows
    }
}

/// The operations of [`F64x8`].
mod f64x8 {
    use std::arch::x86_64::*;
    pub(super) use std::arch::x86_64::{
        __m512d as Register, __mmask8 as Mask, _mm512_add_pd as add, _mm512_cmp_pd_mask as compare,
        _mm512_fmadd_pd as mul_add, _mm512_loadu_pd as load, _mm512_mask_blend_pd as blend,
        _mm512_mask_storeu_pd as store_masked, _mm512_maskz_loadu_pd as load_masked, _mm512_set1_pd as splat,
        _mm512_setzero_pd as zero, _mm512_storeu_pd as store,
    };

    /// As [`super::f32x16::deinterleave`].
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
    #[inline]
    pub(super) fn deinterleave(a: __m512d, b: __m512d) -> (__m512d, __m512d) {
        let even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
        let odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
        (_mm512_permutex2var_pd(a, even, b), _mm512_permutex2var_pd(a, odd, b))
    }

    /// As [`super::f32x16::interleave`].
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
    #[inline]
    pub(super) fn interleave(even: __m512d, odd: __m512d) -> (__m512d, __m512d) {
        let low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
        let high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
        (_mm512_permutex2var_pd(even, low, odd), _mm512_permutex2var_pd(even, high, odd))
    }

    /// An 8 x 8 block with rows and columns exchanged.
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
    #[inline]
    pub(super) fn transpose(x: [__m512d; 8]) -> [__m512d; 8] {
        let mut pairs = x;
        for g in (0..8).step_by(2) {
            pairs[g] = _mm512_unpacklo_pd(x[g], x[g + 1]);
            pairs[g + 1] = _mm512_unpackhi_pd(x[g], x[g + 1]);
        }
        let as_f32 = |x| _mm512_castpd_ps(x);
        // Lane q of pairs[2 g + c] belongs to row 2 q + c.
        let mut rows = pairs;
        for c in 0..2 {
            let lanes = [as_f32(pairs[c]), as_f32(pairs[c + 2]), as_f32(pairs[c + 4]), as_f32(pairs[c + 6])];
            for (q, lanes) in super::transpose_lanes(lanes).into_iter().enumerate() {
                rows[2 * q + c] = _mm512_castps_pd(lanes);
            }
        }
        rows
    }
}
