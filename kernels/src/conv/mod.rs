//! Convolution (cross-correlation, as every framework has it) through im2col.
use crate::{Element, Error, Exec};

/// All sizes of a 2-D convolution; a 1-D one has height 1. Layout NCHW, weights OIHW
/// [c_out, c_in / groups, kernel_h, kernel_w].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    /// Channels of the input.
    pub c_in: usize,
    /// Height of the input.
    pub h_in: usize,
    /// Width of the input.
    pub w_in: usize,
    /// Channels of the output.
    pub c_out: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps between windows, vertically and horizontally.
    pub stride: [usize; 2],
    /// Zeros around the input: rows above and below, columns left and right.
    pub padding: [usize; 2],
    /// Distance between two taps.
    pub dilation: [usize; 2],
    /// Groups of channels that do not see each other.
    pub groups: usize,
}

impl Conv2d {
    /// Checks the sizes; # Errors: a size of zero, groups that do not divide, a kernel larger than the padded input, overflow.
    pub fn validate(&self) -> Result<(), Error> {
        todo!()
    }
    /// Height of the output: (h_in + 2 padding - dilation (kernel - 1) - 1) / stride + 1.
    pub fn h_out(&self) -> usize {
        todo!()
    }
    /// Width of the output.
    pub fn w_out(&self) -> usize {
        todo!()
    }
    /// c_in * h_in * w_in
    pub fn input_len(&self) -> usize {
        todo!()
    }
    /// c_out * h_out * w_out
    pub fn output_len(&self) -> usize {
        todo!()
    }
    /// c_out * (c_in / groups) * kernel_h * kernel_w
    pub fn weight_len(&self) -> usize {
        todo!()
    }
    /// Samples per chunk of the weight gradient (N3): 4, 16 or 64 by the number of weights.
    pub fn chunk(&self) -> usize {
        todo!()
    }
    /// Elements of scratch that the three functions below need for a batch of `batch` samples.
    pub fn scratch_len(&self, batch: usize) -> usize {
        todo!("{batch}")
    }
}

/// y [batch, c_out, h_out, w_out] = conv(x [batch, c_in, h_in, w_in], w) + bias (bias added last, N2).
pub fn forward<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    batch: usize,
    x: &[T],
    w: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
    scratch: &mut [T],
) -> Result<(), Error> {
    todo!("{exec:?}{conv:?}{batch}{x:?}{w:?}{bias:?}{y:?}{scratch:?}")
}
/// grad_x = the adjoint of forward in x: one chain over (c_out, kernel row, kernel column) (N2).
pub fn backward_input<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    batch: usize,
    w: &[T],
    grad_y: &[T],
    grad_x: &mut [T],
    scratch: &mut [T],
) -> Result<(), Error> {
    todo!("{exec:?}{conv:?}{batch}{w:?}{grad_y:?}{grad_x:?}{scratch:?}")
}
/// grad_w [c_out, c_in / groups, kernel_h, kernel_w]: sum over (sample, row, column) in chunks of samples (N3).
pub fn backward_weight<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    batch: usize,
    x: &[T],
    grad_y: &[T],
    grad_w: &mut [T],
    scratch: &mut [T],
) -> Result<(), Error> {
    todo!("{exec:?}{conv:?}{batch}{x:?}{grad_y:?}{grad_w:?}{scratch:?}")
}
/// grad_bias [c_out]: per sample N4 over the positions, samples chained in the chunks of N3.
pub fn backward_bias<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    batch: usize,
    grad_y: &[T],
    grad_bias: &mut [T],
) -> Result<(), Error> {
    todo!("{exec:?}{conv:?}{batch}{grad_y:?}{grad_bias:?}")
}
/// True convolution is cross-correlation with the kernel turned by 180 degrees: w [planes, kernel_h, kernel_w] -> turned.
pub fn flip<T: Element>(kernel: [usize; 2], w: &[T], flipped: &mut [T]) -> Result<(), Error> {
    todo!("{kernel:?}{w:?}{flipped:?}")
}
