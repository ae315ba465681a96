//! Which input each entry of a column matrix reads, forward and backward.

use super::Conv2d;
use crate::window::{ClassTaps, Reads};

/// The reads of a column matrix [(channel, tap row, tap column), (row, column)].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gather {
    pub(crate) rows: Reads,
    pub(crate) cols: Reads,
}

impl Gather {
    /// The reads of the forward pass and of the weight gradient.
    pub(crate) fn forward(conv: &Conv2d) -> Self {
        Self { rows: Reads::forward(&conv.rows()), cols: Reads::forward(&conv.cols()) }
    }

    /// The reads of the input gradient at the positions `class` modulo the strides, and the
    /// kernel taps that they meet.
    pub(crate) fn of_class(conv: &Conv2d, class: [usize; 2]) -> (Self, [ClassTaps; 2]) {
        let (rows, row_taps) = Reads::backward(&conv.rows(), class[0]);
        let (cols, col_taps) = Reads::backward(&conv.cols(), class[1]);
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
}
