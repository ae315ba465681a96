//! What the tests of the kernels share: the levels that they run on, comparison by bits, and values.
#![allow(dead_code, unreachable_pub, reason = "the tests of models use a part of it")]

pub mod convolution;
pub mod product;

use std::sync::Once;

use kernels::activation::Activation;
use kernels::{Element, Level};

/// Every activation, with a slope and a plateau of no round value.
pub const ACTIVATIONS: [Activation; 9] = [
    Activation::Identity,
    Activation::Step,
    Activation::Sign,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.01 },
    Activation::Elu { alpha: 1.5 },
    Activation::Softplus,
];

/// Every level that this CPU has, `emulated` too; prints them once.
///
/// Fails if `REQUIRE_LEVELS=avx2,avx512` names one that the CPU lacks: a run that is meant to
/// test a level must not pass without it.
pub fn levels() -> Vec<Level> {
    static PRINT: Once = Once::new();
    let mut levels = Level::available();
    if !levels.iter().any(|level| matches!(level, Level::Emulated(_))) {
        levels.insert(0, Level::emulated());
    }
    let names: Vec<_> = levels.iter().map(|level| level.name()).collect();
    PRINT.call_once(|| println!("levels tested: {}", names.join(", ")));
    if let Ok(required) = std::env::var("REQUIRE_LEVELS") {
        for name in required.split(',').filter(|name| !name.is_empty()) {
            assert!(names.contains(&name), "REQUIRE_LEVELS names {name}, but this CPU has {names:?}");
        }
    }
    levels
}

/// Fails unless both slices have the same bits, any NaN counting as the one NaN of the contract.
#[track_caller]
pub fn assert_same_bits<T: Element>(label: impl std::fmt::Display, got: &[T], want: &[T]) {
    same_bits(label, got, want).unwrap_or_else(|difference| panic!("{difference}"));
}

/// Says where the bits of two slices differ, any NaN counting as the one NaN of the contract.
pub fn same_bits<T: Element>(label: impl std::fmt::Display, got: &[T], want: &[T]) -> Result<(), String> {
    compare(label, got, want, |x| x.canonical().bits())
}

/// As [`same_bits`] for operations whose own results hold no NaN but the contract's: a NaN's bits count too.
pub fn same_stored_bits<T: Element>(
    label: impl std::fmt::Display,
    got: &[T],
    want: &[T],
) -> Result<(), String> {
    compare(label, got, want, T::bits)
}

fn compare<T: Element>(
    label: impl std::fmt::Display,
    got: &[T],
    want: &[T],
    bits: impl Fn(T) -> u64,
) -> Result<(), String> {
    if got.len() != want.len() {
        return Err(format!("{label}: {} values, want {}", got.len(), want.len()));
    }
    let differs = |(&g, &w): (&T, &T)| bits(g) != bits(w);
    let Some(i) = got.iter().zip(want).position(differs) else { return Ok(()) };
    let count = got.iter().zip(want).filter(|&pair| differs(pair)).count();
    let digits = 2 * size_of::<T>();
    Err(format!(
        "{label}: {count} of {} differ, first at {i}: got {:?} = {:0digits$x}, want {:?} = {:0digits$x}",
        got.len(),
        got[i],
        got[i].bits(),
        want[i],
        want[i].bits(),
    ))
}

/// A deterministic source of test values (SplitMix64: Steele, Lea and Flood, 2014).
pub struct Values(u64);

impl Values {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.word() % n as u64) as usize
    }

    /// A value in [-1, 1).
    pub fn plain<T: Element>(&mut self) -> T {
        let unit = (self.word() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64);
        T::from_f64(2.0 * unit - 1.0)
    }

    /// A value in [-1, 1), but one in eight is special: a zero of either sign, subnormal, tiny,
    /// huge, infinite or NaN.
    pub fn special<T: Element>(&mut self) -> T {
        let x: T = self.plain();
        if self.below(8) != 0 {
            return x;
        }
        let (tiny, huge) = if T::NAME == "f32" { (1e-38, 1e38) } else { (1e-308, 1e308) };
        match self.below(16) {
            0..=3 => T::ZERO,
            4..=6 => -T::ZERO,
            7..=9 => T::from_f64(x.to_f64() * tiny * 1e-4), // subnormal
            10..=11 => T::from_f64(x.to_f64() * tiny),
            12..=13 => T::from_f64(x.to_f64() * huge),
            14 => T::from_f64(if x < T::ZERO { f64::NEG_INFINITY } else { f64::INFINITY }),
            _ => T::from_f64(f64::NAN),
        }
    }

    /// `len` values in [-1, 1).
    pub fn plains<T: Element>(&mut self, len: usize) -> Vec<T> {
        (0..len).map(|_| self.plain()).collect()
    }

    /// `len` values of which some are special.
    pub fn specials<T: Element>(&mut self, len: usize) -> Vec<T> {
        (0..len).map(|_| self.special()).collect()
    }
}
