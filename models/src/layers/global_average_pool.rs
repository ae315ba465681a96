//! Global average pooling: one mean per channel. Lin, Chen and Yan 2014; slide "pooling".

use kernels::{Element, Error, pool};

use super::{Backward, Forward, Layer, Pass, volume};

#[derive(Debug)]
pub(crate) struct GlobalAveragePool {
    channels: usize,
    area: usize,
    output: Vec<usize>,
}

impl GlobalAveragePool {
    pub(crate) fn new(input: &[usize]) -> Result<Self, String> {
        let [channels, ref plane @ ..] = *input else {
            return Err("expects an input [channels, height, width] or [channels, length]".to_owned());
        };
        if plane.is_empty() {
            return Err("expects an input with planes, not a flat one".to_owned());
        }
        let mut output = vec![1; input.len()];
        output[0] = channels;
        Ok(Self { channels, area: volume(plane), output })
    }
}

impl<T: Element> Layer<T> for GlobalAveragePool {
    fn output(&self) -> &[usize] {
        &self.output
    }

    /// y [batch, channels, 1, 1] = mean over each plane of x [batch, channels, h, w]
    fn forward(&self, pass: &Pass, f: Forward<'_, T>) -> Result<(), Error> {
        pool::global_average_forward(pass.exec, pass.batch * self.channels, self.area, f.x, f.y)
    }

    /// y = sum x / area, so every x of the plane receives delta / area.
    fn backward(&self, pass: &Pass, b: Backward<'_, T>) -> Result<(), Error> {
        match b.grad_x {
            Some(grad_x) => {
                let planes = pass.batch * self.channels;
                pool::global_average_backward(pass.exec, planes, self.area, b.grad_y, grad_x)
            }
            None => Ok(()),
        }
    }
}
