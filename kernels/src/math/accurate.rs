//! The six functions in double-double arithmetic, for the few f32 inputs whose rounding the
//! evaluation in f64 leaves open.
//!
//! A number is an unevaluated sum high + low of two f64 (about 106 bits). The results are good to
//! about 2^-95; no f32 input lies that near to a boundary of rounding, as `just prove-math` shows.
//!
//! Source: Dekker 1971; Hida, Li and Bailey 2001, *Quad-double arithmetic*.

use std::ops::{Add, Div, Mul};

use super::{split, unbiased};

/// high + low with |low| at most half an ulp of high.
#[derive(Clone, Copy)]
pub(crate) struct Double {
    pub(super) high: f64,
    pub(super) low: f64,
}

impl Double {
    /// a + b exactly (TwoSum).
    #[inline(always)]
    pub(crate) fn sum(a: f64, b: f64) -> Self {
        let high = a + b;
        let back = high - a;
        Self { high, low: (a - (high - back)) + (b - back) }
    }

    /// a * b exactly.
    #[inline(always)]
    pub(super) fn product(a: f64, b: f64) -> Self {
        let high = a * b;
        Self { high, low: a.mul_add(b, -high) }
    }

    /// Multiplied by a power of two.
    fn scaled(self, power: f64) -> Self {
        Self { high: self.high * power, low: self.low * power }
    }

    /// Rounded to odd (Boldo and Melquiond, 2008): high's last bit is set if anything lies beside it, which keeps the
    /// trace of it below the bits that f32 rounds to. So a rounding to f32 after it is the only one.
    pub(crate) fn to_odd(self) -> f64 {
        let bits = self.high.to_bits();
        if self.low == 0.0 || bits & 1 == 1 || !self.high.is_finite() {
            return self.high;
        }
        let away_from_zero = (self.low > 0.0) == (self.high > 0.0);
        f64::from_bits(if away_from_zero { bits + 1 } else { bits - 1 })
    }
}

impl From<f64> for Double {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

impl Add for Double {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        let s = Self::sum(self.high, b.high);
        let t = Self::sum(self.low, b.low);
        let u = Self::sum(s.high, s.low + t.high);
        Self::sum(u.high, u.low + t.low)
    }
}

impl Mul for Double {
    type Output = Self;
    fn mul(self, b: Self) -> Self {
        let p = Self::product(self.high, b.high);
        Self::sum(p.high, self.high.mul_add(b.low, self.low.mul_add(b.high, p.low)))
    }
}

impl Div for Double {
    type Output = Self;
    fn div(self, b: Self) -> Self {
        let first = self.high / b.high;
        let rest = self + b * Self::from(-first);
        let second = rest.high / b.high;
        let rest = rest + b * Self::from(-second);
        Self::sum(first, second) + Self::from(rest.high / b.high)
    }
}

/// ln 2 = `LN2[0] + LN2[1] + LN2[2]`; the first has 42 bits, so its product with an exponent is exact.
pub(super) const LN2: [f64; 3] = [0.6931471805598903, 5.497923018708371e-14, 1.94704509238075e-31];

/// k ln 2 for an integer k of at most eleven bits.
fn times_ln2(k: f64) -> Double {
    Double::from(k * LN2[0]) + (Double::product(k, LN2[1]) + Double::from(k * LN2[2]))
}

/// x = k ln 2 + r: returns 2^k and e^r - 1.
fn reduced_expm1(x: f64) -> (f64, Double) {
    /// ((ln 2)/2)^24 / 25! < 2^-120
    const TERMS: u32 = 24;
    let k = (x * std::f64::consts::LOG2_E).round();
    let r = Double::from(x) + times_ln2(-k);
    // Taylor, inside out: r (1 + r/2 (1 + r/3 (...))).
    let one = Double::from(1.0);
    let series = (2..=TERMS).rev().fold(one, |p, n| one + r * p / Double::from(f64::from(n)));
    (f64::from_bits(((k + 1023.0) as u64) << 52), r * series)
}

/// e^x for |x| small enough that neither part leaves the range of f64.
fn double_exp(x: f64) -> Double {
    let (power, p) = reduced_expm1(x);
    (Double::from(1.0) + p).scaled(power)
}

/// e^x - 1 in the same range.
fn double_expm1(x: f64) -> Double {
    let (power, p) = reduced_expm1(x);
    p.scaled(power) + Double::sum(power, -1.0)
}

/// ln u for a positive u: 2 atanh((m - 1) / (m + 1)) + k ln 2.
fn double_ln(u: Double) -> Double {
    /// s^2 < 0.0295: s^50 / 51 < 2^-130
    const TERMS: u32 = 25;
    let (biased, _) = split(u.high);
    let m = u.scaled(f64::from_bits((2046 - biased) << 52));
    let f = Double::from(-1.0) + m;
    let s = f / (Double::from(2.0) + f);
    let z = s * s;
    let one = Double::from(1.0);
    let series =
        (0..TERMS).rev().fold(Double::from(0.0), |p, n| one / Double::from(f64::from(2 * n + 1)) + z * p);
    (s * series).scaled(2.0) + times_ln2(unbiased(biased))
}

/// Functions of one number: the value on the right is rounded to f32.
macro_rules! rounded {
    ($($(#[$documentation:meta])* $name:ident($x:ident) = $double:expr;)*) => {
        $($(#[$documentation])*
        #[cold]
        #[inline(never)]
        pub(super) fn $name(x: f32) -> f32 {
            let $x = f64::from(x);
            $double.to_odd() as f32
        })*
    };
}

rounded! {
    exp(x) = double_exp(x);
    expm1(x) = double_expm1(x);
    ln(x) = double_ln(Double::from(x));
    ln1p(x) = double_ln(Double::sum(1.0, x));
    /// t / (t + 2) with t = e^2x - 1.
    tanh(x) = {
        let t = double_expm1(2.0 * x);
        t / (t + Double::from(2.0))
    };
    sigmoid(x) = (Double::from(1.0) / (Double::from(1.0) + double_exp(-x)));
}
