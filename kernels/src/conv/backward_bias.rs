//! The bias gradient: the output gradient summed over samples and positions.

use super::{Conv2d, check_len, check_samples};
use crate::{Element, Error, Exec, reduce};

/// `grad_b[o] = sum over (n, h, w) of grad_y[n,o,h,w]`: b is added to every position of y, so
/// dJ/db collects dJ/dy everywhere.
///
/// Per sample the N4 sum over the positions; the samples of a chunk of [`Conv2d::chunk`] are
/// chained with `+` from +0.0, the chunks added ascending (N3).
///
/// # Shapes
/// `grad_y` [batch, c_out, h_out, w_out], `grad_bias` `[c_out]`.
///
/// # Errors
/// [`Error::Shape`] if the sizes are not valid or a slice has another length than they say.
///
/// # Source
/// BP3 of M. Nielsen, "Neural Networks and Deep Learning", chapter 2; slide "La rétropropagation".
///
/// ```
/// use kernels::Exec;
/// use kernels::conv::{self, Conv2d};
///
/// let conv = Conv2d {
///     c_in: 1, h_in: 1, w_in: 4, c_out: 1,
///     kernel: [1, 2], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1,
/// };
/// let mut grad_bias = [0.0_f32];
/// conv::backward_bias(Exec::from_env()?, &conv, 2, &[1.0, 2.0, 3.0, 10.0, 20.0, 30.0], &mut grad_bias)?;
/// assert_eq!(grad_bias, [66.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn backward_bias<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    batch: usize,
    grad_y: &[T],
    grad_bias: &mut [T],
) -> Result<(), Error> {
    const NAME: &str = "conv2d bias gradient";
    conv.validate()?;
    check_samples(NAME, "grad_y", [batch, conv.output_len()], grad_y.len())?;
    check_len(NAME, "bias gradients", conv.c_out, grad_bias.len())?;
    for (c_out, grad) in grad_bias.iter_mut().enumerate() {
        let chunks = grad_y.chunks(conv.chunk() * conv.output_len());
        let sums = chunks.map(|chunk| chunk_sum(exec, conv, chunk, c_out));
        *grad = sums.reduce(|sum, chunk| sum + chunk).unwrap_or(T::ZERO);
    }
    Ok(())
}

/// The bias gradient of one filter over the first chunk of samples.
pub(super) fn chunk_sum<T: Element>(exec: Exec, conv: &Conv2d, grad_y: &[T], c_out: usize) -> T {
    let (serial, area) = (exec.on_one_thread(), conv.h_out() * conv.w_out());
    let samples = grad_y.chunks_exact(conv.output_len()).take(conv.chunk());
    let planes = samples.map(|sample| &sample[c_out * area..][..area]);
    planes.fold(T::ZERO, |chain, plane| chain + reduce::sum(serial, plane))
}
