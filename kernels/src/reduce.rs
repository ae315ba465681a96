//! Sums, norms and means over 32 virtual lanes (N4); max and argmax (N7).
use crate::{Element, Exec};

/// The sum of x (N4); +0.0 for nothing.
pub fn sum<T: Element>(exec: Exec, x: &[T]) -> T {
    todo!("{exec:?}{x:?}")
}
/// The sum of squares of x (N4): per lane `s = fma(x, x, s)`.
pub fn sum_of_squares<T: Element>(exec: Exec, x: &[T]) -> T {
    todo!("{exec:?}{x:?}")
}
/// The mean of x: N4 sum, one division.
pub fn mean<T: Element>(exec: Exec, x: &[T]) -> T {
    todo!("{exec:?}{x:?}")
}
/// The first index of the largest element (strict >); a NaN wins, the first NaN stays. None for nothing.
pub fn argmax<T: Element>(x: &[T]) -> Option<usize> {
    todo!("{x:?}")
}
