//! Elementary functions with one definition of every bit (N5).
//!
//! std's `exp`, `ln` and `tanh` may differ between platforms and even between two runs, so
//! nothing here calls them.
//!
//! | module | holds |
//! |---|---|
//! | [`f32`](mod@f32) | the correctly rounded result of the real function, so that the definition does not depend on the code |
//! | [`f64`](mod@f64) | fixed written sequences of IEEE operations (N1), with their measured errors |
//! | `accurate.rs` | the f32 functions in double-double, for the few inputs whose rounding is in doubt |
//! | `trigonometry.rs` | sine and cosine in f64 |
//!
//! NaN comes out as the one NaN of the contract (N8), whatever went in. [`evaluate`] is the way
//! to do many at once.

#![forbid(unsafe_code)]

pub(crate) mod accurate;
pub mod f32;
pub mod f64;
mod trigonometry;

use crate::{Element, Error, Exec};

/// 1.5 * 2^52: adding it rounds a number below 2^51 to an integer, which is then in the low bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// The one NaN of the contract (N8), in f64.
const NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0000);

/// x, or the nearer bound; the lower one for a NaN, which the integer arithmetic after it must not see.
#[inline(always)]
fn bounded<T: Element>(x: T, low: T, high: T) -> T {
    let x = if x > low { x } else { low };
    if x > high { high } else { x }
}

/// y, or the contract's NaN where x is NaN.
#[inline(always)]
fn unless_nan<T: Element>(x: T, y: T) -> T {
    if x.is_nan() { x.canonical() } else { y }
}

/// What a logarithm gives where it begins at `zero` and x is not a finite number above it; else y.
#[inline(always)]
fn unless_special<T: Element>(x: T, zero: T, y: T) -> T {
    let infinity = T::from_f64(f64::INFINITY);
    let y = if x == infinity { x } else { y };
    let y = if x == zero { -infinity } else { y };
    if x >= zero { y } else { T::from_f64(NAN).canonical() }
}

/// The polynomial with coefficients `c`, lowest first, at x.
#[inline(always)]
fn polynomial<const N: usize>(c: &[f64; N], x: f64) -> f64 {
    let mut sum = c[N - 1];
    for i in (0..N - 1).rev() {
        sum = sum.mul_add(x, c[i]);
    }
    sum
}

/// A positive normal x = 2^k m with m in [sqrt 1/2, sqrt 2): returns k + 1023 and m.
#[inline(always)]
fn split(x: f64) -> (u64, f64) {
    const SQRT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    // Its exponent is k + 1023, its fraction the distance of m's bits from those of sqrt 1/2.
    let shifted = x.to_bits().wrapping_add(1.0_f64.to_bits() - SQRT_HALF);
    (shifted >> 52, f64::from_bits((shifted & ((1 << 52) - 1)) + SQRT_HALF))
}

/// k of k + 1023, by bits: vector units before AVX-512 have no conversion.
#[inline(always)]
fn unbiased(k: u64) -> f64 {
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    f64::from_bits(TWO_52.to_bits() | k) - (TWO_52 + 1023.0)
}

/// The functions that come in both precisions and over slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// e^x
    Exp,
    /// e^x - 1
    Expm1,
    /// The natural logarithm
    Ln,
    /// ln(1 + x)
    Ln1p,
    /// The hyperbolic tangent
    Tanh,
    /// The logistic function 1 / (1 + e^-x)
    Sigmoid,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Exp, Self::Expm1, Self::Ln, Self::Ln1p, Self::Tanh, Self::Sigmoid];

    /// The function's name, as `ln1p`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exp => "exp",
            Self::Expm1 => "expm1",
            Self::Ln => "ln",
            Self::Ln1p => "ln1p",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
        }
    }
}

/// y = f(x), element by element, with the same bits as the function of one number.
///
/// # Shapes
/// `x` and `y` of one length.
///
/// # Errors
/// If the lengths differ.
///
/// ```
/// use kernels::{Exec, Level, math};
/// let mut y = [0.0_f32; 3];
/// math::evaluate(Exec::serial(Level::best()), math::Function::Sigmoid, &[-200.0, 0.0, 200.0], &mut y)?;
/// assert_eq!(y, [0.0, 0.5, 1.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn evaluate<T: Element>(exec: Exec, function: Function, x: &[T], y: &mut [T]) -> Result<(), Error> {
    Error::same_length("math::evaluate", &[("x", x.len()), ("y", y.len())])?;
    T::evaluate(exec.level, function, x, y);
    Ok(())
}
