//! Softmax and the losses on logits (N16).
//!
//! ```text
//! m = max x (N7)       e_j = exp(x_j - m)       s = sum e (N4)       p_j = e_j / s
//! loss = ln s - (x_y - m)                        grad_j = (p_j - [j = y]) * r
//! ```
//!
//! Subtracting m makes the largest exponent 0, so that nothing overflows; r = 1/B is the caller's, rounded once.
//! exp and ln always get as many values at once as there are.
//!
//! | file | holds |
//! |---|---|
//! | `rows_in_lanes.rs` | many rows of a few classes: a register holds one class of sixteen rows |
//! | `classes_in_lanes.rs` | few rows, or long ones: a register holds classes of one row |
//! | `logistic.rs` | the loss of a sigmoid, value by value |
//!
//! Source: Bridle 1990 (softmax); Goodfellow, Bengio and Courville, *Deep Learning*, 4.1 and 6.2.2.

#![forbid(unsafe_code)]

mod classes_in_lanes;
pub(crate) mod logistic;
mod rows_in_lanes;

use std::ops::Range;

pub use logistic::binary_cross_entropy;

use crate::simd::vectorized;
use crate::{Element, Error, Exec, Level};

/// p = softmax(x), row by row.
///
/// # Shapes
/// `x` and `p` [rows, classes] row-major.
///
/// # Errors
/// If the lengths differ or are no multiple of `classes`.
///
/// ```
/// use kernels::{Exec, Level, softmax::softmax};
/// let mut p = [0.0_f32; 4];
/// softmax(Exec::serial(Level::best()), 2, &[1.0, 1.0, 500.0, -500.0], &mut p)?;
/// assert_eq!(p, [0.5, 0.5, 1.0, 0.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn softmax<T: Element>(exec: Exec, classes: usize, x: &[T], p: &mut [T]) -> Result<(), Error> {
    Error::same_length("softmax", &[("x", x.len()), ("p", p.len())])?;
    whole_rows("softmax", classes, x.len())?;
    // A gradient without a target, times 1, is p.
    T::softmax(exec.level, classes, CrossEntropy { x, labels: &[], r: T::ONE, losses: &mut [], grad: p });
    Ok(())
}

/// The operands of [`cross_entropy`].
#[derive(Debug)]
pub struct CrossEntropy<'a, T> {
    /// The logits, [rows, classes] row-major.
    pub x: &'a [T],
    /// The class of each row, \[rows\].
    pub labels: &'a [u32],
    /// The factor of the gradient, 1 / B.
    pub r: T,
    /// The loss of each row, \[rows\].
    pub losses: &'a mut [T],
    /// The gradient, [rows, classes] row-major.
    pub grad: &'a mut [T],
}

/// losses = ln s - (x_y - m) and grad = (p - [j = y]) * r, row by row.
///
/// # Shapes
/// In [`CrossEntropy`].
///
/// # Errors
/// If the shapes do not fit or a label is not below `classes`; nothing is written then.
///
/// ```
/// use kernels::{Exec, Level, softmax::{CrossEntropy, cross_entropy}};
/// let (mut losses, mut grad) = ([0.0_f64], [0.0; 2]);
/// let one = CrossEntropy { x: &[7.0, 7.0], labels: &[1], r: 1.0, losses: &mut losses, grad: &mut grad };
/// cross_entropy(Exec::serial(Level::best()), 2, one)?;
/// assert_eq!((losses, grad), ([std::f64::consts::LN_2], [0.5, -0.5]));
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn cross_entropy<T: Element>(exec: Exec, classes: usize, rows: CrossEntropy<'_, T>) -> Result<(), Error> {
    const OPERATION: &str = "softmax cross_entropy";
    let CrossEntropy { x, labels, ref losses, ref grad, .. } = rows;
    Error::same_length(OPERATION, &[("x", x.len()), ("grad", grad.len())])?;
    let count = whole_rows(OPERATION, classes, x.len())?;
    let lengths = [("rows of x", count), ("labels", labels.len()), ("losses", losses.len())];
    Error::same_length(OPERATION, &lengths)?;
    check_labels(OPERATION, classes, labels)?;
    T::softmax(exec.level, classes, rows);
    Ok(())
}

/// The gradients of all rows, and their losses; without labels and losses the gradient is p * r.
pub(crate) fn gradients<T: Element>(level: Level, classes: usize, rows: CrossEntropy<'_, T>) {
    let many = rows.x.len() >= rows_in_lanes::LEAST_ROWS * classes;
    if !level.is_plain() && classes <= rows_in_lanes::MOST_CLASSES && many {
        rows_in_lanes::gradients(level, classes, rows);
    } else {
        classes_in_lanes::gradients(level, classes, rows);
    }
}

impl<T: Element> CrossEntropy<'_, T> {
    /// Some of the rows.
    fn rows(&mut self, classes: usize, rows: Range<usize>) -> CrossEntropy<'_, T> {
        let values = rows.start * classes..rows.end * classes;
        CrossEntropy {
            x: &self.x[values.clone()],
            labels: self.labels.get(rows.clone()).unwrap_or_default(),
            r: self.r,
            losses: self.losses.get_mut(rows).unwrap_or_default(),
            grad: &mut self.grad[values],
        }
    }

    /// losses = ln s - (x_y - m).
    fn store_losses(self, level: Level, logs: &[T], d_y: &[T]) {
        vectorized!(level, {
            for (loss, (&log, &d_y)) in self.losses.iter_mut().zip(logs.iter().zip(d_y)) {
                *loss = (log - d_y).canonical();
            }
        });
    }
}

/// The number of rows that `length` values are.
fn whole_rows(operation: &'static str, classes: usize, length: usize) -> Result<usize, Error> {
    Error::unless(classes > 0 && length.is_multiple_of(classes), operation, || {
        let expected = format!("whole rows of {classes} classes, of which there must be at least one");
        (expected, format!("{length} values"))
    })?;
    Ok(length / classes)
}

/// Checks that every label names a class.
fn check_labels(operation: &'static str, classes: usize, labels: &[u32]) -> Result<(), Error> {
    let wrong = labels.iter().position(|&label| label as usize >= classes);
    wrong.map_or(Ok(()), |row| {
        let expected = format!("labels from 0 to {}, one class each", classes - 1);
        Err(Error::Shape { operation, expected, got: format!("label {} in row {row}", labels[row]) })
    })
}
