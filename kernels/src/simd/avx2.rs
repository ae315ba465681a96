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

/// What no single instruction does, from steps within the halves of a register and steps between them.
macro_rules! composed {
    ($low:ident, $high:ident, $halves:ident, $shuffle:ident::<$even:literal, $odd:literal>) => {
        /// The lanes of two registers alternate, in each half for itself.
        #[target_feature(enable = "avx2,fma")]
        #[inline]
        fn unpack(a: Register, b: Register) -> (Register, Register) {
            ($low(a, b), $high(a, b))
        }
        /// The lower halves of two registers, and the upper ones.
        #[target_feature(enable = "avx2,fma")]
        #[inline]
        fn halves(a: Register, b: Register) -> (Register, Register) {
            ($halves::<0x20>(a, b), $halves::<0x31>(a, b))
        }
        /// The even lanes of two registers, and the odd ones.
        #[target_feature(enable = "avx2,fma")]
        #[inline]
        pub(super) fn deinterleave(a: Register, b: Register) -> (Register, Register) {
            let (lower, upper) = halves(a, b);
            ($shuffle::<$even>(lower, upper), $shuffle::<$odd>(lower, upper))
        }
        /// The inverse of [`deinterleave`].
        #[target_feature(enable = "avx2,fma")]
        #[inline]
        pub(super) fn interleave(even: Register, odd: Register) -> (Register, Register) {
            let (low, high) = unpack(even, odd);
            halves(low, high)
        }
        /// A square block with rows and columns exchanged, in log2 N rounds: registers i and i + N / 2 become registers
        /// 2 i and 2 i + 1. A round moves the first bit of a row's number into that of a column, and one of the
        /// column's to the end of the row's.
        #[target_feature(enable = "avx2,fma")]
        #[inline]
        pub(super) fn transpose<const N: usize>(mut x: [Register; N]) -> [Register; N] {
            for round in 0..N.ilog2() {
                let from = x;
                for i in 0..N / 2 {
                    let (a, b) = (from[i], from[i + N / 2]);
                    (x[2 * i], x[2 * i + 1]) = if round == 0 { halves(a, b) } else { unpack(a, b) };
                }
            }
            x
        }
    };
}

/// The operations of [`F32x8`].
mod f32x8 {
    use std::arch::x86_64::*;
    pub(super) use std::arch::x86_64::{
        __m256 as Register, _mm256_add_ps as add, _mm256_blendv_ps as blend, _mm256_cmp_ps as compare,
        _mm256_fmadd_ps as mul_add, _mm256_loadu_ps as load, _mm256_maskload_ps as load_masked,
        _mm256_set1_ps as splat, _mm256_setzero_ps as zero, _mm256_storeu_ps as store,
    };

    composed!(
        _mm256_unpacklo_ps,
        _mm256_unpackhi_ps,
        _mm256_permute2f128_ps,
        _mm256_shuffle_ps::<0x88, 0xDD>
    );
}

/// The operations of [`F64x4`].
mod f64x4 {
    use std::arch::x86_64::*;
    pub(super) use std::arch::x86_64::{
        __m256d as Register, _mm256_add_pd as add, _mm256_blendv_pd as blend, _mm256_cmp_pd as compare,
        _mm256_fmadd_pd as mul_add, _mm256_loadu_pd as load, _mm256_maskload_pd as load_masked,
        _mm256_set1_pd as splat, _mm256_setzero_pd as zero, _mm256_storeu_pd as store,
    };

    composed!(
        _mm256_unpacklo_pd,
        _mm256_unpackhi_pd,
        _mm256_permute2f128_pd,
        _mm256_shuffle_pd::<0b0000, 0b1111>
    );
}
