//! Max pooling in 2-D and, with height 1, in 1-D. Slide "pooling".

use kernels::pool::{self, Pool2d};
use kernels::{Element, Error};

use super::{Backward, Forward, Layer, Pass, volume};

#[derive(Debug)]
pub(crate) struct MaxPool {
    sizes: Pool2d,
    output: Vec<usize>,
}

/// The sizes and the output shape of a pooling over `input`.
pub(super) fn pooling(
    input: &[usize],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> Result<(Pool2d, Vec<usize>), String> {
    let (channels, h_in, w_in, flat) = match *input {
        [c, h, w] => (c, h, w, false),
        [c, length] => (c, 1, length, true),
        _ => return Err("expects an input [channels, height, width] or [channels, length]".to_owned()),
    };
    let sizes = Pool2d { channels, h_in, w_in, kernel, stride, padding };
    sizes.validate().map_err(|error| error.to_string())?;
    let output =
        if flat { vec![channels, sizes.w_out()] } else { vec![channels, sizes.h_out(), sizes.w_out()] };
    Ok((sizes, output))
}

impl MaxPool {
    pub(crate) fn new(
        input: &[usize],
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> Result<Self, String> {
        let (sizes, output) = pooling(input, kernel, stride, padding)?;
        Ok(Self { sizes, output })
    }
}

impl<T: Element> Layer<T> for MaxPool {
    fn output(&self) -> &[usize] {
        &self.output
    }

    /// Where each maximum stands in its window.
    fn kept(&self) -> usize {
        volume(&self.output)
    }

    /// y [batch, channels, h_out, w_out] = max over the windows of x [batch, channels, h_in, w_in]
    fn forward(&self, pass: &Pass, f: Forward<'_, T>) -> Result<(), Error> {
        pool::max_forward(pass.exec, &self.sizes, pass.batch, f.x, f.y, f.kept)
    }

    /// y is x at its maximum, so dJ/dx there is delta, and 0 elsewhere; overlapping windows add.
    fn backward(&self, pass: &Pass, b: Backward<'_, T>) -> Result<(), Error> {
        match b.grad_x {
            Some(grad_x) => pool::max_backward(pass.exec, &self.sizes, pass.batch, b.kept, b.grad_y, grad_x),
            None => Ok(()),
        }
    }
}
