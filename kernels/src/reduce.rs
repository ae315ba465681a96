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

use crate::simd::{Kernel, Simd, Vector};
use crate::{Element, Exec, Level};

/// Virtual lanes of a sum (N4).
const LANES: usize = 32;

/// A sum over the lanes: of x, or of (x - centre)^2 where `squared`.
pub(crate) struct Sum<'a, T> {
    x: &'a [T],
    centre: T,
    squared: bool,
}

impl<T: Element> Kernel for Sum<'_, T> {
    type Output = T;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> T {
        match LANES / T::Vector::<S>::LANES {
            2 => self.columns::<S, 2>(simd),
            4 => self.columns::<S, 4>(simd),
            8 => self.columns::<S, 8>(simd),
            _ => self.columns::<S, 16>(simd),
        }
    }
}

impl<T: Element> Sum<'_, T> {
    pub(crate) fn sum(level: Level, x: &[T]) -> T {
        level.dispatch(Sum { x, centre: T::ZERO, squared: false })
    }

    pub(crate) fn sum_of_squares_about(level: Level, x: &[T], centre: T) -> T {
        level.dispatch(Sum { x, centre, squared: true })
    }

    /// The lanes in N registers.
    #[inline(always)]
    fn columns<S: Simd, const N: usize>(&self, simd: S) -> T {
        let width = T::Vector::<S>::LANES;
        let shift = T::Vector::<S>::splat(simd, -self.centre);
        let mut sums = [T::Vector::<S>::splat(simd, T::ZERO); N];
        let rows = self.x.chunks_exact(LANES);
        let rest = rows.remainder();
        for row in rows {
            for (i, sum) in sums.iter_mut().enumerate() {
                let x = T::Vector::<S>::load(simd, &row[i * width..]);
                *sum = if self.squared {
                    let d = x + shift;
                    d.mul_add(d, *sum)
                } else {
                    *sum + x
                };
            }
        }
        let mut lanes = [T::ZERO; LANES];
        for (sum, lanes) in sums.into_iter().zip(lanes.chunks_exact_mut(width)) {
            sum.store(lanes);
        }
        for (lane, &x) in lanes.iter_mut().zip(rest) {
            let d = x - self.centre;
            *lane = if self.squared { d.mul_add(d, *lane) } else { *lane + x };
        }
        halve(lanes)
    }
}

/// The lanes by halves: l += l + 16, + 8, + 4, + 2, + 1.
#[inline(always)]
fn halve<T: Element>(mut lanes: [T; LANES]) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
        half /= 2;
    }
    lanes[0].canonical()
}

/// [`sum`] of a short row, inside of a loop that runs at a level already.
#[inline(always)]
pub(crate) fn sum_lanes<T: Element>(x: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    for row in x.chunks(LANES) {
        for (lane, &x) in lanes.iter_mut().zip(row) {
            *lane += x;
        }
    }
    halve(lanes)
}

/// [`sum`] inside of a kernel that runs at a level already.
#[inline(always)]
pub(crate) fn sum_at<T: Element, S: Simd>(simd: S, x: &[T]) -> T {
    if x.len() < LANES { sum_lanes(x) } else { Sum { x, centre: T::ZERO, squared: false }.run(simd) }
}

/// The sum of x; +0.0 for nothing.
///
/// ```
/// use kernels::{Exec, Level, reduce};
/// assert_eq!(reduce::sum(Exec::serial(Level::best()), &[1.0_f32, 2.0, 3.5]), 6.5);
/// ```
pub fn sum<T: Element>(exec: Exec, x: &[T]) -> T {
    T::sum(exec.level, x)
}

/// The sum of squares of x: per lane `s = fma(x, x, s)`.
///
/// ```
/// use kernels::{Exec, Level, reduce};
/// assert_eq!(reduce::sum_of_squares(Exec::serial(Level::best()), &[3.0_f64, 4.0]), 25.0);
/// ```
pub fn sum_of_squares<T: Element>(exec: Exec, x: &[T]) -> T {
    sum_of_squares_about(exec, x, T::ZERO)
}

/// The sum of squares of x - centre: per lane `d = x - centre; s = fma(d, d, s)`.
///
/// ```
/// use kernels::{Exec, Level, reduce};
/// assert_eq!(reduce::sum_of_squares_about(Exec::serial(Level::best()), &[3.0_f64, 5.0], 4.0), 2.0);
/// ```
pub fn sum_of_squares_about<T: Element>(exec: Exec, x: &[T], centre: T) -> T {
    T::sum_of_squares_about(exec.level, x, centre)
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
pub fn max<T: Element>(x: &[T]) -> Option<T> {
    argmax(x).map(|i| x[i].canonical())
}
