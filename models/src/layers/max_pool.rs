//! Max pooling in 2-D and, with height 1, in 1-D. Slide "pooling".

use kernels::pool::{self, Pool2d};
use kernels::{Element, Error};

use super::{Backward, Forward, Layer, Pass, volume};

#[derive(Debug)]
pub(crate) struct MaxPool {
    sizes: Pool2d,
    output: Vec<usize>,
    /// Whether the input goes through a ReLU first.
    rectifies: bool,
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
        Ok(Self { sizes, output, rectifies: false })
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

    /// What the gradient of a ReLU below is computed from.
    fn recalled(&self) -> usize {
        if self.rectifies { volume(&self.output) } else { 0 }
    }

    fn on_a_relu(&self) -> Option<Box<dyn Layer<T>>> {
        Some(Box::new(Self { rectifies: true, output: self.output.clone(), ..*self }))
    }

    /// y [batch, channels, h_out, w_out] = max over the windows of x [batch, channels, h_in, w_in]
    fn forward(&self, pass: &Pass, f: Forward<'_, T>) -> Result<(), Error> {
        let forward = if self.rectifies { pool::relu_max_forward } else { pool::max_forward };
        forward(pass.exec, &self.sizes, pass.batch, f.x, f.y, f.kept)
    }

    /// y is x at its maximum, so dJ/dx there is delta, and 0 elsewhere; overlapping windows add.
    fn backward(&self, pass: &Pass, b: Backward<'_, T>) -> Result<(), Error> {
        let (exec, sizes, batch) = (pass.exec, &self.sizes, pass.batch);
        match b.grad_x {
            Some(grad_z) if self.rectifies => {
                pool::relu_max_backward(exec, sizes, batch, (b.kept, b.y), b.grad_y, grad_z)
            }
            Some(grad_x) => pool::max_backward(exec, sizes, batch, b.kept, b.grad_y, grad_x),
            None => Ok(()),
        }
    }
}
