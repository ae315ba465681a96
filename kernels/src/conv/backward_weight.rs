//! The weight gradient: grad_W = sum over samples of grad_y im2col(x)', in chunks of samples.

use super::gather::Gather;
use super::patches::{Patches, SLACK};
use super::product::block_columns;
use super::share::{Share, share_out};
use super::{Conv2d, check_len, check_samples, check_scratch};
use crate::gemm::gemm_acc;
use crate::{Element, Error, Exec, MatMut, MatRef};

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
    let (workers, inner) = share_out(exec, chunks, conv.flops(batch), scratch.len() / conv.scratch_len(1));
    let round = workers * conv.partials();
    let (partials, scratch) = scratch.split_at_mut(round * conv.weight_len());
    for first in (0..chunks).step_by(round) {
        let items = round.min(chunks - first);
        let partials = &mut partials[..items * conv.weight_len()];
        let part = Share { first, items, out: &mut *partials, scratch: &mut *scratch };
        part.split(workers.min(items), &|share| {
            for (chunk, partial) in (share.first..).zip(share.out.chunks_exact_mut(conv.weight_len())) {
                let samples = chunk * conv.chunk()..batch.min((chunk + 1) * conv.chunk());
                let x = &x[samples.start * conv.input_len()..samples.end * conv.input_len()];
                let grad_y = &grad_y[samples.start * conv.output_len()..samples.end * conv.output_len()];
                chunk_gradient(inner, conv, x, grad_y, partial, share.scratch)?;
            }
            Ok(())
        })?;
        for (chunk, partial) in (first..).zip(partials.chunks_exact(conv.weight_len())) {
            add_chunk(conv, chunk == 0, partial, grad_w);
        }
    }
    Ok(())
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
fn chunk_gradient<T: Element>(
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
                if side == Side::Taps {
                    patches.fill_transposed(exec, framed, block, columns);
                    let rows = MatRef::row_major(&columns[..taps * len], len, taps)?;
                    gemm_acc(exec, grad_y, rows, MatMut::row_major(&mut *grad_w, filters, taps)?)?;
                } else {
                    patches.fill(exec, framed, block, columns);
                    let columns = MatRef::row_major(&columns[..taps * len], taps, len)?;
                    gemm_acc(exec, columns, grad_y.t(), MatMut::row_major(&mut *grad_w, taps, filters)?)?;
                }
            }
        }
    }
    Ok(())
}

/// Takes the first chunk's value and adds each later one; what is [tap, filter] is turned.
fn add_chunk<T: Element>(conv: &Conv2d, is_first: bool, partial: &[T], grad_w: &mut [T]) {
    let (filters, taps) = (conv.c_out / conv.groups, conv.taps_in());
    let (row_step, step) = if Side::new(conv) == Side::Taps { (taps, 1) } else { (1, filters) };
    let groups = grad_w.chunks_exact_mut(filters * taps).zip(partial.chunks_exact(filters * taps));
    for (grad_w, partial) in groups {
        for (filter, grad_w) in grad_w.chunks_exact_mut(taps).enumerate() {
            let values = grad_w.iter_mut().zip(partial[filter * row_step..].iter().step_by(step));
            if is_first {
                values.for_each(|(to, &value)| *to = value);
            } else {
                values.for_each(|(sum, &value)| *sum += value);
            }
        }
    }
}
