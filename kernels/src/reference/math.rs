//! The correctly rounded f32 functions, by other means than [`crate::math`]: what the proof over all
//! 2^32 inputs compares with.
//!
//! Everything is carried as a pair of f64 (about 2^-100), with other formulas than the kernels':
//! e^r - 1 from a short Taylor series at r/256 that is doubled eight times, ln by a Newton step on
//! e^y, tanh as a quotient of differences, sigmoid as e^x / (1 + e^x). Branch-free, so that whole
//! blocks go through vector units and the proof takes minutes.
//!
//! `tests/kernels/math.rs` compares it with values from mpmath; [`Rounded::certain`] says for each
//! input whether an error of 2^-80 could change the rounding.

use crate::math::Function;

/// A value as high + low, |low| at most half an ulp of high.
#[derive(Clone, Copy)]
pub struct Pair {
    /// The value rounded to f64.
    pub high: f64,
    /// What the rounding left.
    pub low: f64,
}

/// A function value rounded to f32.
#[derive(Clone, Copy)]
pub struct Rounded {
    /// The correctly rounded value; NaN is the contract's.
    pub value: f32,
    /// Whether a relative error of 2^-80 in the pair could not change it.
    pub certain: bool,
}

/// a + b exactly (Knuth).
#[inline(always)]
fn add_exactly(a: f64, b: f64) -> Pair {
    let high = a + b;
    let of_b = high - a;
    Pair { high, low: (b - of_b) + (a - (high - of_b)) }
}

/// a + b.
#[inline(always)]
fn add(a: Pair, b: Pair) -> Pair {
    let high = add_exactly(a.high, b.high);
    let low = add_exactly(a.low, b.low);
    let middle = add_exactly(high.high, high.low + low.high);
    add_exactly(middle.high, middle.low + low.low)
}

/// a + b where |b| <= |a| / 2 or so, with half the operations.
#[inline(always)]
fn add_smaller(a: Pair, b: Pair) -> Pair {
    let high = a.high + b.high;
    let low = ((a.high - high) + b.high) + (a.low + b.low);
    let sum = high + low;
    Pair { high: sum, low: (high - sum) + low }
}

/// a b.
#[inline(always)]
fn multiply(a: Pair, b: Pair) -> Pair {
    let high = a.high * b.high;
    let low = a.high.mul_add(b.high, -high);
    add_exactly(high, low + (a.high * b.low + a.low * b.high))
}

/// a / b: three quotients of the remainders.
#[inline(always)]
fn divide(a: Pair, b: Pair) -> Pair {
    let first = a.high / b.high;
    let rest = add(a, multiply(b, Pair { high: -first, low: 0.0 }));
    let second = rest.high / b.high;
    let rest = add(rest, multiply(b, Pair { high: -second, low: 0.0 }));
    add(add_exactly(first, second), Pair { high: rest.high / b.high, low: 0.0 })
}

/// p times a power of two, which is exact.
#[inline(always)]
fn scale(p: Pair, power: f64) -> Pair {
    Pair { high: p.high * power, low: p.low * power }
}

/// x as a pair.
#[inline(always)]
fn pair(x: f64) -> Pair {
    Pair { high: x, low: 0.0 }
}

/// ln 2 in three parts of at most 40, 40 and 53 bits: k times the first two is exact for |k| < 2^13.
const LN2: [f64; 3] = [0.6931471805592082, 7.371002565161996e-13, 5.8029889835956905e-25];

/// k ln 2.
#[inline(always)]
fn times_ln2(k: f64) -> Pair {
    add(add_exactly(k * LN2[0], k * LN2[1]), pair(k * LN2[2]))
}

/// 1 + p w / n.
#[inline(always)]
fn one_plus(w: Pair, n: f64, p: Pair) -> Pair {
    let reciprocal = 1.0 / n;
    let reciprocal = Pair { high: reciprocal, low: (-reciprocal).mul_add(n, 1.0) / n };
    add_smaller(pair(1.0), multiply(multiply(w, reciprocal), p))
}

/// e^2w - 1 = t (t + 2) from t = e^w - 1.
#[inline(always)]
fn doubled(t: Pair) -> Pair {
    add_smaller(scale(t, 2.0), multiply(t, t))
}

/// x - ln 2 times the nearest integer k: returns 2^k and e^r - 1.
#[inline(always)]
fn expm1_parts(x: f64) -> (f64, Pair) {
    const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
    let shifted = x / std::f64::consts::LN_2 + ROUND;
    let k = shifted - ROUND;
    let r = add(pair(x), times_ln2(-k));
    let w = scale(r, 1.0 / 256.0);
    // (e^w - 1) / w = 1 + w/2 (1 + w/3 (...)); |w| < 2^-9.5, so w^9 / 10! < 2^-107 is the first left out.
    let inner = one_plus(w, 6.0, one_plus(w, 7.0, one_plus(w, 8.0, one_plus(w, 9.0, pair(1.0)))));
    let series = one_plus(w, 2.0, one_plus(w, 3.0, one_plus(w, 4.0, one_plus(w, 5.0, inner))));
    let t = multiply(w, series);
    // Eight doublings; loops would keep the compiler from making vectors of the loop around.
    let t = doubled(doubled(doubled(doubled(t))));
    let t = doubled(doubled(doubled(doubled(t))));
    (f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0_f64.to_bits())), t)
}

/// x within -limit..=limit.
#[inline(always)]
fn within(x: f64, limit: f64) -> f64 {
    let x = if x > limit { limit } else { x };
    if x < -limit { -limit } else { x }
}

/// e^x for |x| <= 120.
#[inline(always)]
fn exp(x: f64) -> Pair {
    let (power, t) = expm1_parts(within(x, 120.0));
    scale(add(pair(1.0), t), power)
}

/// e^x - 1 for |x| <= 120.
#[inline(always)]
fn expm1(x: f64) -> Pair {
    let (power, t) = expm1_parts(within(x, 120.0));
    add(scale(t, power), add_exactly(power, -1.0))
}

/// ln(u) for u = 2^j U: with y near ln(U), ln U = y + ln(U e^-y), and U e^-y = 1 + d has a tiny d.
#[inline(always)]
fn ln(u: Pair) -> Pair {
    // U in [3/4, 3/2): j is the exponent, one more where the fraction is at least 1/2.
    let j = ((u.high.to_bits().wrapping_add(1 << 51)) >> 52).wrapping_sub(1023);
    let inverse = f64::from_bits(1023_u64.wrapping_sub(j) << 52);
    let f = add(scale(u, inverse), pair(-1.0));
    // Any y will do that is within 2^-40 of ln U; what it lacks is computed.
    let y = crate::math::f64::ln1p(f.high);
    let e = expm1(-y);
    let d = add(add(f, e), multiply(f, e));
    // ln(1 + d) = d - d^2/2, within d^3.
    let y = add(pair(y), add(d, multiply(scale(d, -0.5), d)));
    let y = if d.high.abs() < 9.1e-13 { y } else { pair(f64::NAN) };
    // j as a float: small integers through the fraction bits of 2^52.
    let j = f64::from_bits(j.wrapping_add(1023) | 4_503_599_627_370_496.0_f64.to_bits())
        - 4_503_599_627_371_519.0;
    add(times_ln2(j), y)
}

/// `p`, or `value` exactly where `condition` holds.
#[inline(always)]
fn unless(condition: bool, value: f64, p: Pair) -> Pair {
    if condition { pair(value) } else { p }
}

/// The function's value as a pair; where it is zero or infinite, and at NaN, `high` alone.
#[inline(always)]
pub fn value(function: Function, x: f64) -> Pair {
    match function {
        Function::Exp => unless(x.is_nan(), x, exp(x)),
        Function::Expm1 => unless(x.is_nan() | (x == 0.0), x, expm1(x)),
        Function::Ln => logarithm(x, pair(x)),
        Function::Ln1p => unless(x == 0.0, x, logarithm(1.0 + x, add_exactly(1.0, x))),
        Function::Tanh => {
            // (e^x - e^-x) / (e^x + e^-x), both less 1.
            let (a, b) = (expm1(within(x, 60.0)), expm1(-within(x, 60.0)));
            let quotient = divide(add(a, scale(b, -1.0)), add(add(a, b), pair(2.0)));
            unless(x.is_nan() | (x == 0.0), x, quotient)
        }
        Function::Sigmoid => {
            let e = exp(x);
            unless(x.is_nan(), x, divide(e, add(pair(1.0), e)))
        }
    }
}

/// ln u where u, near `about`, may be no positive finite number.
#[inline(always)]
fn logarithm(about: f64, u: Pair) -> Pair {
    let safe = (about > 0.0) & (about < f64::INFINITY);
    let y = ln(unless(!safe, 1.0, u));
    let y = unless(about == f64::INFINITY, about, y);
    let y = unless(about == 0.0, f64::NEG_INFINITY, y);
    unless((about < 0.0) | about.is_nan(), f64::NAN, y)
}

/// high + low rounded once to f32: an f64 whose last bit is odd never lies on a boundary.
#[inline(always)]
fn round(p: Pair) -> f32 {
    let bits = p.high.to_bits();
    let towards_zero = (p.low < 0.0) != (p.high < 0.0);
    let odd = if towards_zero { bits.wrapping_sub(1) } else { bits.wrapping_add(1) };
    let exact = (p.low == 0.0) | p.low.is_nan() | (bits & 1 == 1);
    let y = f64::from_bits(if exact { bits } else { odd }) as f32;
    if y.is_nan() { f32::from_bits(0x7fc0_0000) } else { y }
}

/// The correctly rounded f(x).
///
/// ```
/// use kernels::{math::Function, reference::math::rounded};
/// let e = rounded(Function::Exp, 1.0);
/// assert!(e.value == std::f32::consts::E && e.certain);
/// ```
#[inline(always)]
pub fn rounded(function: Function, x: f32) -> Rounded {
    const ERROR: f64 = 1.0 / (1_u128 << 80) as f64;
    let p = value(function, f64::from(x));
    let value = round(p);
    let moved = p.high * ERROR;
    let above = round(add_exactly(p.high, p.low + moved));
    let below = round(add_exactly(p.high, p.low - moved));
    let settled = (above.to_bits() == value.to_bits()) & (below.to_bits() == value.to_bits());
    let exact = (moved == 0.0) | !p.high.is_finite();
    Rounded { value, certain: settled | exact }
}
