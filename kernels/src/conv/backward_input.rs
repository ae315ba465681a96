//! The input gradient as a gather: grad_x = W' im2col(grad_y), with the taps running backwards.

use std::ops::Range;

use super::gather::{ClassTaps, Gather};
use super::patches::{Patches, SLACK};
use super::share::{Share, workers};
use super::{Conv2d, check_len, check_samples, check_scratch};
use crate::gemm::gemm;
use crate::{Element, Error, Exec, MatMut, MatRef};

/// The operands of [`backward_input`].
#[derive(Debug)]
pub struct BackwardInput<'a, T> {
    /// Number of samples.
    pub batch: usize,
    /// The weights [c_out, c_in / groups, kernel_h, kernel_w].
    pub w: &'a [T],
    /// The gradient of the output [batch, c_out, h_out, w_out].
    pub grad_y: &'a [T],
    /// The gradient of the input [batch, c_in, h_in, w_in].
    pub grad_x: &'a mut [T],
    /// At least [`Conv2d::scratch_len`]`(1)` values, of any content.
    pub scratch: &'a mut [T],
}

/// grad_x[n,c,h,w] = sum over (o, i, j) of w[o,c,i,j] grad_y[n,o,h-i,w-j], for stride 1 without
/// padding: x[h] meets w[i] in the output y[h - i], so dJ/dx[h] collects w[i] dJ/dy[h - i].
///
/// Per input value one chain over (c_out, kernel row, kernel column); taps beside the output map
/// are taps of +0.0, taps between strides are absent (N2, whose limit of 8192 counts the taps
/// that are present).
///
/// # Errors
/// [`Error::Shape`] if the sizes are not valid or a slice has another length than they say.
///
/// # Source
/// V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016, section 4.
///
/// ```
/// use kernels::Exec;
/// use kernels::conv::{self, BackwardInput, Conv2d};
///
/// let conv = Conv2d {
///     c_in: 1, h_in: 1, w_in: 4, c_out: 1,
///     kernel: [1, 2], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1,
/// };
/// let (w, grad_y) = ([-1.0_f32, 1.0], [1.0, 10.0, 100.0]);
/// let (mut grad_x, mut scratch) = ([0.0; 4], vec![0.0; conv.scratch_len(1)]);
/// let operands =
///     BackwardInput { batch: 1, w: &w, grad_y: &grad_y, grad_x: &mut grad_x, scratch: &mut scratch };
/// conv::backward_input(Exec::from_env()?, &conv, operands)?;
/// assert_eq!(grad_x, [-1.0, -9.0, -90.0, 100.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn backward_input<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    operands: BackwardInput<'_, T>,
) -> Result<(), Error> {
    const NAME: &str = "conv2d input gradient";
    let BackwardInput { batch, w, grad_y, grad_x, scratch } = operands;
    conv.validate()?;
    check_len(NAME, "weights", conv.weight_len(), w.len())?;
    check_samples(NAME, "grad_y", batch, conv.output_len(), grad_y.len())?;
    check_samples(NAME, "grad_x", batch, conv.input_len(), grad_x.len())?;
    check_scratch(NAME, conv, scratch.len())?;
    let workers = workers(exec, batch, conv.flops(batch), scratch.len() / conv.scratch_len(1));
    let inner = if workers > 1 { Exec::serial(exec.level) } else { exec };
    let samples = Share { first: 0, items: batch, out: grad_x, scratch };
    samples.split(workers, &|share| {
        let grad_y = &grad_y[share.first * conv.output_len()..][..share.items * conv.output_len()];
        for class in conv.classes() {
            let class = Class::new(conv, class);
            class.backward(inner, w, grad_y, share.out, share.scratch)?;
        }
        Ok(())
    })
}

/// The input positions of one residue class modulo the strides, which share their taps.
#[derive(Debug)]
struct Class<'a> {
    conv: &'a Conv2d,
    class: [usize; 2],
    gather: Gather,
    kernel_taps: [ClassTaps; 2],
}

impl<'a> Class<'a> {
    fn new(conv: &'a Conv2d, class: [usize; 2]) -> Self {
        let (gather, kernel_taps) = Gather::of_class(conv, class);
        Self { conv, class, gather, kernel_taps }
    }

    /// The gradients of this class's positions in all the given samples.
    fn backward<T: Element>(
        &self,
        exec: Exec,
        w: &[T],
        grad_y: &[T],
        grad_x: &mut [T],
        scratch: &mut [T],
    ) -> Result<(), Error> {
        let conv = self.conv;
        let (channels, filters) = (conv.c_in / conv.groups, conv.c_out / conv.groups);
        let taps = filters * self.gather.taps();
        let (weights, scratch) = scratch.split_at_mut(channels * taps * conv.groups);
        self.pack_weights(w, weights);
        let samples = grad_y.chunks_exact(conv.output_len()).zip(grad_x.chunks_exact_mut(conv.input_len()));
        for (grad_y, grad_x) in samples {
            let grad_y = grad_y.chunks_exact(conv.output_len() / conv.groups);
            let grad_x = grad_x.chunks_exact_mut(conv.input_len() / conv.groups);
            for (group, (grad_y, grad_x)) in grad_y.zip(grad_x).enumerate() {
                let weights = &weights[group * channels * taps..][..channels * taps];
                let weights = MatRef::row_major(weights, channels, taps)?;
                self.backward_group(exec, weights, grad_y, grad_x, scratch)?;
            }
        }
        Ok(())
    }

    /// W' for this class's taps: [group, channel, (filter, tap row, tap column)].
    fn pack_weights<T: Element>(&self, w: &[T], packed: &mut [T]) {
        let conv = self.conv;
        let (channels, filters) = (conv.c_in / conv.groups, conv.c_out / conv.groups);
        let [rows, cols] = self.kernel_taps;
        let mut packed = packed.iter_mut();
        for (group, channel) in (0..conv.groups).flat_map(|g| (0..channels).map(move |c| (g, c))) {
            for filter in group * filters..(group + 1) * filters {
                let kernel = &w[(filter * channels + channel) * conv.kernel[0] * conv.kernel[1]..];
                for i in (rows.first..).step_by(rows.period).take(rows.count) {
                    let taps = (cols.first..).step_by(cols.period).take(cols.count);
                    let values = taps.map(|j| kernel[i * conv.kernel[1] + j]);
                    values.zip(packed.by_ref()).for_each(|(value, to)| *to = value);
                }
            }
        }
    }

    fn backward_group<T: Element>(
        &self,
        exec: Exec,
        weights: MatRef<'_, T>,
        grad_y: &[T],
        grad_x: &mut [T],
        scratch: &mut [T],
    ) -> Result<(), Error> {
        let conv = self.conv;
        let (channels, taps) = (weights.rows(), weights.cols());
        let (dense, positions) = (conv.stride == [1, 1], self.gather.positions());
        if dense && self.gather.is_identity() {
            let grad_y = MatRef::row_major(grad_y, taps, positions)?;
            return gemm(exec, weights, grad_y, MatMut::row_major(grad_x, channels, positions)?);
        }
        let patches = Patches::new(self.gather, conv.c_out / conv.groups);
        let (framed, scratch) = scratch.split_at_mut(patches.framed_len());
        patches.frame(exec, grad_y, framed);
        for block in self.gather.blocks(conv.columns_out()) {
            let (columns, result) = scratch.split_at_mut(taps * block.len() + SLACK);
            patches.fill(exec, framed, block.clone(), columns);
            let columns = MatRef::row_major(&columns[..taps * block.len()], taps, block.len())?;
            if dense {
                let mut grad_x = MatMut::row_major(&mut *grad_x, channels, positions)?;
                gemm(exec, weights, columns, grad_x.tile(0..channels, block))?;
            } else {
                let result = &mut result[..channels * block.len()];
                gemm(exec, weights, columns, MatMut::row_major(&mut *result, channels, block.len())?)?;
                self.spread(block, result, grad_x);
            }
        }
        Ok(())
    }

    /// Writes a block's result [channels, block] to its places among the other classes'.
    fn spread<T: Element>(&self, block: Range<usize>, result: &[T], grad_x: &mut [T]) {
        let conv = self.conv;
        let width = self.gather.cols.positions;
        let planes = grad_x.chunks_exact_mut(conv.h_in * conv.w_in);
        for (plane, result) in planes.zip(result.chunks_exact(block.len())) {
            for (position, &value) in block.clone().zip(result) {
                let h = position / width * conv.stride[0] + self.class[0];
                let w = position % width * conv.stride[1] + self.class[1];
                plane[h * conv.w_in + w] = value;
            }
        }
    }
}
