//! Pooling: max, average and global average, 2-D over planes; a 1-D pooling has height 1.
//!
//! Max pooling keeps the position of each maximum, so that its gradient is a scatter:
//! y = x[argmax], grad_x[argmax] += grad_y. Average pooling divides by the whole window, padding
//! included: y = (1/k) sum x, grad_x += grad_y / k under every window.
//!
//! Source: slide "Pooling"; LeCun et al. 1998 (averages), Jarrett et al. 2009 (maxima). The
//! rules of comparison and order are N7 and N16 of the contract;
//! [`crate::reference::pool`] has them as plain loops.

#![forbid(unsafe_code)]

use crate::conv::Axis;
use crate::{Element, Error, Exec, reference};

/// All sizes of a 2-D pooling, which treats each channel alone; a 1-D one has height 1.
///
/// ```
/// use kernels::pool::Pool2d;
///
/// let pool = Pool2d { channels: 6, h_in: 28, w_in: 28, kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
/// pool.validate()?;
/// assert_eq!((pool.h_out(), pool.w_out(), pool.output_len()), (14, 14, 1176));
/// # Ok::<(), kernels::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2d {
    /// Channels.
    pub channels: usize,
    /// Height of the input.
    pub h_in: usize,
    /// Width of the input.
    pub w_in: usize,
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps between windows, vertically and horizontally.
    pub stride: [usize; 2],
    /// Padding, at most half the window, so that no window lies in the padding alone.
    pub padding: [usize; 2],
}

impl Pool2d {
    /// Checks the sizes once, so that the kernels may compute with them freely.
    ///
    /// # Errors
    /// [`Error::Shape`] for a size of zero (padding apart), a padding above half the window, a
    /// window larger than the padded input, or a plane beyond 2^32 values (indices are `u32`).
    pub fn validate(&self) -> Result<(), Error> {
        let refuse = |expected: &str| {
            Err(Error::Shape { operation: "pool2d", expected: expected.to_owned(), got: format!("{self:?}") })
        };
        let sizes = [self.channels, self.h_in, self.w_in];
        if sizes.iter().chain(&self.kernel).chain(&self.stride).any(|&size| size == 0) {
            return refuse("every size but the padding to be at least 1");
        }
        if (0..2).any(|axis| self.padding[axis] > self.kernel[axis] / 2) {
            return refuse("a padding of at most half the window");
        }
        let (Some(h_out), Some(w_out)) = (self.rows().checked_output(), self.cols().checked_output()) else {
            return refuse("a window no larger than the padded input");
        };
        let area = self.h_in.checked_mul(self.w_in).zip(h_out.checked_mul(w_out));
        let Some((input, output)) = area.filter(|&(input, _)| u32::try_from(input).is_ok()) else {
            return refuse("planes of fewer than 2^32 values");
        };
        match input.checked_add(output).and_then(|values| values.checked_mul(self.channels)) {
            Some(values) if values < isize::MAX as usize / 64 => Ok(()),
            _ => refuse("sizes whose products fit in memory"),
        }
    }

    /// Height of the output: (h_in + 2 padding - kernel) / stride + 1, rounded down; 0 where
    /// [`Pool2d::validate`] fails.
    pub fn h_out(&self) -> usize {
        self.rows().output()
    }

    /// Width of the output, by the formula of [`Pool2d::h_out`].
    pub fn w_out(&self) -> usize {
        self.cols().output()
    }

    /// Values of one input sample: channels * h_in * w_in.
    pub fn input_len(&self) -> usize {
        self.channels * self.h_in * self.w_in
    }

    /// Values of one output sample: channels * h_out * w_out.
    pub fn output_len(&self) -> usize {
        self.channels * self.h_out() * self.w_out()
    }

    /// The vertical axis.
    pub(crate) fn rows(&self) -> Axis {
        self.axis(0, self.h_in)
    }

    /// The horizontal axis.
    pub(crate) fn cols(&self) -> Axis {
        self.axis(1, self.w_in)
    }

    fn axis(&self, axis: usize, input: usize) -> Axis {
        Axis {
            input,
            kernel: self.kernel[axis],
            stride: self.stride[axis],
            padding: self.padding[axis],
            dilation: 1,
        }
    }
}

/// y = the maximum of each window, and its position in the plane (h * w_in + w) in `indices`.
/// Strict `>` row-major, so that the first of equals wins; a NaN wins, the first NaN stays;
/// padding is never a candidate (N16).
///
/// # Shapes
/// `x` [batch, channels, h_in, w_in], `y` and `indices` [batch, channels, h_out, w_out].
///
/// # Errors
/// [`Error::Shape`] if the sizes are not valid or a slice has another length than they say.
pub fn max_forward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    x: &[T],
    y: &mut [T],
    indices: &mut [u32],
) -> Result<(), Error> {
    const NAME: &str = "max pooling";
    pool.validate()?;
    check(NAME, "x", batch, pool.input_len(), x.len())?;
    check(NAME, "y", batch, pool.output_len(), y.len())?;
    check(NAME, "indices", batch, pool.output_len(), indices.len())?;
    let _ = exec;
    let (best, positions) = reference::pool::max_forward(pool, batch, x);
    y.copy_from_slice(&best);
    indices.copy_from_slice(&positions);
    Ok(())
}

/// grad_x of max pooling: from +0.0, each window adds its gradient at its maximum; overlapping
/// windows add in ascending order (N16).
///
/// # Shapes
/// `indices` (of [`max_forward`]) and `grad_y` [batch, channels, h_out, w_out], `grad_x` [batch,
/// channels, h_in, w_in].
///
/// # Errors
/// As [`max_forward`]; also if an index lies outside its plane.
pub fn max_backward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    indices: &[u32],
    grad_y: &[T],
    grad_x: &mut [T],
) -> Result<(), Error> {
    const NAME: &str = "max pooling gradient";
    pool.validate()?;
    check(NAME, "indices", batch, pool.output_len(), indices.len())?;
    check(NAME, "grad_y", batch, pool.output_len(), grad_y.len())?;
    check(NAME, "grad_x", batch, pool.input_len(), grad_x.len())?;
    let _ = exec;
    grad_x.copy_from_slice(&reference::pool::max_backward(pool, batch, indices, grad_y));
    Ok(())
}

/// y = the mean of each window: a `+` chain over the window row-major, then one division by the
/// window's size, padding included (N16).
///
/// # Shapes
/// `x` [batch, channels, h_in, w_in], `y` [batch, channels, h_out, w_out].
///
/// # Errors
/// As [`max_forward`].
pub fn average_forward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    x: &[T],
    y: &mut [T],
) -> Result<(), Error> {
    const NAME: &str = "average pooling";
    pool.validate()?;
    check(NAME, "x", batch, pool.input_len(), x.len())?;
    check(NAME, "y", batch, pool.output_len(), y.len())?;
    let _ = exec;
    y.copy_from_slice(&reference::pool::average_forward(pool, batch, x));
    Ok(())
}

/// grad_x of average pooling: from +0.0, each window adds grad_y / size to every input under it;
/// overlapping windows add in ascending order (N16).
///
/// # Shapes
/// `grad_y` [batch, channels, h_out, w_out], `grad_x` [batch, channels, h_in, w_in].
///
/// # Errors
/// As [`max_forward`].
pub fn average_backward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    grad_y: &[T],
    grad_x: &mut [T],
) -> Result<(), Error> {
    const NAME: &str = "average pooling gradient";
    pool.validate()?;
    check(NAME, "grad_y", batch, pool.output_len(), grad_y.len())?;
    check(NAME, "grad_x", batch, pool.input_len(), grad_x.len())?;
    let _ = exec;
    grad_x.copy_from_slice(&reference::pool::average_backward(pool, batch, grad_y));
    Ok(())
}

/// y = the mean of each plane: the N4 sum, then one division by the area (N16).
///
/// # Shapes
/// `x` [planes, area], `y` [planes].
///
/// # Errors
/// [`Error::Shape`] if the area is 0 or a slice has another length.
pub fn global_average_forward<T: Element>(
    exec: Exec,
    planes: usize,
    area: usize,
    x: &[T],
    y: &mut [T],
) -> Result<(), Error> {
    const NAME: &str = "global average pooling";
    check_area(NAME, area)?;
    check(NAME, "x", planes, area, x.len())?;
    check(NAME, "y", planes, 1, y.len())?;
    let _ = exec;
    y.copy_from_slice(&reference::pool::global_average_forward(area, x));
    Ok(())
}

/// grad_x of global average pooling: grad_y / area everywhere in the plane.
///
/// # Shapes
/// `grad_y` [planes], `grad_x` [planes, area].
///
/// # Errors
/// As [`global_average_forward`].
pub fn global_average_backward<T: Element>(
    exec: Exec,
    planes: usize,
    area: usize,
    grad_y: &[T],
    grad_x: &mut [T],
) -> Result<(), Error> {
    const NAME: &str = "global average pooling gradient";
    check_area(NAME, area)?;
    check(NAME, "grad_y", planes, 1, grad_y.len())?;
    check(NAME, "grad_x", planes, area, grad_x.len())?;
    let _ = exec;
    grad_x.copy_from_slice(&reference::pool::global_average_backward(area, grad_y));
    Ok(())
}

fn check(operation: &'static str, what: &str, count: usize, each: usize, got: usize) -> Result<(), Error> {
    if count.checked_mul(each) == Some(got) {
        return Ok(());
    }
    Err(Error::Shape {
        operation,
        expected: format!("{what} of {count} times {each} values"),
        got: format!("{got} values"),
    })
}

fn check_area(operation: &'static str, area: usize) -> Result<(), Error> {
    if area > 0 {
        return Ok(());
    }
    Err(Error::Shape { operation, expected: "planes of at least 1 value".to_owned(), got: "0".to_owned() })
}
