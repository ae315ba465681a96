//! Softmax and the losses on logits (N16), row by row and value by value.

use super::reduce;
use crate::Element;

/// m and e = exp(x - m) of one row.
fn exponentials<T: Element>(x: &[T]) -> (T, Vec<T>) {
    let m = reduce::argmax(x).map_or(T::ZERO, |i| x[i]);
    (m, x.iter().map(|&x| (x - m).exp()).collect())
}

/// p = e / s of one row.
pub fn softmax<T: Element>(x: &[T]) -> Vec<T> {
    let (_, e) = exponentials(x);
    let s = reduce::sum(&e);
    e.into_iter().map(|e| (e / s).canonical()).collect()
}

/// One row's loss ln s - (x_y - m) and gradient (p - [j = y]) * r.
pub fn cross_entropy<T: Element>(x: &[T], y: usize, r: T) -> (T, Vec<T>) {
    let (m, e) = exponentials(x);
    let s = reduce::sum(&e);
    let loss = s.ln() - (x[y] - m);
    let grad = e.iter().enumerate().map(|(j, &e)| {
        let target = if j == y { T::ONE } else { T::ZERO };
        ((e / s - target) * r).canonical()
    });
    (loss.canonical(), grad.collect())
}

/// One output's loss max(z, 0) - y z + ln(1 + e^-|z|) and gradient (sigmoid(z) - y) * r.
pub fn binary_cross_entropy<T: Element>(z: T, y: T, r: T) -> (T, T) {
    let positive = if z > T::ZERO { z } else { T::ZERO };
    let loss = (positive - y * z) + (-z.abs()).exp().ln1p();
    (loss.canonical(), ((z.sigmoid() - y) * r).canonical())
}
