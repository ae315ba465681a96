//! A C whose columns, not rows, are contiguous: strips go through a row-major copy in L1.
//!
//! ```text
//! C, in memory:  c00 c10 c20 ...       the copy:  c00 c01 c02 | c10 c11 c12 | ...
//!                c01 c11 c21 ...       blocks of LANES x LANES are transposed in registers
//! ```

use super::output::{Output, Start};
use super::pack::MicroPanel;
use super::strip::{Far, Strip};
use crate::simd::{Simd, Strided, Vector};
use crate::{Element, MatMut};

/// The tallest tile: two of them make the side of the largest block.
pub(super) const MR: usize = 8;
/// The most rows of the copy.
const ROWS: usize = 2 * MR;
/// The most columns: three registers of 16 f32.
const COLS: usize = 48;

/// In whole cache lines, so that a register is one of them.
#[repr(align(64))]
struct RowMajor<T>([T; ROWS * COLS]);

/// Computes a strip of tiles `mr` high into a row-major copy of C, then writes it back.
#[inline(always)]
pub(super) fn through_a_copy<T: Element, S: Simd>(
    simd: S,
    kernel: Far<T, S>,
    mr: usize,
    strip: Strip<'_, T>,
    b: &mut MicroPanel<'_, T>,
) {
    let Strip { a, mut out } = strip;
    let (rows, cols, step) = (out.c.rows(), out.c.cols(), ROWS / mr * mr);
    let stride = cols.next_multiple_of(T::Vector::<S>::LANES);
    let mut copy = RowMajor([T::ZERO; ROWS * COLS]);
    let copy = &mut copy.0;
    for top in (0..rows).step_by(step) {
        let rows = top..if top + step < rows { top + step } else { rows };
        let Output { mut c, start, bias } = out.submatrix(rows.clone(), 0..cols);
        if start == Start::Old {
            transpose(simd, Direction::FromC, &mut c, copy, stride);
        }
        let (mut place, _) = MatMut::of_rows(copy, rows.len(), stride).split_cols(cols);
        // The next tile is written where this one was, not where C is.
        b.next_c = place.as_mut_ptr();
        kernel(simd, Strip { a: a.submatrix(rows, 0..a.cols()), out: Output { c: place, start, bias } }, b);
        transpose(simd, Direction::ToC, &mut c, copy, stride);
    }
}

/// Which of the two is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    FromC,
    ToC,
}

/// Copies between C and `copy`, whose rows lie `stride` apart.
#[inline(always)]
fn transpose<T: Element, S: Simd>(
    simd: S,
    direction: Direction,
    c: &mut MatMut<'_, T>,
    copy: &mut [T],
    stride: usize,
) {
    let lanes = T::Vector::<S>::LANES;
    let (in_c, c_stride) = (c.as_mut_ptr(), c.col_stride());
    let whole = |len: usize| if c.row_stride() == 1 { len - len % lanes } else { 0 };
    let (whole_rows, whole_cols) = (whole(c.rows()), whole(c.cols()));
    for i in (0..whole_rows).step_by(lanes) {
        for j in (0..whole_cols).step_by(lanes) {
            let block = copy[i * stride + j..][..(lanes - 1) * stride + lanes].as_mut_ptr();
            let in_c = Strided { data: in_c.wrapping_add(i + j * c_stride), stride: c_stride };
            let in_copy = Strided { data: block, stride };
            let (from, to) = match direction {
                Direction::FromC => (in_c, in_copy),
                Direction::ToC => (in_copy, in_c),
            };
            // SAFETY: the block lies inside C, whose columns are contiguous, and inside the copy, as just checked.
            unsafe { T::Vector::<S>::transpose(simd, from.cast_const(), lanes, to) };
        }
    }
    for i in 0..c.rows() {
        for j in if i < whole_rows { whole_cols } else { 0 }..c.cols() {
            match direction {
                Direction::FromC => copy[i * stride + j] = c.at(i, j),
                Direction::ToC => c.set(i, j, copy[i * stride + j]),
            }
        }
    }
}
