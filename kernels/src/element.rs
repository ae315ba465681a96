//! The element types: f32 and f64.

use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use crate::compiled::Compiled;
use crate::simd::{Simd, Vector};
use crate::{Level, math};

/// A floating-point type that the kernels compute in: `f32` or `f64`, and no other.
pub trait Element:
    Copy
    + Default
    + PartialOrd
    + Debug
    + Display
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Compiled
{
    /// A register of this type at an instruction set.
    type Vector<S: Simd>: Vector<Element = Self, Simd = S>;

    /// +0.0
    const ZERO: Self;
    /// 1.0
    const ONE: Self;
    /// The name of the type in tables and messages: `f32` or `f64`.
    const NAME: &'static str;

    /// `self * b + c` with one rounding (N1).
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// The correctly rounded square root.
    fn sqrt(self) -> Self;
    /// The value with its sign bit cleared.
    fn abs(self) -> Self;
    /// True for NaN.
    fn is_nan(self) -> bool;
    /// True unless NaN or infinite.
    fn is_finite(self) -> bool;
    /// `x` rounded once to this type.
    fn from_f64(x: f64) -> Self;
    /// The value as f64, which is exact.
    fn to_f64(self) -> f64;
    /// The bit pattern, widened to 64 bits with zeros.
    fn bits(self) -> u64;
    /// The value with any NaN replaced by the one NaN of the contract (N8).
    fn canonical(self) -> Self;

    /// e^x (N5).
    fn exp(self) -> Self;
    /// e^x - 1 (N5).
    fn expm1(self) -> Self;
    /// The natural logarithm (N5).
    fn ln(self) -> Self;
    /// ln(1 + x) (N5).
    fn ln1p(self) -> Self;
    /// The hyperbolic tangent (N5).
    fn tanh(self) -> Self;
    /// 1 / (1 + e^-x) (N5).
    fn sigmoid(self) -> Self;
    /// y = f(x) over slices of one length, with the bits of the functions above.
    fn evaluate(level: Level, function: math::Function, x: &[Self], y: &mut [Self]);
}

/// Methods that are functions of the type.
macro_rules! forward {
    ($($name:ident($($argument:ident),*) -> $result:ty = $function:path;)*) => {
        $(#[inline(always)]
        fn $name(self $(, $argument: Self)*) -> $result {
            $function(self $(, $argument)*)
        })*
    };
}

macro_rules! impl_element {
    ($t:ident, $vector:ident, $nan:expr) => {
        impl Element for $t {
            type Vector<S: Simd> = S::$vector;

            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAME: &'static str = stringify!($t);

            forward! {
                mul_add(b, c) -> Self = $t::mul_add;
                sqrt() -> Self = $t::sqrt;
                abs() -> Self = $t::abs;
                is_nan() -> bool = $t::is_nan;
                is_finite() -> bool = $t::is_finite;
                to_f64() -> f64 = f64::from;
                exp() -> Self = math::$t::exp;
                expm1() -> Self = math::$t::expm1;
                ln() -> Self = math::$t::ln;
                ln1p() -> Self = math::$t::ln1p;
                tanh() -> Self = math::$t::tanh;
                sigmoid() -> Self = math::$t::sigmoid;
            }
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn bits(self) -> u64 {
                u64::from(self.to_bits())
            }
            #[inline(always)]
            fn canonical(self) -> Self {
                if $t::is_nan(self) { $t::from_bits($nan) } else { self }
            }
            #[inline]
            fn evaluate(level: Level, function: math::Function, x: &[Self], y: &mut [Self]) {
                math::$t::evaluate(level, function, x, y);
            }
        }
    };
}

impl_element!(f32, F32, 0x7fc0_0000);
impl_element!(f64, F64, 0x7ff8_0000_0000_0000);
