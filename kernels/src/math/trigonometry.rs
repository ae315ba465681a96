//! Sine and cosine in f64.

use super::accurate::Double;
use super::{NAN, ROUND, polynomial};

/// pi/2 = `HIGH` + `MIDDLE` + `LOW`, within 2^-164.
const HIGH: f64 = std::f64::consts::FRAC_PI_2;
const MIDDLE: f64 = 6.123_233_995_736_766e-17;
const LOW: f64 = -1.497_384_904_859_169_8e-33;
/// The largest |x| that [`sin`] and [`cos`] accept: 2^30.
const LARGEST: f64 = 1_073_741_824.0;

/// (sin r - r) / r^3 in r^2 for |r| <= pi/4, within 2^-56.
const SIN: [f64; 7] = [
    -0.166_666_666_666_666_66,
    0.008_333_333_333_333_331,
    -0.000_198_412_698_412_650_17,
    2.755_731_921_930_192e-6,
    -2.505_210_621_952_189_5e-8,
    1.605_852_957_226_787_7e-10,
    -7.586_576_588_171_073e-13,
];

/// (cos r - 1 + r^2/2) / r^4 in r^2 for |r| <= pi/4, within 2^-58.
const COS: [f64; 7] = [
    0.041_666_666_666_666_664,
    -0.001_388_888_888_888_888_7,
    2.480_158_730_158_461_8e-5,
    -2.755_731_922_138_211_4e-7,
    2.087_675_578_389_404e-9,
    -1.147_045_974_967_560_7e-11,
    4.745_804_889_760_674e-14,
];

/// x = k pi/2 + r + r_low: returns k, r and `r_low` (Cody and Waite's reduction, with fused products).
///
/// With |k| < 2^30 the first step is exact; the second is carried with its error.
#[inline(always)]
fn reduce(x: f64) -> (u64, f64, f64) {
    let shifted = x.mul_add(std::f64::consts::FRAC_2_PI, ROUND);
    let k = shifted - ROUND;
    let first = (-k).mul_add(HIGH, x);
    let product = Double::product(k, MIDDLE);
    let difference = Double::sum(first, -product.high);
    let tail = difference.low - k.mul_add(LOW, product.low);
    let r = difference.high + tail;
    (shifted.to_bits(), r, (difference.high - r) + tail)
}

/// sin(r + low) on |r| <= pi/4.
#[inline(always)]
fn sin_kernel(r: f64, low: f64) -> f64 {
    let z = r * r;
    // cos r times low, with cos r = 1 - z/2.
    r + (z * r).mul_add(polynomial(&SIN, z), low.mul_add(-0.5 * z, low))
}

/// cos(r + low) on |r| <= pi/4.
#[inline(always)]
fn cos_kernel(r: f64, low: f64) -> f64 {
    let z = r * r;
    let half = 0.5 * z;
    let near = 1.0 - half;
    // near + half is 1 less what the subtraction lost.
    near + (((1.0 - near) - half) + (z * z).mul_add(polynomial(&COS, z), -r * low))
}

/// sin x or cos x by the quadrant: bit 0 chooses the kernel, bit 1 the sign.
#[inline(always)]
fn by_quadrant(x: f64, quadrant: u64, r: f64, low: f64) -> f64 {
    let y = if quadrant & 1 == 0 { sin_kernel(r, low) } else { cos_kernel(r, low) };
    let y = if quadrant & 2 == 0 { y } else { -y };
    if x.abs() <= LARGEST { y } else { NAN }
}

/// The sine of x radians, for |x| <= 2^30; NaN beyond, where the reduction would lose its bound.
///
/// ```
/// use kernels::math::f64::sin;
/// assert_eq!(sin(0.0), 0.0);
/// assert_eq!(sin(std::f64::consts::FRAC_PI_2), 1.0);
/// assert!(sin(1e10).is_nan());
/// ```
#[inline(always)]
pub fn sin(x: f64) -> f64 {
    let (quadrant, r, low) = reduce(x);
    let y = by_quadrant(x, quadrant, r, low);
    if x == 0.0 { x } else { y }
}

/// The cosine of x radians, for |x| <= 2^30; NaN beyond, where the reduction would lose its bound.
///
/// ```
/// use kernels::math::f64::cos;
/// assert_eq!(cos(0.0), 1.0);
/// assert_eq!(cos(std::f64::consts::PI), -1.0);
/// ```
#[inline(always)]
pub fn cos(x: f64) -> f64 {
    let (quadrant, r, low) = reduce(x);
    by_quadrant(x, quadrant.wrapping_add(1), r, low)
}
