//! Average pooling in 2-D and, with height 1, in 1-D; padding counts (N16). Slide "pooling".

use kernels::pool::{self, Pool2d};
use kernels::{Element, Error};

use super::max_pool::pooling;
use super::{Backward, Forward, Layer, Pass};

#[derive(Debug)]
pub(crate) struct AveragePool {
    sizes: Pool2d,
    output: Vec<usize>,
}

impl AveragePool {
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

impl<T: Element> Layer<T> for AveragePool {
    fn output(&self) -> &[usize] {
        &self.output
    }

    /// y [batch, channels, h_out, w_out] = mean over the windows of x [batch, channels, h_in, w_in]
    fn forward(&self, pass: &Pass, f: Forward<'_, T>) -> Result<(), Error> {
        pool::average_forward(pass.exec, &self.sizes, pass.batch, f.x, f.y)
    }

    /// y = sum x / size, so every x of a window receives delta / size; overlapping windows add.
    fn backward(&self, pass: &Pass, b: Backward<'_, T>) -> Result<(), Error> {
        match b.grad_x {
            Some(grad_x) => pool::average_backward(pass.exec, &self.sizes, pass.batch, b.grad_y, grad_x),
            None => Ok(()),
        }
    }
}
