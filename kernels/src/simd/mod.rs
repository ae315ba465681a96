//! Instruction sets: a zero-sized token proves that the CPU has one, and [`Level`] is the one
//! door through which a kernel is compiled for each.
//!
//! | file | holds |
//! |---|---|
//! | `level.rs` | [`Level`]: which instruction set, and the dispatch to it |
//! | `vector.rs` | [`Vector`]: what a kernel can do with a register |
//! | `avx2.rs`, `avx512.rs`, `neon.rs` | tokens and registers of real instruction sets; `register.rs` has what these share |
//! | `plain.rs` | tokens of plain Rust, with and without a fused multiply-add, and their registers: arrays |
//!
//! ```
//! use kernels::Level;
//!
//! let level = Level::best();
//! let mut y = [1.0_f32, 2.0, 3.0];
//! kernels::vectorized!(level, y.iter_mut().for_each(|v| *v += 1.0));
//! assert_eq!(y, [2.0, 3.0, 4.0]);
//! ```

/// A block compiled for an instruction set: `vectorize` of a [`Level`] or a token, with the closure inlined as it must be.
#[macro_export]
macro_rules! vectorized {
    ($level:expr, $body:expr) => {
        $level.vectorize(
            #[inline(always)]
            || $body,
        )
    };
}
pub use vectorized;

/// [`Simd::vectorize`] by a function that is compiled with the features.
#[cfg(target_arch = "x86_64")]
macro_rules! vectorize_with {
    ($features:literal) => {
        #[inline]
        fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
            #[target_feature(enable = $features)]
            #[inline]
            fn with_features<R>(f: impl FnOnce() -> R) -> R {
                f()
            }
            // SAFETY: the token exists, so `detect` has seen every feature that is enabled here.
            unsafe { with_features(f) }
        }
    };
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)] // the intrinsics of AVX2 and FMA
mod avx2;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)] // the intrinsics of AVX-512
mod avx512;
mod level;
#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code)] // the intrinsics of NEON
mod neon;
#[allow(unsafe_code)]
// calls a function compiled for FMA; loads and stores through pointers, as `Vector` does
mod plain;
mod register;
#[allow(unsafe_code)] // makes safe loads and stores of slices from those through pointers
mod vector;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use level::Level;
#[cfg(target_arch = "aarch64")]
pub use neon::Neon;
pub use plain::{Array, Emulated, Portable, Scalar};
pub use vector::{Strided, Vector};

/// A token that proves that the CPU has an instruction set. Only `detect` makes one.
pub trait Simd: Copy + Send + Sync + 'static {
    /// Whether the level is plain Rust, for CPUs without vectors that the project knows and for tests. Bodies that are only
    /// faster, a tile of every height for one, are not compiled for it: the plain ones give the same bits.
    const PLAIN: bool = false;
    /// Vector registers, which bound the tile that a micro-kernel can hold.
    const REGISTERS: usize;
    /// A register of f32.
    type F32: Vector<Element = f32, Simd = Self>;
    /// A register of f64.
    type F64: Vector<Element = f64, Simd = Self>;
    /// The level with registers of half the width, or this one if there is none.
    type Narrow: Simd + From<Self>;

    /// Its token.
    #[inline(always)]
    fn narrow(self) -> Self::Narrow {
        self.into()
    }

    /// Runs `f` compiled for this instruction set. `f` must be `#[inline(always)]`, and so must
    /// all that it calls: what is not inlined is compiled for the baseline.
    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        f() // What is part of the baseline, as NEON is, need not be enabled.
    }
}

/// Lanes of the widest register of all: f32 in AVX-512.
pub(crate) const MOST_LANES: usize = 16;

/// A kernel that is written once and compiled for every instruction set.
pub trait Kernel {
    /// What the kernel returns.
    type Output;
    /// The body. It must be `#[inline(always)]`.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}
