//! The floating-point environment that the contract needs (N10).

#![forbid(unsafe_code)]

use std::hint::black_box;

use crate::Error;

/// Checks that this thread rounds to nearest even and keeps subnormals.
///
/// Every worker calls it once at its entry: both settings are inherited from the thread that
/// starts a thread, and some libraries change them (flush-to-zero comes with `-ffast-math`).
///
/// # Errors
/// [`Error::Environment`] with the setting that is wrong.
///
/// # Source
/// IEEE 754-2019, sections 4.3 (rounding) and 7.5 (subnormal results).
///
/// ```
/// kernels::environment::check()?;
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn check() -> Result<(), Error> {
    // black_box keeps the compiler from computing these itself, in its own environment.
    let half_step = black_box(f32::EPSILON / 2.0);
    let nearest_even = |one: f32| {
        let up = one + one * half_step * 1.5;
        let down = one + one * half_step * 0.5;
        let tie = one + one * half_step;
        up == one + one * f32::EPSILON && down == one && tie == one
    };
    if !nearest_even(black_box(1.0)) || !nearest_even(black_box(-1.0)) {
        return Err(Error::Environment { found: "rounding is not to nearest even" });
    }
    // By bits, because a comparison would read a subnormal as zero where operands are flushed.
    let half = black_box(f32::MIN_POSITIVE) * black_box(0.5);
    let half_double = black_box(f64::MIN_POSITIVE) * black_box(0.5);
    if half.to_bits() == 0 || half_double.to_bits() == 0 {
        return Err(Error::Environment { found: "flush-to-zero is on" });
    }
    let raised = black_box(f32::from_bits(1)) * black_box(1e30);
    let raised_double = black_box(f64::from_bits(1)) * black_box(1e300);
    if raised.to_bits() == 0 || raised_double.to_bits() == 0 {
        return Err(Error::Environment { found: "subnormal operands are read as zero" });
    }
    Ok(())
}
