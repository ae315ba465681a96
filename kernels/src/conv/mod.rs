//! Convolution (cross-correlation, as every framework has it) and its three gradients.
//!
//! ```text
//! y[n,o,h,w]      = sum over (c, i, j)    of w[o,c,i,j] x[n,c,h+i,w+j] + b[o]      forward
//! grad_x[n,c,h,w] = sum over (o, i, j)    of w[o,c,i,j] grad_y[n,o,h-i,w-j]        backward_input
//! grad_w[o,c,i,j] = sum over (n, h, w)    of grad_y[n,o,h,w] x[n,c,h+i,w+j]        backward_weight
//! grad_b[o]       = sum over (n, h, w)    of grad_y[n,o,h,w]                       backward_bias
//! ```
//!
//! (stride 1, no padding; [`Conv2d`] holds the general sizes). The order of each sum is the
//! contract's, so that every bit is defined; [`crate::reference::conv`] has it as plain loops.
//!
//! | file | holds |
//! |---|---|
//! | `shape.rs` | [`Conv2d`]: all sizes, checked once |
//! | `im2col.rs` | the column matrix and its adjoint, for reading |
//! | `forward.rs` | weights times the columns of x, sample by sample |
//! | `backward_input.rs` | transposed weights times the columns of grad_y |
//! | `backward_weight.rs` | the gradients of chunks of samples, and their sum |
//! | `backward_bias.rs` | the same for the biases |
//! | `parts.rs` | samples and filters over threads |
//! | `ways/` | the fast ways to compute these products, with the same bits |
//!
//! Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to
//! document recognition", 1998, section II; slides "Réseaux convolutionnels 1D" and "2D".

#![forbid(unsafe_code)]

mod backward_bias;
pub(crate) mod backward_input;
pub(crate) mod backward_weight;
pub(crate) mod forward;
mod im2col;
mod parts;
mod shape;
mod ways;

pub use backward_bias::backward_bias;
pub use backward_input::{BackwardInput, backward_input};
pub use backward_weight::{BackwardWeight, ChunkGradients, add_chunk, backward_weight, chunk_gradients};
pub use forward::{ForwardPass, forward};
pub use im2col::{col2im, im2col};
pub use shape::Conv2d;

pub(crate) use crate::window::Target;
use crate::{Element, Error};

/// True convolution is cross-correlation with the kernel rotated by 180 degrees:
/// `rotated[.., i, j] = w[.., kernel_h - 1 - i, kernel_w - 1 - j]`.
///
/// # Shapes
/// `w` and `rotated` [any number of planes, kernel_h, kernel_w].
///
/// # Errors
/// [`Error::Shape`] if the lengths differ or are no multiple of the kernel's.
///
/// ```
/// let mut rotated = [0.0_f32; 6];
/// kernels::conv::rotate([2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &mut rotated)?;
/// assert_eq!(rotated, [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn rotate<T: Element>(kernel: [usize; 2], w: &[T], rotated: &mut [T]) -> Result<(), Error> {
    let taps = kernel[0].saturating_mul(kernel[1]);
    check_len("conv2d rotate", "rotated weights", w.len(), rotated.len())?;
    Error::unless(taps > 0 && w.len().is_multiple_of(taps), "conv2d rotate", || {
        (format!("whole kernels of {} x {} values", kernel[0], kernel[1]), format!("{} values", w.len()))
    })?;
    for (rotated, plane) in rotated.chunks_exact_mut(taps).zip(w.chunks_exact(taps)) {
        rotated.iter_mut().zip(plane.iter().rev()).for_each(|(to, &from)| *to = from);
    }
    Ok(())
}

fn check_len(operation: &'static str, what: &str, expected: usize, got: usize) -> Result<(), Error> {
    Error::unless(expected == got, operation, || (format!("{expected} {what}"), got.to_string()))
}

fn check_samples(
    operation: &'static str,
    what: &str,
    [batch, each]: [usize; 2],
    got: usize,
) -> Result<(), Error> {
    Error::unless(batch.checked_mul(each) == Some(got), operation, || {
        (format!("{what} of {batch} samples of {each} values"), format!("{got} values"))
    })
}

/// The sizes of the convolution and the scratch.
fn check_conv(operation: &'static str, conv: &Conv2d, scratch: usize) -> Result<(), Error> {
    conv.validate()?;
    let least = conv.scratch_len(1);
    Error::unless(scratch >= least, operation, || {
        (format!("a scratch of at least {least} values"), scratch.to_string())
    })
}
