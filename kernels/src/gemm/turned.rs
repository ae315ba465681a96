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
        read(simd, &mut c, (copy, pitch));
    }
    let place = MatMut::of_rows(copy, rows, pitch);
    let (place, _) = place.split_cols(cols);
    kernel(simd, &mut Strip { c: place, ..strip }, passing);
    write(simd, (copy, pitch), &mut c);
}

/// Rows and columns of `c` that are made of whole blocks.
#[inline(always)]
fn blocks<T: Element, S: Simd>(c: &MatMut<'_, T>) -> (usize, usize) {
    let lanes = T::Vector::<S>::LANES;
    if c.row_stride() == 1 { (c.rows() - c.rows() % lanes, c.cols() - c.cols() % lanes) } else { (0, 0) }
}

#[inline(always)]
fn read<T: Element, S: Simd>(simd: S, c: &mut MatMut<'_, T>, (copy, pitch): (&mut [T], usize)) {
    let lanes = T::Vector::<S>::LANES;
    let (whole_rows, whole_cols) = blocks::<T, S>(c);
    let (source, stride) = (c.as_mut_ptr().cast_const(), c.col_stride());
    for i in (0..whole_rows).step_by(lanes) {
        for j in (0..whole_cols).step_by(lanes) {
            let to = &mut copy[i * pitch + j..][..(lanes - 1) * pitch + lanes];
            // SAFETY: the block lies inside C, whose columns are contiguous, and `to` has room for it.
            unsafe {
                let from = source.add(i + j * stride);
                T::Vector::<S>::transpose(simd, (from, stride), lanes, (to.as_mut_ptr(), pitch));
            }
        }
    }
    for i in 0..c.rows() {
        for j in if i < whole_rows { whole_cols } else { 0 }..c.cols() {
            copy[i * pitch + j] = c.at(i, j);
        }
    }
}

#[inline(always)]
fn write<T: Element, S: Simd>(simd: S, (copy, pitch): (&[T], usize), c: &mut MatMut<'_, T>) {
    let lanes = T::Vector::<S>::LANES;
    let (whole_rows, whole_cols) = blocks::<T, S>(c);
    let (target, stride) = (c.as_mut_ptr(), c.col_stride());
    for i in (0..whole_rows).step_by(lanes) {
        for j in (0..whole_cols).step_by(lanes) {
            let from = &copy[i * pitch + j..][..(lanes - 1) * pitch + lanes];
            // SAFETY: the block lies inside C, whose columns are contiguous, and inside `from`.
            unsafe {
                let to = target.add(i + j * stride);
                T::Vector::<S>::transpose(simd, (from.as_ptr(), pitch), lanes, (to, stride));
            }
        }
    }
    for i in 0..c.rows() {
        for j in if i < whole_rows { whole_cols } else { 0 }..c.cols() {
            c.set(i, j, copy[i * pitch + j]);
        }
    }
}
