//! The logistic loss, that of a sigmoid's output, on logits.

use crate::activation::{combine, softplus_tail};
use crate::math::Function;
use crate::simd::vectorized;
use crate::tuning::L1_BLOCK;
use crate::{Element, Error, Exec, Level};

/// The logistic loss on logits, with p = sigmoid(z): -y ln p - (1 - y) ln(1 - p), as the sequence
///
/// ```text
/// t = ln1p(exp(-|z|))     losses = ((if z > 0 { z } else { 0 }) - y * z) + t     grad = (sigmoid(z) - y) * r
/// ```
///
/// which neither overflows nor cancels.
///
/// # Shapes
/// `z`, `targets`, `losses` and `grad` of one length; a target is 0, 1 or between.
///
/// # Errors
/// If the lengths differ.
///
/// # Source
/// Goodfellow, Bengio and Courville, *Deep Learning*, 6.2.2.2; the gradient is the course's
/// delta = a - y of a sigmoid neuron with this loss.
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
    T::logistic(exec.level, (z, targets), r, losses, grad);
    Ok(())
}

pub(crate) fn gradients<T: Element>(
    level: Level,
    (z, targets): (&[T], &[T]),
    r: T,
    losses: &mut [T],
    grad: &mut [T],
) {
    let inputs = z.chunks(L1_BLOCK).zip(targets.chunks(L1_BLOCK));
    for ((z, y), (losses, grad)) in inputs.zip(losses.chunks_mut(L1_BLOCK).zip(grad.chunks_mut(L1_BLOCK))) {
        // grad is the scratch until the gradient is written: t goes from it into losses.
        softplus_tail(level, z, losses, grad);
        vectorized!(level, {
            for ((loss, &z), &y) in losses.iter_mut().zip(z).zip(y) {
                let positive = if z > T::ZERO { z } else { T::ZERO };
                *loss = ((positive - y * z) + *loss).canonical();
            }
        });
        T::evaluate(level, Function::Sigmoid, z, grad);
        combine!(level, y, grad, |y, sigmoid| (sigmoid - y) * r);
    }
}
