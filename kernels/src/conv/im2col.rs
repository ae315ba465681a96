//! im2col and its adjoint col2im.
//!
//! ```text
//! x (one channel, 3 x 3)     columns of a 2 x 2 kernel, stride 1, no padding
//!  a b c                       tap (0,0)   a b d e      one row per (channel, tap),
//!  d e f                       tap (0,1)   b c e f      one column per output position
//!  g h i                       tap (1,0)   d e g h
//!                              tap (1,1)   e f h i
//! ```
//!
//! With it y = W columns is a matrix product: W is [c_out, c_in * kernel_h * kernel_w].

use std::ops::Range;

use super::{Conv2d, check_len};
use crate::{Element, Error};

/// The column matrix of one sample: entry ((c, i, j), (h, w)) is the input value under tap (i, j)
/// of window (h, w) in channel c, and +0.0 in the padding.
///
/// # Shapes
/// `x` [c_in, h_in, w_in], `columns` [c_in * kernel_h * kernel_w, h_out * w_out].
///
/// # Errors
/// [`Error::Shape`] if the sizes are not valid or a slice has another length than they say.
///
/// # Source
/// K. Chellapilla, S. Puri, P. Simard, "High performance convolutional neural networks for
/// document processing", 2006; slide "Réseaux convolutionnels 2D".
///
/// ```
/// use kernels::conv::{Conv2d, im2col};
///
/// let conv = Conv2d {
///     c_in: 1, h_in: 1, w_in: 3, c_out: 1,
///     kernel: [1, 2], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1,
/// };
/// let mut columns = [0.0_f32; 4];
/// im2col(&conv, &[1.0, 2.0, 3.0], &mut columns)?;
/// assert_eq!(columns, [1.0, 2.0, 2.0, 3.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn im2col<T: Element>(conv: &Conv2d, x: &[T], columns: &mut [T]) -> Result<(), Error> {
    check("im2col", conv, x, columns)?;
    columns.fill(T::ZERO);
    for_each_run(conv, |run, first| {
        let values = x[first..].iter().step_by(conv.stride[1]);
        columns[run].iter_mut().zip(values).for_each(|(to, &value)| *to = value);
    });
    Ok(())
}

/// The adjoint of [`im2col`]: from +0.0, every entry of the column matrix is added to the input
/// value that it was read from, rows of the matrix ascending. <im2col x, m> = <x, col2im m>.
///
/// It is the textbook way to the input gradient, col2im(W' grad_y); [`super::backward_input`]
/// has the same sum in the contract's order.
///
/// # Shapes
/// As [`im2col`].
///
/// # Errors
/// As [`im2col`].
///
/// ```
/// use kernels::conv::{Conv2d, col2im};
///
/// let conv = Conv2d {
///     c_in: 1, h_in: 1, w_in: 3, c_out: 1,
///     kernel: [1, 2], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1,
/// };
/// let mut x = [9.0_f32; 3];
/// col2im(&conv, &[1.0, 2.0, 2.0, 3.0], &mut x)?;
/// assert_eq!(x, [1.0, 4.0, 3.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn col2im<T: Element>(conv: &Conv2d, columns: &[T], x: &mut [T]) -> Result<(), Error> {
    check("col2im", conv, x, columns)?;
    x.fill(T::ZERO);
    for_each_run(conv, |run, first| {
        let values = x[first..].iter_mut().step_by(conv.stride[1]);
        values.zip(&columns[run]).for_each(|(to, &value)| *to += value);
    });
    Ok(())
}

fn check<T>(operation: &'static str, conv: &Conv2d, x: &[T], columns: &[T]) -> Result<(), Error> {
    conv.validate()?;
    let rows = conv.c_in * conv.kernel[0] * conv.kernel[1];
    check_len(operation, "input values", conv.input_len(), x.len())?;
    check_len(operation, "values of the column matrix", rows * conv.h_out() * conv.w_out(), columns.len())
}

/// Calls `body` with the entries of the column matrix that are read from one row of x, one after the other, and the
/// first value that is read.
fn for_each_run(conv: &Conv2d, mut body: impl FnMut(Range<usize>, usize)) {
    let [rows, cols] = conv.reads();
    for row in 0..conv.c_in * rows.taps * cols.taps {
        let (channel, i, j) = (row / (rows.taps * cols.taps), row / cols.taps % rows.taps, row % cols.taps);
        let inside = cols.inside(j, &(0..cols.positions));
        if inside.is_empty() {
            continue;
        }
        for h in rows.inside(i, &(0..rows.positions)) {
            let line = (row * rows.positions + h) * cols.positions;
            let first = (channel * conv.h_in + rows.read(i, h)) * conv.w_in + cols.read(j, inside.start);
            body(line + inside.start..line + inside.end, first);
        }
    }
}
