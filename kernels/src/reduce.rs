//! Sums, norms and means over 32 virtual lanes (N4); max and argmax (N7).
//!
//! ```text
//! lane      0     1    ...   31
//!          x[0]  x[1]  ...  x[31]
//!         x[32] x[33]  ...  x[63]        each lane adds its column from +0.0, downwards
//!          ...
//! then l += l + 16, + 8, + 4, + 2, + 1: lane 0 holds the sum
//! ```
//!
//! The order is fixed by the length alone, so neither the vector width nor the caller changes a
//! bit; 32 lanes are enough to keep the adders of every vector unit busy. A NaN comes out as the one
//! NaN of the contract (N8).

#![forbid(unsafe_code)]

use crate::{Element, Exec};

/// Virtual lanes of a sum (N4).
const LANES: usize = 32;

/// Folds index i into lane i mod 32 with `f(lane, i)`, then the lanes by halves.
#[inline(always)]
fn lanes<T: Element>(length: usize, f: impl Fn(T, usize) -> T) -> T {
    let mut lanes = [T::ZERO; LANES];
    let whole = length - length % LANES;
    for start in (0..whole).step_by(LANES) {
        for (l, lane) in lanes.iter_mut().enumerate() {
            *lane = f(*lane, start + l);
        }
    }
    for (l, lane) in lanes.iter_mut().enumerate().take(length - whole) {
        *lane = f(*lane, whole + l);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
        half /= 2;
    }
    lanes[0].canonical()
}

/// The sum of x; +0.0 for nothing.
///
/// ```
/// use kernels::{Exec, Level, reduce};
/// assert_eq!(reduce::sum(Exec::serial(Level::best()), &[1.0_f32, 2.0, 3.5]), 6.5);
/// ```
pub fn sum<T: Element>(exec: Exec, x: &[T]) -> T {
    exec.level.vectorize(
        #[inline(always)]
        || sum_lanes(x),
    )
}

/// [`sum`] inside of a loop that runs at a level already.
#[inline(always)]
pub(crate) fn sum_lanes<T: Element>(x: &[T]) -> T {
    lanes(
        x.len(),
        #[inline(always)]
        |s, i| s + x[i],
    )
}

/// The sum of squares of x: per lane `s = fma(x, x, s)`.
///
/// ```
/// use kernels::{Exec, Level, reduce};
/// assert_eq!(reduce::sum_of_squares(Exec::serial(Level::best()), &[3.0_f64, 4.0]), 25.0);
/// ```
pub fn sum_of_squares<T: Element>(exec: Exec, x: &[T]) -> T {
    exec.level.vectorize(
        #[inline(always)]
        || {
            lanes(
                x.len(),
                #[inline(always)]
                |s: T, i| x[i].mul_add(x[i], s),
            )
        },
    )
}

/// The sum of squares of x - centre: per lane `d = x - centre; s = fma(d, d, s)`.
///
/// ```
/// use kernels::{Exec, Level, reduce};
/// assert_eq!(reduce::sum_of_squares_about(Exec::serial(Level::best()), &[3.0_f64, 5.0], 4.0), 2.0);
/// ```
pub fn sum_of_squares_about<T: Element>(exec: Exec, x: &[T], centre: T) -> T {
    exec.level.vectorize(
        #[inline(always)]
        || {
            lanes(
                x.len(),
                #[inline(always)]
                |s: T, i| {
                    let d = x[i] - centre;
                    d.mul_add(d, s)
                },
            )
        },
    )
}

/// The mean of x: its [`sum`], then one division by the length; NaN for nothing.
///
/// ```
/// use kernels::{Exec, Level, reduce};
/// assert_eq!(reduce::mean(Exec::serial(Level::best()), &[1.0_f32, 2.0, 6.0]), 3.0);
/// ```
pub fn mean<T: Element>(exec: Exec, x: &[T]) -> T {
    (sum(exec, x) / T::from_f64(x.len() as f64)).canonical()
}

/// The first index of the largest element (strict `>`); the first NaN wins. None for nothing.
///
/// ```
/// use kernels::reduce::argmax;
/// assert_eq!(argmax(&[1.0_f32, 3.0, 3.0]), Some(1));
/// assert_eq!(argmax(&[1.0, f64::NAN, 3.0]), Some(1));
/// assert_eq!(argmax::<f32>(&[]), None);
/// ```
#[inline(always)]
pub fn argmax<T: Element>(x: &[T]) -> Option<usize> {
    let mut best = *x.first()?;
    let mut index = 0;
    for (i, &v) in x.iter().enumerate() {
        if v > best || (v.is_nan() && !best.is_nan()) {
            (best, index) = (v, i);
        }
    }
    Some(index)
}

/// The element at [`argmax`]: -0.0 before +0.0 stays -0.0. None for nothing.
///
/// ```
/// use kernels::reduce::max;
/// assert_eq!(max(&[1.0_f32, 3.0, 2.0]), Some(3.0));
/// ```
#[inline(always)]
pub fn max<T: Element>(x: &[T]) -> Option<T> {
    argmax(x).map(|i| x[i].canonical())
}
