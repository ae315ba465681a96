//! The dense layer: z = x W + b. Slide "De l'entrée à la sortie", eq. (3).
//!
//! W is [inputs, units] in memory, so that forward reads it row by row; files and tables show
//! PyTorch's [units, inputs].

use kernels::gemm::{Bias, gemm, gemm_bias, gemm_over_samples};
use kernels::{Element, Error, Level, MatMut, MatRef, vectorized};

use super::{Gradient, Initial, Layer, LayerBackward, LayerForward, Pass, PerSample, Properties, TensorPlan};
use crate::chain::SAMPLES;

#[derive(Debug)]
pub(crate) struct Dense {
    inputs: usize,
    units: usize,
    bias: bool,
}

impl Dense {
    pub(crate) fn layer<T: Element>(input: &[usize], units: usize, bias: bool) -> Result<Layer<T>, String> {
        let [inputs] = *input else {
            return Err("expects a flat input, put a flatten before it".to_owned());
        };
        if units == 0 {
            return Err("needs at least 1 unit".to_owned());
        }
        let start = Initial::Weight { fan_in: inputs, fan_out: units };
        let mut weight = TensorPlan::new("weight", &[units, inputs], start);
        weight.transposed = true;
        let properties = Properties {
            output: vec![units],
            tensors: TensorPlan::with_bias(weight, bias, units),
            // One input's weights to all units; the biases are the row after the last.
            row: units,
            flops: 2 * inputs as u64 * units as u64,
            needs_many_samples: true,
            ..Properties::default()
        };
        Ok(Layer::per_sample(Self { inputs, units, bias }, properties))
    }
}

impl<T: Element> PerSample<T> for Dense {
    /// z [batch, units] = x [batch, inputs] W [inputs, units] + b
    fn forward(&self, pass: &Pass, f: LayerForward<'_, T>) -> Result<(), Error> {
        let (weight, bias) = f.parameters.split_at(self.inputs * self.units);
        let bias = if self.bias { Bias::OfColumns(bias) } else { Bias::None };
        gemm_bias(
            pass.exec,
            MatRef::row_major(f.x, pass.batch, self.inputs)?,
            MatRef::row_major(weight, self.inputs, self.units)?,
            bias,
            MatMut::row_major(f.y, pass.batch, self.units)?,
        )
    }

    /// z_j = sum_k x_k w_kj + b_j, so dJ/dx_k = sum_j delta_j w_kj (the sum in BP2).
    fn backward(&self, pass: &Pass, b: LayerBackward<'_, T>) -> Result<(), Error> {
        let weight = &b.parameters[..self.inputs * self.units];
        gemm(
            pass.exec,
            MatRef::row_major(b.grad_y, pass.batch, self.units)?,
            MatRef::row_major(weight, self.inputs, self.units)?.t(),
            MatMut::row_major(b.grad_x, pass.batch, self.inputs)?,
        )
    }

    /// dJ/dw_kj = sum_i x_ik delta_ij (BP4), dJ/db_j = sum_i delta_ij (BP3).
    fn gradient(&self, pass: &Pass, g: Gradient<'_, T>) -> Result<(), Error> {
        let rows = g.range.start / self.units..g.range.end / self.units;
        let weights = rows.start..rows.end.min(self.inputs);
        let (grad_weight, grad_bias) = g.gradient.split_at_mut(weights.len() * self.units);
        if !weights.is_empty() {
            let x = MatRef::row_major(g.x, pass.batch, self.inputs)?.t();
            let delta = MatRef::row_major(g.grad_y, pass.batch, self.units)?;
            let grad_weight = MatMut::row_major(grad_weight, weights.len(), self.units)?;
            gemm_over_samples(pass.exec, SAMPLES, x.submatrix(weights, 0..pass.batch), delta, grad_weight)?;
        }
        if !grad_bias.is_empty() {
            sum_rows(pass.exec.level, g.grad_y, grad_bias);
        }
        Ok(())
    }
}

/// Columns whose chains are in registers, or close to.
const COLUMNS: usize = 64;

/// The sum of the rows in the chunks of N3: samples chained from +0.0, chunks added ascending.
fn sum_rows<T: Element>(level: Level, rows: &[T], sum: &mut [T]) {
    let units = sum.len();
    for (index, chunk) in rows.chunks(SAMPLES * units).enumerate() {
        for (at, sum) in sum.chunks_mut(COLUMNS).enumerate() {
            let mut chain = [T::ZERO; COLUMNS];
            let chain = &mut chain[..sum.len()];
            vectorized!(level, {
                for row in chunk.chunks_exact(units) {
                    for (c, &value) in chain.iter_mut().zip(&row[at * COLUMNS..]) {
                        *c += value;
                    }
                }
            });
            for (sum, &mut chain) in sum.iter_mut().zip(chain) {
                *sum = if index == 0 { chain } else { *sum + chain };
            }
        }
    }
}
