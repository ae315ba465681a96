//! Max pooling, average pooling (padding counts, N16) and global average pooling (Lin, Chen and Yan 2014).
//! Slide "pooling".

use kernels::pool::{self, MaxBackward, Pool2d};
use kernels::{Element, Error};

use super::{Layer, LayerBackward, LayerForward, Pass, PerSample, Properties, volume};
use crate::network::Window;

/// What becomes of the values of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reduction {
    Max,
    /// The ReLU below and the maximum, as one layer.
    MaxOfRelu,
    Mean,
}

#[derive(Debug)]
pub(crate) struct Pool {
    sizes: Pool2d,
    reduction: Reduction,
}

impl Pool {
    pub(crate) fn layer<T: Element>(
        image: [usize; 3],
        window: Window,
        reduction: Reduction,
    ) -> Result<Layer<T>, String> {
        let ([channels, h_in, w_in], Window { kernel, stride, padding }) = (image, window);
        let sizes = Pool2d { channels, h_in, w_in, kernel, stride, padding };
        sizes.validate().map_err(|error| error.to_string())?;
        let output = vec![channels, sizes.h_out(), sizes.w_out()];
        let kept = if reduction == Reduction::Mean { 0 } else { volume(&output) };
        // The gradient of a ReLU below is computed from y.
        let read_for_grad_x = if reduction == Reduction::MaxOfRelu { kept } else { 0 };
        let properties = Properties { output, kept, read_for_grad_x, ..Properties::default() };
        Ok(Layer::per_sample(Self { sizes, reduction }, properties))
    }
}

impl<T: Element> PerSample<T> for Pool {
    /// y [batch, channels, h_out, w_out] = max or mean over the windows of x [batch, channels, h_in, w_in]; kept is
    /// where each maximum is in its window.
    fn forward(&self, pass: &Pass, f: LayerForward<'_, T>) -> Result<(), Error> {
        let (exec, sizes, batch) = (pass.exec, &self.sizes, pass.batch);
        match self.reduction {
            Reduction::Max => pool::max_forward(exec, sizes, batch, f.x, f.y, f.kept),
            Reduction::MaxOfRelu => pool::relu_max_forward(exec, sizes, batch, f.x, f.y, f.kept),
            Reduction::Mean => pool::average_forward(exec, sizes, batch, f.x, f.y),
        }
    }

    /// y is x at its maximum, so dJ/dx there is delta, and 0 elsewhere. A mean is sum x / size, so every x of a window
    /// receives delta / size. Overlapping windows add.
    fn backward(&self, pass: &Pass, b: LayerBackward<'_, T>) -> Result<(), Error> {
        let (exec, sizes, batch) = (pass.exec, &self.sizes, pass.batch);
        match self.reduction {
            Reduction::Max => pool::max_backward(exec, sizes, batch, b.kept, b.grad_y, b.grad_x),
            Reduction::MaxOfRelu => {
                let operands = MaxBackward { indices: b.kept, y: b.y, grad_y: b.grad_y, grad_x: b.grad_x };
                pool::relu_max_backward(exec, sizes, batch, operands)
            }
            Reduction::Mean => pool::average_backward(exec, sizes, batch, b.grad_y, b.grad_x),
        }
    }
}

/// One mean per channel.
#[derive(Debug)]
pub(crate) struct GlobalAveragePool {
    channels: usize,
    area: usize,
}

impl GlobalAveragePool {
    pub(crate) fn layer<T: Element>(input: &[usize]) -> Result<Layer<T>, String> {
        let [channels, _, ..] = *input else {
            return Err("expects an input with planes, not a flat one".to_owned());
        };
        let mut output = vec![1; input.len()];
        output[0] = channels;
        let properties = Properties { output, ..Properties::default() };
        Ok(Layer::per_sample(Self { channels, area: volume(&input[1..]) }, properties))
    }
}

impl<T: Element> PerSample<T> for GlobalAveragePool {
    /// y [batch, channels, 1, 1] = mean over each plane of x [batch, channels, h, w]
    fn forward(&self, pass: &Pass, f: LayerForward<'_, T>) -> Result<(), Error> {
        pool::global_average_forward(pass.exec, pass.batch * self.channels, self.area, f.x, f.y)
    }

    /// y = sum x / area, so every x of the plane receives delta / area.
    fn backward(&self, pass: &Pass, b: LayerBackward<'_, T>) -> Result<(), Error> {
        pool::global_average_backward(pass.exec, pass.batch * self.channels, self.area, b.grad_y, b.grad_x)
    }
}
