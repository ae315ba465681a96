//! The fast ways to compute a convolution, and which one is taken. That has no part in the bits (N12).
//!
//! Forward pass and input gradient are weights times the columns of a gather, on one sample:
//!
//! | file | a register holds | taken |
//! |---|---|---|
//! | `filter_lanes.rs` | filters at one position | where filters fill registers |
//! | `full.rs` | the same | for the input gradient on small maps: no tap beside the map |
//! | `position_lanes.rs` | positions under one filter | for few filters or short chains |
//! | `columns.rs` | as a matrix product | for strides, narrow maps, f64, single samples on several threads |
//!
//! The weight gradient is grad_y times the transposed columns of x, summed over the samples of a chunk:
//!
//! | file | a register holds | taken |
//! |---|---|---|
//! | `weight_tiles.rs` | filters at one tap | in f32 |
//! | `columns.rs` | as a matrix product | for narrow maps and f64 |
//!
//! Most of them read planes in a frame of zeros (`frame.rs`). `panels.rs` transposes filters into lanes, `tile.rs` is
//! the register tile that the files with filters in the lanes have in common.

/// The instance of a function that is generic over two sizes, listed as `first: second ..;`.
macro_rules! instance {
    ($function:ident<$one:ty, $two:ty>($($size:ident),*): $($first:literal: $($second:literal)*;)*) => {
        match ($($size),*) {
            $($(($first, $second) => $function::<$one, $two, $first, $second>,)*)*
            sizes => unreachable!("no tile has the sizes {sizes:?}"),
        }
    };
}

mod columns;
mod filter_lanes;
mod frame;
mod full;
mod panels;
mod position_lanes;
mod tile;
mod weight_tiles;

use crate::gemm::LONGEST_CHAIN;
use crate::simd::{MOST_LANES, vectorized};
use crate::{Element, Error, Exec, Threads};
use filter_lanes::{FilterLanes, NARROWEST};
pub(super) use frame::Frame;
use full::Full;
use position_lanes::PositionLanes;

// What is not a multiply-add, in multiply-adds of one register of 8 lanes. Fitted to LeNet-5's convolutions and 3 x 3
// kernels of 1 to 128 channels on maps of 10 to 56 columns, on Zen 4 in November 2026, and checked on Zen 5.

/// To store and transpose a register of sums with filters in its lanes.
const TRANSPOSE: usize = 15;
/// To begin and end a chain with positions in the lanes.
const CHAIN: usize = 8;

/// How a product is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    FilterLanes,
    PositionLanes,
    Columns,
}

impl Way {
    /// The cheapest way on one thread, by an estimate.
    fn cheapest(frame: &Frame, filters: usize) -> Self {
        let (taps, [height, width]) = (frame.all_taps(), frame.map());
        // A longer chain would be cut (N2).
        if frame.strides[1] != 1 || !(1..=LONGEST_CHAIN).contains(&taps) || width < NARROWEST {
            return Self::Columns;
        }
        // Registers of 8 lanes. Rows of the kernel that lie in the frame cost nothing.
        let halves = if filters <= 8 { 1 } else { 2 * filters.div_ceil(16) };
        let kernel_rows: usize = (0..height).map(|row| frame.taps_on_map(row).len()).sum();
        let multiply_adds = width * taps / frame.taps[1] * kernel_rows;
        let filter_lanes = halves * (multiply_adds + TRANSPOSE * height * width);
        let position_lanes = 2 * height * width.div_ceil(16) * filters * (taps + CHAIN);
        if filter_lanes <= position_lanes { Self::FilterLanes } else { Self::PositionLanes }
    }
}

/// out [filters, positions] = weights [filters, taps] columns [taps, positions] + bias.
#[derive(Clone, Copy, Debug)]
pub(super) struct FilterProduct {
    pub(super) frame: Frame,
    filters: usize,
    /// The way on one thread.
    way: Way,
}

/// The weights [filters, taps] and biases of one group, as they are and rearranged for the way that is taken.
#[derive(Debug)]
pub(super) struct Weights<'a, T> {
    plain: &'a [T],
    packed: &'a [T],
    /// Whether all of them are finite.
    finite: bool,
    bias: Option<&'a [T]>,
}

impl FilterProduct {
    /// The product over the reads in `frame`.
    pub(super) fn new(frame: Frame, filters: usize) -> Self {
        Self { frame, filters, way: Way::cheapest(&frame, filters) }
    }

    /// Values of scratch that [`FilterProduct::compute`] needs.
    pub(super) fn scratch_len(&self) -> usize {
        let result = 2 * MOST_LANES * self.frame.positions();
        columns::scratch_len(&self.frame).max(self.frame.len() + result)
    }

    /// Values of the packed weights of a group: [taps, whole registers of filters].
    pub(super) fn packed_len(&self) -> usize {
        self.frame.all_taps() * self.filters.next_multiple_of(MOST_LANES)
    }

    /// A product that may use several threads goes through gemm, and so does one without tiles of its own.
    fn way<T: Element>(&self, exec: Exec) -> Way {
        let tiles = exec.threads == Threads::One && tile::exists_at::<T>(exec.level);
        if tiles { self.way } else { Way::Columns }
    }

    /// Rearranges the weights `plain` of a group into `packed`, where that is of use.
    pub(super) fn pack<'a, T: Element>(
        &self,
        exec: Exec,
        plain: &'a [T],
        bias: Option<&'a [T]>,
        packed: &'a mut [T],
    ) -> Weights<'a, T> {
        match self.way::<T>(exec) {
            Way::FilterLanes => panels::pack(exec, self.filters, plain, packed),
            Way::PositionLanes => position_lanes::pack(exec, self.filters, plain, packed),
            Way::Columns => {}
        }
        Weights { plain, packed, finite: all_finite(exec, plain), bias }
    }

    /// The product on one group of one sample.
    pub(super) fn compute<T: Element>(
        &self,
        exec: Exec,
        weights: &Weights<'_, T>,
        planes: &[T],
        out: &mut [T],
        scratch: &mut [T],
    ) -> Result<(), Error> {
        let (&Self { ref frame, filters, .. }, &Weights { plain, packed, finite, bias }) = (self, weights);
        let (framed, result) = scratch.split_at_mut(frame.len());
        match self.way::<T>(exec) {
            Way::Columns => {
                columns::product(exec, frame, plain, planes, &mut *out, scratch)?;
                add_bias(exec, bias, out);
            }
            Way::PositionLanes => {
                frame.copy(exec, planes, framed); // also where no zeros are needed: it is read a register too far
                let packed = &packed[..filters * frame.all_taps()];
                exec.level.dispatch(PositionLanes { frame, packed, framed, bias, out });
            }
            Way::FilterLanes => {
                if finite && bias.is_none() && full::fits(frame, filters) {
                    let (out, result, mut done) = (&mut *out, &mut *result, false);
                    let map = FilterLanes { frame, packed, finite, framed: planes, out, result };
                    panels::for_each_panel(exec, filters, Full { map, done: &mut done });
                    if done {
                        return Ok(());
                    }
                }
                let framed = frame.framed(exec, planes, framed);
                let map = FilterLanes { frame, packed, finite, framed, out: &mut *out, result };
                panels::for_each_panel(exec, filters, map);
                add_bias(exec, bias, out);
            }
        }
        Ok(())
    }
}

/// Whether no value is infinite or NaN.
fn all_finite<T: Element>(exec: Exec, values: &[T]) -> bool {
    vectorized!(exec.level, values.iter().fold(true, |all, value| all & value.is_finite()))
}

/// y += b, one bias per plane.
fn add_bias<T: Element>(exec: Exec, bias: Option<&[T]>, y: &mut [T]) {
    let Some(bias) = bias else { return };
    let area = y.len() / bias.len();
    vectorized!(exec.level, {
        for (plane, &b) in y.chunks_exact_mut(area).zip(bias) {
            plane.iter_mut().for_each(|y| *y += b);
        }
    });
}

/// Values of scratch that [`weight_gradient`] needs.
pub(super) fn gradient_scratch_len(frame: &Frame, filters: usize) -> usize {
    columns::scratch_len(frame).max(weight_tiles::scratch_len(frame, filters))
}

/// grad_w [filters, taps] = for each weight one chain from +0.0 over (sample, position), ascending, of the pairs
/// (x, grad_y) of one group: grad_y [filters, positions] columns(x)'.
pub(super) fn weight_gradient<'a, T: Element>(
    exec: Exec,
    frame: &Frame,
    samples: impl ExactSizeIterator<Item = (&'a [T], &'a [T])>,
    grad_w: &mut [T],
    scratch: &mut [T],
) -> Result<(), Error> {
    if tile::exists_at::<T>(exec.level) && frame.map()[1] >= NARROWEST {
        weight_tiles::weight_gradient(exec, frame, samples, grad_w, scratch);
        return Ok(());
    }
    grad_w.fill(T::ZERO);
    for (x, grad_y) in samples {
        columns::add_weight_gradient(exec, frame, x, grad_y, grad_w, scratch)?;
    }
    Ok(())
}
