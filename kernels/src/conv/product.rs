//! Weights times the columns of a gather, on one sample: what the forward pass does with x and
//! the input gradient with grad_y.

use super::direct;
use super::gather::Gather;
use super::patches::{Patches, SLACK};
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
}

/// The weights of a [`Product`] as they are and, if it wants them so, rearranged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights<'a, T> {
    pub(super) plain: &'a [T],
    pub(super) packed: &'a [T],
}

impl Product {
    /// The product over the reads of `gather` in planes of `channels` channels.
    pub(super) fn new(gather: Gather, channels: usize, filters: usize) -> Self {
        Self { gather, patches: Patches::new(gather, channels), filters }
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
        self.patches.framed_len() + self.taps() * columns + SLACK
    }

    /// True if the product reads the planes directly. That has no part in the bits (N12).
    fn is_direct(&self, exec: Exec) -> bool {
        // 8192: the longest chain (N2). A product shared out over threads goes through gemm.
        let possible = self.gather.cols.step == 1 && exec.threads == Threads::One;
        if !possible || !(1..=8192).contains(&self.taps()) {
            return false;
        }
        // Worth it if three lanes in five have something to do.
        let lanes = self.patches.walk().layout(16).registers * 16;
        5 * self.gather.positions() >= 3 * lanes
    }

    /// Rearranges the weights [filters, taps] of a group, where that is of use.
    pub(super) fn pack<T: Element>(&self, exec: Exec, weights: &[T], packed: &mut [T]) {
        if self.is_direct(exec) {
            direct::pack_weights(exec, self.filters, weights, packed);
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
        if self.is_direct(exec) {
            self.patches.frame(exec, planes, framed);
            direct::correlate(exec, &self.patches, weights.packed, framed, bias, out);
            return Ok(());
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
