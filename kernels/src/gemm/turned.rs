//! A C whose rows, not columns, are contiguous: strips go through a row-major copy in the level-1 cache.
//!
//! ```text
//! C, turned:  c00 c10 c20 ...       the copy:  c00 c01 c02 | c10 c11 c12 | ...
//!             c01 c11 c21 ...       blocks of LANES x LANES are turned in registers
//! ```

use super::Start;
use super::microkernel::{Far, Passing, Strip};
use crate::simd::{Simd, Vector};
use crate::{Element, MatMut};

/// The most rows of a strip: two tiles of eight, and the side of the largest block.
pub(super) const ROWS: usize = 16;
/// The most columns: three registers of 16 f32.
const COLS: usize = 48;

/// In whole cache lines, so that a register is one of them.
#[repr(align(64))]
struct Copy<T>([T; ROWS * COLS]);

/// Multiplies into a copy of C and writes back what it has become.
#[inline(always)]
pub(super) fn through_a_copy<T: Element, S: Simd>(
    simd: S,
    kernel: Far<T, S>,
    strip: Strip<'_, T>,
    passing: &mut Passing<'_, T>,
) {
    let mut c = strip.c;
    let (rows, cols) = (c.rows(), c.cols());
    let pitch = cols.next_multiple_of(T::Vector::<S>::LANES);
    let mut copy = Copy([T::ZERO; ROWS * COLS]);
    let copy = &mut copy.0;
    if strip.start == Start::Old {
        turn(simd, Way::FromC, &mut c, (copy, pitch));
    }
    let (mut place, _) = MatMut::of_rows(copy, rows, pitch).split_cols(cols);
    // The next tile is written where this one was, not where C is.
    passing.next_c = place.as_mut_ptr();
    kernel(simd, &mut Strip { c: place, ..strip }, passing);
    turn(simd, Way::ToC, &mut c, (copy, pitch));
}

/// Which of the two is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    FromC,
    ToC,
}

/// Copies between C and `copy`, whose rows lie `pitch` apart.
#[inline(always)]
fn turn<T: Element, S: Simd>(simd: S, way: Way, c: &mut MatMut<'_, T>, (copy, pitch): (&mut [T], usize)) {
    let lanes = T::Vector::<S>::LANES;
    let (in_c, stride) = (c.as_mut_ptr(), c.col_stride());
    let whole = |len: usize| if c.row_stride() == 1 { len - len % lanes } else { 0 };
    let (whole_rows, whole_cols) = (whole(c.rows()), whole(c.cols()));
    for i in (0..whole_rows).step_by(lanes) {
        for j in (0..whole_cols).step_by(lanes) {
            let block = copy[i * pitch + j..][..(lanes - 1) * pitch + lanes].as_mut_ptr();
            // SAFETY: the block lies inside C, whose columns are contiguous, and inside the copy, as just checked.
            unsafe {
                let in_c = in_c.add(i + j * stride);
                match way {
                    Way::FromC => T::Vector::<S>::transpose(simd, (in_c, stride), lanes, (block, pitch)),
                    Way::ToC => T::Vector::<S>::transpose(simd, (block, pitch), lanes, (in_c, stride)),
                }
            }
        }
    }
    for i in 0..c.rows() {
        for j in if i < whole_rows { whole_cols } else { 0 }..c.cols() {
            match way {
                Way::FromC => copy[i * pitch + j] = c.at(i, j),
                Way::ToC => c.set(i, j, copy[i * pitch + j]),
            }
        }
    }
}
