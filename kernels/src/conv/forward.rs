//! The forward pass: y = W im2col(x) + b, one sample at a time. The columns are copied out for the
//! matrix product, or a register tile reads them where they lie (`ways/`); the bits are the same.

use super::parts::Part;
use super::{Conv2d, check_conv, check_len, check_samples};
use crate::{Element, Error, Exec};

/// The operands of [`forward`].
#[derive(Debug)]
pub struct ForwardPass<'a, T> {
    /// Number of samples.
    pub batch: usize,
    /// The input [batch, c_in, h_in, w_in].
    pub x: &'a [T],
    /// The weights [c_out, c_in / groups, kernel_h, kernel_w].
    pub w: &'a [T],
    /// The biases `[c_out]`.
    pub bias: Option<&'a [T]>,
    /// The output [batch, c_out, h_out, w_out].
    pub y: &'a mut [T],
    /// At least [`Conv2d::scratch_len`]`(1)` values, of any content.
    pub scratch: &'a mut [T],
}

/// `y[n,o,h,w] = sum over (c, i, j) of w[o,c,i,j] x[n,c,h+i,w+j] + b[o]`, for stride 1 without
/// padding.
///
/// Per output one chain over (channel, kernel row, kernel column), padding as taps of +0.0, the
/// bias added last with one `+` (N2). A sample's bits do not depend on its batch.
///
/// # Shapes
/// In [`ForwardPass`].
///
/// # Errors
/// [`Error::Shape`] if the sizes are not valid or a slice has another length than they say.
///
/// # Source
/// LeCun et al. 1998, section II; slides "Réseaux convolutionnels 2D" and "2D multi-canaux".
///
/// ```
/// use kernels::Exec;
/// use kernels::conv::{self, Conv2d, ForwardPass};
///
/// let conv = Conv2d {
///     c_in: 1, h_in: 1, w_in: 4, c_out: 1,
///     kernel: [1, 2], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1,
/// };
/// let (x, w, bias) = ([1.0_f32, 2.0, 4.0, 8.0], [-1.0, 1.0], [100.0]); // differences, plus 100
/// let (mut y, mut scratch) = ([0.0; 3], vec![0.0; conv.scratch_len(1)]);
/// let operands = ForwardPass { batch: 1, x: &x, w: &w, bias: Some(&bias), y: &mut y, scratch: &mut scratch };
/// conv::forward(Exec::from_env()?, &conv, operands)?;
/// assert_eq!(y, [101.0, 102.0, 104.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn forward<T: Element>(exec: Exec, conv: &Conv2d, operands: ForwardPass<'_, T>) -> Result<(), Error> {
    T::conv_forward(exec, conv, operands)
}

pub(crate) fn compute<T: Element>(
    exec: Exec,
    conv: &Conv2d,
    operands: ForwardPass<'_, T>,
) -> Result<(), Error> {
    const NAME: &str = "conv2d forward";
    let ForwardPass { batch, x, w, bias, y, scratch } = operands;
    check_conv(NAME, conv, scratch.len())?;
    check_samples(NAME, "x", [batch, conv.input_len()], x.len())?;
    check_len(NAME, "weights", conv.weight_len(), w.len())?;
    check_len(NAME, "biases", conv.c_out, bias.map_or(conv.c_out, <[T]>::len))?;
    check_samples(NAME, "y", [batch, conv.output_len()], y.len())?;
    let (product, groups) = (conv.forward_product(), conv.groups);
    let samples =
        Part { first: 0, items: batch, place: |sample| sample * conv.output_len(), out: y, scratch };
    samples.share(exec, conv.flops(batch), conv.scratch_len(1), &|exec, part| {
        let (packed, scratch) = part.scratch.split_at_mut(product.packed_len());
        for (group, w) in w.chunks_exact(conv.weight_len() / groups).enumerate() {
            let filters = conv.c_out / groups;
            let bias = bias.map(|bias| &bias[group * filters..][..filters]);
            let weights = product.pack(exec, w, bias, packed);
            let x = x.chunks_exact(conv.input_len() / groups).skip(part.first * groups + group);
            let y = part.out.chunks_exact_mut(conv.output_len() / groups).skip(group);
            for (planes, out) in x.step_by(groups).zip(y.step_by(groups)) {
                product.compute(exec, &weights, planes, out, scratch)?;
            }
        }
        Ok(())
    })
}
