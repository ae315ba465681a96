//! The weight and bias gradients of each chunk of samples, not yet added up.

use std::ops::Range;

use super::backward_bias::chunk_sum;
use super::gather::Gather;
use super::patches::{Patches, SLACK};
use super::product::block_columns;
use super::share::{Share, share_out};
use super::taps;
use super::tile;
use super::{Conv2d, check_samples, check_scratch};
use crate::gemm::gemm_acc;
use crate::parallel::for_each_part;
use crate::{Element, Error, Exec, Level, MatMut, MatRef};

/// The operands of [`chunk_gradients`].
#[derive(Debug)]
pub struct ChunkGradients<'a, T> {
    /// Number of samples.
    pub batch: usize,
    /// The input [batch, c_in, h_in, w_in].
    pub x: &'a [T],
    /// The gradient of the output [batch, c_out, h_out, w_out].
    pub grad_y: &'a [T],
    /// Whether the bias gradients are wanted too.
    pub bias: bool,
    /// The gradients [chunks, weight_len], or [chunks, weight_len + c_out] with the biases'.
    pub partials: &'a mut [T],
    /// At least [`Conv2d::scratch_len`]`(1)` values, of any content.
    pub scratch: &'a mut [T],
}

/// The terms of [`backward_weight`](super::backward_weight) and
/// [`backward_bias`](super::backward_bias): for each chunk of [`Conv2d::chunk`] samples of the
/// batch, the last one shorter, the gradient of the weights and, if asked for, that of the biases
/// behind it.
///
/// Each weight is one chain from +0.0 over (sample, row, column) of the chunk, each bias one chain of
/// `+` from +0.0 over the samples' N4 sums (N3). Added ascending from the first chunk's value, they
/// are the gradients of the batch; batches that are cut at multiples of the chunk have the same terms.
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
    let ChunkGradients { batch, x, grad_y, bias, partials, scratch } = operands;
    conv.validate()?;
    check_samples(NAME, "x", batch, conv.input_len(), x.len())?;
    check_samples(NAME, "grad_y", batch, conv.output_len(), grad_y.len())?;
    let chunks = batch.div_ceil(conv.chunk());
    let each = conv.weight_len() + if bias { conv.c_out } else { 0 };
    check_samples(NAME, "partials", chunks, each, partials.len())?;
    check_scratch(NAME, conv, scratch.len())?;
    let workers = workers::<T>(exec, conv, batch, scratch.len());
    let operands = ChunkGradients { batch, x, grad_y, bias, partials, scratch };
    T::conv_chunk_gradients(workers, conv, operands)
}

/// Adds the gradient of a chunk to the sum of those before it, or begins the sum with it (N3). Both may be a range
/// of the parameters.
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
    T::add_chunk(level, chunk, values, sum)
}

pub(crate) fn add<T: Element>(level: Level, chunk: usize, values: &[T], sum: &mut [T]) {
    level.vectorize(
        #[inline(always)]
        || {
            let values = sum.iter_mut().zip(values);
            if chunk == 0 {
                values.for_each(|(sum, &value)| *sum = value);
            } else {
                values.for_each(|(sum, &value)| *sum += value);
            }
        },
    );
}

/// The workers that share `batch` samples out, chunk by chunk or filter by filter, and how each is to run.
pub(super) fn workers<T: Element>(exec: Exec, conv: &Conv2d, batch: usize, scratch: usize) -> (usize, Exec) {
    let chunks = batch.div_ceil(conv.chunk());
    let items = if is_across::<T>(exec, conv) && conv.groups == 1 { chunks * conv.c_out } else { chunks };
    share_out(exec, items, conv.flops(batch), scratch / conv.scratch_len(1))
}

/// [`chunk_gradients`] of operands that fit, on so many workers with a part of the scratch each.
pub(crate) fn compute<T: Element>(
    (workers, inner): (usize, Exec),
    conv: &Conv2d,
    operands: ChunkGradients<'_, T>,
) -> Result<(), Error> {
    let ChunkGradients { batch, x, grad_y, bias, partials, scratch } = operands;
    let each = conv.weight_len() + if bias { conv.c_out } else { 0 };
    let items = batch.div_ceil(conv.chunk());
    // Chunks that the workers could not share evenly are shared out filter by filter.
    let uneven = !items.is_multiple_of(workers) && items < 4 * workers;
    let parts = if uneven && conv.groups == 1 && is_across::<T>(inner, conv) { workers } else { 1 };
    let chunks = Share { first: 0, items, out: partials, scratch };
    for_each_part(chunks, if parts > 1 { 1 } else { workers.min(items) }, &|share| {
        for (chunk, partial) in (share.first..).zip(share.out.chunks_exact_mut(each)) {
            let samples = chunk * conv.chunk()..batch.min((chunk + 1) * conv.chunk());
            let x = &x[samples.start * conv.input_len()..samples.end * conv.input_len()];
            let grad_y = &grad_y[samples.start * conv.output_len()..samples.end * conv.output_len()];
            let (grad_w, grad_bias) = partial.split_at_mut(conv.weight_len());
            let filters = Share { first: 0, items: conv.c_out, out: grad_w, scratch: &mut *share.scratch };
            for_each_part(filters, parts, &|share| {
                let filters = share.first..share.first + share.items;
                if is_across::<T>(inner, conv) {
                    across_filters(inner, conv, (x, grad_y), filters, share.out, share.scratch);
                    Ok(())
                } else {
                    along_taps(inner, conv, (x, grad_y), share.out, share.scratch)
                }
            })?;
            for (c_out, grad) in grad_bias.iter_mut().enumerate() {
                *grad = chunk_sum(inner, conv, grad_y, c_out);
            }
        }
        Ok(())
    })
}

/// Whether registers lie across the filters (`taps.rs`) or along the taps of a matrix product: the cheaper way, by
/// the half registers of 16 that a position takes. That has no part in the bits (N12).
fn is_across<T: Element>(exec: Exec, conv: &Conv2d) -> bool {
    let (filters, taps) = (conv.c_out / conv.groups, conv.taps_in());
    let halves = if filters <= 8 { 1 } else { 2 * filters.div_ceil(16) };
    // Turning a register of output gradients costs about eight multiply-adds, copying a run of taps six.
    tile::exists_at::<T>(exec.level)
        && halves * (taps + 8) <= 2 * filters * taps.div_ceil(16) + 12 * (taps / conv.kernel[1])
}

/// Values of scratch that a chunk's gradients need.
pub(super) fn scratch_len(conv: &Conv2d) -> usize {
    let gather = Gather::forward(conv);
    let patches = Patches::new(gather, conv.c_in / conv.groups);
    let (taps, positions) = (patches.taps(), gather.positions());
    let along = patches.framed_len() + taps * block_columns(taps, positions) + SLACK;
    along.max(taps::scratch_len(&patches, taps, conv.c_out / conv.groups, positions))
}

/// The gradients of some filters; with groups, of all.
fn across_filters<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    (x, grad_y): (&[T], &[T]),
    filters: Range<usize>,
    grad_w: &mut [T],
    scratch: &mut [T],
) {
    let patches = Patches::new(Gather::forward(conv), conv.c_in / conv.groups);
    let (input, area) = (conv.input_len() / conv.groups, conv.h_out() * conv.w_out());
    let filters_here = filters.len() / conv.groups;
    for (group, grad_w) in grad_w.chunks_exact_mut(filters_here * conv.taps_in()).enumerate() {
        let x = x.chunks_exact(conv.input_len()).map(|x| &x[group * input..][..input]);
        let first = (filters.start + group * filters_here) * area;
        let grad_y = grad_y.chunks_exact(conv.output_len()).map(|y| &y[first..][..filters_here * area]);
        taps::weight_gradient(exec, &patches, filters_here, x.zip(grad_y), grad_w, scratch);
    }
}

/// The gradients by matrix products grad_y [filter, position] patches [position, tap], each of which continues the
/// chains from the old value. A block is at most 8192 positions long, so that no product is cut (the sum is N3's,
/// not N2's).
fn along_taps<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    (x, grad_y): (&[T], &[T]),
    grad_w: &mut [T],
    scratch: &mut [T],
) -> Result<(), Error> {
    let gather = Gather::forward(conv);
    let patches = Patches::new(gather, conv.c_in / conv.groups);
    let (filters, taps, positions) = (conv.c_out / conv.groups, patches.taps(), gather.positions());
    let (framed, columns) = scratch.split_at_mut(patches.framed_len());
    grad_w.fill(T::ZERO);
    for (x, grad_y) in x.chunks_exact(conv.input_len()).zip(grad_y.chunks_exact(conv.output_len())) {
        let x = x.chunks_exact(conv.input_len() / conv.groups);
        let grad_y = grad_y.chunks_exact(filters * positions);
        for ((x, grad_y), grad_w) in x.zip(grad_y).zip(grad_w.chunks_exact_mut(filters * taps)) {
            let grad_y = MatRef::row_major(grad_y, filters, positions)?;
            patches.frame(exec, x, framed);
            for block in gather.blocks(block_columns(taps, positions)) {
                let (len, grad_y) = (block.len(), grad_y.tile(0..filters, block.clone()));
                let columns = &mut columns[..taps * len + SLACK];
                patches.fill_transposed(exec, framed, block, columns);
                let rows = MatRef::row_major(&columns[..taps * len], len, taps)?;
                gemm_acc(exec, grad_y, rows, MatMut::row_major(&mut *grad_w, filters, taps)?)?;
            }
        }
    }
    Ok(())
}
