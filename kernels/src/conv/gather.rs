//! Which input each entry of a column matrix reads.
//!
//! The forward pass reads x at `window * stride + tap * dilation - padding`. The input gradient
//! reads grad_y the other way round: input position h meets window (h + padding - tap * dilation)
//! / stride, where that is whole. The positions h = r (mod stride) of one residue class share
//! their taps, and neighbours in the class read neighbouring windows, so that each class is a
//! gather with step 1 whose taps run backwards.

use std::ops::Range;

use super::{Axis, Conv2d};

/// The reads along one axis: position p under tap t reads `p * step + first + t * tap_step`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// Length of the axis that is read.
    pub(crate) input: usize,
    /// Number of positions.
    pub(crate) positions: usize,
    /// Number of taps.
    pub(crate) taps: usize,
    /// Distance between the reads of two positions.
    pub(crate) step: usize,
    first: isize,
    tap_step: isize,
}

/// The kernel taps that a residue class of the input gradient meets: `first`, `first + period`, ...
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClassTaps {
    pub(crate) first: usize,
    pub(crate) period: usize,
    pub(crate) count: usize,
}

impl Reach {
    /// The reads of the windows of an axis.
    pub(crate) fn forward(axis: &Axis) -> Self {
        Self {
            input: axis.input,
            positions: axis.output(),
            taps: axis.kernel,
            step: axis.stride,
            first: -(axis.padding as isize),
            tap_step: axis.dilation as isize,
        }
    }

    /// The reads of the input positions `class`, `class + stride`, ... in the output map.
    fn of_class(axis: &Axis, class: usize) -> (Self, ClassTaps) {
        let (stride, dilation) = (axis.stride, axis.dilation);
        let meets = |&tap: &usize| (class + axis.padding).abs_diff(tap * dilation).is_multiple_of(stride);
        let period = stride / gcd(stride, dilation);
        let first = (0..axis.kernel.min(period)).find(meets);
        let count = first.map_or(0, |first| (axis.kernel - first).div_ceil(period));
        let taps = ClassTaps { first: first.unwrap_or(0), period, count };
        let distance = (class + axis.padding) as isize - (taps.first * dilation) as isize;
        let reach = Self {
            input: axis.output(),
            positions: axis.input.saturating_sub(class).div_ceil(stride),
            taps: count,
            step: 1,
            first: distance.div_euclid(stride as isize),
            tap_step: -((period * dilation / stride) as isize),
        };
        (reach, taps)
    }

    /// What position 0 reads under `tap`; negative in the padding before the axis.
    pub(crate) fn origin(&self, tap: usize) -> isize {
        self.first + tap as isize * self.tap_step
    }

    /// Distance between the reads of two taps.
    pub(crate) fn tap_step(&self) -> isize {
        self.tap_step
    }

    /// What `position` reads under `tap`, where that lies on the axis.
    pub(crate) fn read(&self, tap: usize, position: usize) -> usize {
        ((position * self.step) as isize + self.origin(tap)) as usize
    }

    /// The positions of `within` whose read under `tap` lies on the axis.
    pub(crate) fn inside(&self, tap: usize, within: &Range<usize>) -> Range<usize> {
        let origin = self.origin(tap);
        let before = (-origin).max(0) as usize;
        let end = (self.input as isize - origin).max(0) as usize;
        let start = before.div_ceil(self.step).clamp(within.start, within.end);
        start..end.div_ceil(self.step).clamp(start, within.end)
    }

    /// True if every position reads itself under the only tap.
    fn is_identity(&self) -> bool {
        self.taps == 1 && self.step == 1 && self.first == 0 && self.positions == self.input
    }
}

/// The reads of a column matrix [(channel, tap row, tap column), (row, column)].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gather {
    pub(crate) rows: Reach,
    pub(crate) cols: Reach,
}

impl Gather {
    /// The reads of the forward pass and of the weight gradient.
    pub(crate) fn forward(conv: &Conv2d) -> Self {
        Self { rows: Reach::forward(&conv.rows()), cols: Reach::forward(&conv.cols()) }
    }

    /// The reads of the input gradient at the positions `class` modulo the strides, and the
    /// kernel taps that they meet.
    pub(crate) fn of_class(conv: &Conv2d, class: [usize; 2]) -> (Self, [ClassTaps; 2]) {
        let (rows, row_taps) = Reach::of_class(&conv.rows(), class[0]);
        let (cols, col_taps) = Reach::of_class(&conv.cols(), class[1]);
        (Self { rows, cols }, [row_taps, col_taps])
    }

    /// True if the column matrix is the planes themselves, as in a 1 x 1 convolution.
    pub(crate) fn is_identity(&self) -> bool {
        self.rows.is_identity() && self.cols.is_identity()
    }

    /// Rows of the column matrix per channel.
    pub(crate) fn taps(&self) -> usize {
        self.rows.taps * self.cols.taps
    }

    /// Columns of the column matrix.
    pub(crate) fn positions(&self) -> usize {
        self.rows.positions * self.cols.positions
    }

    /// Cuts the positions into ranges of `len`, the last one shorter.
    pub(crate) fn blocks(&self, len: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let positions = self.positions();
        (0..positions).step_by(len.max(1)).map(move |first| first..positions.min(first + len))
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
