//! Softmax and the losses on logits (N16).
//!
//! ```text
//! m = max x (N7)       e_j = exp(x_j - m)       s = sum e (N4)       p_j = e_j / s
//! loss = ln s - (x_y - m)                        grad_j = (p_j - [j = y]) * r
//! ```
//!
//! Subtracting m makes the largest exponent 0, so that nothing overflows; r = 1/B is the caller's,
//! rounded once. Many rows of a few classes are worked on side by side (`across.rs`), longer ones, or few, along
//! their classes (`along.rs`); exp and ln always get as many values at once as there are.
//!
//! **Source** Bridle 1990 (softmax); Goodfellow, Bengio and Courville, *Deep Learning*, 4.1 and 6.2.2.

#![forbid(unsafe_code)]

mod across;
mod along;

use crate::activation::softplus_tail;
use crate::math::Function;
use crate::{Element, Error, Exec, Level};

/// Values of the logistic loss that are worked on at a time: they stay in the first cache.
const PIECE: usize = 512;

/// p = softmax(x), row by row.
///
/// **Shapes** `x` and `p` [rows, classes] row-major.
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
    T::softmax(exec, classes, x, p)
}

pub(crate) fn softmax_body<T: Element>(
    exec: Exec,
    classes: usize,
    x: &[T],
    p: &mut [T],
) -> Result<(), Error> {
    Error::same_length("softmax", &[("x", x.len()), ("p", p.len())])?;
    whole_rows("softmax", classes, x.len())?;
    // A gradient without a target, times 1, is p.
    rows(exec.level, classes, x, p, Goal { labels: &[], r: T::ONE, losses: &mut [] });
    Ok(())
}

/// losses = ln s - (x_y - m) and grad = (p - [j = y]) * r, row by row.
///
/// **Shapes** `x` and `grad` [rows, classes] row-major, `labels` and `losses` \[rows\].
///
/// # Errors
/// If the shapes do not fit or a label is not below `classes`; nothing is written then.
///
/// ```
/// use kernels::{Exec, Level, softmax::cross_entropy};
/// let (mut losses, mut grad) = ([0.0_f64], [0.0; 2]);
/// cross_entropy(Exec::serial(Level::best()), 2, &[7.0, 7.0], &[1], 1.0, &mut losses, &mut grad)?;
/// assert_eq!(losses, [std::f64::consts::LN_2]);
/// assert_eq!(grad, [0.5, -0.5]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn cross_entropy<T: Element>(
    exec: Exec,
    classes: usize,
    x: &[T],
    labels: &[u32],
    r: T,
    losses: &mut [T],
    grad: &mut [T],
) -> Result<(), Error> {
    T::cross_entropy(exec, classes, x, labels, r, losses, grad)
}

pub(crate) fn cross_entropy_body<T: Element>(
    exec: Exec,
    classes: usize,
    x: &[T],
    labels: &[u32],
    r: T,
    losses: &mut [T],
    grad: &mut [T],
) -> Result<(), Error> {
    const OPERATION: &str = "softmax cross_entropy";
    Error::same_length(OPERATION, &[("x", x.len()), ("grad", grad.len())])?;
    let count = whole_rows(OPERATION, classes, x.len())?;
    Error::same_length(
        OPERATION,
        &[("rows of x", count), ("labels", labels.len()), ("losses", losses.len())],
    )?;
    check_labels(OPERATION, classes, labels)?;
    rows(exec.level, classes, x, grad, Goal { labels, r, losses });
    Ok(())
}

/// What a row's gradient is taken against, and where its loss goes; without labels and losses it is p * r.
struct Goal<'a, T> {
    labels: &'a [u32],
    r: T,
    losses: &'a mut [T],
}

impl<T: Element> Goal<'_, T> {
    /// That of `count` rows.
    fn of_rows(&mut self, first: usize, count: usize) -> Goal<'_, T> {
        let rows = first..first + count;
        Goal {
            labels: self.labels.get(rows.clone()).unwrap_or_default(),
            r: self.r,
            losses: self.losses.get_mut(rows).unwrap_or_default(),
        }
    }

    /// losses = ln s - (x_y - m).
    fn store_losses(self, level: Level, logs: &[T], d_y: &[T]) {
        level.vectorize(
            #[inline(always)]
            || {
                for (loss, (&log, &d_y)) in self.losses.iter_mut().zip(logs.iter().zip(d_y)) {
                    *loss = (log - d_y).canonical();
                }
            },
        );
    }
}

/// The gradients (p - [j = y]) * r of the rows of x, and their losses.
fn rows<T: Element>(level: Level, classes: usize, x: &[T], grad: &mut [T], goal: Goal<'_, T>) {
    if !level.is_plain() && classes <= across::MOST_CLASSES && x.len() >= across::LEAST_ROWS * classes {
        across::rows(level, classes, x, grad, goal);
    } else {
        along::rows(level, classes, x, grad, goal);
    }
}

/// The number of rows that `length` values are.
fn whole_rows(operation: &'static str, classes: usize, length: usize) -> Result<usize, Error> {
    if classes > 0 && length.is_multiple_of(classes) {
        return Ok(length / classes);
    }
    Err(Error::Shape {
        operation,
        expected: format!("whole rows of {classes} classes, of which there must be at least one"),
        got: format!("{length} values"),
    })
}

/// Checks that every label names a class.
fn check_labels(operation: &'static str, classes: usize, labels: &[u32]) -> Result<(), Error> {
    match labels.iter().position(|&label| label as usize >= classes) {
        None => Ok(()),
        Some(row) => Err(Error::Shape {
            operation,
            expected: format!("labels from 0 to {}, one class each", classes - 1),
            got: format!("label {} in row {row}", labels[row]),
        }),
    }
}

/// The logistic loss on logits, with p = sigmoid(z): -y ln p - (1 - y) ln(1 - p), as the sequence
///
/// ```text
/// t = ln1p(exp(-|z|))     losses = ((if z > 0 { z } else { 0 }) - y * z) + t     grad = (sigmoid(z) - y) * r
/// ```
///
/// which neither overflows nor cancels.
///
/// **Shapes** `z`, `targets`, `losses` and `grad` of one length; a target is 0, 1 or between.
///
/// **Source** Goodfellow, Bengio and Courville, *Deep Learning*, 6.2.2.2; the gradient is the course's
/// delta = a - y of a sigmoid neuron with this loss.
///
/// # Errors
/// If the lengths differ.
///
/// ```
/// use kernels::{Exec, Level, softmax::binary_cross_entropy};
/// let (mut losses, mut grad) = ([0.0_f64; 2], [0.0; 2]);
/// binary_cross_entropy(Exec::serial(Level::best()), &[0.0, 800.0], &[1.0, 0.0], 1.0, &mut losses, &mut grad)?;
/// assert_eq!(losses, [std::f64::consts::LN_2, 800.0]);
/// assert_eq!(grad, [-0.5, 1.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn binary_cross_entropy<T: Element>(
    exec: Exec,
    z: &[T],
    targets: &[T],
    r: T,
    losses: &mut [T],
    grad: &mut [T],
) -> Result<(), Error> {
    T::binary_cross_entropy(exec, z, targets, r, losses, grad)
}

pub(crate) fn binary_cross_entropy_body<T: Element>(
    exec: Exec,
    z: &[T],
    targets: &[T],
    r: T,
    losses: &mut [T],
    grad: &mut [T],
) -> Result<(), Error> {
    Error::same_length(
        "binary_cross_entropy",
        &[("z", z.len()), ("targets", targets.len()), ("losses", losses.len()), ("grad", grad.len())],
    )?;
    let level = exec.level;
    let pieces = z.chunks(PIECE).zip(targets.chunks(PIECE));
    for ((z, y), (losses, grad)) in pieces.zip(losses.chunks_mut(PIECE).zip(grad.chunks_mut(PIECE))) {
        // grad is the scratch until its own turn: t goes from it into losses.
        softplus_tail(level, z, losses, grad);
        level.vectorize(
            #[inline(always)]
            || {
                for ((loss, &z), &y) in losses.iter_mut().zip(z).zip(y) {
                    let positive = if z > T::ZERO { z } else { T::ZERO };
                    *loss = ((positive - y * z) + *loss).canonical();
                }
            },
        );
        T::evaluate(level, Function::Sigmoid, z, grad);
        level.vectorize(
            #[inline(always)]
            || {
                for (grad, &y) in grad.iter_mut().zip(y) {
                    *grad = ((*grad - y) * r).canonical();
                }
            },
        );
    }
    Ok(())
}
