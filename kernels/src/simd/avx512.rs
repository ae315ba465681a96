//! AVX-512 (F, DQ, BW, VL) with FMA.

use std::arch::x86_64::*;
use std::ops::Add;

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
    type Narrow = super::Avx2;

    #[inline(always)]
    fn narrow(self) -> super::Avx2 {
        super::Avx2::of_avx512(self)
    }

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
     $splat:ident, $add:ident, $fma:ident, $load:ident, $load_masked:ident, $store:ident, $store_masked:ident,
     $zero:ident, $less:ident, $blend:ident, $transpose:ident, $deinterleave:ident,
     $interleave:ident) => {
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
            type Simd = Avx512;
            type Mask = $mask;
            const LANES: usize = $lanes;

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
            fn replace_negative(self, by: Self) -> Self {
                // SAFETY: a value exists, so a token did.
                Self(unsafe { $blend($less::<_CMP_LT_OQ>(self.0, $zero()), self.0, by.0) })
            }

            #[inline(always)]
            fn mask(_: Avx512, len: usize) -> $mask {
                if len >= $lanes { $mask::MAX } else { (1 << len) - 1 }
            }
            #[inline(always)]
            fn prefetch(_: Avx512, address: *const $element) {
                // SAFETY: SSE is in the baseline, and a prefetch never faults.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
            }
            #[inline(always)]
            fn prefetch_far(_: Avx512, address: *const $element) {
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

            #[inline(always)]
            fn deinterleave(self, next: Self) -> (Self, Self) {
                // SAFETY: a value exists, so a token did.
                let (even, odd) = unsafe { $deinterleave(self.0, next.0) };
                (Self(even), Self(odd))
            }
            #[inline(always)]
            fn interleave(self, odd: Self) -> (Self, Self) {
                // SAFETY: a value exists, so a token did.
                let (first, second) = unsafe { $interleave(self.0, odd.0) };
                (Self(first), Self(second))
            }
            #[inline(always)]
            unsafe fn transpose(
                _: Avx512,
                (source, stride): (*const $element, usize),
                columns: usize,
                (target, pitch): (*mut $element, usize),
            ) {
                // SAFETY: the token proves the instructions; the caller promises LANES elements of every column
                // below `columns`, and LANES writable ones in each row of the target.
                unsafe {
                    let mut block = [$zero(); $lanes];
                    for (j, column) in block.iter_mut().enumerate() {
                        if j < columns {
                            *column = $load(source.add(j * stride));
                        }
                    }
                    for (p, row) in $transpose(block).into_iter().enumerate() {
                        $store(target.add(p * pitch), row);
                    }
                }
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
    _mm512_add_ps,
    _mm512_fmadd_ps,
    _mm512_loadu_ps,
    _mm512_maskz_loadu_ps,
    _mm512_storeu_ps,
    _mm512_mask_storeu_ps,
    _mm512_setzero_ps,
    _mm512_cmp_ps_mask,
    _mm512_mask_blend_ps,
    transpose_f32,
    deinterleave_f32,
    interleave_f32
);
vector!(
    F64x8,
    f64,
    __m512d,
    8,
    __mmask8,
    _mm512_set1_pd,
    _mm512_add_pd,
    _mm512_fmadd_pd,
    _mm512_loadu_pd,
    _mm512_maskz_loadu_pd,
    _mm512_storeu_pd,
    _mm512_mask_storeu_pd,
    _mm512_setzero_pd,
    _mm512_cmp_pd_mask,
    _mm512_mask_blend_pd,
    transpose_f64,
    deinterleave_f64,
    interleave_f64
);

/// The even lanes of two registers, and the odd ones.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
#[inline]
fn deinterleave_f32(a: __m512, b: __m512) -> (__m512, __m512) {
    let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    let odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    (_mm512_permutex2var_ps(a, even, b), _mm512_permutex2var_ps(a, odd, b))
}

/// As [`deinterleave_f32`].
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
#[inline]
fn deinterleave_f64(a: __m512d, b: __m512d) -> (__m512d, __m512d) {
    let even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    let odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
    (_mm512_permutex2var_pd(a, even, b), _mm512_permutex2var_pd(a, odd, b))
}

/// The inverse of [`deinterleave_f32`].
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
#[inline]
fn interleave_f32(even: __m512, odd: __m512) -> (__m512, __m512) {
    let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    let high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    (_mm512_permutex2var_ps(even, low, odd), _mm512_permutex2var_ps(even, high, odd))
}

/// As [`interleave_f32`].
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
#[inline]
fn interleave_f64(even: __m512d, odd: __m512d) -> (__m512d, __m512d) {
    let low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    let high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    (_mm512_permutex2var_pd(even, low, odd), _mm512_permutex2var_pd(even, high, odd))
}

/// A 16 x 16 block with rows and columns exchanged.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
#[inline]
fn transpose_f32(x: [__m512; 16]) -> [__m512; 16] {
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
        let lanes = [quads[c], quads[c + 4], quads[c + 8], quads[c + 12]];
        let (a, b) = (
            _mm512_shuffle_f32x4::<0x44>(lanes[0], lanes[1]),
            _mm512_shuffle_f32x4::<0xEE>(lanes[0], lanes[1]),
        );
        let (d, e) = (
            _mm512_shuffle_f32x4::<0x44>(lanes[2], lanes[3]),
            _mm512_shuffle_f32x4::<0xEE>(lanes[2], lanes[3]),
        );
        rows[c] = _mm512_shuffle_f32x4::<0x88>(a, d);
        rows[c + 4] = _mm512_shuffle_f32x4::<0xDD>(a, d);
        rows[c + 8] = _mm512_shuffle_f32x4::<0x88>(b, e);
        rows[c + 12] = _mm512_shuffle_f32x4::<0xDD>(b, e);
    }
    rows
}

/// An 8 x 8 block with rows and columns exchanged.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
#[inline]
fn transpose_f64(x: [__m512d; 8]) -> [__m512d; 8] {
    let mut pairs = x;
    for g in (0..8).step_by(2) {
        pairs[g] = _mm512_unpacklo_pd(x[g], x[g + 1]);
        pairs[g + 1] = _mm512_unpackhi_pd(x[g], x[g + 1]);
    }
    // Lane q of pairs[2 g + c] belongs to row 2 q + c.
    let mut rows = pairs;
    for c in 0..2 {
        let lanes = [pairs[c], pairs[c + 2], pairs[c + 4], pairs[c + 6]];
        let (a, b) = (
            _mm512_shuffle_f64x2::<0x44>(lanes[0], lanes[1]),
            _mm512_shuffle_f64x2::<0xEE>(lanes[0], lanes[1]),
        );
        let (d, e) = (
            _mm512_shuffle_f64x2::<0x44>(lanes[2], lanes[3]),
            _mm512_shuffle_f64x2::<0xEE>(lanes[2], lanes[3]),
        );
        rows[c] = _mm512_shuffle_f64x2::<0x88>(a, d);
        rows[c + 2] = _mm512_shuffle_f64x2::<0xDD>(a, d);
        rows[c + 4] = _mm512_shuffle_f64x2::<0x88>(b, e);
        rows[c + 6] = _mm512_shuffle_f64x2::<0xDD>(b, e);
    }
    rows
}
