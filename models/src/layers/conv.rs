//! Convolution in 2-D and, with height 1, in 1-D. Slides "Réseaux convolutionnels".
//!
//! As in every framework the layer computes a cross-correlation; `true_convolution` turns the kernel
//! by 180 degrees, so that the weights are those of the mathematical convolution.

use kernels::conv::{self, BackwardInput, ChunkGradients, Conv2d};
use kernels::{Element, Error};

use super::{Backward, Forward, Gradient, Layer, Pass, Role, TensorPlan};

/// What a student writes of a 2-D convolution; the rest follows from the input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvSpec {
    pub(crate) filters: usize,
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) padding: [usize; 2],
    pub(crate) dilation: [usize; 2],
    pub(crate) groups: usize,
    pub(crate) bias: bool,
    pub(crate) true_convolution: bool,
}

#[derive(Debug)]
pub(crate) struct Conv {
    sizes: Conv2d,
    bias: bool,
    true_convolution: bool,
    output: Vec<usize>,
}

impl Conv {
    pub(crate) fn new(input: &[usize], spec: ConvSpec) -> Result<Self, String> {
        let (c_in, h_in, w_in, flat) = match *input {
            [c, h, w] => (c, h, w, false),
            [c, length] => (c, 1, length, true),
            _ => return Err("expects an input [channels, height, width] or [channels, length]".to_owned()),
        };
        let sizes = Conv2d {
            c_in,
            h_in,
            w_in,
            c_out: spec.filters,
            kernel: spec.kernel,
            stride: spec.stride,
            padding: spec.padding,
            dilation: spec.dilation,
            groups: spec.groups,
        };
        sizes.validate().map_err(|error| error.to_string())?;
        let output = if flat {
            vec![spec.filters, sizes.w_out()]
        } else {
            vec![spec.filters, sizes.h_out(), sizes.w_out()]
        };
        Ok(Self { sizes, bias: spec.bias, true_convolution: spec.true_convolution, output })
    }

    /// The scratch for a turned copy of the weights or of their gradient.
    fn turned_len(&self) -> usize {
        if self.true_convolution { self.sizes.weight_len() } else { 0 }
    }

    /// Connections into one output value.
    fn fan_in(&self) -> usize {
        let [kernel_h, kernel_w] = self.sizes.kernel;
        self.sizes.c_in / self.sizes.groups * kernel_h * kernel_w
    }
}

impl<T: Element> Layer<T> for Conv {
    fn output(&self) -> &[usize] {
        &self.output
    }

    fn parameters(&self) -> Vec<TensorPlan<Role>> {
        let Conv2d { c_in, c_out, kernel: [kernel_h, kernel_w], groups, .. } = self.sizes;
        let fan_in = self.fan_in();
        let role = Role::Weight { fan_in, fan_out: c_out * kernel_h * kernel_w };
        let shape = [c_out, c_in / groups, kernel_h, kernel_w];
        let weight = match self.output.len() {
            2 => TensorPlan::new("weight", &[shape[0], shape[1], shape[3]], role),
            _ => TensorPlan::new("weight", &shape, role),
        };
        let bias = TensorPlan::new("bias", &[c_out], Role::Bias);
        if self.bias { vec![weight, bias] } else { vec![weight] }
    }

    fn flops(&self) -> u64 {
        2 * self.sizes.output_len() as u64 * self.fan_in() as u64
    }

    fn scratch(&self, _batch: usize) -> usize {
        self.turned_len() + self.sizes.scratch_len(1)
    }

    fn chunk(&self) -> usize {
        self.sizes.chunk()
    }

    /// y [batch, c_out, h_out, w_out] = w * x [batch, c_in, h_in, w_in] + b
    fn forward(&self, pass: &Pass, f: Forward<'_, T>) -> Result<(), Error> {
        let (w, bias) = f.parameters.split_at(self.sizes.weight_len());
        let (turned, scratch) = f.scratch.split_at_mut(self.turned_len());
        let w = turn(self.sizes.kernel, w, turned)?;
        let bias = self.bias.then_some(bias);
        let operands = conv::Forward { batch: pass.batch, x: f.x, w, bias, y: f.y, scratch };
        conv::forward(pass.exec, &self.sizes, operands)
    }

    /// y_p = sum_q w_q x_{p+q} + b, so dJ/dw_q = sum_p delta_p x_{p+q}, dJ/db = sum_p delta_p and
    /// dJ/dx_r = sum_q w_q delta_{r-q}; a turned kernel has a turned gradient.
    fn backward(&self, pass: &Pass, b: Backward<'_, T>) -> Result<(), Error> {
        let (exec, batch, sizes, grad_y) = (pass.exec, pass.batch, &self.sizes, b.grad_y);
        let (turned, scratch) = b.scratch.split_at_mut(self.turned_len());
        if let Some(partials) = b.chunks {
            let chunks = ChunkGradients { batch, x: b.x, grad_y, bias: self.bias, partials, scratch };
            conv::chunk_gradients(exec, sizes, chunks)?;
            if self.true_convolution {
                let parameters = sizes.weight_len() + if self.bias { sizes.c_out } else { 0 };
                for chunk in partials.chunks_exact_mut(parameters) {
                    let weight = &mut chunk[..sizes.weight_len()];
                    conv::flip(sizes.kernel, weight, turned)?;
                    weight.copy_from_slice(turned);
                }
            }
        }
        if let Some(grad_x) = b.grad_x {
            let w = turn(sizes.kernel, &b.parameters[..sizes.weight_len()], turned)?;
            conv::backward_input(exec, sizes, BackwardInput { batch, w, grad_y, grad_x, scratch })?;
        }
        Ok(())
    }

    /// The chunks' gradients, added ascending (N3).
    fn gradient(&self, pass: &Pass, g: Gradient<'_, T>) -> Result<(), Error> {
        let parameters = g.chunks.len() / pass.batch.div_ceil(self.sizes.chunk());
        for (index, chunk) in g.chunks.chunks_exact(parameters).enumerate() {
            conv::add_chunk(pass.exec.level, index, &chunk[g.range.clone()], g.gradient);
        }
        Ok(())
    }
}

/// The weights as the cross-correlation needs them: turned if there is room for a turned copy.
fn turn<'a, T: Element>(kernel: [usize; 2], weight: &'a [T], turned: &'a mut [T]) -> Result<&'a [T], Error> {
    if turned.is_empty() {
        return Ok(weight);
    }
    conv::flip(kernel, weight, turned)?;
    Ok(turned)
}
