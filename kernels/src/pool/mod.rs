//! Pooling: max, average and global average, 2-D over planes; a 1-D pooling has height 1.
//!
//! Max pooling keeps the place of each maximum in its window, so that its gradient is a scatter:
//! `y = x[argmax]`, `grad_x[argmax] += grad_y`. Average pooling divides by the whole window, padding
//! included: y = (1/k) sum x, grad_x += grad_y / k under every window.
//!
//! | file | holds |
//! |---|---|
//! | `max.rs` | the maximum of each window, and of a ReLU's outputs that are never written |
//! | `average.rs` | the mean of each window |
//! | `global.rs` | the mean of each plane |
//! | `pairs.rs` | windows of 2 x 2 that tile the plane, a register of them at a time: the common case |
//! | `pass.rs` | a pass over planes, cut into parts for threads |
//!
//! Source: slide "Pooling"; LeCun et al. 1998 (averages), Jarrett et al. 2009 (maxima). The
//! rules of comparison and order are N7 and N16 of the contract;
//! [`crate::reference::pool`] has them as plain loops.

#![forbid(unsafe_code)]

pub(crate) mod average;
pub(crate) mod global;
pub(crate) mod max;
mod pairs;
mod pass;

pub use average::{average_backward, average_forward};
pub use global::{global_average_backward, global_average_forward};
pub use max::{MaxBackward, max_backward, max_forward, relu_max_backward, relu_max_forward};

pub(crate) use pass::run;

use std::ops::Range;

use crate::window::{Axis, Reads};
use crate::{Error, Level};

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
    /// Distance between windows, vertically and horizontally.
    pub stride: [usize; 2],
    /// Padding, at most half the window, so that no window lies in the padding alone.
    pub padding: [usize; 2],
}

impl Pool2d {
    /// Checks the sizes once, so that the kernels may compute with them freely.
    ///
    /// # Errors
    /// [`Error::Shape`] for a size of zero (padding apart), a padding above half the window, a
    /// window larger than the padded input or of more than 2^16 values (indices are `u16`), or sizes whose products
    /// no memory holds.
    pub fn validate(&self) -> Result<(), Error> {
        let check = |fits, expected: &str| {
            Error::unless(fits, "pool2d", || (expected.to_owned(), format!("{self:?}")))
        };
        let sizes = [self.channels, self.h_in, self.w_in];
        let mut sizes = sizes.iter().chain(&self.kernel).chain(&self.stride);
        check(sizes.all(|&size| size > 0), "every size but the padding to be at least 1")?;
        let half = (0..2).all(|axis| self.padding[axis] <= self.kernel[axis] / 2);
        check(half, "a padding of at most half the window")?;
        check(
            self.axes().iter().all(|axis| axis.checked_output().is_some()),
            "a window no larger than the padded input",
        )?;
        let taps = self.kernel[0].checked_mul(self.kernel[1]);
        check(taps.is_some_and(|taps| taps <= 1 << 16), "a window of at most 2^16 values")?;
        let area = self.h_in.checked_mul(self.w_in).zip(self.h_out().checked_mul(self.w_out()));
        let values = area.and_then(|(input, output)| input.checked_add(output)?.checked_mul(self.channels));
        let fit = values.is_some_and(|values| values < isize::MAX as usize / 64);
        check(fit, "sizes whose products fit in memory")
    }

    /// Height of the output: (h_in + 2 padding - kernel) / stride + 1, rounded down; 0 where
    /// [`Pool2d::validate`] fails.
    pub fn h_out(&self) -> usize {
        self.axes()[0].output()
    }

    /// Width of the output, by the formula of [`Pool2d::h_out`].
    pub fn w_out(&self) -> usize {
        self.axes()[1].output()
    }

    /// Values of one input sample: channels * h_in * w_in.
    pub fn input_len(&self) -> usize {
        self.channels * self.h_in * self.w_in
    }

    /// Values of one output sample: channels * h_out * w_out.
    pub fn output_len(&self) -> usize {
        self.channels * self.h_out() * self.w_out()
    }

    /// Checks the sizes, and that all slices are as long as they say: one with an input's values for each sample of
    /// the batch, the others with an output's. Returns the number of planes.
    fn check(
        &self,
        operation: &'static str,
        batch: usize,
        (name, got): (&str, usize),
        outputs: &[(&str, usize)],
    ) -> Result<usize, Error> {
        self.validate()?;
        check(operation, name, [batch, self.input_len()], got)?;
        for &(name, got) in outputs {
            check(operation, name, [batch, self.output_len()], got)?;
        }
        Ok(batch * self.channels)
    }

    /// The vertical and the horizontal axis.
    pub(crate) fn axes(&self) -> [Axis; 2] {
        [(0, self.h_in), (1, self.w_in)].map(|(axis, input)| Axis {
            input,
            kernel: self.kernel[axis],
            stride: self.stride[axis],
            padding: self.padding[axis],
            dilation: 1,
        })
    }

    /// Windows of 2 x 2 that tile the plane: the common case, with bodies of its own where there are vectors.
    fn is_pairs(&self, level: Level) -> bool {
        !level.is_plain() && self.kernel == [2, 2] && self.stride == [2, 2] && self.padding == [0, 0]
    }

    /// Values of one input plane.
    fn area_in(&self) -> usize {
        self.h_in * self.w_in
    }

    /// Calls `body(tap, windows, first)` for each row of windows and each tap, row-major, with those windows of the row
    /// whose tap is no padding, and with what the first of them reads: the next ones read a stride further each.
    #[inline(always)]
    fn for_each_tap(&self, mut body: impl FnMut(usize, Range<usize>, usize)) {
        let [rows, cols] = self.axes();
        let cols = Reads::forward(&cols);
        for h in 0..rows.output() {
            for (row, i) in (0..self.kernel[0]).filter_map(|tap| rows.source(h, tap).map(|i| (tap, i))) {
                for column in 0..self.kernel[1] {
                    let inside = cols.inside(column, &(0..cols.positions));
                    if !inside.is_empty() {
                        let first = i * self.w_in + cols.read(column, inside.start);
                        let windows = h * cols.positions + inside.start..h * cols.positions + inside.end;
                        body(row * self.kernel[1] + column, windows, first);
                    }
                }
            }
        }
    }
}

/// Checks that a slice has `count` times `each` values.
fn check(operation: &'static str, what: &str, [count, each]: [usize; 2], got: usize) -> Result<(), Error> {
    Error::unless(count.checked_mul(each) == Some(got), operation, || {
        (format!("{what} of {count} times {each} values"), format!("{got} values"))
    })
}
