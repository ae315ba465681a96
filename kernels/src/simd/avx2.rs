//! AVX2 and FMA.

use std::arch::x86_64::*;
use std::ops::Add;

use super::{Simd, Vector};

/// The token of AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// The token, if this CPU has the instructions.
    pub fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        found.then_some(Self(()))
    }

    /// The token of a CPU that has AVX-512, whose token proves AVX2 and FMA too.
    #[inline(always)]
    pub(super) fn of_avx512(_: super::Avx512) -> Self {
        Self(())
    }
}

impl Simd for Avx2 {
    const NAME: &'static str = "avx2";
    const REGISTERS: usize = 16;
    type F32 = F32x8;
    type F64 = F64x4;
    type Narrow = Self;

    #[inline(always)]
    fn narrow(self) -> Self {
        self
    }

    #[inline]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "avx2,fma")]
        #[inline]
        fn with_features<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        // SAFETY: the token exists, so `detect` has seen every feature that is enabled here.
        unsafe { with_features(f) }
    }
}

/// Lanes to touch, as AVX2 wants them (the sign bit of each lane), and their number.
#[derive(Clone, Copy, Debug)]
pub struct Mask {
    lanes: __m256i,
    len: usize,
}

macro_rules! vector {
    ($name:ident, $element:ident, $register:ident, $lanes:literal, $signs:ident,
     $splat:ident, $add:ident, $fma:ident, $load:ident, $load_masked:ident, $store:ident,
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
            type Simd = Avx2;
            type Mask = Mask;
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(_: Avx2, x: $element) -> Self {
                // SAFETY: the token proves that the CPU has AVX2.
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
                Self(unsafe { $blend(self.0, by.0, $less::<_CMP_LT_OQ>(self.0, $zero())) })
            }
            #[inline(always)]
            fn mask(_: Avx2, len: usize) -> Mask {
                let len = if len < $lanes { len } else { $lanes };
                let from = &$signs[$lanes - len..][..$lanes];
                // SAFETY: the token proves AVX2; the slice is 32 bytes long.
                Mask { lanes: unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }, len }
            }
            #[inline(always)]
            fn prefetch(_: Avx2, address: *const $element) {
                // SAFETY: SSE is in the baseline, and a prefetch never faults.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
            }
            #[inline(always)]
            fn prefetch_far(_: Avx2, address: *const $element) {
                // SAFETY: SSE is in the baseline, and a prefetch never faults.
                unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) };
            }
            #[inline(always)]
            unsafe fn load_from(_: Avx2, source: *const $element) -> Self {
                // SAFETY: the token proves AVX2; the caller promises readable elements.
                Self(unsafe { $load(source) })
            }
            #[inline(always)]
            unsafe fn load_masked(_: Avx2, source: *const $element, mask: Mask) -> Self {
                // SAFETY: the token proves AVX2; the caller promises the mask's elements, and the
                // instruction touches no others.
                Self(unsafe { $load_masked(source, mask.lanes) })
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
                _: Avx2,
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
            #[inline(always)]
            unsafe fn store_to(self, target: *mut $element) {
                // SAFETY: a value exists, so a token did; the caller promises writable elements.
                unsafe { $store(target, self.0) }
            }
            #[inline(always)]
            unsafe fn store_masked(self, target: *mut $element, mask: Mask) {
                if mask.len == $lanes {
                    // SAFETY: the mask holds every lane.
                    return unsafe { self.store_to(target) };
                }
                // A masked store is microcoded on several CPUs; the copy is not.
                let mut lanes = [0.0; $lanes];
                // SAFETY: a value exists, so a token did; the array has a register's length.
                unsafe { $store(lanes.as_mut_ptr(), self.0) };
                for (i, lane) in lanes.into_iter().enumerate().take(mask.len) {
                    // SAFETY: the caller promises that the mask's elements are writable.
                    unsafe { target.add(i).write(lane) };
                }
            }
        }
    };
}

/// A register's worth of set signs, then of clear ones: a window into it is a mask.
const SIGNS_32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
const SIGNS_64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

vector!(
    F32x8,
    f32,
    __m256,
    8,
    SIGNS_32,
    _mm256_set1_ps,
    _mm256_add_ps,
    _mm256_fmadd_ps,
    _mm256_loadu_ps,
    _mm256_maskload_ps,
    _mm256_storeu_ps,
    _mm256_setzero_ps,
    _mm256_cmp_ps,
    _mm256_blendv_ps,
    transpose_f32,
    deinterleave_f32,
    interleave_f32
);
vector!(
    F64x4,
    f64,
    __m256d,
    4,
    SIGNS_64,
    _mm256_set1_pd,
    _mm256_add_pd,
    _mm256_fmadd_pd,
    _mm256_loadu_pd,
    _mm256_maskload_pd,
    _mm256_storeu_pd,
    _mm256_setzero_pd,
    _mm256_cmp_pd,
    _mm256_blendv_pd,
    transpose_f64,
    deinterleave_f64,
    interleave_f64
);

/// The even lanes of two registers, and the odd ones.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn deinterleave_f32(a: __m256, b: __m256) -> (__m256, __m256) {
    // a's and b's lanes come by turns, two by two: put them in order.
    let in_order = |x| _mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_castps_pd(x)));
    (in_order(_mm256_shuffle_ps::<0b10_00_10_00>(a, b)), in_order(_mm256_shuffle_ps::<0b11_01_11_01>(a, b)))
}

/// As [`deinterleave_f32`].
#[target_feature(enable = "avx2,fma")]
#[inline]
fn deinterleave_f64(a: __m256d, b: __m256d) -> (__m256d, __m256d) {
    (
        _mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_unpacklo_pd(a, b)),
        _mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_unpackhi_pd(a, b)),
    )
}

/// The inverse of [`deinterleave_f32`].
#[target_feature(enable = "avx2,fma")]
#[inline]
fn interleave_f32(even: __m256, odd: __m256) -> (__m256, __m256) {
    let (low, high) = (_mm256_unpacklo_ps(even, odd), _mm256_unpackhi_ps(even, odd));
    (_mm256_permute2f128_ps::<0x20>(low, high), _mm256_permute2f128_ps::<0x31>(low, high))
}

/// As [`interleave_f32`].
#[target_feature(enable = "avx2,fma")]
#[inline]
fn interleave_f64(even: __m256d, odd: __m256d) -> (__m256d, __m256d) {
    let (low, high) = (_mm256_unpacklo_pd(even, odd), _mm256_unpackhi_pd(even, odd));
    (_mm256_permute2f128_pd::<0x20>(low, high), _mm256_permute2f128_pd::<0x31>(low, high))
}

/// An 8 x 8 block with rows and columns exchanged.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn transpose_f32(x: [__m256; 8]) -> [__m256; 8] {
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

/// A 4 x 4 block with rows and columns exchanged.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn transpose_f64(x: [__m256d; 4]) -> [__m256d; 4] {
    let (low01, high01) = (_mm256_unpacklo_pd(x[0], x[1]), _mm256_unpackhi_pd(x[0], x[1]));
    let (low23, high23) = (_mm256_unpacklo_pd(x[2], x[3]), _mm256_unpackhi_pd(x[2], x[3]));
    [
        _mm256_permute2f128_pd::<0x20>(low01, low23),
        _mm256_permute2f128_pd::<0x20>(high01, high23),
        _mm256_permute2f128_pd::<0x31>(low01, low23),
        _mm256_permute2f128_pd::<0x31>(high01, high23),
    ]
}
