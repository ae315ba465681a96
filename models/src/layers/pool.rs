//! Max pooling, average pooling (padding counts, N16) and global average pooling (Lin, Chen and Yan 2014).
//! Slide "pooling".

use kernels::pool::{self, MaxBackward, Pool2d};
use kernels::{Element, Error};

use super::{Backward, Forward, Layer, Pass, PerSample, Properties, volume};
use crate::network::Window;

/// The sizes of a pooling over an image, and its output's shape.
fn pooling(image: [usize; 3], window: Window) -> Result<(Pool2d, Properties), String> {
    let ([channels, h_in, w_in], Window { kernel, stride, padding }) = (image, window);
    let sizes = Pool2d { channels, h_in, w_in, kernel, stride, padding };
    sizes.validate().map_err(|error| error.to_string())?;
    let output = vec![channels, sizes.h_out(), sizes.w_out()];
    Ok((sizes, Properties { output, ..Properties::default() }))
}

#[derive(Debug)]
pub(crate) struct MaxPool {
    sizes: Pool2d,
    /// Whether the input goes through a ReLU first.
    over_relu: bool,
}

impl MaxPool {
    /// The pooling alone, or as one layer with the ReLU below it.
    pub(crate) fn layer<T: Element>(
        image: [usize; 3],
        window: Window,
        over_relu: bool,
    ) -> Result<Layer<T>, String> {
        let (sizes, properties) = pooling(image, window)?;
        let kept = volume(&properties.output);
        // The gradient of a ReLU below is computed from y.
        let read_for_grad_x = if over_relu { kept } else { 0 };
        Ok(Layer::per_sample(Self { sizes, over_relu }, Properties { kept, read_for_grad_x, ..properties }))
    }
}

impl<T: Element> PerSample<T> for MaxPool {
    /// y [batch, channels, h_out, w_out] = max over the windows of x [batch, channels, h_in, w_in]; kept is where each
    /// maximum is in its window.
    fn forward(&self, pass: &Pass, f: Forward<'_, T>) -> Result<(), Error> {
        let forward = if self.over_relu { pool::relu_max_forward } else { pool::max_forward };
        forward(pass.exec, &self.sizes, pass.batch, f.x, f.y, f.kept)
    }

    /// y is x at its maximum, so dJ/dx there is delta, and 0 elsewhere; overlapping windows add.
    fn backward(&self, pass: &Pass, b: Backward<'_, T>) -> Result<(), Error> {
        let (exec, sizes, batch) = (pass.exec, &self.sizes, pass.batch);
        if self.over_relu {
            let operands = MaxBackward { indices: b.kept, y: b.y, grad_y: b.grad_y, grad_x: b.grad_x };
            return pool::relu_max_backward(exec, sizes, batch, operands);
        }
        pool::max_backward(exec, sizes, batch, b.kept, b.grad_y, b.grad_x)
    }
}

#[derive(Debug)]
pub(crate) struct AveragePool {
    sizes: Pool2d,
}

impl AveragePool {
    pub(crate) fn layer<T: Element>(image: [usize; 3], window: Window) -> Result<Layer<T>, String> {
        let (sizes, properties) = pooling(image, window)?;
        Ok(Layer::per_sample(Self { sizes }, properties))
    }
}

impl<T: Element> PerSample<T> for AveragePool {
    /// y [batch, channels, h_out, w_out] = mean over the windows of x [batch, channels, h_in, w_in]
    fn forward(&self, pass: &Pass, f: Forward<'_, T>) -> Result<(), Error> {
        pool::average_forward(pass.exec, &self.sizes, pass.batch, f.x, f.y)
    }

    /// y = sum x / size, so every x of a window receives delta / size; overlapping windows add.
    fn backward(&self, pass: &Pass, b: Backward<'_, T>) -> Result<(), Error> {
        pool::average_backward(pass.exec, &self.sizes, pass.batch, b.grad_y, b.grad_x)
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
        let [channels, ref plane @ ..] = *input else {
            return Err("expects an input [channels, height, width] or [channels, length]".to_owned());
        };
        if plane.is_empty() {
            return Err("expects an input with planes, not a flat one".to_owned());
        }
        let mut output = vec![1; input.len()];
        output[0] = channels;
        let properties = Properties { output, ..Properties::default() };
        Ok(Layer::per_sample(Self { channels, area: volume(plane) }, properties))
    }
}

impl<T: Element> PerSample<T> for GlobalAveragePool {
    /// y [batch, channels, 1, 1] = mean over each plane of x [batch, channels, h, w]
    fn forward(&self, pass: &Pass, f: Forward<'_, T>) -> Result<(), Error> {
        pool::global_average_forward(pass.exec, pass.batch * self.channels, self.area, f.x, f.y)
    }

    /// y = sum x / area, so every x of the plane receives delta / area.
    fn backward(&self, pass: &Pass, b: Backward<'_, T>) -> Result<(), Error> {
        pool::global_average_backward(pass.exec, pass.batch * self.channels, self.area, b.grad_y, b.grad_x)
    }
}
