//! Windows over one axis, for convolution and pooling: which input a tap of a window reads, and the other way round.
//!
//! ```text
//! window h, tap i   reads input   h * stride + i * dilation - padding
//!
//! input 5, kernel 3, stride 2, padding 1            input  - 0 1 2 3 4 -
//!                                                window 0  0 1 2            tap 0 lies in the padding
//!                                                window 1      0 1 2
//!                                                window 2          0 1 2
//! ```

#![forbid(unsafe_code)]

use std::ops::Range;

/// One axis of a convolution or a pooling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    pub(crate) input: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    pub(crate) dilation: usize,
}

/// Where a tap of the input gradient finds its output gradient (N2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Between two strides: the tap is absent.
    Absent,
    /// Beside the output map: a tap of +0.0.
    Zero,
    /// At this output position.
    At(usize),
}

impl Axis {
    /// The number of windows, or `None` where the window is larger than the padded input.
    pub(crate) fn checked_output(&self) -> Option<usize> {
        let padded = self.padding.checked_mul(2)?.checked_add(self.input)?;
        let window = (self.kernel.checked_sub(1)?).checked_mul(self.dilation)?.checked_add(1)?;
        padded.checked_sub(window)?.checked_div(self.stride)?.checked_add(1)
    }

    /// The number of windows; 0 where there is none.
    pub(crate) fn output(&self) -> usize {
        self.checked_output().unwrap_or(0)
    }

    /// The input position under tap `tap` of window `window`; `None` in the padding.
    pub(crate) fn source(&self, window: usize, tap: usize) -> Option<usize> {
        let padded = window * self.stride + tap * self.dilation;
        padded.checked_sub(self.padding).filter(|&position| position < self.input)
    }

    /// The window whose tap `tap` lies on input position `position`: the inverse of `source`.
    pub(crate) fn target(&self, position: usize, tap: usize) -> Target {
        let distance = (position + self.padding) as isize - (tap * self.dilation) as isize;
        if distance.rem_euclid(self.stride as isize) != 0 {
            return Target::Absent;
        }
        match usize::try_from(distance / self.stride as isize) {
            Ok(window) if window < self.output() => Target::At(window),
            _ => Target::Zero,
        }
    }
}

/// The reads of a gather along one axis: position p under tap t reads `p * stride + first + t * tap_stride`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reads {
    /// Length of the axis that is read.
    pub(crate) input: usize,
    /// Number of positions.
    pub(crate) positions: usize,
    /// Number of taps.
    pub(crate) taps: usize,
    /// Distance between the reads of two positions.
    pub(crate) stride: usize,
    /// Distance between the reads of two taps.
    pub(crate) tap_stride: isize,
    first: isize,
    /// The kernel's tap that is tap 0 of the gather, and how far apart there are those of neighbours.
    kernel_tap: usize,
    kernel_stride: usize,
}

impl Reads {
    /// The reads of the windows in the input.
    pub(crate) fn forward(axis: &Axis) -> Self {
        Self {
            input: axis.input,
            positions: axis.output(),
            taps: axis.kernel,
            stride: axis.stride,
            tap_stride: axis.dilation as isize,
            first: -(axis.padding as isize),
            kernel_tap: 0,
            kernel_stride: 1,
        }
    }

    /// The reads of the input gradient in the output map, for the input positions `class`, `class + stride`, ...
    ///
    /// Input h meets window (h + padding - tap * dilation) / stride, where that is whole. All positions of a residue
    /// class modulo the stride have the same such taps, and neighbours in the class read neighbouring windows: a
    /// gather of stride 1 whose taps run backwards.
    pub(crate) fn backward(axis: &Axis, class: usize) -> Self {
        let (stride, dilation) = (axis.stride, axis.dilation);
        let meets = |&tap: &usize| (class + axis.padding).abs_diff(tap * dilation).is_multiple_of(stride);
        let kernel_stride = stride / gcd(stride, dilation);
        let first = (0..axis.kernel.min(kernel_stride)).find(meets);
        let kernel_tap = first.unwrap_or(0);
        let distance = (class + axis.padding) as isize - (kernel_tap * dilation) as isize;
        Self {
            input: axis.output(),
            positions: axis.input.saturating_sub(class).div_ceil(stride),
            taps: first.map_or(0, |first| (axis.kernel - first).div_ceil(kernel_stride)),
            stride: 1,
            tap_stride: -((kernel_stride * dilation / stride) as isize),
            first: distance.div_euclid(stride as isize),
            kernel_tap,
            kernel_stride,
        }
    }

    /// The kernel's taps that the gather meets.
    pub(crate) fn kernel_taps(&self) -> impl Iterator<Item = usize> + use<> {
        (self.kernel_tap..).step_by(self.kernel_stride).take(self.taps)
    }

    /// What position 0 reads under `tap`; negative in the padding before the axis.
    pub(crate) fn origin(&self, tap: usize) -> isize {
        self.first + tap as isize * self.tap_stride
    }

    /// What `position` reads under `tap`, where that lies on the axis.
    pub(crate) fn read(&self, tap: usize, position: usize) -> usize {
        ((position * self.stride) as isize + self.origin(tap)) as usize
    }

    /// The positions of `within` whose read under `tap` lies on the axis.
    pub(crate) fn inside(&self, tap: usize, within: &Range<usize>) -> Range<usize> {
        let origin = self.origin(tap);
        let before = (-origin).max(0) as usize;
        let end = (self.input as isize - origin).max(0) as usize;
        let start = before.div_ceil(self.stride).clamp(within.start, within.end);
        start..end.div_ceil(self.stride).clamp(start, within.end)
    }

    /// True if every position reads itself under the only tap.
    pub(crate) fn is_identity(&self) -> bool {
        self.taps == 1 && self.stride == 1 && self.first == 0 && self.positions == self.input
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
