//! The order in which a direct convolution reads the framed planes: tap by tap, and register of
//! positions by register of positions.

/// Where the values under each tap stand, for reads with step 1 along a row: position (h, w) under
/// a tap is `framed[origin + h * row_step + w + tap]`, and [`Tap`] walks over the taps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    /// The lowest read of position (0, 0).
    pub(super) origin: usize,
    /// The largest tap.
    pub(super) reach: usize,
    pub(super) row_step: usize,
    pub(super) col_step: usize,
    /// Rows and columns of positions.
    pub(super) height: usize,
    pub(super) width: usize,
    /// True if the next row of positions is the next row of the frame.
    pub(super) contiguous_rows: bool,
    pub(super) first: usize,
    pub(super) channels: usize,
    /// Taps of a column and of a row of the kernel.
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// From a tap to the next in its row, from the last in a row to the first in the next row,
    /// and from the last of a channel to the first of the next channel.
    pub(super) steps: [isize; 3],
    /// From a channel to the next, from a row of the kernel to the next, from a tap to the next in its row.
    pub(super) deltas: [isize; 3],
}

impl Walk {
    pub(super) fn taps(&self) -> usize {
        self.channels * self.rows * self.cols
    }

    pub(super) fn positions(&self) -> usize {
        self.height * self.width
    }

    /// How the positions are cut into registers of `lanes`.
    pub(super) fn layout(&self, lanes: usize) -> Layout {
        let per_row = self.width.div_ceil(lanes);
        let rows = Layout { flat: false, registers: self.height * per_row, per_row, lanes, pitch: 0 };
        let across = ((self.height - 1) * self.row_step + self.width).div_ceil(lanes);
        // Reading on pays if it saves an eighth, because its results are written piece by piece.
        if self.contiguous_rows && 8 * across < 7 * rows.registers {
            Layout { flat: true, registers: across, per_row: 0, lanes, pitch: self.row_step }
        } else {
            rows
        }
    }

    /// Where position (0, 0) reads under a tap, by its number.
    #[inline(always)]
    pub(super) fn tap_place(&self, tap: usize) -> usize {
        let (channel, row, col) =
            (tap / (self.rows * self.cols), tap / self.cols % self.rows, tap % self.cols);
        let [channel_step, row_step, col_step] = self.deltas;
        let from_first = channel as isize * channel_step + row as isize * row_step + col as isize * col_step;
        (self.origin + self.first).wrapping_add_signed(from_first)
    }

    pub(super) fn first_tap(&self) -> Tap {
        Tap { offset: self.first, row: 0, col: 0 }
    }
}

/// The positions cut into registers: each row by itself, or flat across the ends of the rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) flat: bool,
    pub(super) registers: usize,
    per_row: usize,
    lanes: usize,
    pitch: usize,
}

impl Layout {
    /// The row and the column where a register begins.
    #[inline(always)]
    pub(super) fn place(&self, register: usize) -> (usize, usize) {
        if self.flat {
            let position = register * self.lanes;
            (position / self.pitch, position % self.pitch)
        } else {
            (register / self.per_row, register % self.per_row * self.lanes)
        }
    }
}

/// A tap: its place relative to the lowest one, and where it lies in the kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    pub(super) offset: usize,
    row: usize,
    col: usize,
}

impl Tap {
    /// Moves on in the order (channel, row, column).
    #[inline(always)]
    pub(super) fn advance(&mut self, walk: &Walk) {
        self.col += 1;
        let mut step = walk.steps[0];
        if self.col == walk.cols {
            (self.col, self.row) = (0, self.row + 1);
            step = walk.steps[1];
            if self.row == walk.rows {
                self.row = 0;
                step = walk.steps[2];
            }
        }
        self.offset = self.offset.wrapping_add_signed(step);
    }
}
