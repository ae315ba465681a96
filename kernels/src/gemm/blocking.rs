//! The sizes of the five loops, and what each is for. None of them touches a bit (N12).

use super::ranges::Ranges;
use super::strip::{tallest, widest};
use super::transpose;
use crate::simd::{Simd, Vector};
use crate::tuning::Gemm;
use crate::{Element, MatMut, MatRef};

/// How a serial product of one chain per element is cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocking {
    /// LOOP 5: columns of a panel of B, in registers.
    pub(super) nc: usize,
    /// LOOP 4: the values of k in one pass over C.
    pub(super) kc: usize,
    /// LOOP 3: rows of a block of A.
    pub(super) mc: usize,
    /// LOOP 2: columns of a micro-panel of B, in registers: the width of a tile.
    pub(super) nr: usize,
    /// LOOP 1: the height of a tile.
    pub(super) mr: usize,
    pub(super) b: Packing,
}

/// How the micro-kernel finds B.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// Where it is.
    None,
    /// The first tile of a micro-panel leaves a copy for the tiles below it.
    InPassing,
    /// All micro-panels are copied before they are read.
    Before,
}

impl Blocking {
    /// The sizes for A [m, k], B [k, n] and C [m, n].
    pub(super) fn new<T: Element, S: Simd>(
        tuning: &Gemm,
        a: &MatRef<'_, T>,
        b: &MatRef<'_, T>,
        c: &MatMut<'_, T>,
    ) -> Self {
        let (m, k, lanes) = (a.rows(), a.cols(), T::Vector::<S>::LANES);
        let nr =
            Ranges::at_most(widest::<S>().min(tuning.tile_registers), b.cols().div_ceil(lanes)).longest();
        let tallest = tallest::<S>(nr).min(tuning.tile_rows);
        let row_bytes = a.row_stride() * size_of::<T>();
        let aliases = a.col_stride() == 1 && row_bytes.is_multiple_of(tuning.l1_way_bytes);
        let mr = match (aliases && nr == 1, c.col_stride()) {
            (true, _) => tuning.aliasing_rows.min(tallest),
            (_, 1) => tallest,
            _ => transpose::MR.min(tallest),
        };
        let kc = Ranges::at_most(tuning.kc, k).longest();
        let close = b.row_stride() * size_of::<T>() < tuning.close_rows_bytes;
        let packing = match b.col_stride() {
            1 if m <= mr || close => Packing::None,
            1 => Packing::InPassing,
            _ => Packing::Before,
        };
        let depth_bytes = kc.max(1) * size_of::<T>();
        let mc = (tuning.block_of_a_bytes / depth_bytes).max(mr);
        let panel_bytes = if m > mc { tuning.panel_of_b_l3_bytes } else { tuning.panel_of_b_l2_bytes };
        let nc = (panel_bytes / (depth_bytes * lanes)).max(nr);
        Self { nc, kc, mc, nr, mr, b: packing }
    }

    /// The rows of a block in tiles of the height `mr` at most.
    #[inline(always)]
    pub(super) fn tiles<V: Vector>(tuning: &Gemm, mr: usize, rows: usize) -> Ranges {
        let eights = half_rate::<V>(tuning) && mr > 8 && rows.is_multiple_of(8);
        Ranges::at_most(if eights { 8 } else { mr }, rows)
    }
}

/// Whether the CPU starts one multiply-add on such registers in a cycle, not two. Then four accumulators are enough: tiles of
/// eight rows, which cost less to begin and end than taller ones, and narrow ones where the caches hold the operands.
#[inline(always)]
pub(super) fn half_rate<V: Vector>(tuning: &Gemm) -> bool {
    size_of::<V>() >= tuning.half_rate_bytes
}
