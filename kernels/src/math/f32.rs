//! exp, ln and their relatives in f32, correctly rounded.

macro_rules! rounded {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[inline(always)]
        pub fn $name(x: f32) -> f32 {
            let y = super::f64::$name(f64::from(x)) as f32;
            if y.is_nan() { f32::from_bits(0x7fc0_0000) } else { y }
        }
    };
}
rounded!(/** e^x. */ exp);
rounded!(/** e^x - 1. */ expm1);
rounded!(/** The natural logarithm. */ ln);
rounded!(/** ln(1 + x). */ ln1p);
rounded!(/** The hyperbolic tangent. */ tanh);
rounded!(/** The logistic function 1 / (1 + e^-x). */ sigmoid);

use super::Function;
use crate::Level;

/// y = f(x) over slices of one length.
pub(crate) fn evaluate(level: Level, function: Function, x: &[f32], y: &mut [f32]) {
    match function {
        Function::Exp => each(level, x, y, exp),
        Function::Expm1 => each(level, x, y, expm1),
        Function::Ln => each(level, x, y, ln),
        Function::Ln1p => each(level, x, y, ln1p),
        Function::Tanh => each(level, x, y, tanh),
        Function::Sigmoid => each(level, x, y, sigmoid),
    }
}

fn each(level: Level, x: &[f32], y: &mut [f32], f: impl Fn(f32) -> f32) {
    level.vectorize(
        #[inline(always)]
        || {
            y.iter_mut().zip(x).for_each(
                #[inline(always)]
                |(y, &x)| *y = f(x),
            )
        },
    );
}
