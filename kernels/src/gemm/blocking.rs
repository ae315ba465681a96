//! Every size that a product is cut into, and what each is for. None of them touches a bit (N12).

use std::ops::Range;

use super::microkernel::{one_at_a_time, tallest, widest};
use crate::Element;
use crate::simd::{Simd, Vector};

/// k runs over at most this many values before C is stored: every further block of k reads C
/// again, but a panel of B (192 bytes for each value in AVX-512) has to stay in the level-2 cache.
const KC: usize = 1024;
/// Bytes of A's block, which the panels of B pass by: it and a panel or two fill a level-2 cache of 1 MiB.
const A_BLOCK_BYTES: usize = 640 << 10;
/// Bytes of a packed chunk of B that one block of A passes by (level 2), or several (level 3).
const B_CHUNK_BYTES: [usize; 2] = [448 << 10, 4 << 20];
/// Operands up to these sizes are read in place without more ado: the level-2 cache holds them.
pub(super) const SMALL_A_BYTES: usize = 512 << 10;
pub(super) const SMALL_B_BYTES: usize = 512 << 10;
/// Rows of B that are fewer bytes apart are read in place as fast as from a copy.
pub(super) const NEAR_ROWS_BYTES: usize = 1024;
/// Rows of A whose distance is a multiple of this meet in one set of the level-1 cache, which has room for eight
/// lines; a narrow tile reads so little else between that six rows of them are best.
const COLLISION_BYTES: usize = 4096;
const FEW_ROWS: usize = 6;

/// Rows and columns of the part of C whose later chunks (N2, N3) are summed apart.
pub(super) const PART: usize = 384;
/// `len` things in `parts` runs whose lengths differ by at most one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Even {
    len: usize,
    parts: usize,
}

impl Even {
    /// As few runs as hold at most `limit` each.
    pub(crate) fn at_most(limit: usize, len: usize) -> Self {
        Self { len, parts: len.div_ceil(limit) }
    }

    /// Rows in tiles of `tallest` at most. Eights where they fit, which cost less to begin and end than twelves and
    /// are chains enough for registers that the multipliers take one at a time.
    #[inline(always)]
    pub(super) fn of_tiles<V: Vector>(tallest: usize, rows: usize) -> Self {
        let eights = one_at_a_time::<V>() && tallest > 8 && rows.is_multiple_of(8);
        Self::at_most(if eights { 8 } else { tallest }, rows)
    }

    /// Run number `i`; empty past the last one.
    #[inline(always)]
    pub(super) fn run(self, i: usize) -> Range<usize> {
        self.runs().nth(i).unwrap_or(self.len..self.len)
    }

    /// The longest run.
    pub(super) fn longest(self) -> usize {
        if self.parts == 0 { 0 } else { self.len.div_ceil(self.parts) }
    }

    /// The runs of one length put together, the longer ones first: the range and the length.
    #[inline(always)]
    pub(super) fn strips(self) -> impl Iterator<Item = (Range<usize>, usize)> {
        let shorter = self.len.checked_div(self.parts).unwrap_or(0);
        let longer = self.len - shorter * self.parts;
        let middle = longer * (shorter + 1);
        [(0..middle, shorter + 1), (middle..self.len, shorter)]
            .into_iter()
            .filter(|(rows, _)| !rows.is_empty())
    }

    /// The runs, the longer ones first.
    #[inline(always)]
    pub(crate) fn runs(self) -> impl Iterator<Item = Range<usize>> {
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
    pub(super) a: CopyOfA,
    pub(super) b: CopyOfB,
}

/// How the micro-kernel finds A.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyOfA {
    /// Where it is: a broadcast from a strided row costs what one from a packed tile does.
    None,
    /// Tile by tile, each element beside the next one that is needed.
    Tiles,
}

/// How the micro-kernel finds B.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyOfB {
    /// Where it is.
    None,
    /// The first tile of a panel leaves a copy for the tiles below it.
    InPassing,
    /// All panels are copied before they are read.
    Before,
}

impl Blocking {
    pub(super) fn new<T: Element, S: Simd>(
        (m, n, k): (usize, usize, usize),
        a_strides: [usize; 2],
        b_strides: [usize; 2],
    ) -> Self {
        let lanes = T::Vector::<S>::LANES;
        let vectors = n.div_ceil(lanes);
        let nr = Even::at_most(widest::<S>(), vectors).longest();
        let collides = a_strides[1] == 1 && (a_strides[0] * size_of::<T>()).is_multiple_of(COLLISION_BYTES);
        let tallest = tallest::<S>(nr);
        let mr = if collides && nr == 1 { FEW_ROWS.min(tallest) } else { tallest };
        let kc = Even::at_most(KC, k).longest();
        let a = match a_strides {
            _ if vectors <= nr => CopyOfA::None,
            [_, 1] | [1, _] => CopyOfA::None,
            _ => CopyOfA::Tiles,
        };
        let b = match b_strides {
            [_, 1] if m <= mr => CopyOfB::None,
            [row, 1] if row * size_of::<T>() < NEAR_ROWS_BYTES => CopyOfB::None,
            [_, 1] => CopyOfB::InPassing,
            _ => CopyOfB::Before,
        };
        let depth_bytes = kc.max(1) * size_of::<T>();
        let mc = (A_BLOCK_BYTES / depth_bytes).max(mr);
        let nc = (B_CHUNK_BYTES[usize::from(m > mc)] / (depth_bytes * lanes)).max(nr);
        Self { nc, kc, mc, nr, mr, a, b }
    }
}
