//! The sizes of a convolution.

use super::ways::{self, FilterProduct, Frame};
use crate::window::{Axis, Reads};
use crate::{Error, Tuning};

/// All sizes of a 2-D convolution; a 1-D one has height 1. Layout NCHW, weights OIHW
/// [c_out, c_in / groups, kernel_h, kernel_w].
///
/// ```
/// use kernels::conv::Conv2d;
///
/// // The course's picture: 3 channels of 5 x 5, a frame of zeros, one 3 x 3 kernel per channel.
/// let conv = Conv2d {
///     c_in: 3, h_in: 5, w_in: 5, c_out: 1,
///     kernel: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1,
/// };
/// conv.validate()?;
/// assert_eq!((conv.h_out(), conv.w_out(), conv.weight_len()), (5, 5, 27));
/// # Ok::<(), kernels::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    /// Channels of the input.
    pub c_in: usize,
    /// Height of the input.
    pub h_in: usize,
    /// Width of the input.
    pub w_in: usize,
    /// Channels of the output.
    pub c_out: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps between windows, vertically and horizontally.
    pub stride: [usize; 2],
    /// Zeros around the input: rows above and below, columns left and right.
    pub padding: [usize; 2],
    /// Distance between two taps.
    pub dilation: [usize; 2],
    /// Groups of channels that do not see each other.
    pub groups: usize,
}

impl Conv2d {
    /// Checks the sizes once, so that the kernels may compute with them freely.
    ///
    /// # Errors
    /// [`Error::Shape`] for a size of zero (padding apart), groups that do not divide both
    /// numbers of channels, a kernel larger than the padded input, or sizes beyond `usize`.
    pub fn validate(&self) -> Result<(), Error> {
        let check = |fits, expected: &str| {
            Error::unless(fits, "conv2d", || (expected.to_owned(), format!("{self:?}")))
        };
        let sizes = [self.c_in, self.h_in, self.w_in, self.c_out, self.groups];
        let mut sizes = sizes.iter().chain(&self.kernel).chain(&self.stride).chain(&self.dilation);
        check(sizes.all(|&size| size > 0), "every size but the padding to be at least 1")?;
        let divide = self.c_in.is_multiple_of(self.groups) && self.c_out.is_multiple_of(self.groups);
        check(divide, "groups that divide c_in and c_out")?;
        check(
            self.axes().iter().all(|axis| axis.checked_output().is_some()),
            "a kernel, dilated, no larger than the padded input",
        )?;
        let fit = self.products().is_some_and(|values| values <= isize::MAX as usize / 64);
        check(fit, "sizes whose products fit in memory")
    }

    /// Weights times positions, those of the output and of the framed planes that the kernels copy.
    fn products(&self) -> Option<usize> {
        let [rows, cols] = self.axes().map(|axis| axis.padding.checked_mul(2)?.checked_add(axis.input));
        let weights =
            (self.kernel[0].checked_mul(self.kernel[1])?).checked_mul(self.c_in.checked_mul(self.c_out)?)?;
        let framed = rows?.checked_mul(cols?)?;
        weights.checked_mul(framed.checked_add(self.h_out().checked_mul(self.w_out())?)?)
    }

    /// Height of the output: (h_in + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded
    /// down; 0 where [`Conv2d::validate`] fails.
    pub fn h_out(&self) -> usize {
        self.axes()[0].output()
    }

    /// Width of the output, by the formula of [`Conv2d::h_out`].
    pub fn w_out(&self) -> usize {
        self.axes()[1].output()
    }

    /// Values of one input sample: c_in * h_in * w_in.
    pub fn input_len(&self) -> usize {
        self.c_in * self.h_in * self.w_in
    }

    /// Values of one output sample: c_out * h_out * w_out.
    pub fn output_len(&self) -> usize {
        self.c_out * self.h_out() * self.w_out()
    }

    /// Values of the weights: c_out * (c_in / groups) * kernel_h * kernel_w.
    pub fn weight_len(&self) -> usize {
        self.c_out * self.taps_in()
    }

    /// Samples per chunk of the weight and bias gradients (N3): 4 for up to 2^15 weights, 16 for
    /// up to 2^19, 64 above.
    pub fn chunk(&self) -> usize {
        match self.weight_len() {
            0..=0x8000 => 4,
            0x8001..=0x8_0000 => 16,
            _ => 64,
        }
    }

    /// Values of scratch with which the forward pass and the gradients can employ `threads`
    /// threads. One thread's worth is enough to run; more never changes a bit.
    pub fn scratch_len(&self, threads: usize) -> usize {
        let room = |product: FilterProduct| self.groups * product.packed_len() + product.scratch_len();
        let forward = room(self.forward_product());
        let several = (Tuning::in_use().conv_gradients / self.weight_len()).clamp(1, 8);
        let weight_gradient = several * self.weight_len() + self.gradient_scratch_len();
        let classes = self.classes().map(|class| room(self.class_product(class)));
        let result = self.input_len() / self.groups;
        let input_gradient = self.weight_len() + result + classes.max().unwrap_or(0);
        threads * forward.max(weight_gradient).max(input_gradient)
    }

    /// Where the windows lie, along both axes.
    pub(super) fn reads(&self) -> [Reads; 2] {
        self.axes().map(|axis| Reads::forward(&axis))
    }

    /// Weights times the columns of x, per group.
    pub(super) fn forward_product(&self) -> FilterProduct {
        FilterProduct::new(self.frame(), self.c_out / self.groups)
    }

    /// Transposed weights times the columns of grad_y, per group, at the input positions `class` modulo the strides.
    pub(super) fn class_product(&self, class: [usize; 2]) -> FilterProduct {
        let [rows, cols] = self.axes();
        let reads = [Reads::backward(&rows, class[0]), Reads::backward(&cols, class[1])];
        FilterProduct::new(Frame::new(reads, self.c_out / self.groups), self.c_in / self.groups)
    }

    /// Where the forward pass and the weight gradient read x, per group.
    pub(super) fn frame(&self) -> Frame {
        Frame::new(self.reads(), self.c_in / self.groups)
    }

    /// Values of scratch that the gradient of some filters over a chunk of samples needs.
    pub(super) fn gradient_scratch_len(&self) -> usize {
        ways::gradient_scratch_len(&self.frame(), self.c_out / self.groups)
    }

    /// The residue classes modulo the strides that hold input positions.
    pub(crate) fn classes(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let cols = self.stride[1].min(self.w_in);
        (0..self.stride[0].min(self.h_in)).flat_map(move |row| (0..cols).map(move |col| [row, col]))
    }

    /// Floating-point operations of the forward pass, and of each gradient, on `batch` samples.
    pub(crate) fn flops(&self, batch: usize) -> usize {
        2 * batch * self.taps_in() * self.output_len()
    }

    /// Taps of one output value: (c_in / groups) * kernel_h * kernel_w.
    pub(crate) fn taps_in(&self) -> usize {
        self.c_in / self.groups * self.kernel[0] * self.kernel[1]
    }

    /// The vertical and the horizontal axis.
    pub(crate) fn axes(&self) -> [Axis; 2] {
        [(0, self.h_in), (1, self.w_in)].map(|(axis, input)| Axis {
            input,
            kernel: self.kernel[axis],
            stride: self.stride[axis],
            padding: self.padding[axis],
            dilation: self.dilation[axis],
        })
    }
}
