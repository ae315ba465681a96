//! The weight gradient of one chunk of samples with filters in the lanes: the tile of `tile.rs`, whose rows are taps.
//!
//! Each weight is one chain over (sample, row, column), ascending (N3). The samples are the outermost loop; the rows and
//! columns of the map are the innermost, in `tile::multiply`, whose k they are. A chain is stored in `sums` after one
//! sample and resumed at the next:
//!
//! ```text
//! for each sample                               a chain's slowest index
//!   b[positions][panel] = grad_y'               transposed in square blocks
//!   for each panel of filters                   one or two registers
//!     for each tile of taps                     some rows of the kernel, over all channels
//!       c = sums[taps][panel]                   resumed; +0.0 before the first sample
//!       for each position                       a chain's fastest indices: row, column
//!         c = fma(framed[position + tap], b[position][panel], c)
//!       sums[taps][panel] = c                   stored after one sample
//! grad_w[filter][tap] = sums'
//! ```

use super::frame::Frame;
use super::panels::{Panel, PanelKernel, UnpackPanel, for_each_panel, pack};
use super::tile::{self, KLoops};
use crate::simd::{MOST_LANES, Simd, Vector, vectorized};
use crate::{Element, Exec};

/// Values of scratch that [`weight_gradient`] needs: the sums, the transposed output gradient and the framed planes.
pub(super) fn scratch_len(frame: &Frame, filters: usize) -> usize {
    let [height, width] = frame.map();
    filters.next_multiple_of(MOST_LANES) * (frame.all_taps() + height * width) + frame.len()
}

/// grad_w [filters, taps] = the sum over the samples of grad_y [filters, positions] columns(x)'.
pub(super) fn weight_gradient<'a, T: Element>(
    exec: Exec,
    frame: &Frame,
    samples: impl ExactSizeIterator<Item = (&'a [T], &'a [T])>,
    grad_w: &mut [T],
    scratch: &mut [T],
) {
    let filters = grad_w.len() / frame.all_taps();
    let (sums, scratch) = scratch.split_at_mut(filters.next_multiple_of(MOST_LANES) * frame.all_taps());
    let (framed, packed) = scratch.split_at_mut(frame.len());
    sums.fill(T::ZERO);
    let last = samples.len() - 1;
    for (index, (x, grad_y)) in samples.enumerate() {
        let framed = frame.framed(exec, x, framed);
        pack(exec, filters, grad_y, packed);
        let grad_w = (index == last).then_some(&mut *grad_w);
        for_each_panel(exec, filters, AddSample { frame, framed, packed, sums, grad_w });
    }
}

/// Adds a sample to the sums: panel after panel, [taps, registers].
struct AddSample<'a, T> {
    frame: &'a Frame,
    framed: &'a [T],
    packed: &'a [T],
    sums: &'a mut [T],
    /// Where the sums go after the last sample.
    grad_w: Option<&'a mut [T]>,
}

impl<T: Element> PanelKernel<T> for AddSample<'_, T> {
    #[inline(always)]
    fn run<S: Simd, V: Vector<Element = T>>(&mut self, level: S, simd: V::Simd, panel: Panel) {
        let Panel { first, filters, registers, width } = panel;
        let (taps, positions) = (self.frame.all_taps(), self.frame.positions());
        let grad_y = &self.packed[first * positions..][..width * positions];
        let sums = &mut self.sums[first * taps..][..width * taps];
        // Taps of a row of the kernel that lie one after the other share a pointer: 15 % of LeNet-5's time.
        let [_, _, kernel_w] = self.frame.taps;
        let cols = if self.frame.tap_strides[2] == 1 && matches!(kernel_w, 3 | 5) { kernel_w } else { 1 };
        let all = taps / cols;
        let rows = all.div_ceil(all.div_ceil(most_rows(S::REGISTERS, cols, registers)));
        let rest = all % rows;
        let (whole, last) = sums.split_at_mut((all - rest) * cols * width);
        for (first, rows, sums) in [(0, rows, whole), (all - rest, rest, last)] {
            if rows > 0 {
                let tiles = Tiles { frame: self.frame, first, framed: self.framed, grad_y, sums };
                kernel::<S, V>(rows, cols, registers)(level, simd, tiles);
            }
        }
        if let Some(grad_w) = &mut self.grad_w {
            let to = &mut grad_w[first * taps..][..filters * taps];
            UnpackPanel { from: sums, width, to, n: taps }.rest::<S, V>(level, simd, 0);
        }
    }
}

/// Tiles of some taps below each other: `grad_y` [positions, registers], `sums` [taps, registers].
struct Tiles<'a, T> {
    frame: &'a Frame,
    /// The first of the rows of taps.
    first: usize,
    framed: &'a [T],
    grad_y: &'a [T],
    sums: &'a mut [T],
}

/// Rows of `cols` taps that a tile can hold: at most 25 accumulators of 32 registers or 12 of 16, and 8 pointers.
const fn most_rows(registers: usize, cols: usize, nv: usize) -> usize {
    let most = (if registers >= 32 { 25 } else { 12 }) / (cols * nv);
    if most < 8 { most } else { 8 }
}

/// The kernel for tiles of `rows` rows of `cols` taps and `nv` registers of filters.
#[inline(always)]
fn kernel<S: Simd, V: Vector>(rows: usize, cols: usize, nv: usize) -> fn(S, V::Simd, Tiles<'_, V::Element>) {
    macro_rules! shapes {
        ($($cols:literal $nv:literal: $($rows:literal)*;)*) => {
            match (cols, nv, rows) {
                $($(($cols, $nv, $rows) => compiled::<S, V, $rows, $cols, $nv>,)*)*
                _ => unreachable!("no tile is {rows} rows of {cols} taps and {nv} registers"),
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

/// All tiles, as a function of its own, compiled for the level.
fn compiled<S: Simd, V: Vector, const ROWS: usize, const COLS: usize, const NV: usize>(
    level: S,
    simd: V::Simd,
    tiles: Tiles<'_, V::Element>,
) {
    vectorized!(level, {
        let Tiles { frame, mut first, framed, grad_y, sums } = tiles;
        let ([height, width], [row_stride, col_stride]) = (frame.map(), frame.strides);
        let a_strides = [0, row_stride as isize, col_stride as isize];
        let loops = KLoops { counts: [1, height, width], start: 0, a_strides, b_stride: 0 };
        let span = (height - 1) * row_stride + (width - 1) * col_stride + COLS;
        for sums in sums.chunks_exact_mut(ROWS * COLS * NV * V::LANES) {
            let rows: [&[V::Element]; ROWS] = std::array::from_fn(
                #[inline(always)]
                |r| &framed[frame.tap((first + r) * COLS)..][..span],
            );
            let c = tile::load::<V, ROWS, COLS, NV>(simd, sums);
            let c = tile::multiply::<V, ROWS, COLS, NV>(simd, &loops, rows, grad_y, c);
            tile::store(c, sums);
            first += ROWS;
        }
    });
}
