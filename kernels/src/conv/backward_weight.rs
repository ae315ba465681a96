//! The weight gradient: a sum over all samples and positions for each weight, in the order of N3.
//!
//! ```text
//! for each chunk of Conv2d::chunk() samples      cut for threads: (chunk, filter) pairs
//!   for each weight (o, c, i, j)                 one chain from +0.0: its partial
//!     for each sample n of the chunk, row h, column w, ascending
//!       partial = fma(grad_y[n,o,h,w], x[n,c,h+i,w+j], partial)
//! for each chunk, ascending
//!   grad_w = partial of the first chunk, then grad_w += partial
//! ```
//!
//! The inner sum, a chunk's, runs in `ways/weight_tiles.rs`, whose tile holds many chains in registers, or, for f64
//! and narrow maps, as a matrix product (`columns.rs`). The outer sum, over the chunks, is [`add_chunk`]:
//! [`backward_weight`] calls it for a batch; a network keeps the partials of [`chunk_gradients`] and calls it itself.

use super::backward_bias::chunk_sum;
use super::parts::Part;
use super::{Conv2d, check_conv, check_len, check_samples, ways};
use crate::simd::vectorized;
use crate::{Element, Error, Exec, Level};

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
/// padding: `w[i]` carries `x[h + i]` into `y[h]`, so `dJ/dw[i]` collects `x[h + i] dJ/dy[h]`.
///
/// The batch is cut into chunks of [`Conv2d::chunk`] samples; each is one chain from +0.0 over
/// (sample, row, column), the first chunk's value is taken and the others are added with one
/// `+`, ascending (N3). An empty batch has the gradient +0.0.
///
/// # Shapes
/// In [`BackwardWeight`].
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
    check_conv(NAME, conv, scratch.len())?;
    check_samples(NAME, "x", [batch, conv.input_len()], x.len())?;
    check_samples(NAME, "grad_y", [batch, conv.output_len()], grad_y.len())?;
    check_len(NAME, "weight gradients", conv.weight_len(), grad_w.len())?;
    grad_w.fill(T::ZERO);
    let (chunks, each) = (batch.div_ceil(conv.chunk()), conv.weight_len());
    // What the threads leave of the scratch holds the gradients of as many chunks as fit.
    let threads = scratch.len() / conv.scratch_len(1);
    let some = ((scratch.len() - threads * conv.gradient_scratch_len()) / each).min(chunks.max(1));
    let (partials, scratch) = scratch.split_at_mut(some * each);
    for first in (0..chunks).step_by(some) {
        let end = chunks.min(first + some);
        let samples = first * conv.chunk()..batch.min(end * conv.chunk());
        let x = &x[samples.start * conv.input_len()..samples.end * conv.input_len()];
        let grad_y = &grad_y[samples.start * conv.output_len()..samples.end * conv.output_len()];
        let (batch, all, scratch) = (samples.len(), &mut partials[..(end - first) * each], &mut *scratch);
        let operands = ChunkGradients { batch, x, grad_y, bias: false, partials: &mut *all, scratch };
        T::conv_chunk_gradients(exec, conv, operands)?;
        for (chunk, partial) in (first..end).zip(all.chunks_exact(each)) {
            add_chunk(exec.level, chunk, partial, grad_w);
        }
    }
    Ok(())
}

/// The operands of [`chunk_gradients`].
#[derive(Debug)]
pub struct ChunkGradients<'a, T> {
    /// Number of samples.
    pub batch: usize,
    /// The input [batch, c_in, h_in, w_in].
    pub x: &'a [T],
    /// The gradient of the output [batch, c_out, h_out, w_out].
    pub grad_y: &'a [T],
    /// Whether to compute the bias gradients too.
    pub bias: bool,
    /// The gradients [chunks, weight_len], or [chunks, weight_len + c_out] with the biases'.
    pub partials: &'a mut [T],
    /// At least [`Conv2d::scratch_len`]`(1)` values, of any content.
    pub scratch: &'a mut [T],
}

/// The terms of [`backward_weight`] and
/// [`backward_bias`](super::backward_bias()): for each chunk of [`Conv2d::chunk`] samples of the
/// batch, the last one shorter, the gradient of the weights and behind it, with `bias`, that of the biases.
///
/// Each weight is one chain from +0.0 over (sample, row, column) of the chunk, each bias one sequence
/// of `+` from +0.0 over the samples' N4 sums (N3). Add them in order, starting with the first, to get the batch's
/// gradient; batches that are cut at multiples of the chunk have the same terms.
///
/// # Shapes
/// In [`ChunkGradients`].
///
/// # Errors
/// [`Error::Shape`] if the sizes are not valid or a slice has another length than they say.
///
/// ```
/// use kernels::Exec;
/// use kernels::conv::{self, ChunkGradients, Conv2d};
///
/// let conv = Conv2d {
///     c_in: 1, h_in: 1, w_in: 2, c_out: 1,
///     kernel: [1, 2], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1,
/// };
/// assert_eq!(conv.chunk(), 4);
/// let (x, grad_y) = ([1.0_f32, 2.0].repeat(5), [1.0, 1.0, 1.0, 1.0, 10.0]);
/// let (mut partials, mut scratch) = ([0.0; 2 * 3], vec![0.0; conv.scratch_len(1)]);
/// let operands = ChunkGradients {
///     batch: 5, x: &x, grad_y: &grad_y, bias: true, partials: &mut partials, scratch: &mut scratch,
/// };
/// conv::chunk_gradients(Exec::from_env()?, &conv, operands)?;
/// assert_eq!(partials, [4.0, 8.0, 4.0, 10.0, 20.0, 10.0]); // weights and bias of either chunk
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn chunk_gradients<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    operands: ChunkGradients<'_, T>,
) -> Result<(), Error> {
    const NAME: &str = "conv2d chunk gradients";
    let ChunkGradients { batch, x, grad_y, bias, .. } = operands;
    check_conv(NAME, conv, operands.scratch.len())?;
    check_samples(NAME, "x", [batch, conv.input_len()], x.len())?;
    check_samples(NAME, "grad_y", [batch, conv.output_len()], grad_y.len())?;
    let chunks = batch.div_ceil(conv.chunk());
    let each = conv.weight_len() + if bias { conv.c_out } else { 0 };
    check_samples(NAME, "partials", [chunks, each], operands.partials.len())?;
    T::conv_chunk_gradients(exec, conv, operands)
}

/// [`chunk_gradients`] of operands that fit.
pub(crate) fn compute<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    operands: ChunkGradients<'_, T>,
) -> Result<(), Error> {
    let ChunkGradients { batch, x, grad_y, bias, partials, scratch } = operands;
    let (taps, frame, per_group) = (conv.taps_in(), conv.frame(), conv.c_out / conv.groups);
    let (planes, map) = (conv.input_len() / conv.groups, conv.h_out() * conv.w_out());
    // Item i is filter i % c_out of chunk i / c_out; the biases of a chunk follow its last filter.
    let biases = if bias { conv.c_out } else { 0 };
    let place = |item: usize| item * taps + item / conv.c_out * biases;
    let items = batch.div_ceil(conv.chunk()) * conv.c_out;
    let all = Part { first: 0, items, place, out: partials, scratch };
    all.share(exec, conv.flops(batch), conv.gradient_scratch_len(), &|exec, part| {
        let (mut item, end, mut out) = (part.first, part.first + part.items, part.out);
        while item < end {
            // The filters of one chunk and one group: they read the same planes of the same samples.
            let (chunk, first) = (item / conv.c_out, item % conv.c_out);
            let filters = (end - item).min(per_group - first % per_group);
            let samples = chunk * conv.chunk()..batch.min((chunk + 1) * conv.chunk());
            let pairs = samples.clone().map(|sample| {
                let x = &x[sample * conv.input_len() + first / per_group * planes..][..planes];
                (x, &grad_y[sample * conv.output_len() + first * map..][..filters * map])
            });
            let (grad_w, rest) = out.split_at_mut(filters * taps);
            ways::weight_gradient(exec, &frame, pairs, grad_w, part.scratch)?;
            item += filters;
            let last = item.is_multiple_of(conv.c_out);
            let (grad_bias, rest) = rest.split_at_mut(if last { biases } else { 0 });
            for (c_out, grad) in grad_bias.iter_mut().enumerate() {
                *grad = chunk_sum(exec, conv, &grad_y[samples.start * conv.output_len()..], c_out);
            }
            out = rest;
        }
        Ok(())
    })
}

/// Adds the gradient of a chunk to the sum of those before it, or begins the sum with it (N3). Both may be a range
/// of the parameters.
///
/// # Panics
/// If their lengths differ.
///
/// ```
/// use kernels::{Level, conv};
/// let mut sum = [7.0, 7.0];
/// for (chunk, values) in [[1.0, 2.0], [10.0, 20.0]].iter().enumerate() {
///     conv::add_chunk(Level::best(), chunk, values, &mut sum);
/// }
/// assert_eq!(sum, [11.0, 22.0]);
/// ```
pub fn add_chunk<T: Element>(level: Level, chunk: usize, values: &[T], sum: &mut [T]) {
    assert_eq!(values.len(), sum.len(), "a chunk's gradient has as many values as the sum");
    T::add_chunk(level, chunk, values, sum)
}

pub(crate) fn add<T: Element>(level: Level, chunk: usize, values: &[T], sum: &mut [T]) {
    vectorized!(level, {
        let values = sum.iter_mut().zip(values);
        if chunk == 0 {
            values.for_each(|(sum, &value)| *sum = value);
        } else {
            values.for_each(|(sum, &value)| *sum += value);
        }
    });
}
