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
//! Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to
//! document recognition", 1998, section II; slides "Réseaux convolutionnels 1D" and "2D".

#![forbid(unsafe_code)]

mod shape;

pub use shape::Conv2d;
pub(crate) use shape::{Axis, Target};

use crate::{Element, Error, Exec, reference};

/// The operands of [`forward`].
#[derive(Debug)]
pub struct Forward<'a, T> {
    /// Number of samples.
    pub batch: usize,
    /// The input [batch, c_in, h_in, w_in].
    pub x: &'a [T],
    /// The weights [c_out, c_in / groups, kernel_h, kernel_w].
    pub w: &'a [T],
    /// The biases [c_out].
    pub bias: Option<&'a [T]>,
    /// The output [batch, c_out, h_out, w_out].
    pub y: &'a mut [T],
    /// At least [`Conv2d::scratch_len`]`(1)` values, of any content.
    pub scratch: &'a mut [T],
}

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

/// The operands of [`backward_weight`].
#[derive(Debug)]
pub struct BackwardWeight<'a, T> {
    /// Number of samples.
    pub batch: usize,
    /// The input [batch, c_in, h_in, w_in].
    pub x: &'a [T],
    /// The gradient of the output [batch, c_out, h_out, w_out].
    pub grad_y: &'a [T],
    /// The gradient of the weights [c_out, c_in / groups, kernel_h, kernel_w].
    pub grad_w: &'a mut [T],
    /// At least [`Conv2d::scratch_len`]`(1)` values, of any content.
    pub scratch: &'a mut [T],
}

/// y = conv(x, w) + bias: per output one chain over (channel, kernel row, kernel column),
/// padding as taps of +0.0, the bias added last with one `+` (N2).
///
/// # Errors
/// [`Error::Shape`] if the sizes are not valid or a slice has another length than they say.
pub fn forward<T: Element>(exec: Exec, conv: &Conv2d, operands: Forward<'_, T>) -> Result<(), Error> {
    const NAME: &str = "conv2d forward";
    let Forward { batch, x, w, bias, y, scratch } = operands;
    conv.validate()?;
    check_samples(NAME, "x", batch, conv.input_len(), x.len())?;
    check_len(NAME, "weights", conv.weight_len(), w.len())?;
    check_len(NAME, "biases", conv.c_out, bias.map_or(conv.c_out, <[T]>::len))?;
    check_samples(NAME, "y", batch, conv.output_len(), y.len())?;
    check_scratch(NAME, conv, scratch.len())?;
    let _ = exec;
    y.copy_from_slice(&reference::conv::forward(conv, batch, x, w, bias));
    Ok(())
}

/// grad_x, the adjoint of [`forward`] in x: one chain over (c_out, kernel row, kernel column);
/// taps beside the output map are taps of +0.0, taps between strides are absent (N2).
///
/// # Errors
/// As [`forward`].
pub fn backward_input<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    operands: BackwardInput<'_, T>,
) -> Result<(), Error> {
    const NAME: &str = "conv2d input gradient";
    let BackwardInput { batch, w, grad_y, grad_x, scratch } = operands;
    conv.validate()?;
    check_len(NAME, "weights", conv.weight_len(), w.len())?;
    check_samples(NAME, "grad_y", batch, conv.output_len(), grad_y.len())?;
    check_samples(NAME, "grad_x", batch, conv.input_len(), grad_x.len())?;
    check_scratch(NAME, conv, scratch.len())?;
    let _ = exec;
    grad_x.copy_from_slice(&reference::conv::backward_input(conv, batch, w, grad_y));
    Ok(())
}

/// grad_w, the adjoint of [`forward`] in w: the sum over (sample, row, column) in chunks of
/// [`Conv2d::chunk`] samples, each one chain from +0.0, added ascending (N3).
///
/// # Errors
/// As [`forward`].
pub fn backward_weight<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    operands: BackwardWeight<'_, T>,
) -> Result<(), Error> {
    const NAME: &str = "conv2d weight gradient";
    let BackwardWeight { batch, x, grad_y, grad_w, scratch } = operands;
    conv.validate()?;
    check_samples(NAME, "x", batch, conv.input_len(), x.len())?;
    check_samples(NAME, "grad_y", batch, conv.output_len(), grad_y.len())?;
    check_len(NAME, "weight gradients", conv.weight_len(), grad_w.len())?;
    check_scratch(NAME, conv, scratch.len())?;
    let _ = exec;
    grad_w.copy_from_slice(&reference::conv::backward_weight(conv, batch, x, grad_y));
    Ok(())
}

/// grad_bias [c_out]: per sample the N4 sum of grad_y over the positions, samples chained with
/// `+` in the chunks of [`Conv2d::chunk`] (N3).
///
/// # Errors
/// As [`forward`].
pub fn backward_bias<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    batch: usize,
    grad_y: &[T],
    grad_bias: &mut [T],
) -> Result<(), Error> {
    const NAME: &str = "conv2d bias gradient";
    conv.validate()?;
    check_samples(NAME, "grad_y", batch, conv.output_len(), grad_y.len())?;
    check_len(NAME, "bias gradients", conv.c_out, grad_bias.len())?;
    let _ = exec;
    grad_bias.copy_from_slice(&reference::conv::backward_bias(conv, batch, grad_y));
    Ok(())
}

/// True convolution is cross-correlation with the kernel turned by 180 degrees:
/// flipped[.., i, j] = w[.., kernel_h - 1 - i, kernel_w - 1 - j].
///
/// # Shapes
/// `w` and `flipped` [any number of planes, kernel_h, kernel_w].
///
/// # Errors
/// [`Error::Shape`] if the lengths differ or are no multiple of the kernel's.
///
/// ```
/// let mut flipped = [0.0_f32; 6];
/// kernels::conv::flip([2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &mut flipped)?;
/// assert_eq!(flipped, [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn flip<T: Element>(kernel: [usize; 2], w: &[T], flipped: &mut [T]) -> Result<(), Error> {
    let taps = kernel[0].saturating_mul(kernel[1]);
    check_len("conv2d flip", "flipped weights", w.len(), flipped.len())?;
    if taps == 0 || !w.len().is_multiple_of(taps) {
        return Err(Error::Shape {
            operation: "conv2d flip",
            expected: format!("whole kernels of {} x {} values", kernel[0], kernel[1]),
            got: format!("{} values", w.len()),
        });
    }
    for (turned, plane) in flipped.chunks_exact_mut(taps).zip(w.chunks_exact(taps)) {
        turned.iter_mut().zip(plane.iter().rev()).for_each(|(to, &from)| *to = from);
    }
    Ok(())
}

fn check_len(operation: &'static str, what: &str, expected: usize, got: usize) -> Result<(), Error> {
    if expected == got {
        return Ok(());
    }
    Err(Error::Shape { operation, expected: format!("{expected} {what}"), got: got.to_string() })
}

fn check_samples(
    operation: &'static str,
    what: &str,
    batch: usize,
    each: usize,
    got: usize,
) -> Result<(), Error> {
    if batch.checked_mul(each) == Some(got) {
        return Ok(());
    }
    Err(Error::Shape {
        operation,
        expected: format!("{what} of {batch} samples of {each} values"),
        got: format!("{got} values"),
    })
}

fn check_scratch(operation: &'static str, conv: &Conv2d, got: usize) -> Result<(), Error> {
    let least = conv.scratch_len(1);
    if got >= least {
        return Ok(());
    }
    Err(Error::Shape {
        operation,
        expected: format!("a scratch of at least {least} values"),
        got: got.to_string(),
    })
}
