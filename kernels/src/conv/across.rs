//! Weights times the planes of one sample with registers across the filters: the tile of `tile.rs`, whose
//! rows are positions.
//!
//! ```text
//! for each panel of filters                     two registers
//!   for each row of the map
//!     for each tile of MR positions
//!       c = sum over the taps of framed[place + tap] * packed[tap][panel]
//!       result[positions][panel] = c + bias
//!   out[panel][positions] = result'             turned in square blocks
//! ```
//!
//! **Taps in the frame.** Where a whole row of the kernel lies in the frame of zeros, its taps are left out,
//! though the contract has them as taps of +0.0 (N2). fma(w, +0.0, c) with a finite w is c, but for one case:
//! c = -0.0 becomes +0.0 where w is not negative. So leaving taps out turns the pair (chain with them, chain
//! without) from (c, c) into (+0.0, -0.0) at most, never the other way round; a later term that is not zero
//! makes both equal again, since +0.0 and -0.0 add alike to it, and a term of zero leaves them equal or as they
//! are. A result other than -0.0 is therefore right, and where one is -0.0 its row of the map is computed again
//! with all taps. With a weight that is not finite nothing is left out.

use std::ops::Range;

use super::patches::Patches;
use super::tile::{self, Panels, Steps};
use super::walk::Walk;
use crate::simd::{Kernel, Simd, Vector};
use crate::{Element, Exec};

/// The widest tile: 14 x 2 accumulators, two registers of weights and a value in every lane, of 32.
const fn widest(registers: usize, vectors: usize) -> usize {
    match (registers >= 32, vectors) {
        (true, _) => 14,
        (false, 2) => 6,
        (false, _) => 12,
    }
}

/// Maps of fewer columns have too few chains for a tile: they go another way.
pub(super) const NARROWEST: usize = 4;

/// Positions of a tile: as even as possible over a row of the map.
fn tile_width(registers: usize, vectors: usize, width: usize) -> usize {
    width.div_ceil(width.div_ceil(widest(registers, vectors)))
}

/// Packs the weights [filters, taps] of a group: panel after panel, [taps, registers of filters], zeros for
/// what the last register lacks.
pub(super) fn pack_weights<T: Element>(exec: Exec, filters: usize, weights: &[T], packed: &mut [T]) {
    exec.level.dispatch(Pack { filters, weights, packed });
}

struct Pack<'a, T> {
    filters: usize,
    weights: &'a [T],
    packed: &'a mut [T],
}

impl<T: Element> Kernel for Pack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if const { !tile::exists::<T, S>() } {
            unreachable!("{}", tile::MISSING)
        } else if tile::is_narrow::<T, S>(self.filters) {
            self.pack::<T::Vector<S::Narrow>>(simd.narrow());
        } else {
            self.pack::<T::Vector<S>>(simd);
        }
    }
}

impl<T: Element> Pack<'_, T> {
    #[inline(always)]
    fn pack<V: Vector<Element = T>>(self, simd: V::Simd) {
        let Self { filters, weights, packed } = self;
        let taps = weights.len() / filters;
        for (first, vectors) in Panels::new::<V>(filters).iter() {
            let width = vectors * V::LANES;
            let panel = &mut packed[first * taps..][..width * taps];
            for lane in (0..width).step_by(V::LANES) {
                let rest = &weights[(first + lane) * taps..];
                let weights =
                    &rest[..if rest.len() < V::LANES * taps { rest.len() } else { V::LANES * taps }];
                tile::turn_rows::<V>(simd, (weights, taps), (&mut panel[lane..], width));
            }
        }
    }
}

/// out [filters, positions] = weights times the patches, plus the bias.
pub(super) struct Across<'a, T> {
    pub(super) patches: &'a Patches,
    pub(super) filters: usize,
    pub(super) packed: &'a [T],
    /// Whether taps in the frame may be left out: all weights are finite.
    pub(super) skip: bool,
    pub(super) framed: &'a [T],
    pub(super) bias: Option<&'a [T]>,
    pub(super) out: &'a mut [T],
    /// Room for [positions, two registers].
    pub(super) result: &'a mut [T],
}

impl<T: Element> Kernel for Across<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if const { !tile::exists::<T, S>() } {
            unreachable!("{}", tile::MISSING)
        } else if tile::is_narrow::<T, S>(self.filters) {
            self.all_panels::<S, T::Vector<S::Narrow>>(simd, simd.narrow());
        } else {
            self.all_panels::<S, T::Vector<S>>(simd, simd);
        }
    }
}

impl<T: Element> Across<'_, T> {
    #[inline(always)]
    fn all_panels<S: Simd, V: Vector<Element = T>>(self, level: S, simd: V::Simd) {
        let walk = self.patches.walk();
        let (taps, positions) = (walk.taps(), walk.positions());
        for (first, vectors) in Panels::new::<V>(self.filters).iter() {
            let width = vectors * V::LANES;
            let result = &mut self.result[..positions * width];
            let filters = if self.filters - first < width { self.filters - first } else { width };
            let mut bias = [T::ZERO; 2 * tile::LANES];
            if let Some(values) = self.bias {
                bias[..filters].copy_from_slice(&values[first..first + filters]);
            }
            let panel = Panel {
                patches: self.patches,
                walk: &walk,
                weights: &self.packed[first * taps..][..width * taps],
                skip: self.skip,
                framed: self.framed,
                bias: self.bias.map(
                    #[inline(always)]
                    |_| &bias,
                ),
                result: &mut *result,
                out: &mut self.out[first * positions..(first + filters) * positions],
            };
            let positions_at_once = tile_width(S::REGISTERS, vectors, walk.width);
            panel_kernel::<S, V>(positions_at_once, vectors)(level, simd, panel);
        }
    }
}

/// All positions under the filters of one panel: `weights` [taps, registers], `result` [positions, registers],
/// `out` [filters, positions].
struct Panel<'a, T> {
    patches: &'a Patches,
    walk: &'a Walk,
    weights: &'a [T],
    skip: bool,
    framed: &'a [T],
    bias: Option<&'a [T; 2 * tile::LANES]>,
    result: &'a mut [T],
    out: &'a mut [T],
}

/// The kernel for tiles of `width` positions and `vectors` registers.
#[inline(always)]
fn panel_kernel<S: Simd, V: Vector>(width: usize, vectors: usize) -> fn(S, V::Simd, Panel<'_, V::Element>) {
    macro_rules! widths {
        ($vectors:literal, $($width:literal)*) => {
            match width {
                $($width => compiled::<S, V, $width, $vectors>,)*
                _ => unreachable!("no tile is {width} positions wide and {vectors} registers deep"),
            }
        };
    }
    if const { tile::is_half::<S, V>() } {
        // All filters fit one register of half the width.
        widths!(1, 4 5 6 7 8 9 10 11 12 13 14)
    } else if const { S::REGISTERS >= 32 } {
        match vectors {
            2 => widths!(2, 4 5 6 7 8 9 10 11 12 13 14),
            _ => widths!(1, 4 5 6 7 8 9 10 11 12 13 14),
        }
    } else {
        match vectors {
            2 => widths!(2, 4 5 6),
            _ => widths!(1, 4 5 6 7 8 9 10 11 12),
        }
    }
}

/// [`all_rows`] as a function of its own, compiled for the level.
fn compiled<S: Simd, V: Vector, const MR: usize, const NV: usize>(
    level: S,
    simd: V::Simd,
    panel: Panel<'_, V::Element>,
) {
    level.vectorize(
        #[inline(always)]
        || all_rows::<S, V, MR, NV>(level, simd, panel),
    );
}

#[inline(always)]
fn all_rows<S: Simd, V: Vector, const MR: usize, const NV: usize>(
    level: S,
    simd: V::Simd,
    panel: Panel<'_, V::Element>,
) {
    let Panel { patches, walk, weights, skip, framed, bias, result, out } = panel;
    let each = NV * V::LANES;
    let bias: Option<[V; NV]> = bias.map(
        #[inline(always)]
        |bias| tile::load_row(simd, bias),
    );
    let all = 0..walk.rows;
    let mut turned = 0;
    for row in 0..walk.height {
        let line = &mut result[row * walk.width * each..][..walk.width * each];
        let mut live = if skip { patches.live_taps(row) } else { all.clone() };
        // One place that computes a row: each is a tile of code for every width, depth and level.
        loop {
            let whole = live == all;
            let with = if whole { bias } else { None };
            one_row::<V, MR, NV>(simd, walk, (weights, live), framed, with, row, line);
            if whole {
                break;
            }
            if !has_negative_zero(level, line) {
                if let Some(bias) = bias {
                    add_bias::<V, NV>(simd, bias, line);
                }
                break;
            }
            live = all.clone();
        }
        // Turning what is done between the rows hides its stores behind the next row's multiply-adds.
        let ready = turned..(row + 1) * walk.width;
        turned = tile::turn_ready::<V>(simd, (result, each), ready, (out, walk.positions()));
    }
    tile::turn_from::<S, V>((level, simd), (result, each), turned, (out, walk.positions()));
}

/// A row of the map under the rows `live` of the kernel.
#[inline(always)]
fn one_row<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    walk: &Walk,
    (weights, live): (&[V::Element], Range<usize>),
    framed: &[V::Element],
    bias: Option<[V; NV]>,
    row: usize,
    result: &mut [V::Element],
) {
    let each = NV * V::LANES;
    let [channel_step, row_step, col_step] = walk.deltas;
    let steps = Steps {
        counts: [walk.channels, live.len(), walk.cols],
        a: [channel_step, row_step, col_step],
        b_step: walk.rows * walk.cols * each,
    };
    let start = walk.first.wrapping_add_signed(live.start as isize * row_step);
    let weights = &weights[live.start * walk.cols * each..];
    let place = walk.origin + row * walk.row_step;
    for first in (0..walk.width).step_by(MR) {
        // A tile beyond the end of the row begins earlier and computes some positions again.
        let first = if first + MR <= walk.width { first } else { walk.width - MR };
        let planes = &framed[place + first..place + first + walk.reach + MR];
        let zero = [[[V::splat(simd, V::Element::ZERO); NV]; MR]; 1];
        let mut c = tile::multiply::<V, 1, MR, NV>(simd, &steps, ([planes], start), weights, zero);
        if let Some(bias) = bias {
            for c in &mut c[0] {
                for v in 0..NV {
                    c[v] = c[v] + bias[v];
                }
            }
        }
        tile::store(c, &mut result[first * each..]);
    }
}

/// One copy of the code for all tiles.
#[inline(never)]
pub(super) fn has_negative_zero<T: Element, S: Simd>(level: S, values: &[T]) -> bool {
    level.vectorize(
        #[inline(always)]
        || {
            let bits = (-T::ZERO).bits();
            let mut found = 0;
            for value in values {
                found |= u32::from(value.bits() == bits);
            }
            found > 0
        },
    )
}

/// result [positions, registers] += bias.
#[inline(always)]
fn add_bias<V: Vector, const NV: usize>(simd: V::Simd, bias: [V; NV], result: &mut [V::Element]) {
    for c in result.chunks_exact_mut(NV * V::LANES) {
        for v in 0..NV {
            let c = &mut c[v * V::LANES..(v + 1) * V::LANES];
            (V::load(simd, c) + bias[v]).store(c);
        }
    }
}
