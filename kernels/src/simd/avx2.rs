//! AVX2 and FMA.

use std::arch::x86_64::*;

use super::register::{register, x86};
use super::vector::{counted_masks, store_front};
use super::{Simd, Strided, Vector};

/// The token of AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// The token, if this CPU has the instructions.
    pub fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        found.then_some(Self(()))
    }
}

impl From<super::Avx512> for Avx2 {
    /// A CPU that has AVX-512 has AVX2 and FMA too, as its token proves.
    #[inline(always)]
    fn from(_: super::Avx512) -> Self {
        Self(())
    }
}

impl Simd for Avx2 {
    const REGISTERS: usize = 16;
    type F32 = F32x8;
    type F64 = F64x4;
    type Narrow = Self;

    vectorize_with!("avx2,fma");
}

/// A register's worth of set signs, then of clear ones: a window into it says which lanes to load.
const SIGNS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

macro_rules! vector {
    ($name:ident: $lanes:literal x $element:ident, $ops:ident) => {
        register! { $name: $lanes x $element, Avx2, $ops,
            // A masked store is microcoded on several CPUs; the copy is not.
            counted_masks!(Avx2, $element, Self::load_front);

            #[inline(always)]
            fn replace_negative(self, by: Self) -> Self {
                #[target_feature(enable = "avx2,fma")]
                #[inline]
                fn replace(x: $ops::Register, by: $ops::Register) -> $ops::Register {
                    $ops::blend(x, by, $ops::compare::<_CMP_LT_OQ>(x, $ops::zero()))
                }
                // SAFETY: a value exists, so a token did.
                Self(unsafe { replace(self.0, by.0) })
            }
            x86!($lanes x $element, Avx2, $ops);
        }

        impl $name {
            /// # Safety
            /// `len` elements must be readable.
            #[inline(always)]
            unsafe fn load_front(_: Avx2, source: *const $element, len: usize) -> Self {
                let from = &SIGNS[8 - len * (8 / $lanes)..][..8];
                // SAFETY: the token proves AVX2; the slice is 32 bytes long.
                let signs = unsafe { _mm256_loadu_si256(from.as_ptr().cast()) };
                // SAFETY: the token proves AVX2; the caller promises the elements, and no others are touched.
                Self(unsafe { $ops::load_masked(source, signs) })
            }
        }
    };
}

vector!(F32x8: 8 x f32, f32x8);
vector!(F64x4: 4 x f64, f64x4);

/// The operations of [`F32x8`].
mod f32x8 {
    use std::arch::x86_64::*;
    pub(super) use std::arch::x86_64::{
        __m256 as Register, _mm256_add_ps as add, _mm256_blendv_ps as blend, _mm256_cmp_ps as compare,
        _mm256_fmadd_ps as mul_add, _mm256_loadu_ps as load, _mm256_maskload_ps as load_masked,
        _mm256_set1_ps as splat, _mm256_setzero_ps as zero, _mm256_storeu_ps as store,
    };

    /// The even lanes of two registers, and the odd ones.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    pub(super) fn deinterleave(a: __m256, b: __m256) -> (__m256, __m256) {
        // Pairs of a's and of b's lanes alternate: put them in order.
        let in_order = |x| _mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_castps_pd(x)));
        (
            in_order(_mm256_shuffle_ps::<0b10_00_10_00>(a, b)),
            in_order(_mm256_shuffle_ps::<0b11_01_11_01>(a, b)),
        )
    }

    /// The inverse of [`deinterleave`].
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    pub(super) fn interleave(even: __m256, odd: __m256) -> (__m256, __m256) {
        let (low, high) = (_mm256_unpacklo_ps(even, odd), _mm256_unpackhi_ps(even, odd));
        (_mm256_permute2f128_ps::<0x20>(low, high), _mm256_permute2f128_ps::<0x31>(low, high))
    }

    /// An 8 x 8 block with rows and columns exchanged.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    pub(super) fn transpose(x: [__m256; 8]) -> [__m256; 8] {
        let mut quads = x;
        // Within each 128-bit lane, 4 x 4 blocks.
        for g in (0..8).step_by(4) {
            let (low01, high01) = (_mm256_unpacklo_ps(x[g], x[g + 1]), _mm256_unpackhi_ps(x[g], x[g + 1]));
            let (low23, high23) =
                (_mm256_unpacklo_ps(x[g + 2], x[g + 3]), _mm256_unpackhi_ps(x[g + 2], x[g + 3]));
            let pairs = |a, b| {
                let (a, b) = (_mm256_castps_pd(a), _mm256_castps_pd(b));
                (_mm256_castpd_ps(_mm256_unpacklo_pd(a, b)), _mm256_castpd_ps(_mm256_unpackhi_pd(a, b)))
            };
            (quads[g], quads[g + 1]) = pairs(low01, low23);
            (quads[g + 2], quads[g + 3]) = pairs(high01, high23);
        }
        // Then the lanes themselves: lane q of quads[4 g + c] belongs to row 4 q + c.
        let mut rows = quads;
        for c in 0..4 {
            rows[c] = _mm256_permute2f128_ps::<0x20>(quads[c], quads[c + 4]);
            rows[c + 4] = _mm256_permute2f128_ps::<0x31>(quads[c], quads[c + 4]);
        }
        rows
    }
}

/// The operations of [`F64x4`].
mod f64x4 {
    use std::arch::x86_64::*;
    pub(super) use std::arch::x86_64::{
        __m256d as Register, _mm256_add_pd as add, _mm256_blendv_pd as blend, _mm256_cmp_pd as compare,
        _mm256_fmadd_pd as mul_add, _mm256_loadu_pd as load, _mm256_maskload_pd as load_masked,
        _mm256_set1_pd as splat, _mm256_setzero_pd as zero, _mm256_storeu_pd as store,
    };

    /// As [`super::f32x8::deinterleave`].
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    pub(super) fn deinterleave(a: __m256d, b: __m256d) -> (__m256d, __m256d) {
        (
            _mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_unpacklo_pd(a, b)),
            _mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_unpackhi_pd(a, b)),
        )
    }

    /// As [`super::f32x8::interleave`].
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    pub(super) fn interleave(even: __m256d, odd: __m256d) -> (__m256d, __m256d) {
        let (low, high) = (_mm256_unpacklo_pd(even, odd), _mm256_unpackhi_pd(even, odd));
        (_mm256_permute2f128_pd::<0x20>(low, high), _mm256_permute2f128_pd::<0x31>(low, high))
    }

    /// A 4 x 4 block with rows and columns exchanged.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    pub(super) fn transpose(x: [__m256d; 4]) -> [__m256d; 4] {
        let (low01, high01) = (_mm256_unpacklo_pd(x[0], x[1]), _mm256_unpackhi_pd(x[0], x[1]));
        let (low23, high23) = (_mm256_unpacklo_pd(x[2], x[3]), _mm256_unpackhi_pd(x[2], x[3]));
        [
            _mm256_permute2f128_pd::<0x20>(low01, low23),
            _mm256_permute2f128_pd::<0x20>(high01, high23),
            _mm256_permute2f128_pd::<0x31>(low01, low23),
            _mm256_permute2f128_pd::<0x31>(high01, high23),
        ]
    }
}
