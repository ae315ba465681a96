//! Sums over 32 virtual lanes (N4), argmax and max (N7), as the rules say them.

use crate::Element;

/// Virtual lanes (N4).
const LANES: usize = 32;

/// Lane l takes the elements with index = l (mod 32), ascending, from +0.0; then the lanes are folded by halves:
/// l += l + 16, + 8, + 4, + 2, + 1.
fn fold<T: Element>(x: &[T], next: impl Fn(T, T) -> T) -> T {
    let mut lanes = [T::ZERO; LANES];
    for (i, &v) in x.iter().enumerate() {
        lanes[i % LANES] = next(lanes[i % LANES], v);
    }
    for half in [16, 8, 4, 2, 1] {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
    }
    lanes[0].canonical()
}

/// The lanes' sums.
pub fn sum<T: Element>(x: &[T]) -> T {
    fold(x, |s, v| s + v)
}

/// As [`sum`], with `s = fma(d, d, s)` for d = x - centre.
pub fn sum_of_squares_about<T: Element>(x: &[T], centre: T) -> T {
    fold(x, |s, v| (v - centre).mul_add(v - centre, s))
}

/// The first index of the largest element; a NaN wins, the first NaN stays.
pub fn argmax<T: Element>(x: &[T]) -> Option<usize> {
    if let Some(nan) = x.iter().position(|v| v.is_nan()) {
        return Some(nan);
    }
    let mut best = None;
    for (i, &v) in x.iter().enumerate() {
        if best.is_none_or(|b: usize| v > x[b]) {
            best = Some(i);
        }
    }
    best
}
