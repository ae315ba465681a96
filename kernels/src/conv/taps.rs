//! The weight gradient of one chunk with registers across the filters: the tile of `tile.rs`, whose rows are taps.
//!
//! ```text
//! for each sample                               slowest (N3)
//!   for each panel of filters                   two registers
//!     b[positions][panel] = grad_y'             turned in square blocks
//!     for each tile of taps                     some rows of the kernel, over all channels
//!       c = sums[taps][panel]                   +0.0 before the first sample
//!       c += sum over the positions of framed[tap + position] * b[position][panel]
//!       sums[taps][panel] = c
//! grad_w[filter][tap] = sums'
//! ```
//!
//! Each weight is one chain over (sample, row, column): a chain that is put down between two samples is taken up
//! where it stood.

use super::patches::Patches;
use super::tile::{self, Panels, Steps};
use super::walk::Walk;
use crate::simd::{Kernel, Simd, Vector};
use crate::{Element, Exec};

/// Values of scratch that [`Sums`] needs: the sums, the framed planes and the turned output gradient.
pub(super) fn scratch_len(patches: &Patches, taps: usize, filters: usize, positions: usize) -> usize {
    filters.next_multiple_of(tile::LANES) * (taps + positions) + patches.framed_len()
}

/// grad_w [filters, taps] = the sum over the samples of grad_y [filters, positions] patches(x)'.
pub(super) fn weight_gradient<'a, T: Element>(
    exec: Exec,
    patches: &Patches,
    filters: usize,
    samples: impl Iterator<Item = (&'a [T], &'a [T])>,
    grad_w: &mut [T],
    scratch: &mut [T],
) {
    let lanes = filters.next_multiple_of(tile::LANES);
    let taps = patches.taps();
    let (sums, scratch) = scratch.split_at_mut(lanes * taps);
    let (framed, turned) = scratch.split_at_mut(patches.framed_len());
    sums.fill(T::ZERO);
    for (x, grad_y) in samples {
        let framed = patches.framed(exec, x, framed);
        exec.level.dispatch(Sample { patches, filters, framed, grad_y, turned, sums });
    }
    exec.level.dispatch(Turn { filters, sums, grad_w });
}

/// Adds a sample to the sums: panel after panel, [taps, registers].
struct Sample<'a, T> {
    patches: &'a Patches,
    filters: usize,
    framed: &'a [T],
    grad_y: &'a [T],
    turned: &'a mut [T],
    sums: &'a mut [T],
}

impl<T: Element> Kernel for Sample<'_, T> {
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

impl<T: Element> Sample<'_, T> {
    #[inline(always)]
    fn all_panels<S: Simd, V: Vector<Element = T>>(self, level: S, simd: V::Simd) {
        let Self { patches, filters, framed, grad_y, turned, sums } = self;
        let walk = patches.walk();
        let (taps, positions) = (walk.taps(), walk.positions());
        for (first, vectors) in Panels::new::<V>(filters).iter() {
            let width = vectors * V::LANES;
            let turned = &mut turned[..width * positions];
            for lane in (0..width).step_by(V::LANES) {
                let rest = filters - first - lane;
                let rows = if rest < V::LANES { rest } else { V::LANES };
                let rows = &grad_y[(first + lane) * positions..][..rows * positions];
                tile::turn_rows::<V>(simd, (rows, positions), (&mut turned[lane..], width));
            }
            let sums = &mut sums[first * taps..][..width * taps];
            // Taps that lie one after the other share a pointer.
            let cols = if walk.deltas[2] == 1 && matches!(walk.cols, 3 | 5) { walk.cols } else { 1 };
            let all = taps / cols;
            let most = most_rows(S::REGISTERS, cols, vectors);
            let rows = all.div_ceil(all.div_ceil(most));
            let (tiles, rest) = (all / rows, all % rows);
            let (whole, last) = sums.split_at_mut(tiles * rows * cols * width);
            let tiles = Tiles { walk: &walk, first: 0, framed, turned, sums: whole };
            kernel::<S, V>(rows, cols, vectors)(level, simd, tiles);
            if rest > 0 {
                let tiles = Tiles { walk: &walk, first: all - rest, framed, turned, sums: last };
                kernel::<S, V>(rest, cols, vectors)(level, simd, tiles);
            }
        }
    }
}

/// Turns the sums [taps, registers] of each panel to grad_w [filters, taps].
struct Turn<'a, T> {
    filters: usize,
    sums: &'a [T],
    grad_w: &'a mut [T],
}

impl<T: Element> Kernel for Turn<'_, T> {
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

impl<T: Element> Turn<'_, T> {
    #[inline(always)]
    fn all_panels<S: Simd, V: Vector<Element = T>>(self, level: S, simd: V::Simd) {
        let taps = self.grad_w.len() / self.filters;
        for (first, vectors) in Panels::new::<V>(self.filters).iter() {
            let width = vectors * V::LANES;
            let filters = if self.filters - first < width { self.filters - first } else { width };
            let sums = &self.sums[first * taps..][..width * taps];
            let grad_w = &mut self.grad_w[first * taps..][..filters * taps];
            tile::turn_from::<S, V>((level, simd), (sums, width), 0, (grad_w, taps));
        }
    }
}

/// Tiles of some runs of taps below each other, from run `first` on: `turned` [positions, registers], `sums` [runs, taps of
/// a run, registers].
struct Tiles<'a, T> {
    walk: &'a Walk,
    first: usize,
    framed: &'a [T],
    turned: &'a [T],
    sums: &'a mut [T],
}

/// Runs of `cols` taps that a tile can hold: at most 25 accumulators of 32 registers or 12 of 16, and 8 pointers.
const fn most_rows(registers: usize, cols: usize, vectors: usize) -> usize {
    let most = (if registers >= 32 { 25 } else { 12 }) / (cols * vectors);
    if most < 8 { most } else { 8 }
}

/// The kernel for tiles of `rows` runs of `cols` taps, `vectors` registers deep.
#[inline(always)]
fn kernel<S: Simd, V: Vector>(
    rows: usize,
    cols: usize,
    vectors: usize,
) -> fn(S, V::Simd, Tiles<'_, V::Element>) {
    macro_rules! shapes {
        ($($cols:literal $vectors:literal: $($rows:literal)*;)*) => {
            match (cols, vectors, rows) {
                $($(($cols, $vectors, $rows) => compiled::<S, V, $rows, $cols, $vectors>,)*)*
                _ => unreachable!("no tile is {rows} runs of {cols} taps and {vectors} registers deep"),
            }
        };
    }
    if const { tile::is_half::<S, V>() } {
        shapes!(1 1: 1 2 3 4 5 6 7 8; 3 1: 1 2 3 4 5 6 7 8; 5 1: 1 2 3 4 5;)
    } else if const { S::REGISTERS >= 32 } {
        shapes!(
            1 1: 1 2 3 4 5 6 7 8; 1 2: 1 2 3 4 5 6 7 8;
            3 1: 1 2 3 4 5 6 7 8; 3 2: 1 2 3 4;
            5 1: 1 2 3 4 5; 5 2: 1 2;
        )
    } else {
        shapes!(
            1 1: 1 2 3 4 5 6 7 8; 1 2: 1 2 3 4 5 6;
            3 1: 1 2 3 4; 3 2: 1 2;
            5 1: 1 2; 5 2: 1;
        )
    }
}

/// [`all_tiles`] as a function of its own, compiled for the level.
fn compiled<S: Simd, V: Vector, const ROWS: usize, const COLS: usize, const NV: usize>(
    level: S,
    simd: V::Simd,
    tiles: Tiles<'_, V::Element>,
) {
    level.vectorize(
        #[inline(always)]
        || all_tiles::<V, ROWS, COLS, NV>(simd, tiles),
    );
}

#[inline(always)]
fn all_tiles<V: Vector, const ROWS: usize, const COLS: usize, const NV: usize>(
    simd: V::Simd,
    tiles: Tiles<'_, V::Element>,
) {
    let Tiles { walk, mut first, framed, turned, sums } = tiles;
    let steps = Steps {
        counts: [1, walk.height, walk.width],
        a: [0, walk.row_step as isize, walk.col_step as isize],
        b_step: 0,
    };
    let reach = (walk.height - 1) * walk.row_step + (walk.width - 1) * walk.col_step + COLS;
    for sums in sums.chunks_exact_mut(ROWS * COLS * NV * V::LANES) {
        let rows: [&[V::Element]; ROWS] = std::array::from_fn(
            #[inline(always)]
            |r| {
                let place = walk.tap_place((first + r) * COLS);
                &framed[place..place + reach]
            },
        );
        let c = tile::load::<V, ROWS, COLS, NV>(simd, sums);
        let c = tile::multiply::<V, ROWS, COLS, NV>(simd, &steps, (rows, 0), turned, c);
        tile::store(c, sums);
        first += ROWS;
    }
}
