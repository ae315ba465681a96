//! Convolution straight from the framed planes, without columns: for a step of 1 the values under
//! a tap are contiguous, so a register of them is read where it stands.
//!
//! ```text
//! for each tap (channel, i, j)                   16 positions of a row: one register
//!   for v in 0..NV     x[v] = framed[base[v] + tap ..]
//!   for f in 0..MR       c[f][v] = fma(w[f][tap], x[v], c[f][v])
//! y = c + bias
//! ```
//!
//! It is the tile of a matrix product (`gemm/microkernel.rs`) whose rows of B lie where the taps
//! say. Each element is one chain over the taps in their order (N2), and the bias is added while
//! the tile is in registers.
//!
//! The price is the end of each row of positions, where a register is not full. A narrow map is
//! therefore read on across the ends of the rows, as the frame has them one after the other; what
//! lies between two rows is computed and thrown away. Maps for which both are too wasteful go
//! through columns.

use std::ops::Range;

use super::patches::Patches;
use super::tile;
use super::walk::Walk;
use crate::gemm::Ranges;
use crate::simd::{Kernel, Simd, Vector};
use crate::{Element, Exec};

/// The greatest height of a tile in filters and its width in registers: MR * NV accumulators, NV registers
/// of x and a broadcast weight fit the register file, and at least eight chains are under way.
const fn tile_shape(registers: usize, filters: usize) -> (usize, usize) {
    let (limit, vectors) = match (registers >= 32, filters) {
        (true, ..=3) => (3, 8),
        (true, ..=6) => (6, 4),
        (true, _) => (12, 2),
        (false, ..=3) => (3, 4),
        (false, _) => (6, 2),
    };
    (limit, vectors)
}

/// The filters of each tile, as even as possible: 16 = 8 + 8, not 12 + 4.
fn tiles<S: Simd>(filters: usize) -> (impl Iterator<Item = Range<usize>>, usize) {
    let (limit, vectors) = tile_shape(S::REGISTERS, filters);
    (Ranges::at_most(limit, filters).iter(), vectors)
}

/// Rearranges the weights [filters, taps] for [`correlate`]: tile after tile, [taps, height].
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
    fn run<S: Simd>(self, _: S) {
        let taps = self.weights.len() / self.filters;
        for tile in tiles::<S>(self.filters).0 {
            let (height, here) = (tile.len(), tile.start * taps..tile.end * taps);
            let (packed, weights) = (&mut self.packed[here.clone()], &self.weights[here]);
            for (row, weights) in weights.chunks_exact(taps).enumerate() {
                let column = packed[row..].iter_mut().step_by(height);
                column.zip(weights).for_each(|(to, &weight)| *to = weight);
            }
        }
    }
}

/// y [filters, positions] = weights times the patches, plus the bias.
pub(super) fn correlate<T: Element>(
    exec: Exec,
    patches: &Patches,
    packed: &[T],
    framed: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
) {
    let walk = patches.walk();
    exec.level.dispatch(Correlate { walk, packed, framed, bias, y });
}

struct Correlate<'a, T> {
    walk: Walk,
    packed: &'a [T],
    framed: &'a [T],
    bias: Option<&'a [T]>,
    y: &'a mut [T],
}

impl<T: Element> Kernel for Correlate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if const { !tile::exists::<T, S>() } {
            unreachable!("{}", tile::MISSING)
        }
        let Self { walk, packed, framed, bias, y } = self;
        let (taps, positions) = (walk.taps(), walk.positions());
        let (tiles, vectors) = tiles::<S>(y.len() / positions);
        for tile in tiles {
            let weights = &packed[tile.start * taps..tile.end * taps];
            let y = &mut y[tile.start * positions..tile.end * positions];
            let bias = bias.map(|bias| &bias[tile.clone()]);
            tile_kernel::<T, S>(tile.len(), vectors)(simd, Tiles { walk: &walk, weights, framed, bias, y });
        }
    }
}

/// All tiles of some filters: `weights` [taps, height], `y` [height, positions].
struct Tiles<'a, T> {
    walk: &'a Walk,
    weights: &'a [T],
    framed: &'a [T],
    bias: Option<&'a [T]>,
    y: &'a mut [T],
}

/// The kernel for tiles of one height and one width in registers.
fn tile_kernel<T: Element, S: Simd>(height: usize, vectors: usize) -> fn(S, Tiles<'_, T>) {
    macro_rules! heights {
        ($vectors:literal, $($height:literal)*) => {
            match height {
                $($height => compiled::<T, S, $height, $vectors>,)*
                _ => unreachable!("no tile is {height} filters high and {vectors} registers wide"),
            }
        };
    }
    if const { S::REGISTERS >= 32 } {
        match vectors {
            8 => heights!(8, 1 2 3),
            4 => heights!(4, 4 5 6),
            _ => heights!(2, 6 7 8 9 10 11 12),
        }
    } else {
        match vectors {
            4 => heights!(4, 1 2 3),
            _ => heights!(2, 3 4 5 6),
        }
    }
}

/// [`all_tiles`] as a function of its own, compiled for the level.
fn compiled<T: Element, S: Simd, const MR: usize, const NV: usize>(simd: S, tiles: Tiles<'_, T>) {
    simd.vectorize(
        #[inline(always)]
        || all_tiles::<T::Vector<S>, MR, NV>(simd, tiles),
    );
}

#[inline(always)]
fn all_tiles<V: Vector, const MR: usize, const NV: usize>(simd: V::Simd, tiles: Tiles<'_, V::Element>) {
    let Tiles { walk, weights, framed, bias, y } = tiles;
    let layout = walk.layout(V::LANES);
    let bias: [Option<V>; MR] = std::array::from_fn(
        #[inline(always)]
        |f| bias.map(|bias| V::splat(simd, bias[f])),
    );
    for first in (0..layout.registers).step_by(NV) {
        // A tile beyond the last register computes that one again.
        let places: [(usize, usize); NV] = std::array::from_fn(
            #[inline(always)]
            |v| layout.place(if first + v < layout.registers { first + v } else { layout.registers - 1 }),
        );
        let bases = places.map(|(row, col)| walk.origin + row * walk.row_step + col);
        let mut c = one_tile::<V, MR, NV>(simd, walk, weights, framed, bases);
        for (c, bias) in c.iter_mut().zip(bias) {
            if let Some(bias) = bias {
                c.iter_mut().for_each(|c| *c = *c + bias);
            }
        }
        for v in 0..NV {
            let column: [V; MR] = std::array::from_fn(
                #[inline(always)]
                |f| c[f][v],
            );
            if layout.flat {
                store_runs(simd, walk, column, places[v], y);
            } else {
                let (row, col) = places[v];
                let len = if walk.width - col < V::LANES { walk.width - col } else { V::LANES };
                for (c, y) in column.into_iter().zip(y.chunks_exact_mut(walk.positions())) {
                    c.store_partial(simd, &mut y[row * walk.width + col..][..len]);
                }
            }
        }
    }
}

/// Lanes of the widest register.
const LANES: usize = 16;

/// Writes what a register that reaches across the ends of rows holds of each row.
#[inline(always)]
fn store_runs<V: Vector, const MR: usize>(
    simd: V::Simd,
    walk: &Walk,
    column: [V; MR],
    (mut row, mut col): (usize, usize),
    y: &mut [V::Element],
) {
    let mut lanes = [[V::Element::ZERO; 2 * LANES]; MR];
    lanes.iter_mut().zip(column).for_each(
        #[inline(always)]
        |(lanes, c)| c.store(lanes),
    );
    let mut lane = 0;
    while lane < V::LANES && row < walk.height {
        if col < walk.width {
            let (rest, room) = (walk.width - col, V::LANES - lane);
            let len = if rest < room { rest } else { room };
            for (lanes, y) in lanes.iter().zip(y.chunks_exact_mut(walk.positions())) {
                let run = V::load(simd, &lanes[lane..]);
                run.store_partial(simd, &mut y[row * walk.width + col..][..len]);
            }
        }
        lane += walk.row_step - col;
        (row, col) = (row + 1, 0);
    }
}

/// The chains of MR filters at NV registers of positions, whose first taps stand at `bases`.
#[inline(always)]
fn one_tile<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    walk: &Walk,
    weights: &[V::Element],
    framed: &[V::Element],
    bases: [usize; NV],
) -> [[V; NV]; MR] {
    // Slices of one length, so that one check of a tap is a check for all of them.
    let len = walk.reach + V::LANES;
    let rows: [&[V::Element]; NV] = std::array::from_fn(
        #[inline(always)]
        |v| &framed[bases[v]..bases[v] + len],
    );
    let mut c = [[V::splat(simd, V::Element::ZERO); NV]; MR];
    let mut tap = walk.first_tap();
    for weights in weights.chunks_exact(MR) {
        let here = tap.offset..tap.offset + V::LANES;
        // The smaller of the two sides stays in registers; the other passes by.
        if MR >= NV {
            let x: [V; NV] = std::array::from_fn(
                #[inline(always)]
                |v| V::load(simd, &rows[v][here.clone()]),
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
                let x = V::load(simd, &rows[v][here.clone()]);
                for f in 0..MR {
                    c[f][v] = w[f].mul_add(x, c[f][v]);
                }
            }
        }
        tap.advance(walk);
    }
    c
}
