//! Weights times the framed planes of one sample, with positions in the lanes: for a stride of 1 the values under
//! a tap are contiguous, so a register of them is read where it is stored.
//!
//! ```text
//! for each tile of MR filters
//!   for each NV registers of positions            a register lies within a row of the map
//!     for each tap                                framed[position + tap ..]: LANES positions
//!       for v in 0..NV     x[v] = framed[base[v] + tap ..]
//!       for f in 0..MR       c[f][v] = fma(w[f][tap], x[v], c[f][v])
//!     y = c + bias
//! ```
//!
//! It is the tile of a matrix product whose rows of B lie where the taps say. Each element is one chain over the taps
//! in their order (N2). Few filters leave no lane empty, and nothing is transposed; the price is the end of each row
//! of the map, where a register is not full.

use std::ops::Range;

use super::frame::Frame;
use super::tile;
use crate::simd::{Kernel, Simd, Vector, vectorized};
use crate::{Element, Exec};

/// The filters of each tile, as even as possible (8 = 4 + 4, not 6 + 2), and its width in registers of positions: the
/// accumulators, the smaller side and one of the other fit the register file.
fn tiles(registers: usize, filters: usize) -> (impl Iterator<Item = Range<usize>>, usize) {
    let (most, wide) = match (registers >= 32, filters) {
        (true, ..=3) => (3, 8),
        (true, ..=6) => (6, 4),
        (true, _) => (12, 2),
        (false, ..=3) => (3, 4),
        (false, _) => (6, 2),
    };
    let tiles = filters.div_ceil(most);
    ((0..tiles).map(move |tile| filters * tile / tiles..filters * (tile + 1) / tiles), wide)
}

/// Rearranges the weights [filters, taps]: tile after tile, [taps, filters of the tile].
pub(super) fn pack<T: Element>(exec: Exec, filters: usize, weights: &[T], packed: &mut [T]) {
    exec.level.dispatch(PackWeights { filters, weights, packed });
}

struct PackWeights<'a, T> {
    filters: usize,
    weights: &'a [T],
    packed: &'a mut [T],
}

impl<T: Element> Kernel for PackWeights<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let taps = self.weights.len() / self.filters;
        for tile in tiles(S::REGISTERS, self.filters).0 {
            let (height, here) = (tile.len(), tile.start * taps..tile.end * taps);
            let (packed, weights) = (&mut self.packed[here.clone()], &self.weights[here]);
            for (row, weights) in weights.chunks_exact(taps).enumerate() {
                let column = packed[row..].iter_mut().step_by(height);
                column.zip(weights).for_each(|(to, &weight)| *to = weight);
            }
        }
    }
}

/// out [filters, positions] = weights times the planes, plus the bias.
pub(super) struct PositionLanes<'a, T> {
    pub(super) frame: &'a Frame,
    pub(super) packed: &'a [T],
    pub(super) framed: &'a [T],
    pub(super) bias: Option<&'a [T]>,
    pub(super) out: &'a mut [T],
}

impl<T: Element> Kernel for PositionLanes<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if const { !tile::exists::<T, S>() } {
            unreachable!("no convolution of this type has tiles at this level")
        }
        let Self { frame, packed, framed, bias, out } = self;
        let (taps, [height, width]) = (frame.all_taps(), frame.map());
        let positions = height * width;
        let (tiles, registers) = tiles(S::REGISTERS, packed.len() / taps);
        for tile in tiles {
            let packed = &packed[tile.start * taps..tile.end * taps];
            let out = &mut out[tile.start * positions..tile.end * positions];
            let bias = bias.map(|bias| &bias[tile.clone()]);
            let map = PositionLanes { frame, packed, framed, bias, out };
            map_kernel::<T, S>(registers, tile.len())(simd, map);
        }
    }
}

/// The kernel for the whole map under the filters of one tile.
fn map_kernel<T: Element, S: Simd>(registers: usize, filters: usize) -> fn(S, PositionLanes<'_, T>) {
    if const { S::REGISTERS >= 32 } {
        instance!(whole_map<S, T::Vector<S>>(registers, filters): 8: 1 2 3; 4: 4 5 6; 2: 6 7 8 9 10 11 12;)
    } else {
        instance!(whole_map<S, T::Vector<S>>(registers, filters): 4: 1 2 3; 2: 3 4 5 6;)
    }
}

/// The whole map, as a function of its own, compiled for the level.
fn whole_map<S: Simd, V: Vector<Simd = S>, const NV: usize, const MR: usize>(
    simd: S,
    map: PositionLanes<'_, V::Element>,
) {
    vectorized!(simd, {
        let PositionLanes { frame, packed, framed, bias, out } = map;
        let [height, width] = frame.map();
        let bias: [Option<V>; MR] = std::array::from_fn(
            #[inline(always)]
            |f| bias.map(|bias| V::splat(simd, bias[f])),
        );
        let mut next = [0, 0];
        for _ in (0..height * width.div_ceil(V::LANES)).step_by(NV) {
            let mut places = [[0; 2]; NV];
            for place in &mut places {
                *place = next;
                // A tile beyond the last register computes that one again.
                let [row, col] = next;
                if col + V::LANES < width {
                    next = [row, col + V::LANES];
                } else if row + 1 < height {
                    next = [row + 1, 0];
                }
            }
            let len = frame.span + V::LANES;
            let planes: [&[V::Element]; NV] = std::array::from_fn(
                #[inline(always)]
                |v| &framed[frame.lowest + places[v][0] * frame.strides[0] + places[v][1]..][..len],
            );
            let c = one_tile::<V, MR, NV>(simd, frame, packed, planes);
            for v in 0..NV {
                let [row, col] = places[v];
                let len = if width - col < V::LANES { width - col } else { V::LANES };
                for f in 0..MR {
                    let y = &mut out[f * height * width + row * width + col..][..len];
                    let c = match bias[f] {
                        Some(bias) => c[f][v] + bias,
                        None => c[f][v],
                    };
                    c.store_partial(simd, y);
                }
            }
        }
    });
}

/// The chains of MR filters at NV registers of positions, whose lowest reads begin the `planes`.
#[inline(always)]
fn one_tile<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    frame: &Frame,
    packed: &[V::Element],
    planes: [&[V::Element]; NV],
) -> [[V; NV]; MR] {
    let ([_, rows, cols], [channel_stride, row_stride, col_stride]) = (frame.taps, frame.tap_strides);
    let next_row = row_stride - cols as isize * col_stride;
    let next_channel = channel_stride - rows as isize * row_stride;
    let mut c = [[V::splat(simd, V::Element::ZERO); NV]; MR];
    let (mut row, mut col, mut tap) = (0, 0, frame.start - frame.lowest);
    for weights in packed.chunks_exact(MR) {
        let here = tap..tap + V::LANES;
        // The smaller of the two sides stays in registers; the other passes by.
        if MR >= NV {
            let x: [V; NV] = std::array::from_fn(
                #[inline(always)]
                |v| V::load(simd, &planes[v][here.clone()]),
            );
            for f in 0..MR {
                let weight = V::splat(simd, weights[f]);
                for v in 0..NV {
                    c[f][v] = weight.mul_add(x[v], c[f][v]);
                }
            }
        } else {
            let w: [V; MR] = std::array::from_fn(
                #[inline(always)]
                |f| V::splat(simd, weights[f]),
            );
            for v in 0..NV {
                let x = V::load(simd, &planes[v][here.clone()]);
                for f in 0..MR {
                    c[f][v] = w[f].mul_add(x, c[f][v]);
                }
            }
        }
        (col, tap) = (col + 1, tap.wrapping_add_signed(col_stride));
        if col == cols {
            (row, col, tap) = (row + 1, 0, tap.wrapping_add_signed(next_row));
            if row == rows {
                (row, tap) = (0, tap.wrapping_add_signed(next_channel));
            }
        }
    }
    c
}
