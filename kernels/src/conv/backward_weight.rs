//! The weight gradient: the gradients of the chunks of samples, added up.

use super::chunk_gradients::{ChunkGradients, add_chunk, workers};
use super::{Conv2d, check_len, check_samples, check_scratch};
use crate::{Element, Error, Exec};

/// The operands of [`backward_weight`].
#[derive(Debug)]
pub struct BackwardWeight<'a, T> {
    /// Number of samples.
    pub batch: usize,
    /// The input [batch, c_in, h_in, w_in].
    pub x: &'a [T],
    /// The gradient of the output [batch, c_out, h_out, w_out].
    pub grad_y: &'a [T],
    /// The gradient of the weights [c_out, c_in / groups, kernel_h, kernel_w].
    pub grad_w: &'a mut [T],
    /// At least [`Conv2d::scratch_len`]`(1)` values, of any content.
    pub scratch: &'a mut [T],
}

/// `grad_w[o,c,i,j] = sum over (n, h, w) of grad_y[n,o,h,w] x[n,c,h+i,w+j]`, for stride 1 without
/// padding: `w[i]` turns `x[h + i]` into `y[h]`, so `dJ/dw[i]` collects `x[h + i] dJ/dy[h]`.
///
/// The batch is cut into chunks of [`Conv2d::chunk`] samples; each is one chain from +0.0 over
/// (sample, row, column), the first chunk's value is taken and the others are added with one
/// `+`, ascending (N3). An empty batch has the gradient +0.0.
///
/// # Errors
/// [`Error::Shape`] if the sizes are not valid or a slice has another length than they say.
///
/// # Source
/// BP4 of M. Nielsen, "Neural Networks and Deep Learning", chapter 2, with a shared weight; slide
/// "La rétropropagation".
///
/// ```
/// use kernels::Exec;
/// use kernels::conv::{self, BackwardWeight, Conv2d};
///
/// let conv = Conv2d {
///     c_in: 1, h_in: 1, w_in: 4, c_out: 1,
///     kernel: [1, 2], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1,
/// };
/// let (x, grad_y) = ([1.0_f32, 2.0, 4.0, 8.0], [1.0, 10.0, 100.0]);
/// let (mut grad_w, mut scratch) = ([0.0; 2], vec![0.0; conv.scratch_len(1)]);
/// let operands =
///     BackwardWeight { batch: 1, x: &x, grad_y: &grad_y, grad_w: &mut grad_w, scratch: &mut scratch };
/// conv::backward_weight(Exec::from_env()?, &conv, operands)?;
/// assert_eq!(grad_w, [421.0, 842.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn backward_weight<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    operands: BackwardWeight<'_, T>,
) -> Result<(), Error> {
    const NAME: &str = "conv2d weight gradient";
    let BackwardWeight { batch, x, grad_y, grad_w, scratch } = operands;
    conv.validate()?;
    check_samples(NAME, "x", batch, conv.input_len(), x.len())?;
    check_samples(NAME, "grad_y", batch, conv.output_len(), grad_y.len())?;
    check_len(NAME, "weight gradients", conv.weight_len(), grad_w.len())?;
    check_scratch(NAME, conv, scratch.len())?;
    grad_w.fill(T::ZERO);
    let chunks = batch.div_ceil(conv.chunk());
    let (workers, inner) = workers::<T>(exec, conv, batch, scratch.len());
    let round = workers * conv.partials();
    let (partials, scratch) = scratch.split_at_mut(round * conv.weight_len());
    for first in (0..chunks).step_by(round) {
        let items = round.min(chunks - first);
        let partials = &mut partials[..items * conv.weight_len()];
        let samples = first * conv.chunk()..batch.min((first + items) * conv.chunk());
        let x = &x[samples.start * conv.input_len()..samples.end * conv.input_len()];
        let grad_y = &grad_y[samples.start * conv.output_len()..samples.end * conv.output_len()];
        let batch = samples.len();
        let part = ChunkGradients {
            batch,
            x,
            grad_y,
            bias: false,
            partials: &mut *partials,
            scratch: &mut *scratch,
        };
        T::conv_chunk_gradients((workers, inner), conv, part)?;
        for (chunk, partial) in (first..).zip(partials.chunks_exact(conv.weight_len())) {
            add_chunk(exec.level, chunk, partial, grad_w);
        }
    }
    Ok(())
}
