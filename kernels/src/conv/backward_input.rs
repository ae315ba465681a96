//! The input gradient as a gather: grad_x = W' im2col(grad_y), with the taps running backwards.
//!
//! ```text
//! stride 2, kernel 3, no padding, one axis       position 0 2 4 ..   meets taps 0 and 2
//!                                                position 1 3 5 ..   meets tap 1
//! ```
//!
//! With a stride, each residue class of positions has taps of its own, and is a gather of stride 1: the general case
//! is one pass like the forward pass for each class.

use super::parts::Part;
use super::ways::Frame;
use super::{Conv2d, check_conv, check_len, check_samples};
use crate::{Element, Error, Exec};

/// The operands of [`backward_input`].
#[derive(Debug)]
pub struct BackwardInput<'a, T> {
    /// Number of samples.
    pub batch: usize,
    /// The weights [c_out, c_in / groups, kernel_h, kernel_w].
    pub w: &'a [T],
    /// The gradient of the output [batch, c_out, h_out, w_out].
    pub grad_y: &'a [T],
    /// The gradient of the input [batch, c_in, h_in, w_in].
    pub grad_x: &'a mut [T],
    /// At least [`Conv2d::scratch_len`]`(1)` values, of any content.
    pub scratch: &'a mut [T],
}

/// `grad_x[n,c,h,w] = sum over (o, i, j) of w[o,c,i,j] grad_y[n,o,h-i,w-j]`, for stride 1 without
/// padding: `x[h]` meets `w[i]` in the output `y[h - i]`, so `dJ/dx[h]` collects `w[i] dJ/dy[h - i]`.
///
/// Per input value one chain over (c_out, kernel row, kernel column); taps beside the output map
/// are taps of +0.0, taps between strides are absent (N2, whose limit of 8192 counts the taps
/// that are present).
///
/// # Shapes
/// In [`BackwardInput`].
///
/// # Errors
/// [`Error::Shape`] if the sizes are not valid or a slice has another length than they say.
///
/// # Source
/// V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016, section 4.
///
/// ```
/// use kernels::Exec;
/// use kernels::conv::{self, BackwardInput, Conv2d};
///
/// let conv = Conv2d {
///     c_in: 1, h_in: 1, w_in: 4, c_out: 1,
///     kernel: [1, 2], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1,
/// };
/// let (w, grad_y) = ([-1.0_f32, 1.0], [1.0, 10.0, 100.0]);
/// let (mut grad_x, mut scratch) = ([0.0; 4], vec![0.0; conv.scratch_len(1)]);
/// let operands =
///     BackwardInput { batch: 1, w: &w, grad_y: &grad_y, grad_x: &mut grad_x, scratch: &mut scratch };
/// conv::backward_input(Exec::from_env()?, &conv, operands)?;
/// assert_eq!(grad_x, [-1.0, -9.0, -90.0, 100.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn backward_input<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    operands: BackwardInput<'_, T>,
) -> Result<(), Error> {
    T::conv_backward_input(exec, conv, operands)
}

pub(crate) fn compute<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    operands: BackwardInput<'_, T>,
) -> Result<(), Error> {
    const NAME: &str = "conv2d input gradient";
    let BackwardInput { batch, w, grad_y, grad_x, scratch } = operands;
    check_conv(NAME, conv, scratch.len())?;
    check_len(NAME, "weights", conv.weight_len(), w.len())?;
    check_samples(NAME, "grad_y", [batch, conv.output_len()], grad_y.len())?;
    check_samples(NAME, "grad_x", [batch, conv.input_len()], grad_x.len())?;
    let (groups, channels, place) =
        (conv.groups, conv.c_in / conv.groups, |sample| sample * conv.input_len());
    let samples = Part { first: 0, items: batch, place, out: grad_x, scratch };
    samples.share(exec, conv.flops(batch), conv.scratch_len(1), &|exec, part| {
        for class in conv.classes() {
            let product = conv.class_product(class);
            let (transposed, scratch) = part.scratch.split_at_mut(channels * product.frame.all_taps());
            let (packed, scratch) = scratch.split_at_mut(product.packed_len());
            let (result, scratch) = scratch.split_at_mut(channels * product.frame.positions());
            for (group, w) in w.chunks_exact(conv.weight_len() / groups).enumerate() {
                transpose_weights(conv, &product.frame, w, transposed);
                let weights = product.pack(exec, transposed, None, packed);
                let grad_y =
                    grad_y.chunks_exact(conv.output_len() / groups).skip(part.first * groups + group);
                let grad_x = part.out.chunks_exact_mut(conv.input_len() / groups).skip(group);
                for (planes, grad_x) in grad_y.step_by(groups).zip(grad_x.step_by(groups)) {
                    if conv.stride == [1, 1] {
                        product.compute(exec, &weights, planes, grad_x, scratch)?;
                    } else {
                        product.compute(exec, &weights, planes, result, scratch)?;
                        spread(conv, class, result, grad_x);
                    }
                }
            }
        }
        Ok(())
    })
}

/// W' of one group for the taps of a class of input positions: [channel, (filter, tap row, tap column)].
fn transpose_weights<T: Element>(conv: &Conv2d, frame: &Frame, w: &[T], transposed: &mut [T]) {
    let ([kernel_h, kernel_w], [rows, cols]) = (conv.kernel, frame.reads);
    let channels = conv.c_in / conv.groups;
    let mut transposed = transposed.iter_mut();
    for channel in 0..channels {
        for kernel in w.chunks_exact(kernel_h * kernel_w).skip(channel).step_by(channels) {
            for i in rows.kernel_taps() {
                let values = cols.kernel_taps().map(|j| kernel[i * kernel_w + j]);
                values.zip(transposed.by_ref()).for_each(|(value, to)| *to = value);
            }
        }
    }
}

/// Writes the result [channels, positions] of a class to its places among the other classes'.
fn spread<T: Element>(conv: &Conv2d, class: [usize; 2], result: &[T], grad_x: &mut [T]) {
    let mut result = result.iter();
    for plane in grad_x.chunks_exact_mut(conv.h_in * conv.w_in) {
        for row in plane.chunks_exact_mut(conv.w_in).skip(class[0]).step_by(conv.stride[0]) {
            let places = row[class[1]..].iter_mut().step_by(conv.stride[1]);
            places.zip(result.by_ref()).for_each(|(to, &value)| *to = value);
        }
    }
}
