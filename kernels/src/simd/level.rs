//! The choice among the instruction sets.

#[cfg(target_arch = "aarch64")]
use super::Neon;
#[cfg(target_arch = "x86_64")]
use super::{Avx2, Avx512};
use super::{Emulated, Kernel, Scalar, Simd};
use crate::Error;

/// An instruction set that this CPU has. Every level returns the same bits.
#[derive(Clone, Copy, Debug)]
pub enum Level {
    /// Plain Rust without a fused multiply-add in the CPU: the same bits, about thirty times slower.
    Emulated(Emulated),
    /// Plain Rust with the CPU's fused multiply-add.
    Scalar(Scalar),
    /// AVX2 and FMA (x86-64, from 2013).
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// AVX-512 (x86-64: Skylake-X, Zen 4 and later).
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// NEON (64-bit ARM).
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
}

/// Every level's name, whether this CPU has it or not.
const NAMES: [&str; 5] = ["emulated", "scalar", "avx2", "avx512", "neon"];

impl Level {
    /// The levels that this CPU has, from the slowest to the fastest; `emulated` only if there is
    /// no other.
    pub fn available() -> Vec<Self> {
        let mut levels: Vec<Self> = Scalar::detect().map(Self::Scalar).into_iter().collect();
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(Avx2::detect().map(Self::Avx2));
            levels.extend(Avx512::detect().map(Self::Avx512));
        }
        #[cfg(target_arch = "aarch64")]
        levels.extend(Neon::detect().map(Self::Neon));
        if levels.is_empty() {
            levels.push(Self::emulated());
        }
        levels
    }

    /// The fastest level that this CPU has.
    pub fn best() -> Self {
        Self::available().pop().unwrap_or(Self::emulated())
    }

    /// The level for a CPU without a fused multiply-add, which every CPU can run.
    pub fn emulated() -> Self {
        Self::Emulated(Emulated::new())
    }

    /// The level called `name`; `emulated` is there on every CPU.
    ///
    /// # Errors
    /// If no level has that name, or this CPU lacks it. There is no silent fallback.
    pub fn from_name(name: &str) -> Result<Self, Error> {
        if !NAMES.contains(&name) {
            return Err(Error::UnknownLevel { name: name.to_owned() });
        }
        let levels = Self::available();
        let mut all = levels.iter().copied().chain([Self::emulated()]);
        all.find(|level| level.name() == name).ok_or_else(|| Error::MissingLevel {
            name: name.to_owned(),
            available: levels.iter().map(|level| level.name()).collect(),
        })
    }

    /// The level that the environment variable `KERNELS_LEVEL` names, or the best one.
    ///
    /// # Errors
    /// As [`Level::from_name`].
    pub fn from_env() -> Result<Self, Error> {
        match std::env::var_os("KERNELS_LEVEL") {
            None => Ok(Self::best()),
            Some(name) => Self::from_name(&name.to_string_lossy()),
        }
    }

    /// `emulated`, `scalar`, `avx2`, `avx512` or `neon`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Emulated(_) => "emulated",
            Self::Scalar(_) => "scalar",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => "neon",
        }
    }

    /// Whether it is plain Rust, [`Simd::PLAIN`]: the plain body of an operation is the only one then.
    pub(crate) fn is_plain(self) -> bool {
        matches!(self, Self::Emulated(_) | Self::Scalar(_))
    }

    /// Runs `kernel` compiled for this level. Call it once, at the outside of a public function.
    #[inline]
    pub fn dispatch<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Self::Emulated(simd) => vectorized!(simd, kernel.run(simd)),
            Self::Scalar(simd) => vectorized!(simd, kernel.run(simd)),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => vectorized!(simd, kernel.run(simd)),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => vectorized!(simd, kernel.run(simd)),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(simd) => vectorized!(simd, kernel.run(simd)),
        }
    }

    /// Runs a plain loop compiled for this level: the compiler turns it into vectors.
    #[inline]
    pub fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        struct Loop<F>(F);
        impl<R, F: FnOnce() -> R> Kernel for Loop<F> {
            type Output = R;
            #[inline(always)]
            fn run<S: Simd>(self, _: S) -> R {
                (self.0)()
            }
        }
        self.dispatch(Loop(f))
    }
}
