//! The innermost loops: tiles of C below each other, of one height and one width in registers (`tile.rs`).
//!
//! There are two kernels. [`near`] is for operands that the caches hold: it does nothing
//! but multiply. [`far`] is for operands that come from memory: the first tile of a panel of B leaves a copy of it
//! behind while it multiplies (a tile has a store to spare for every eight multiply-adds, so packing costs
//! nothing but the room), and what will be needed next is asked for on the way.

use super::Start;
use super::ahead::{Ahead, STEPS};
use super::epilogue::Bias;
use super::tile::{Place, Rows, Steps, add_to_tile, begin, end, end_turned, last_register, multiply};
use crate::simd::{Simd, Vector};
use crate::{Element, MatMut};

/// Rows of A or columns of B: number i at the index p of the sum is `data[i * lane + p * step]`.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a, T> {
    pub(super) data: &'a [T],
    pub(super) lane: usize,
    pub(super) step: usize,
}

/// Tiles of one height below each other: `c` (+)= `a` `b`, with the k index running over `k` values.
pub(super) struct Strip<'a, T> {
    pub(super) start: Start,
    pub(super) bias: Bias<'a, T>,
    pub(super) k: usize,
    /// The strip's rows of A.
    pub(super) a: Operand<'a, T>,
    /// The strip's columns of B, which are contiguous.
    pub(super) b: Operand<'a, T>,
    /// The strip of C: with contiguous rows or, in [`near`], one tile with contiguous columns that starts from +0.0.
    pub(super) c: MatMut<'a, T>,
}

impl<T: Element> Strip<'_, T> {
    /// Checks once what the tiles rely on: rows of A, columns of B and all of C lie where they may be touched.
    /// `may_turn`: C may be one tile whose columns are contiguous.
    #[inline(always)]
    fn steps<const MR: usize>(&self, may_turn: bool) -> Steps {
        let Self { start, k, a, b, c, .. } = self;
        let (rows, cols) = (c.rows(), c.cols());
        assert!(rows > 0 && rows.is_multiple_of(MR) && cols > 0 && *k > 0);
        assert!(a.data.len() > (rows - 1) * a.lane + (k - 1) * a.step);
        assert!(b.lane == 1 && b.data.len() >= (k - 1) * b.step + cols);
        let turns = may_turn && c.row_stride() == 1 && rows == MR && *start == Start::Zero;
        assert!(c.col_stride() == 1 || cols == 1 || turns);
        assert!(self.bias.covers(rows, cols));
        Steps {
            start: *start,
            k: *k,
            tiles: rows / MR,
            a_lane: a.lane,
            a_rows: Rows::new::<MR>(a.lane * size_of::<T>()),
            a_step: a.step,
            b_step: b.step,
            c_stride: c.row_stride(),
            c_step: if cols == 1 { 1 } else { c.col_stride() },
        }
    }
}

/// What [`far`] does on the way.
pub(super) struct Passing<'a, T> {
    /// Where the first tile leaves a copy of B, [k] rows of whole registers; empty: nowhere.
    pub(super) copy: &'a mut [T],
    /// The tile of C that follows the strip, wherever that is.
    pub(super) next_c: *const T,
    /// Rows that are read later.
    pub(super) ahead: &'a mut Ahead<T>,
}

/// [`near`] for one height and one width in registers.
pub(super) type Near<T, S> = fn(S, &mut Strip<'_, T>);
/// [`far`] for one height and one width in registers.
pub(super) type Far<T, S> = fn(S, &mut Strip<'_, T>, &mut Passing<'_, T>);

/// The tallest tile of a width of 1, 2 or 3 registers.
pub(super) const fn tallest<S: Simd>(vectors: usize) -> usize {
    match (S::PLAIN, S::REGISTERS >= 32, vectors) {
        (true, ..) => 4,
        (_, true, 3) => 8,  // 24 accumulators + 3 of B + a broadcast, of 32
        (_, true, _) => 12, // 24 or 12
        (_, false, 2) => 6, // 12 accumulators + 2 of B + a broadcast, of 16
        (_, false, _) => 12,
    }
}

/// The widest tile of [`far`], in registers.
pub(super) const fn widest<S: Simd>() -> usize {
    match (S::PLAIN, S::REGISTERS >= 32) {
        (true, _) => 1,
        (_, true) => 3,
        (_, false) => 2,
    }
}

/// Whether the multipliers take one register at a time, as those of 64 bytes on Zen 4: four chains keep them busy.
pub(super) const fn one_at_a_time<V: Vector>() -> bool {
    size_of::<V>() >= 64
}

/// The width of [`near`]'s tiles in registers, but for last columns of one: where a narrow tile keeps the multipliers
/// busy it is best, because the less a tile holds the less it costs to begin and end it.
pub(super) const fn nearest<T: Element, S: Simd>() -> usize {
    if one_at_a_time::<T::Vector<S>>() { 1 } else { widest::<S>() }
}

/// Picks the instance of a kernel for `rows` rows and `vectors` registers per row.
///
/// There is one for every height, so that no tile computes rows that are not there.
macro_rules! instance {
    ($kernel:ident, $rows:ident, $vectors:ident, $($width:literal: $($height:literal)*;)*) => {
        match ($vectors, $rows) {
            $($(($width, $height) => $kernel::<T, S, $height, $width>,)*)*
            _ => unreachable!("no tile is {} rows high and {} registers wide", $rows, $vectors),
        }
    };
}

/// The instance of [`near`]. The conditions are evaluated when it is compiled (`const`), so that a level has no tiles
/// of others.
#[inline(always)]
pub(super) fn near_kernel<T: Element, S: Simd>(rows: usize, vectors: usize) -> Near<T, S> {
    if const { one_at_a_time::<T::Vector<S>>() } {
        instance!(near, rows, vectors, 1: 1 2 3 4 5 6 7 8 9 10 11 12;)
    } else if const { S::REGISTERS >= 32 } {
        instance!(near, rows, vectors, 1: 1 2 3 4 5 6 7 8 9 10 11 12; 3: 1 2 3 4 5 6 7 8;)
    } else {
        instance!(near, rows, vectors, 1: 1 2 3 4 5 6 7 8 9 10 11 12; 2: 1 2 3 4 5 6;)
    }
}

/// The instance of [`far`].
#[inline(always)]
pub(super) fn far_kernel<T: Element, S: Simd>(rows: usize, vectors: usize) -> Far<T, S> {
    if const { S::PLAIN } {
        instance!(far, rows, vectors, 1: 1 2 3 4;)
    } else if const { S::REGISTERS >= 32 } {
        instance!(far, rows, vectors,
            1: 1 2 3 4 5 6 7 8 9 10 11 12; 2: 1 2 3 4 5 6 7 8 9 10 11 12; 3: 1 2 3 4 5 6 7 8;)
    } else {
        instance!(far, rows, vectors, 1: 1 2 3 4 5 6 7 8 9 10 11 12; 2: 1 2 3 4 5 6;)
    }
}

/// All columns of a strip, panel by panel: each NV registers wide, the last of them cut short or not.
fn near<T: Element, S: Simd, const MR: usize, const NV: usize>(simd: S, strip: &mut Strip<'_, T>) {
    simd.vectorize(
        #[inline(always)]
        || {
            let width = NV * T::Vector::<S>::LANES;
            let steps = strip.steps::<MR>(NV == 1);
            let (mut left, mut panel) = (strip.c.cols(), strip.c.as_mut_ptr());
            let mut at = Place { a: strip.a.data.as_ptr(), b: strip.b.data.as_ptr(), c: panel };
            while left > 0 {
                let last = last_register::<T::Vector<S>, NV>(simd, left);
                for tile in 0..steps.tiles {
                    let bias = strip.bias.tile(tile * MR, strip.c.cols() - left);
                    // SAFETY: `Strip::steps` has checked that all that the tiles of the strip touch is theirs.
                    unsafe {
                        match last {
                            None => near_tile::<T::Vector<S>, MR, NV>(simd, steps, at, left, None, bias),
                            Some(_) => near_tile::<T::Vector<S>, MR, NV>(simd, steps, at, left, last, bias),
                        }
                    }
                    at = at.below::<MR>(steps);
                }
                left = left.saturating_sub(width);
                panel = panel.wrapping_add(width * steps.c_step);
                at = Place { a: strip.a.data.as_ptr(), b: at.b.wrapping_add(width), c: panel };
            }
        },
    );
}

/// # Safety
/// As [`multiply`] and [`add_to_tile`], and MR rows of C must be the caller's as far as a row of B goes: `left` columns at most.
#[inline(always)]
unsafe fn near_tile<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    steps: Steps,
    mut at: Place<V::Element>,
    left: usize,
    last: Option<V::Mask>,
    bias: Bias<'_, V::Element>,
) {
    // SAFETY: the caller promises what all of them touch.
    unsafe {
        let mut sums = begin::<V, MR, NV>(simd, steps, at.c, last);
        multiply::<V, MR, NV>(simd, steps.k, steps, &mut at, last, None, &mut sums);
        add_to_tile(simd, bias, last, &mut sums);
        if NV == 1 && steps.c_step != 1 {
            end_turned(simd, sums, left, steps, at.c);
        } else {
            end(sums, steps, at.c, last);
        }
    }
}

/// One panel: NV registers, the last of them cut short or not.
fn far<T: Element, S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    strip: &mut Strip<'_, T>,
    passing: &mut Passing<'_, T>,
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let width = NV * T::Vector::<S>::LANES;
            assert!(strip.c.cols() <= width);
            assert!(passing.copy.is_empty() || passing.copy.len() >= strip.k * width);
            let cut = last_register::<T::Vector<S>, NV>(simd, strip.c.cols());
            let mut steps = strip.steps::<MR>(false);
            let c = strip.c.as_mut_ptr();
            let mut at = Place { a: strip.a.data.as_ptr(), b: strip.b.data.as_ptr(), c };
            let mut last = cut;
            let mut copy = if passing.copy.is_empty() { None } else { Some(passing.copy.as_mut_ptr()) };
            for tile in 0..steps.tiles {
                let below = at.below::<MR>(steps);
                let next_c = if tile + 1 < steps.tiles { below.c.cast_const() } else { passing.next_c };
                ask_for_tile::<T::Vector<S>, MR, NV>(simd, steps, next_c);
                // SAFETY: `Strip::steps` has checked that all that the tiles of the strip touch is theirs, and the
                // copy has room for k rows of NV registers.
                unsafe {
                    far_tile::<T::Vector<S>, MR, NV>(simd, steps, at, (last, cut), copy, passing.ahead)
                };
                at = below;
                if let Some(copy) = copy.take() {
                    // The tiles below read the copy, whose registers are whole.
                    at.b = copy;
                    steps.b_step = width;
                    last = None;
                }
            }
            add_bias(simd, strip.bias, &mut strip.c);
        },
    );
}

/// Asks for the registers of a tile of C.
#[inline(always)]
fn ask_for_tile<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    steps: Steps,
    c: *const V::Element,
) {
    for i in 0..MR {
        for v in 0..NV {
            V::prefetch(simd, c.wrapping_add(i * steps.c_stride + v * V::LANES));
        }
    }
}

/// A tile with a loop of its own for each kind; the masks are those of B's last register and of C's.
///
/// # Safety
/// As [`multiply`], and MR rows of C must be the caller's up to the register that its mask tells.
#[inline(always)]
unsafe fn far_tile<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    steps: Steps,
    at: Place<V::Element>,
    (last, cut): (Option<V::Mask>, Option<V::Mask>),
    copy: Option<*mut V::Element>,
    ahead: &mut Ahead<V::Element>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        match (last, copy) {
            (None, None) => asking::<V, MR, NV>(simd, steps, at, (None, cut), None, ahead),
            (None, Some(_)) => asking::<V, MR, NV>(simd, steps, at, (None, cut), copy, ahead),
            (Some(_), None) => asking::<V, MR, NV>(simd, steps, at, (last, cut), None, ahead),
            (Some(_), Some(_)) => asking::<V, MR, NV>(simd, steps, at, (last, cut), copy, ahead),
        }
    }
}

/// A tile that asks for what is ahead on its way.
///
/// # Safety
/// As [`far_tile`].
#[inline(always)]
unsafe fn asking<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    steps: Steps,
    mut at: Place<V::Element>,
    (last, cut): (Option<V::Mask>, Option<V::Mask>),
    mut copy: Option<*mut V::Element>,
    ahead: &mut Ahead<V::Element>,
) {
    // SAFETY: the caller promises what all three touch.
    unsafe {
        let mut sums = begin::<V, MR, NV>(simd, steps, at.c, cut);
        let mut left = steps.k;
        while left > 0 {
            let n = if left < STEPS { left } else { STEPS };
            left -= n;
            ahead.ask::<V>(simd);
            multiply::<V, MR, NV>(simd, n, steps, &mut at, last, copy.as_mut(), &mut sums);
        }
        end(sums, steps, at.c, cut);
    }
}

/// Adds the bias to elements that have been stored. Tiles of [`far`] leave it to this: to have it in them costs every
/// product two per cent, and they are so long that another pass over a strip in the nearest caches costs less.
#[inline(never)]
pub(super) fn add_bias<T: Element, S: Simd>(simd: S, bias: Bias<'_, T>, c: &mut MatMut<'_, T>) {
    if bias.is_none() {
        return;
    }
    if c.col_stride() != 1 {
        return bias.add_to(c);
    }
    simd.vectorize(
        #[inline(always)]
        || {
            for i in 0..c.rows() {
                let row = c.row_mut(i);
                match bias {
                    Bias::None => {}
                    Bias::OfRows(bias) => row.iter_mut().for_each(|z| *z += bias[i]),
                    Bias::OfColumns(bias) => row.iter_mut().zip(bias).for_each(|(z, &b)| *z += b),
                }
            }
        },
    );
}
