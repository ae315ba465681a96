//! Convolution in 2-D and, with height 1, in 1-D. Slides "Réseaux convolutionnels".
//!
//! As in every framework the layer computes a cross-correlation; `true_convolution` rotates the
//! kernel by 180 degrees, so that the weights are those of the mathematical convolution.

use kernels::conv::{self, BackwardInput, Conv2d};
use kernels::{Element, Error};

use super::{Initial, Layer, LayerBackward, LayerForward, Pass, PerSample, Properties, TensorPlan};
use crate::network::ConvSpec;

#[derive(Debug)]
pub(crate) struct Conv {
    sizes: Conv2d,
    bias: bool,
    true_convolution: bool,
}

impl Conv {
    pub(crate) fn layer<T: Element>(image: [usize; 3], spec: ConvSpec) -> Result<Layer<T>, String> {
        let ConvSpec { filters: c_out, kernel, stride, padding, dilation, groups, .. } = spec;
        let [c_in, h_in, w_in] = image;
        let sizes = Conv2d { c_in, h_in, w_in, c_out, kernel, stride, padding, dilation, groups };
        sizes.validate().map_err(|error| error.to_string())?;
        let [kernel_h, kernel_w] = kernel;
        // Connections into one output value, and out of one input value.
        let (fan_in, fan_out) = (c_in / groups * kernel_h * kernel_w, c_out * kernel_h * kernel_w);
        let shape = [c_out, c_in / groups, kernel_h, kernel_w];
        let weight = TensorPlan::new("weight", &shape, Initial::Weight { fan_in, fan_out });
        let layer = Self { sizes, bias: spec.bias, true_convolution: spec.true_convolution };
        let properties = Properties {
            output: vec![c_out, sizes.h_out(), sizes.w_out()],
            tensors: TensorPlan::with_bias(weight, spec.bias, c_out),
            chunk: Some(sizes.chunk()),
            flops: 2 * sizes.output_len() as u64 * fan_in as u64,
            scratch: layer.rotated_len() + sizes.scratch_len(1),
            ..Properties::default()
        };
        Ok(Layer::per_sample(layer, properties))
    }

    /// The scratch for a rotated copy of the weights or of their gradient.
    fn rotated_len(&self) -> usize {
        if self.true_convolution { self.sizes.weight_len() } else { 0 }
    }

    /// dJ/dw_q = sum_p delta_p x_{p+q} and dJ/db = sum_p delta_p; a rotated kernel has a rotated gradient.
    fn chunk_gradients<T: Element>(&self, pass: &Pass, b: &mut LayerBackward<'_, T>) -> Result<(), Error> {
        let (batch, sizes, bias) = (pass.batch, &self.sizes, self.bias);
        let (x, grad_y, partials) = (b.x, b.grad_y, &mut *b.chunks);
        let (rotated, scratch) = b.scratch.split_at_mut(self.rotated_len());
        let operands = conv::ChunkGradients { batch, x, grad_y, bias, partials, scratch };
        conv::chunk_gradients(pass.exec, sizes, operands)?;
        if self.true_convolution {
            let parameters = sizes.weight_len() + if bias { sizes.c_out } else { 0 };
            for chunk in b.chunks.chunks_exact_mut(parameters) {
                let weight = &mut chunk[..sizes.weight_len()];
                conv::rotate(sizes.kernel, weight, rotated)?;
                weight.copy_from_slice(rotated);
            }
        }
        Ok(())
    }
}

impl<T: Element> PerSample<T> for Conv {
    /// y [batch, c_out, h_out, w_out] = w * x [batch, c_in, h_in, w_in] + b
    fn forward(&self, pass: &Pass, f: LayerForward<'_, T>) -> Result<(), Error> {
        let (w, bias) = f.parameters.split_at(self.sizes.weight_len());
        let (rotated, scratch) = f.scratch.split_at_mut(self.rotated_len());
        let w = rotate(self.sizes.kernel, w, rotated)?;
        let bias = self.bias.then_some(bias);
        let operands = conv::ForwardPass { batch: pass.batch, x: f.x, w, bias, y: f.y, scratch };
        conv::forward(pass.exec, &self.sizes, operands)
    }

    /// y_p = sum_q w_q x_{p+q} + b, so dJ/dx_r = sum_q w_q delta_{r-q}.
    fn backward(&self, pass: &Pass, mut b: LayerBackward<'_, T>) -> Result<(), Error> {
        if !b.chunks.is_empty() {
            self.chunk_gradients(pass, &mut b)?;
        }
        if b.grad_x.is_empty() {
            return Ok(());
        }
        let (rotated, scratch) = b.scratch.split_at_mut(self.rotated_len());
        let w = rotate(self.sizes.kernel, &b.parameters[..self.sizes.weight_len()], rotated)?;
        let (batch, grad_y, grad_x) = (pass.batch, b.grad_y, b.grad_x);
        conv::backward_input(pass.exec, &self.sizes, BackwardInput { batch, w, grad_y, grad_x, scratch })
    }
}

/// The weights as the cross-correlation needs them: rotated if there is room for a rotated copy.
fn rotate<'a, T: Element>(
    kernel: [usize; 2],
    weight: &'a [T],
    rotated: &'a mut [T],
) -> Result<&'a [T], Error> {
    if rotated.is_empty() {
        return Ok(weight);
    }
    conv::rotate(kernel, weight, rotated)?;
    Ok(rotated)
}
