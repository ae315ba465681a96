//! The way for every convolution: the column matrix, copied from framed planes, and a matrix product.
//!
//! ```text
//! columns [taps, positions]     y = W columns        (forward, input gradient)
//!                               grad_W += grad_y columns'
//! ```
//!
//! A row of columns is a sequence of runs, one for each row of the map. As many columns are made at a time as stay in
//! L2 beside the weights.

use std::ops::Range;

use super::frame::{Frame, copy_row};
use crate::gemm::{LONGEST_CHAIN, gemm, gemm_acc};
use crate::simd::vectorized;
use crate::window::Reads;
use crate::{Element, Error, Exec, MatMut, MatRef, Tuning};

/// Columns are made in multiples of this, a whole number of the widest tiles of a product.
const TILE: usize = 48;

/// Columns of a block: no more than the longest product that is not cut (the weight gradient sums over them, and N3
/// knows no cut).
fn block_columns(tuning: &Tuning, frame: &Frame) -> usize {
    let most = tuning.conv_block / frame.all_taps().max(1);
    (most.clamp(TILE, LONGEST_CHAIN) / TILE * TILE).min(frame.positions())
}

/// Values of scratch that the functions below need: a block of columns and the framed planes.
pub(super) fn scratch_len(frame: &Frame) -> usize {
    frame.len() + frame.all_taps() * block_columns(Tuning::in_use(), frame)
}

/// out [filters, positions] = weights [filters, taps] columns.
pub(super) fn product<T: Element>(
    exec: Exec,
    frame: &Frame,
    weights: &[T],
    planes: &[T],
    out: &mut [T],
    scratch: &mut [T],
) -> Result<(), Error> {
    let (taps, positions) = (frame.all_taps(), frame.positions());
    let filters = out.len() / positions;
    let w = MatRef::row_major(weights, filters, taps)?;
    let mut y = MatMut::row_major(out, filters, positions)?;
    if frame.reads.iter().all(Reads::is_identity) {
        return gemm(exec, w, MatRef::row_major(planes, taps, positions)?, y);
    }
    for_each_block(exec, frame, planes, scratch, |block, columns| {
        gemm(exec, w, columns, y.submatrix(0..filters, block))
    })
}

/// grad_w [filters, taps] += grad_y [filters, positions] columns', block by block: each product continues the chains
/// from the old value.
pub(super) fn add_weight_gradient<T: Element>(
    exec: Exec,
    frame: &Frame,
    x: &[T],
    grad_y: &[T],
    grad_w: &mut [T],
    scratch: &mut [T],
) -> Result<(), Error> {
    let (taps, positions) = (frame.all_taps(), frame.positions());
    let filters = grad_w.len() / taps;
    let grad_y = MatRef::row_major(grad_y, filters, positions)?;
    for_each_block(exec, frame, x, scratch, |block, columns| {
        let grad_w = MatMut::row_major(&mut *grad_w, filters, taps)?;
        gemm_acc(exec, grad_y.submatrix(0..filters, block), columns.t(), grad_w)
    })
}

/// Calls `body` with blocks of positions and their columns [taps, block].
fn for_each_block<T: Element>(
    exec: Exec,
    frame: &Frame,
    planes: &[T],
    scratch: &mut [T],
    mut body: impl FnMut(Range<usize>, MatRef<'_, T>) -> Result<(), Error>,
) -> Result<(), Error> {
    let (framed, columns) = scratch.split_at_mut(frame.len());
    frame.copy(exec, planes, framed);
    let (taps, positions) = (frame.all_taps(), frame.positions());
    let room = columns.len() / taps.max(1);
    let each = block_columns(exec.tuning, frame).min(room).max(1);
    for first in (0..positions).step_by(each) {
        let block = first..positions.min(first + each);
        let columns = &mut columns[..taps * block.len()];
        vectorized!(exec.level, fill(frame, framed, block.clone(), columns));
        let columns = MatRef::row_major(columns, taps, block.len())?;
        body(block, columns)?;
    }
    Ok(())
}

/// Writes the columns `positions`, [taps, positions.len()] row-major.
#[inline(always)]
fn fill<T: Element>(frame: &Frame, framed: &[T], positions: Range<usize>, columns: &mut [T]) {
    let ([_, cols], [row_stride, stride]) = (frame.reads, frame.strides);
    let (first_row, first_col) = (positions.start / cols.positions, positions.start % cols.positions);
    let ([channels, kernel_h, kernel_w], [channel_stride, tap_row, tap_col]) =
        (frame.taps, frame.tap_strides);
    let taps =
        (0..kernel_h).flat_map(|i| (0..kernel_w).map(move |j| i as isize * tap_row + j as isize * tap_col));
    let mut at = 0;
    for channel in 0..channels {
        let origin = frame.start + channel * channel_stride as usize + first_row * row_stride;
        for tap in taps.clone() {
            let end = at + positions.len();
            let (mut row, mut col) = (origin.wrapping_add_signed(tap), first_col);
            while at < end {
                let len = if cols.positions - col < end - at { cols.positions - col } else { end - at };
                let (from, to) = (&framed[row + col * stride..], &mut columns[at..at + len]);
                if stride == 1 {
                    copy_row(&from[..len], to);
                } else {
                    to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, &from)| *to = from);
                }
                at += len;
                (row, col) = (row + row_stride, 0);
            }
        }
    }
}
