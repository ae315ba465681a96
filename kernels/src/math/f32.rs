//! exp, ln and their relatives in f32: the correctly rounded result for every input.
//!
//! ```text
//! q = f(x) in f64, with a relative error below 2^-42          no table, no branch: vectors
//! low = f32(q (1 - 2^-41))    high = f32(q (1 + 2^-41))
//! low = high: rounding is monotone, so f32(f(x)) is that same number
//! else: about one input in 10^5; evaluate in double-double (`accurate`), where no input is in doubt
//! ```
//!
//! Over slices a first pass only checks by q's bits whether any value of a block may be in doubt. A pass with
//! the two candidates follows for one block in 80 of random inputs, and for blocks with a NaN, an argument
//! of exp or sigmoid beyond 87 to either side, of expm1 or tanh beyond 300, or one outside a logarithm's domain.
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
//! coefficients then rounded to f64) carry the error given beside them; the reduced
//! argument of exp is off by at most 160 * 2^-55 < 2^-47; expm1 loses at most a factor 2 in adding
//! 2^k - 1, ln at most a factor 2 in adding k ln 2 (both with k = +-1, where the sum is at least 0.29);
//! a quotient adds two roundings of 2^-53.
//!
//! Source: Ziv 1991, *Fast evaluation of elementary mathematical functions with correctly rounded
//! last bit* (the rounding test); Muller, *Elementary Functions*, ch. 10 and 12.

use super::{Function, ROUND, accurate, bounded, polynomial, split, unbiased, unless_nan, unless_special};
use crate::Level;
use crate::simd::vectorized;

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

/// x = k ln 2 + r: returns k as the top twelve bits of an f64, and r.
#[inline(always)]
fn reduced(x: f64) -> (u64, f64) {
    let shifted = x.mul_add(std::f64::consts::LOG2_E, ROUND);
    (shifted.to_bits() << 52, (ROUND - shifted).mul_add(std::f64::consts::LN_2, x))
}

/// e^x for an x whose result is normal in f64, with the leading 1 of the series as `one`.
#[inline(always)]
fn exponential(x: f64, one: f64) -> f64 {
    let (k, r) = reduced(x);
    f64::from_bits(r.mul_add(polynomial(&EXP, r), one).to_bits().wrapping_add(k))
}

/// `one` (e^x - 1) = 2^k (e^r - 1) + (2^k - 1), each with the factor.
#[inline(always)]
fn exponential_less_one(x: f64, one: f64) -> f64 {
    let (k, r) = reduced(x);
    let power = f64::from_bits(one.to_bits().wrapping_add(k));
    power.mul_add(r * polynomial(&EXP, r), power - one)
}

/// `one` (k ln 2 + ln(1 + f)), by 2 atanh(f / (2 + f)); k is given as k + 1023, and 2 + f beside f.
#[inline(always)]
fn logarithm(k: u64, (f, two_and_f): (f64, f64), one: f64) -> f64 {
    let s = f / two_and_f;
    unbiased(k).mul_add(one * std::f64::consts::LN_2, s * polynomial(&ATANH.map(|c| one * c), s * s))
}

/// One of the functions.
trait Curve {
    /// The largest [`Curve::key`] for which a first pass is enough.
    const LARGEST_KEY: u32;
    /// f(x) by double-double.
    const ACCURATE: fn(f32) -> f32;

    /// Above [`Curve::LARGEST_KEY`] where `within` or `special` changes a value, and where the result is
    /// subnormal in f32 but x is not. (f(x) of a subnormal x is x in all functions that are small there.)
    #[inline(always)]
    fn key(x: f32) -> u32 {
        x.to_bits() & !SIGN // a NaN's is above that of every number
    }

    /// x, or a number with the same result where x is so large that [`Curve::quick`] would leave f64.
    #[inline(always)]
    fn within(x: f32) -> f32 {
        x
    }

    /// f(x) times `one` in f64, within 2^-42, unless `special` replaces it. For `one` = 1 + d with a small d, exp's
    /// factor lies between 1 + d / sqrt 2 and 1 + d sqrt 2.
    fn quick(x: f32, one: f64) -> f64;

    /// f(x) where it is NaN or a logarithm's infinity; else y.
    #[inline(always)]
    fn special(x: f32, y: f32) -> f32 {
        unless_nan(x, y)
    }
}

/// The sign bit of an f32.
const SIGN: u32 = 1 << 31;
/// Below minus this e^x may be subnormal in f32, so that more of its bits are rounded off.
const LARGEST_NORMAL: u32 = 87.0_f32.to_bits();
/// Up to here e^2x is normal in f64.
const LARGEST_REDUCED: u32 = 300.0_f32.to_bits();
/// e^x rounds to 0 here.
const ZERO: f32 = -104.0;
/// One less than the bits of the largest number.
const LARGEST_POSITIVE: u32 = f32::MAX.to_bits() - 1;

/// The two candidates of the rounding test.
#[inline(always)]
fn candidates<C: Curve>(x: f32) -> (f32, f32) {
    let q = C::quick(C::within(x), 1.0);
    (C::special(x, (q * BELOW) as f32), C::special(x, (q * ABOVE) as f32))
}

/// f(x) for one number.
#[inline(always)]
fn one<C: Curve>(x: f32) -> f32 {
    let (low, high) = candidates::<C>(x);
    if low.to_bits() == high.to_bits() { low } else { (C::ACCURATE)(x) }
}

/// The first pass multiplies by more than q's error bound, so |q| > |f(x)| and any rounding boundary between them lies
/// just below |q|. For exp it is 1.5 / sqrt 2 to 1.5 sqrt 2 units of 2^-42.
const RAISED: f64 = 1.0 + 1.5 / (1_u64 << 42) as f64;

/// Distance of |q|'s bits above the nearest rounding boundary, offset by `i64::MIN`. The shift moves the 29 discarded
/// bits to the top. So the minimum needs neither a narrowing nor an addition; with both, exp takes a fifth more time.
#[inline(always)]
fn above_boundary(q: f64) -> i64 {
    (q.to_bits() << 35) as i64
}

/// Below it a boundary may lie between f(x) and q: |q| is too large by (1.5 sqrt 2 + 1) 2^-42 of itself at most, fewer
/// than 6412 units of its last place.
const ZONE: i64 = i64::MIN + (6656 << 35);

/// Values of a block.
const BLOCK: usize = 1024;

/// y = f(x), block by block: a pass that checks only whether any element of the block needs more, which one
/// block in 80 does for random inputs, and then a second pass.
#[inline(always)]
fn each<C: Curve>(level: Level, x: &[f32], y: &mut [f32]) {
    vectorized!(level, {
        for (x, y) in x.chunks(BLOCK).zip(y.chunks_mut(BLOCK)) {
            let (mut least, mut largest) = (i64::MAX, 0);
            for (&x, y) in x.iter().zip(y.iter_mut()) {
                let q = C::quick(x, RAISED);
                let (above, key) = (above_boundary(q), C::key(x));
                least = if above < least { above } else { least };
                largest = if key > largest { key } else { largest };
                *y = q as f32;
            }
            if least < ZONE || largest > C::LARGEST_KEY {
                again::<C>(x, y);
            }
        }
    });
}

/// A block by the two candidates, then its doubtful elements one by one.
#[inline(always)]
fn again<C: Curve>(x: &[f32], y: &mut [f32]) {
    let mut doubts = [0_u32; BLOCK];
    let mut any = 0;
    for ((&x, y), doubt) in x.iter().zip(y.iter_mut()).zip(&mut doubts) {
        let (low, high) = candidates::<C>(x);
        *doubt = low.to_bits() ^ high.to_bits();
        any |= *doubt;
        *y = low;
    }
    if any != 0 {
        settle(x, y, &doubts, C::ACCURATE);
    }
}

/// y = f(x) where there is doubt.
#[cold]
#[inline(never)]
fn settle(x: &[f32], y: &mut [f32], doubts: &[u32], accurate: fn(f32) -> f32) {
    for ((&x, y), &doubt) in x.iter().zip(y).zip(doubts) {
        if doubt != 0 {
            *y = accurate(x);
        }
    }
}

/// The functions: of each its documentation, the largest key of its curve and the curve's own methods, inlined as they
/// must be.
macro_rules! functions {
    ($($(#[$documentation:meta])* $name:ident, $curve:ident: $key:ident { $($method:item)* })*) => {
        $($(#[$documentation])*
        #[inline]
        pub fn $name(x: f32) -> f32 {
            one::<$curve>(x)
        }

        struct $curve;
        impl Curve for $curve {
            const LARGEST_KEY: u32 = $key;
            const ACCURATE: fn(f32) -> f32 = accurate::$name;
            $(#[inline(always)]
            $method)*
        })*

        /// y = f(x) over slices of one length.
        pub(crate) fn evaluate(level: Level, function: Function, x: &[f32], y: &mut [f32]) {
            match function {
                $(Function::$curve => each::<$curve>(level, x, y),)*
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
            let (low, high) = match function {
                $(Function::$curve => candidates::<$curve>(x),)*
            };
            low.to_bits() != high.to_bits()
        }
    };
}

functions! {
    /// e^x.
    ///
    /// ```
    /// use kernels::math::f32::exp;
    /// assert_eq!(exp(0.0), 1.0);
    /// assert_eq!(exp(1.0), std::f32::consts::E);
    /// assert_eq!(exp(-200.0), 0.0);
    /// ```
    exp, Exp: LARGEST_NORMAL {
        // Clamped to [-104, 90]; beyond that the f32 result is 0 or infinity.
        fn within(x: f32) -> f32 { bounded(x, ZERO, 90.0) }
        fn quick(x: f32, one: f64) -> f64 { exponential(f64::from(x), one) }
    }

    /// e^x - 1.
    ///
    /// ```
    /// use kernels::math::f32::expm1;
    /// assert_eq!(expm1(1e-10), 1e-10);
    /// assert_eq!(expm1(-200.0), -1.0);
    /// ```
    expm1, Expm1: LARGEST_REDUCED {
        fn within(x: f32) -> f32 { bounded(x, -40.0, 90.0) }
        fn quick(x: f32, one: f64) -> f64 { exponential_less_one(f64::from(x), one).copysign(f64::from(x)) }
    }

    /// The natural logarithm: -inf at zero of either sign, NaN below.
    ///
    /// ```
    /// use kernels::math::f32::ln;
    /// assert_eq!(ln(1.0), 0.0);
    /// assert_eq!(ln(2.0), std::f32::consts::LN_2);
    /// assert!(ln(-1.0).is_nan());
    /// ```
    ln, Ln: LARGEST_POSITIVE {
        fn key(x: f32) -> u32 { x.to_bits().wrapping_sub(1) }
        fn quick(x: f32, one: f64) -> f64 {
            // An f32's subnormals are normal in f64.
            let (k, m) = split(f64::from(x));
            // Both m - 1 and m + 1 are exact, and neither waits for the other.
            logarithm(k, (m - 1.0, m + 1.0), one)
        }
        fn special(x: f32, y: f32) -> f32 { unless_special(x, 0.0, y) }
    }

    /// ln(1 + x): -inf at -1, NaN below.
    ///
    /// ```
    /// use kernels::math::f32::ln1p;
    /// assert_eq!(ln1p(1e-10), 1e-10);
    /// assert_eq!(ln1p(1.0), std::f32::consts::LN_2);
    /// ```
    ln1p, Ln1p: LARGEST_POSITIVE {
        // The sum is zero at -1 only, and infinite at infinity only.
        fn key(x: f32) -> u32 { (1.0 + x).to_bits().wrapping_sub(1) }
        fn quick(x: f32, one: f64) -> f64 {
            let x = f64::from(x);
            let (k, _) = split(1.0 + x);
            let scale = f64::from_bits(2046_u64.wrapping_sub(k) << 52);
            // 2^-k (1 + x) - 1, rounded once.
            let f = x.mul_add(scale, scale - 1.0);
            // 1 + x < 1 exactly where ln(1 + x) < 0, and -0.0 goes to -0.0.
            logarithm(k, (f, 2.0 + f), one).copysign(x)
        }
        fn special(x: f32, y: f32) -> f32 { unless_special(x, -1.0, y) }
    }

    /// The hyperbolic tangent.
    ///
    /// ```
    /// use kernels::math::f32::tanh;
    /// assert_eq!(tanh(1e-10), 1e-10);
    /// assert_eq!(tanh(-20.0), -1.0);
    /// ```
    tanh, Tanh: LARGEST_REDUCED {
        fn within(x: f32) -> f32 { bounded(x, -40.0, 40.0) }
        // t / (t + 2) with t = e^2x - 1, for |x|, with the sign of x.
        fn quick(x: f32, one: f64) -> f64 {
            let t = exponential_less_one(2.0 * f64::from(x.abs()), one);
            (t / t.mul_add(1.0 / one, 2.0)).copysign(f64::from(x))
        }
    }

    /// The logistic function 1 / (1 + e^-x).
    ///
    /// ```
    /// use kernels::math::f32::sigmoid;
    /// assert_eq!(sigmoid(0.0), 0.5);
    /// assert_eq!(sigmoid(-200.0), 0.0);
    /// ```
    sigmoid, Sigmoid: LARGEST_NORMAL {
        fn within(x: f32) -> f32 { bounded(x, ZERO, 40.0) }
        fn quick(x: f32, one: f64) -> f64 { one / (1.0 + exponential(-f64::from(x), 1.0)) }
    }
}
