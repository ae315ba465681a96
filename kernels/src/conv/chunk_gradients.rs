//! The weight and bias gradients of each chunk of samples, not yet added up.

use super::backward_bias::chunk_sum;
use super::gather::Gather;
use super::patches::{Patches, SLACK};
use super::product::block_columns;
use super::share::{Share, share_out};
use super::{Conv2d, check_samples, check_scratch};
use crate::gemm::gemm_acc;
use crate::{Element, Error, Exec, MatMut, MatRef};

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
    let workers = share_out(exec, chunks, conv.flops(batch), scratch.len() / conv.scratch_len(1));
    let operands = ChunkGradients { batch, x, grad_y, bias, partials, scratch };
    compute(workers, conv, operands)
}

/// [`chunk_gradients`] of operands that fit, on so many workers with a part of the scratch each.
pub(super) fn compute<T: Element>(
    (workers, inner): (usize, Exec),
    conv: &Conv2d,
    operands: ChunkGradients<'_, T>,
) -> Result<(), Error> {
    let ChunkGradients { batch, x, grad_y, bias, partials, scratch } = operands;
    let each = conv.weight_len() + if bias { conv.c_out } else { 0 };
    let items = batch.div_ceil(conv.chunk());
    let chunks = Share { first: 0, items, out: partials, scratch };
    chunks.split(workers.min(items), &|share| {
        for (chunk, partial) in (share.first..).zip(share.out.chunks_exact_mut(each)) {
            let samples = chunk * conv.chunk()..batch.min((chunk + 1) * conv.chunk());
            let x = &x[samples.start * conv.input_len()..samples.end * conv.input_len()];
            let grad_y = &grad_y[samples.start * conv.output_len()..samples.end * conv.output_len()];
            let (grad_w, grad_bias) = partial.split_at_mut(conv.weight_len());
            weight_gradient(inner, conv, x, grad_y, grad_w, share.scratch)?;
            for (c_out, grad) in grad_bias.iter_mut().enumerate() {
                *grad = chunk_sum(inner, conv, grad_y, c_out);
            }
        }
        Ok(())
    })
}

/// Which way round a chunk's products are computed: the same chains, faster on the one or the
/// other side. Registers lie along the columns of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// [filter, tap] = grad_y [filter, position] patches [position, tap].
    Taps,
    /// [tap, filter] = columns [tap, position] grad_y' [position, filter].
    Filters,
}

impl Side {
    /// The cheaper side, by the steps that a position takes: fused multiply-adds of registers of
    /// 16, six steps for each short run that is copied, and for a transpose two for each value.
    fn new(conv: &Conv2d) -> Self {
        let (filters, taps) = (conv.c_out / conv.groups, conv.taps_in());
        let along_taps = filters * taps.div_ceil(16) + 6 * (taps / conv.kernel[1]);
        let along_filters = taps * filters.div_ceil(16) + 2 * filters + taps / 8;
        if along_taps < along_filters { Self::Taps } else { Self::Filters }
    }
}

/// One chunk: a single chain from +0.0, which every product continues from the old value. A block
/// is at most 8192 positions long, so that no product is cut (the sum is N3's, not N2's).
fn weight_gradient<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    x: &[T],
    grad_y: &[T],
    grad_w: &mut [T],
    scratch: &mut [T],
) -> Result<(), Error> {
    let (gather, side) = (Gather::forward(conv), Side::new(conv));
    let patches = Patches::new(gather, conv.c_in / conv.groups);
    let (filters, taps, positions) = (conv.c_out / conv.groups, patches.taps(), gather.positions());
    let (turned, scratch) = scratch.split_at_mut(conv.weight_len());
    let (framed, columns) = scratch.split_at_mut(patches.framed_len());
    let sums = if side == Side::Taps { &mut *grad_w } else { &mut *turned };
    sums.fill(T::ZERO);
    for (x, grad_y) in x.chunks_exact(conv.input_len()).zip(grad_y.chunks_exact(conv.output_len())) {
        let x = x.chunks_exact(conv.input_len() / conv.groups);
        let grad_y = grad_y.chunks_exact(filters * positions);
        for ((x, grad_y), sums) in x.zip(grad_y).zip(sums.chunks_exact_mut(filters * taps)) {
            let grad_y = MatRef::row_major(grad_y, filters, positions)?;
            patches.frame(exec, x, framed);
            for block in gather.blocks(block_columns(taps, positions)) {
                let (len, grad_y) = (block.len(), grad_y.tile(0..filters, block.clone()));
                let columns = &mut columns[..taps * len + SLACK];
                if side == Side::Taps {
                    patches.fill_transposed(exec, framed, block, columns);
                    let rows = MatRef::row_major(&columns[..taps * len], len, taps)?;
                    gemm_acc(exec, grad_y, rows, MatMut::row_major(&mut *sums, filters, taps)?)?;
                } else {
                    patches.fill(exec, framed, block, columns);
                    let columns = MatRef::row_major(&columns[..taps * len], taps, len)?;
                    gemm_acc(exec, columns, grad_y.t(), MatMut::row_major(&mut *sums, taps, filters)?)?;
                }
            }
        }
    }
    if side == Side::Filters {
        let groups = grad_w.chunks_exact_mut(filters * taps).zip(turned.chunks_exact(filters * taps));
        for (grad_w, turned) in groups {
            for (filter, grad_w) in grad_w.chunks_exact_mut(taps).enumerate() {
                let column = turned[filter..].iter().step_by(filters);
                grad_w.iter_mut().zip(column).for_each(|(to, &value)| *to = value);
            }
        }
    }
    Ok(())
}
