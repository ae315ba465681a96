//! Weights times the columns of a gather, on one sample: what the forward pass does with x and
//! the input gradient with grad_y.

use super::across::{self, Across};
use super::direct;
use super::full::{self, Full};
use super::gather::Gather;
use super::patches::{Patches, SLACK};
use super::tile;
use crate::gemm::gemm;
use crate::{Element, Error, Exec, MatMut, MatRef, Threads};

/// Values of a column matrix that is made at a time: 256 KiB of f32, which stays in the level-2
/// cache beside the weights.
const BLOCK: usize = 1 << 16;

/// Columns are made in multiples of this, a whole number of the widest tiles of a product.
const TILE: usize = 48;

/// Columns of a block: at most 8192, the longest product that is not cut (the weight gradient
/// sums over them, and N3 knows no cut).
pub(super) fn block_columns(taps: usize, positions: usize) -> usize {
    ((BLOCK / taps.max(1)).clamp(TILE, 8192) / TILE * TILE).min(positions)
}

/// out [filters, positions] = weights [filters, taps] columns [taps, positions] + bias.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    gather: Gather,
    patches: Patches,
    filters: usize,
    /// The way on one thread.
    serial: Way,
}

/// The weights of a [`Product`] as they are and, if it wants them so, rearranged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights<'a, T> {
    pub(super) plain: &'a [T],
    pub(super) packed: &'a [T],
    /// Whether all weights of the call are finite.
    pub(super) finite: bool,
}

/// How a product is computed. That has no part in the bits (N12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Registers across the filters, a value of a plane in every lane.
    Across,
    /// Registers along the positions, a weight in every lane.
    Along,
    /// A matrix product with copied columns.
    Columns,
}

impl Way {
    /// The cheapest way, by an estimate.
    fn cheapest(gather: &Gather, patches: &Patches, filters: usize) -> Self {
        // 8192: the longest chain (N2).
        let taps = patches.taps();
        if gather.cols.stride != 1 || !(1..=8192).contains(&taps) {
            return Self::Columns;
        }
        let walk = patches.walk();
        // Half registers of fused multiply-adds, and what it takes to begin and end a chain. Rows of the kernel in
        // the frame cost nothing.
        let halves = if filters <= 8 { 1 } else { 2 * filters.div_ceil(16) };
        let live = walk.width * taps / walk.rows * patches.live_rows();
        let across = halves * (live + 15 * walk.positions());
        let along = 2 * walk.layout(16).registers * filters * (taps + 8);
        // A matrix product loses about a seventh to its columns, but no lanes to the shape of the map.
        let columns = 2 * (filters * walk.positions()).div_ceil(16) * (taps + taps / 7 + 8);
        if across <= along.min(columns) && walk.width >= across::NARROWEST {
            Self::Across
        } else if 5 * walk.positions() >= 3 * 16 * walk.layout(16).registers {
            Self::Along
        } else {
            Self::Columns
        }
    }
}

impl Product {
    /// The product over the reads of `gather` in planes of `channels` channels.
    pub(super) fn new(gather: Gather, channels: usize, filters: usize) -> Self {
        let patches = Patches::new(gather, channels);
        Self { gather, patches, filters, serial: Way::cheapest(&gather, &patches, filters) }
    }

    /// Number of taps, the summed index.
    pub(super) fn taps(&self) -> usize {
        self.patches.taps()
    }

    /// Values of the result: filters * positions.
    pub(super) fn out_len(&self) -> usize {
        self.filters * self.gather.positions()
    }

    /// Values of scratch that [`Product::compute`] needs.
    pub(super) fn scratch_len(&self) -> usize {
        let columns = block_columns(self.taps(), self.gather.positions());
        let result = 2 * tile::LANES * self.gather.positions();
        self.patches.framed_len() + result.max(self.taps() * columns + SLACK)
    }

    /// Values of the packed weights of a group: [taps, whole registers of filters].
    pub(super) fn packed_len(&self) -> usize {
        self.taps() * self.filters.next_multiple_of(tile::LANES)
    }

    /// A product shared out over threads goes through gemm, and so does one without tiles of its own.
    fn way<T: Element>(&self, exec: Exec) -> Way {
        let serial = exec.threads == Threads::One && tile::exists_at::<T>(exec.level);
        if serial { self.serial } else { Way::Columns }
    }

    /// Rearranges the weights [filters, taps] of a group, where that is of use.
    pub(super) fn pack<T: Element>(&self, exec: Exec, weights: &[T], packed: &mut [T]) {
        match self.way::<T>(exec) {
            Way::Across => across::pack_weights(exec, self.filters, weights, packed),
            Way::Along => direct::pack_weights(exec, self.filters, weights, packed),
            Way::Columns => {}
        }
    }

    /// The product on the planes of one group of one sample.
    pub(super) fn compute<T: Element>(
        &self,
        exec: Exec,
        weights: Weights<'_, T>,
        planes: &[T],
        bias: Option<&[T]>,
        out: &mut [T],
        scratch: &mut [T],
    ) -> Result<(), Error> {
        let (filters, taps, positions) = (self.filters, self.taps(), self.gather.positions());
        let (framed, columns) = scratch.split_at_mut(self.patches.framed_len());
        match self.way::<T>(exec) {
            Way::Across => {
                let Weights { packed, finite: skip, .. } = weights;
                if skip && bias.is_none() && full::fits(&self.patches, filters) {
                    let (patches, out, result) = (&self.patches, &mut *out, &mut *columns);
                    if exec.level.dispatch(Full { patches, filters, packed, planes, out, result }) {
                        return Ok(());
                    }
                }
                let (patches, framed) = (&self.patches, self.patches.framed(exec, planes, framed));
                exec.level.dispatch(Across {
                    patches,
                    filters,
                    packed,
                    skip,
                    framed,
                    bias,
                    out,
                    result: columns,
                });
                return Ok(());
            }
            Way::Along => {
                self.patches.frame(exec, planes, framed);
                let packed = &weights.packed[..filters * taps];
                direct::correlate(exec, &self.patches, packed, framed, bias, out);
                return Ok(());
            }
            Way::Columns => {}
        }
        let w = MatRef::row_major(weights.plain, filters, taps)?;
        let mut y = MatMut::row_major(&mut *out, filters, positions)?;
        if self.gather.is_identity() {
            gemm(exec, w, MatRef::row_major(planes, taps, positions)?, y)?;
        } else {
            self.patches.frame(exec, planes, framed);
            for block in self.gather.blocks(block_columns(taps, positions)) {
                self.patches.fill(exec, framed, block.clone(), &mut columns[..taps * block.len() + SLACK]);
                let columns = MatRef::row_major(&columns[..taps * block.len()], taps, block.len())?;
                gemm(exec, w, columns, y.tile(0..filters, block))?;
            }
        }
        add_bias(exec, bias, out);
        Ok(())
    }
}

/// Whether no value is infinite or NaN.
pub(super) fn all_finite<T: Element>(exec: Exec, values: &[T]) -> bool {
    exec.level.vectorize(
        #[inline(always)]
        || values.iter().fold(true, |all, value| all & value.is_finite()),
    )
}

/// y += b, one bias per plane.
fn add_bias<T: Element>(exec: Exec, bias: Option<&[T]>, y: &mut [T]) {
    let Some(bias) = bias else { return };
    let area = y.len() / bias.len();
    exec.level.vectorize(
        #[inline(always)]
        || {
            for (plane, &b) in y.chunks_exact_mut(area).zip(bias) {
                plane.iter_mut().for_each(|y| *y += b);
            }
        },
    );
}
