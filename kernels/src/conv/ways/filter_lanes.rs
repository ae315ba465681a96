//! Weights times the framed planes of one sample, with filters in the lanes: the tile of `tile.rs` over positions.
//!
//! ```text
//! for each panel of filters                     one or two registers
//!   for each row of the map
//!     for each tile of MR positions
//!       c = sum over the taps of framed[position + tap] * packed[tap][panel]
//!       result[positions][panel] = c
//!   out[panel][positions] = result'             transposed in square blocks
//! ```
//!
//! Two departures from this idea:
//!
//! 1. **Taps beside the map are left out**, though the contract has them as taps of +0.0 (N2): rows of the kernel that
//!    lie in the frame, 4 to 15 % of a network's time. The lemma below says when the bits stay; where it says
//!    nothing, a row is computed again with all taps.
//! 2. **Rows are transposed as soon as they make a square block**, so that its stores hide behind the next row's
//!    multiply-adds: 3 % of LeNet-5's time.
//!
//! **Lemma.** With finite weights, omitting zero taps changes the result only if it is -0.0; so if any result is -0.0,
//! recompute the row with all taps.
//!
//! Let c be the chain with all taps and d the one without. After each tap, c = d, or c = +0.0 and d = -0.0:
//!
//! 1. A tap that is omitted: fma(w, +0.0, c) is c, or makes +0.0 of c = -0.0.
//! 2. A tap of both whose product is not zero: added to +0.0 or -0.0 it gives the same, so c = d.
//! 3. A tap of both whose product is a zero: equal chains stay equal. Added to c = +0.0 it gives +0.0, and to
//!    d = -0.0 either zero.
//!
//! So at the end d is c unless d = -0.0.

use std::ops::Range;

use super::frame::Frame;
use super::panels::{Panel, PanelKernel, UnpackPanel};
use super::tile::{self, KLoops};
use crate::Element;
use crate::simd::{Simd, Vector, vectorized};

/// The narrowest tile: a map of fewer columns has too few chains, and goes through columns.
pub(super) const NARROWEST: usize = 4;

/// The widest tile: of 32 registers 14 x 2 accumulators, two of weights and a value in every lane.
const fn widest(registers: usize, nv: usize) -> usize {
    match (registers >= 32, nv) {
        (true, _) => 14,
        (false, 2) => 6,
        (false, _) => 12,
    }
}

/// out [filters, positions] = weights times the planes.
pub(super) struct FilterLanes<'a, T> {
    pub(super) frame: &'a Frame,
    /// The weights in panels of [taps, registers].
    pub(super) packed: &'a [T],
    /// Whether all weights are finite, as the lemma needs.
    pub(super) finite: bool,
    pub(super) framed: &'a [T],
    pub(super) out: &'a mut [T],
    /// Room for [positions, two registers].
    pub(super) result: &'a mut [T],
}

impl<T: Element> PanelKernel<T> for FilterLanes<'_, T> {
    #[inline(always)]
    fn run<S: Simd, V: Vector<Element = T>>(&mut self, level: S, simd: V::Simd, panel: Panel) {
        let Panel { first, filters, registers, width } = panel;
        let (taps, [height, map_width]) = (self.frame.all_taps(), self.frame.map());
        let positions = height * map_width;
        let map = FilterLanes {
            frame: self.frame,
            packed: &self.packed[first * taps..][..width * taps],
            finite: self.finite,
            framed: self.framed,
            result: &mut self.result[..positions * width],
            out: &mut self.out[first * positions..][..filters * positions],
        };
        let tiles = map_width.div_ceil(widest(S::REGISTERS, registers));
        kernel::<S, V>(registers, map_width.div_ceil(tiles))(level, simd, map);
    }
}

/// The kernel for tiles of `width` positions and `registers`, with the operands of one panel.
#[inline(always)]
fn kernel<S: Simd, V: Vector>(registers: usize, width: usize) -> fn(S, V::Simd, FilterLanes<'_, V::Element>) {
    if const { tile::is_half::<S, V>() } {
        // All filters fit one register of half the width.
        instance!(all_rows<S, V>(registers, width): 1: 4 5 6 7 8 9 10 11 12 13 14;)
    } else if const { S::REGISTERS >= 32 } {
        instance!(all_rows<S, V>(registers, width):
            1: 4 5 6 7 8 9 10 11 12 13 14;
            2: 4 5 6 7 8 9 10 11 12 13 14;)
    } else {
        instance!(all_rows<S, V>(registers, width): 1: 4 5 6 7 8 9 10 11 12; 2: 4 5 6;)
    }
}

/// The rows of the map one after the other, as a function of its own, compiled for the level.
fn all_rows<S: Simd, V: Vector, const NV: usize, const MR: usize>(
    level: S,
    simd: V::Simd,
    mut map: FilterLanes<'_, V::Element>,
) {
    vectorized!(level, {
        let (result, out) = (std::mem::take(&mut map.result), std::mem::take(&mut map.out));
        let ([height, width], panel) = (map.frame.map(), NV * V::LANES);
        let all_taps = 0..map.frame.taps[1];
        let mut transposed = 0;
        for row in 0..height {
            let line = &mut result[row * width * panel..][..width * panel];
            let mut taps = if map.finite { map.frame.taps_on_map(row) } else { all_taps.clone() };
            // One place that computes a row: each is a tile of code for every width, number of registers and level.
            loop {
                one_row::<V, NV, MR>(simd, &map, row, taps.clone(), line);
                if taps == all_taps || !has_negative_zero(level, line) {
                    break;
                }
                taps = all_taps.clone();
            }
            let mut block = UnpackPanel { from: &*result, width: panel, to: &mut *out, n: height * width };
            while transposed + V::LANES <= (row + 1) * width {
                block.block::<V>(simd, transposed);
                transposed += V::LANES;
            }
        }
        UnpackPanel { from: result, width: panel, to: out, n: height * width }
            .rest::<S, V>(level, simd, transposed);
    });
}

/// line [positions, registers] = the sums of a row of the map under the rows `taps` of the kernel.
#[inline(always)]
fn one_row<V: Vector, const NV: usize, const MR: usize>(
    simd: V::Simd,
    map: &FilterLanes<'_, V::Element>,
    row: usize,
    taps: Range<usize>,
    line: &mut [V::Element],
) {
    let (FilterLanes { frame, framed, .. }, panel) = (map, NV * V::LANES);
    let ([channels, rows, cols], width) = (frame.taps, frame.map()[1]);
    let loops = KLoops {
        counts: [channels, taps.len(), cols],
        start: frame.tap(taps.start * cols) - frame.lowest,
        a_strides: frame.tap_strides,
        b_stride: rows * cols * panel,
    };
    let lowest = frame.lowest + row * frame.strides[0];
    let weights = &map.packed[taps.start * cols * panel..];
    for first in (0..width).step_by(MR) {
        // A tile beyond the end of the row begins earlier and computes some positions again.
        let first = if first + MR <= width { first } else { width - MR };
        let planes = &framed[lowest + first..lowest + first + frame.span + MR];
        let zero = [[[V::splat(simd, V::Element::ZERO); NV]; MR]; 1];
        let c = tile::multiply::<V, 1, MR, NV>(simd, &loops, [planes], weights, zero);
        tile::store(c, &mut line[first * panel..]);
    }
}

/// One copy of the code for all tiles.
#[inline(never)]
pub(super) fn has_negative_zero<T: Element, S: Simd>(level: S, values: &[T]) -> bool {
    vectorized!(level, {
        let bits = (-T::ZERO).bits();
        let mut found = 0;
        for value in values {
            found |= u32::from(value.bits() == bits);
        }
        found > 0
    })
}
