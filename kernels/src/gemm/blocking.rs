//! Every size that a product is cut into, and what each is for. None of them touches a bit (N12).

use std::ops::Range;

use super::microkernel::{tallest, widest};
use crate::Element;
use crate::simd::{Simd, Vector};

/// k runs over at most this many values before C is stored: every further block of k reads C
/// again, but a panel of B (192 bytes for each value in AVX-512) has to stay in the level-2 cache.
const KC: usize = 768;
/// Bytes of A's block, half of a level-2 cache of 1 MiB, which the panels of B pass by.
const A_BLOCK_BYTES: usize = 512 << 10;
/// Bytes of a packed chunk of B that one block of A passes by (level 2), or several (level 3).
const B_CHUNK_BYTES: [usize; 2] = [256 << 10, 4 << 20];
/// Rows from which a packed copy of contiguous B is read often enough to pay; below, the
/// micro-kernel reads B where it is and asks for the next panel ahead of time.
const PACK_B_FROM_ROWS: usize = 512;

/// Rows and columns of the part of C whose later chunks (N2, N3) are summed apart.
pub(super) const PART: usize = 384;
/// A task of fewer floating-point operations is not worth the wake-up of a thread.
const TASK_FLOPS: usize = 1 << 20;
/// Tasks per thread: more of them even out what other programs take, but pack more.
const TASKS_PER_THREAD: usize = 2;

/// Into how many tasks a product is cut on `threads` threads.
pub(super) fn tasks((m, n, k): (usize, usize, usize), threads: usize) -> usize {
    let flops = 2_usize.saturating_mul(m).saturating_mul(n).saturating_mul(k);
    let worth = flops / TASK_FLOPS;
    if threads == 1 || worth < 2 { 1 } else { worth.min(threads * TASKS_PER_THREAD) }
}

/// `len` things in `parts` runs whose lengths differ by at most one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Even {
    len: usize,
    parts: usize,
}

impl Even {
    /// As few runs as hold at most `limit` each.
    pub(super) fn at_most(limit: usize, len: usize) -> Self {
        Self { len, parts: len.div_ceil(limit) }
    }

    /// The longest run.
    pub(super) fn longest(self) -> usize {
        if self.parts == 0 { 0 } else { self.len.div_ceil(self.parts) }
    }

    /// The runs, the longer ones first.
    #[inline(always)]
    pub(super) fn runs(self) -> impl Iterator<Item = Range<usize>> {
        let shorter = self.len.checked_div(self.parts).unwrap_or(0);
        let longer = self.len - shorter * self.parts;
        let start = move |i: usize| i * shorter + if i < longer { i } else { longer };
        (0..self.parts).map(move |i| start(i)..start(i + 1))
    }
}

/// How a serial product of one chain per element is cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocking {
    /// LOOP 5: columns of a chunk of B, in registers.
    pub(super) nc: usize,
    /// LOOP 4: the values of k in one pass over C.
    pub(super) kc: usize,
    /// LOOP 3: rows of a block of A.
    pub(super) mc: usize,
    /// LOOP 2: columns of a panel of B, in registers: the width of a tile.
    pub(super) nr: usize,
    /// LOOP 1: the height of a tile.
    pub(super) mr: usize,
    pub(super) pack_a: bool,
    pub(super) pack_b: bool,
}

impl Blocking {
    pub(super) fn new<T: Element, S: Simd>(
        (m, n, k): (usize, usize, usize),
        a_has_unit_stride: bool,
        b_has_contiguous_rows: bool,
    ) -> Self {
        let lanes = T::Vector::<S>::LANES;
        let vectors = n.div_ceil(lanes);
        let nr = Even::at_most(widest(S::REGISTERS), vectors).longest();
        let mr = tallest(S::REGISTERS, nr);
        let kc = Even::at_most(KC, k).longest();
        // Where neither stride of A is 1, each of its elements is on a line of its own.
        let pack_a = !a_has_unit_stride && vectors > nr;
        let pack_b = !b_has_contiguous_rows || m > PACK_B_FROM_ROWS;
        let depth_bytes = kc.max(1) * size_of::<T>();
        let mc = (A_BLOCK_BYTES / depth_bytes).max(mr);
        let nc = (B_CHUNK_BYTES[usize::from(m > mc)] / (depth_bytes * lanes)).max(nr);
        Self { nc, kc, mc, nr, mr, pack_a, pack_b }
    }
}
