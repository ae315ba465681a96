//! Softmax and its log-likelihood loss (N16).
use crate::{Element, Error, Exec};

/// p [rows, classes] = softmax(x), row by row.
pub fn softmax<T: Element>(exec: Exec, classes: usize, x: &[T], p: &mut [T]) -> Result<(), Error> {
    todo!("{exec:?}{classes}{x:?}{p:?}")
}
/// losses [rows] = ln s - (x_y - m) and grad [rows, classes] = (p - y) * r, with r given by the caller (1/B rounded once).
pub fn cross_entropy<T: Element>(
    exec: Exec,
    classes: usize,
    x: &[T],
    labels: &[u32],
    r: T,
    losses: &mut [T],
    grad: &mut [T],
) -> Result<(), Error> {
    todo!("{exec:?}{classes}{x:?}{labels:?}{r}{losses:?}{grad:?}")
}
