//! exp, ln and their relatives in f32: the correctly rounded result for every input.
//!
//! ```text
//! q = f(x) in f64, with a relative error below 2^-42          no table, no branch: vectors
//! low = f32(q (1 - 2^-41))    high = f32(q (1 + 2^-41))
//! low = high: rounding is monotone, so f32(f(x)) is that same number
//! else: about one input in 10^5; evaluate in double-double (`accurate`), where no input is in doubt
//! ```
//!
//! So the result is defined by mathematics, and the code below may change without changing a bit.
//! Of the 2^32 inputs of each function, these are in doubt and go to double-double:
//!
//! | exp | expm1 | ln | ln1p | tanh | sigmoid |
//! |---|---|---|---|---|---|
//! | 6,153 | 5,975 | 23,139 | 16,536 | 3,100 | 7,567 |
//!
//! `just prove-math` compares all 2^32 inputs of each function with
//! [`reference::math`](crate::reference::math) at every level.
//!
//! Why q is good to 2^-42, term by term: the polynomials (Chebyshev interpolation in 300-bit arithmetic,
//! coefficients then rounded to f64) carry the error that stands beside them; the reduced
//! argument of exp is off by at most 160 * 2^-55 < 2^-47; expm1 loses at most a factor 2 in adding
//! 2^k - 1, ln at most a factor 2 in adding k ln 2 (both with k = +-1, where the sum is at least 0.29);
//! a quotient adds two roundings of 2^-53.
//!
//! **Source** Ziv 1991, *Fast evaluation of elementary mathematical functions with correctly rounded
//! last bit* (the rounding test); Muller, *Elementary Functions*, ch. 10 and 12.

use super::{Function, accurate};
use crate::Level;

/// 1.5 * 2^52: adding it rounds to an integer, which then stands in the low bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// The one NaN of the contract (N8).
const NAN: f32 = f32::from_bits(0x7fc0_0000);
/// The rounding test's factors, 1 -+ 2^-41.
const BELOW: f64 = 1.0 - 1.0 / (1_u64 << 41) as f64;
const ABOVE: f64 = 1.0 + 1.0 / (1_u64 << 41) as f64;

/// (e^r - 1) / r for |r| <= (ln 2)/2, within 2^-43.5.
const EXP: [f64; 9] = [
    1.0,
    0.499_999_999_997_977_73,
    0.166_666_666_666_482_9,
    0.041_666_666_891_090_7,
    0.008_333_333_353_729_397,
    0.001_388_882_165_071_769,
    0.000_198_412_087_326_523_65,
    2.487_617_895_908_551_3e-5,
    2.762_511_557_828_763e-6,
];

/// 2 atanh(s) / s in s^2 for |s| <= (sqrt 2 - 1) / (sqrt 2 + 1), within 2^-44 (of 2: 2^-45 relative).
const ATANH: [f64; 6] = [
    1.999_999_999_999_946_5,
    0.666_666_666_797_11,
    0.399_999_948_500_408_26,
    0.285_721_706_895_618_1,
    0.221_740_514_780_576_94,
    0.196_110_907_339_537_32,
];

/// The polynomial with coefficients `c`, lowest first, at x.
#[inline(always)]
fn polynomial<const N: usize>(c: &[f64; N], x: f64) -> f64 {
    let mut sum = c[N - 1];
    for i in (0..N - 1).rev() {
        sum = sum.mul_add(x, c[i]);
    }
    sum
}

/// x, or the nearer bound; a NaN stays.
#[inline(always)]
fn bounded(x: f64, low: f64, high: f64) -> f64 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// x = k ln 2 + r: returns k as the top twelve bits of an f64, and e^r - 1.
#[inline(always)]
fn reduced_expm1(x: f64) -> (u64, f64) {
    let shifted = x.mul_add(std::f64::consts::LOG2_E, ROUND);
    let r = (ROUND - shifted).mul_add(std::f64::consts::LN_2, x);
    (shifted.to_bits() << 52, r * polynomial(&EXP, r))
}

/// e^x; below e^-110 and above e^90 it stays there, which f32 cannot tell.
#[inline(always)]
fn quick_exp(x: f64) -> f64 {
    let (k, p) = reduced_expm1(bounded(x, -110.0, 90.0));
    f64::from_bits((1.0 + p).to_bits().wrapping_add(k))
}

/// e^x - 1 = 2^k (e^r - 1) + (2^k - 1).
#[inline(always)]
fn quick_expm1(x: f64) -> f64 {
    let (k, p) = reduced_expm1(bounded(x, -40.0, 90.0));
    let power = f64::from_bits(1.0_f64.to_bits().wrapping_add(k));
    power.mul_add(p, power - 1.0).copysign(x)
}

/// sigmoid(x) = 1 / (1 + e^-x).
#[inline(always)]
fn quick_sigmoid(x: f64) -> f64 {
    let (k, p) = reduced_expm1(bounded(-x, -40.0, 110.0));
    1.0 / (1.0 + f64::from_bits((1.0 + p).to_bits().wrapping_add(k)))
}

/// tanh(x) = t / (t + 2) with t = e^2x - 1, for |x|, with the sign of x.
#[inline(always)]
fn quick_tanh(x: f64) -> f64 {
    let t = quick_expm1(2.0 * bounded(x.abs(), 0.0, 40.0));
    (t / (t + 2.0)).copysign(x)
}

/// u = 2^k m with m in [sqrt 1/2, sqrt 2): returns k + 1023 as an integer.
#[inline(always)]
fn biased_exponent(u: f64) -> u64 {
    let below_one = 1.0_f64.to_bits() - std::f64::consts::FRAC_1_SQRT_2.to_bits();
    u.to_bits().wrapping_add(below_one) >> 52
}

/// k ln 2 + ln(1 + f), by 2 atanh(f / (2 + f)); k is given as k + 1023.
#[inline(always)]
fn logarithm(k: u64, f: f64) -> f64 {
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    // An integer below 2^52 becomes a float by bits: AVX2 has no conversion.
    let k = f64::from_bits(TWO_52.to_bits() | k) - (TWO_52 + 1023.0);
    let s = f / (2.0 + f);
    k.mul_add(std::f64::consts::LN_2, s * polynomial(&ATANH, s * s))
}

/// y, or what a logarithm gives where its argument u is no positive finite number.
#[inline(always)]
fn unless_special(u: f64, y: f64) -> f64 {
    let y = if u == f64::INFINITY { u } else { y };
    let y = if u == 0.0 { f64::NEG_INFINITY } else { y };
    if u >= 0.0 { y } else { f64::NAN }
}

/// ln x. An f32's subnormals are normal in f64.
#[inline(always)]
fn quick_ln(x: f64) -> f64 {
    let k = biased_exponent(x);
    let m = f64::from_bits(x.to_bits().wrapping_add(1.0_f64.to_bits()).wrapping_sub(k << 52));
    unless_special(x, logarithm(k, m - 1.0))
}

/// ln(1 + x), with f = 2^-k (1 + x) - 1 rounded once.
#[inline(always)]
fn quick_ln1p(x: f64) -> f64 {
    let u = 1.0 + x;
    let k = biased_exponent(u);
    let scale = f64::from_bits(2046_u64.wrapping_sub(k) << 52);
    // 1 + x < 1 exactly where ln(1 + x) < 0, and -0.0 goes to -0.0.
    unless_special(u, logarithm(k, x.mul_add(scale, scale - 1.0)).copysign(x))
}

/// The two candidates of the rounding test.
#[inline(always)]
fn candidates(q: f64) -> (f32, f32) {
    ((q * BELOW) as f32, (q * ABOVE) as f32)
}

/// f(x) for one number.
#[inline(always)]
fn one(x: f32, quick: impl Fn(f64) -> f64, accurate: fn(f32) -> f32) -> f32 {
    let (low, high) = candidates(quick(f64::from(x)));
    if x.is_nan() || low.is_nan() {
        NAN
    } else if low.to_bits() == high.to_bits() {
        low
    } else {
        accurate(x)
    }
}

/// y = f(x): a pass without branches over a block, then its doubtful elements one by one.
#[inline(always)]
fn each(level: Level, x: &[f32], y: &mut [f32], quick: impl Fn(f64) -> f64, accurate: fn(f32) -> f32) {
    const BLOCK: usize = 256;
    level.vectorize(
        #[inline(always)]
        || {
            let mut doubts = [0_u32; BLOCK];
            for (x, y) in x.chunks(BLOCK).zip(y.chunks_mut(BLOCK)) {
                let mut any = 0;
                for ((&x, y), doubt) in x.iter().zip(y.iter_mut()).zip(&mut doubts) {
                    let (low, high) = candidates(quick(f64::from(x)));
                    *doubt = low.to_bits() ^ high.to_bits();
                    any |= *doubt;
                    *y = if low.is_nan() { NAN } else { low };
                }
                if any != 0 {
                    settle(x, y, &doubts, accurate);
                }
            }
        },
    );
}

/// y = f(x) where there is doubt.
#[cold]
#[inline(never)]
fn settle(x: &[f32], y: &mut [f32], doubts: &[u32], accurate: fn(f32) -> f32) {
    for ((&x, y), &doubt) in x.iter().zip(y).zip(doubts) {
        if doubt != 0 && !y.is_nan() {
            *y = accurate(x);
        }
    }
}

/// y = f(x) over slices of one length.
pub(crate) fn evaluate(level: Level, function: Function, x: &[f32], y: &mut [f32]) {
    match function {
        Function::Exp => each(level, x, y, quick_exp, accurate::exp),
        Function::Expm1 => each(level, x, y, quick_expm1, accurate::expm1),
        Function::Ln => each(level, x, y, quick_ln, accurate::ln),
        Function::Ln1p => each(level, x, y, quick_ln1p, accurate::ln1p),
        Function::Tanh => each(level, x, y, quick_tanh, accurate::tanh),
        Function::Sigmoid => each(level, x, y, quick_sigmoid, accurate::sigmoid),
    }
}

/// Whether the evaluation in f64 leaves the rounding of f(x) open, so that double-double decides.
///
/// It says something about the speed, never about the result.
///
/// ```
/// use kernels::math::{Function, f32::is_doubtful};
/// assert!(!is_doubtful(Function::Exp, 1.0));
/// ```
#[inline(always)]
pub fn is_doubtful(function: Function, x: f32) -> bool {
    let x = f64::from(x);
    let (low, high) = candidates(match function {
        Function::Exp => quick_exp(x),
        Function::Expm1 => quick_expm1(x),
        Function::Ln => quick_ln(x),
        Function::Ln1p => quick_ln1p(x),
        Function::Tanh => quick_tanh(x),
        Function::Sigmoid => quick_sigmoid(x),
    });
    !low.is_nan() & (low.to_bits() != high.to_bits())
}

/// e^x.
///
/// ```
/// use kernels::math::f32::exp;
/// assert_eq!(exp(0.0), 1.0);
/// assert_eq!(exp(1.0), std::f32::consts::E);
/// assert_eq!(exp(-200.0), 0.0);
/// ```
#[inline]
pub fn exp(x: f32) -> f32 {
    one(x, quick_exp, accurate::exp)
}

/// e^x - 1.
///
/// ```
/// use kernels::math::f32::expm1;
/// assert_eq!(expm1(1e-10), 1e-10);
/// assert_eq!(expm1(-200.0), -1.0);
/// ```
#[inline]
pub fn expm1(x: f32) -> f32 {
    one(x, quick_expm1, accurate::expm1)
}

/// The natural logarithm: -inf at zero of either sign, NaN below.
///
/// ```
/// use kernels::math::f32::ln;
/// assert_eq!(ln(1.0), 0.0);
/// assert_eq!(ln(2.0), std::f32::consts::LN_2);
/// assert!(ln(-1.0).is_nan());
/// ```
#[inline]
pub fn ln(x: f32) -> f32 {
    one(x, quick_ln, accurate::ln)
}

/// ln(1 + x): -inf at -1, NaN below.
///
/// ```
/// use kernels::math::f32::ln1p;
/// assert_eq!(ln1p(1e-10), 1e-10);
/// assert_eq!(ln1p(1.0), std::f32::consts::LN_2);
/// ```
#[inline]
pub fn ln1p(x: f32) -> f32 {
    one(x, quick_ln1p, accurate::ln1p)
}

/// The hyperbolic tangent.
///
/// ```
/// use kernels::math::f32::tanh;
/// assert_eq!(tanh(1e-10), 1e-10);
/// assert_eq!(tanh(-20.0), -1.0);
/// ```
#[inline]
pub fn tanh(x: f32) -> f32 {
    one(x, quick_tanh, accurate::tanh)
}

/// The logistic function 1 / (1 + e^-x).
///
/// ```
/// use kernels::math::f32::sigmoid;
/// assert_eq!(sigmoid(0.0), 0.5);
/// assert_eq!(sigmoid(-200.0), 0.0);
/// ```
#[inline]
pub fn sigmoid(x: f32) -> f32 {
    one(x, quick_sigmoid, accurate::sigmoid)
}
