//! Softmax and the losses on logits (N16).
//!
//! ```text
//! m = max x (N7)       e_j = exp(x_j - m)       s = sum e (N4)       p_j = e_j / s
//! loss = ln s - (x_y - m)                        grad_j = (p_j - [j = y]) * r
//! ```
//!
//! Subtracting m makes the largest exponent 0, so that nothing overflows; r = 1/B is the caller's,
//! rounded once.
//!
//! **Source** Bridle 1990 (softmax); Goodfellow, Bengio and Courville, *Deep Learning*, 4.1 and 6.2.2.

#![forbid(unsafe_code)]

use crate::activation::softplus_tail;
use crate::math::Function;
use crate::reduce::{max, sum_lanes};
use crate::{Element, Error, Exec, Level};

/// Values that are worked on at a time: they stay in the first cache.
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
    Error::same_length("softmax", &[("x", x.len()), ("p", p.len())])?;
    whole_rows("softmax", classes, x.len())?;
    let piece = rows_at_a_time(classes) * classes;
    for (x, p) in x.chunks(piece).zip(p.chunks_mut(piece)) {
        exponentials(exec.level, classes, x, p);
        exec.level.vectorize(
            #[inline(always)]
            || {
                for p in p.chunks_mut(classes) {
                    let s = sum_lanes(p);
                    p.iter_mut().for_each(
                        #[inline(always)]
                        |p| *p = (*p / s).canonical(),
                    );
                }
            },
        );
    }
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
    const OPERATION: &str = "softmax cross_entropy";
    Error::same_length(OPERATION, &[("x", x.len()), ("grad", grad.len())])?;
    let rows = whole_rows(OPERATION, classes, x.len())?;
    Error::same_length(
        OPERATION,
        &[("rows of x", rows), ("labels", labels.len()), ("losses", losses.len())],
    )?;
    check_labels(OPERATION, classes, labels)?;
    let rows = rows_at_a_time(classes);
    let pieces = x.chunks(rows * classes).zip(grad.chunks_mut(rows * classes));
    for ((x, grad), (labels, losses)) in pieces.zip(labels.chunks(rows).zip(losses.chunks_mut(rows))) {
        exponentials(exec.level, classes, x, grad);
        exec.level.vectorize(
            #[inline(always)]
            || {
                let rows = x.chunks(classes).zip(grad.chunks_mut(classes));
                for ((x, p), (&y, loss)) in rows.zip(labels.iter().zip(losses)) {
                    *loss = loss_and_gradient(x, p, y as usize, r);
                }
            },
        );
    }
    Ok(())
}

/// One row: `p` holds e and becomes the gradient; returns the loss.
#[inline(always)]
fn loss_and_gradient<T: Element>(x: &[T], p: &mut [T], y: usize, r: T) -> T {
    let s = sum_lanes(p);
    for (j, p) in p.iter_mut().enumerate() {
        let target = if j == y { T::ONE } else { T::ZERO };
        *p = ((*p / s - target) * r).canonical();
    }
    (s.ln() - (x[y] - row_maximum(x))).canonical()
}

/// e = exp(x - m), row by row.
fn exponentials<T: Element>(level: Level, classes: usize, x: &[T], e: &mut [T]) {
    level.vectorize(
        #[inline(always)]
        || {
            for (x, e) in x.chunks(classes).zip(e.chunks_mut(classes)) {
                let m = row_maximum(x);
                e.iter_mut().zip(x).for_each(
                    #[inline(always)]
                    |(e, &x)| *e = x - m,
                );
            }
        },
    );
    let mut exponents = [T::ZERO; PIECE];
    for e in e.chunks_mut(PIECE) {
        let exponents = &mut exponents[..e.len()];
        exponents.copy_from_slice(e);
        T::evaluate(level, Function::Exp, exponents, e);
    }
}

/// The largest element of a row, which is never empty.
#[inline(always)]
fn row_maximum<T: Element>(x: &[T]) -> T {
    max(x).unwrap_or(T::ZERO)
}

/// Rows whose values fit a piece; at least one.
fn rows_at_a_time(classes: usize) -> usize {
    (PIECE / classes).clamp(1, PIECE)
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
