//! Windows of 2 x 2 that tile the plane, a register of them at a time: two neighbouring registers of a row of inputs,
//! parted into even and odd lanes, are the left and the right taps of as many windows as one register has lanes, and
//! two rows give all four taps.
//!
//! The windows of a narrow plane do not fill a register. Its other lanes then reach into what follows in
//! memory, and what they write there is written again by the windows to which it belongs; only where the slices end,
//! windows go one by one.

use std::marker::PhantomData;
use std::ops::Range;

use super::Pool2d;
use super::pass::PoolPass;
use crate::Element;
use crate::simd::{Kernel, Simd, Vector};

/// A pass over such windows, with the register that suits the width of the planes.
pub(super) struct Pairs<'a, P, S> {
    pub(super) pool: &'a Pool2d,
    pub(super) slices: S,
    pub(super) pass: PhantomData<P>,
}

impl<P: PoolPass<R>, R> Kernel for Pairs<'_, P, R> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        if const { S::PLAIN } {
            unreachable!("pairs are for levels with vectors")
        }
        if self.pool.w_out() > <P::Value as Element>::Vector::<S::Narrow>::LANES {
            self.lanes::<<P::Value as Element>::Vector<S>>(simd)
        } else {
            self.lanes::<<P::Value as Element>::Vector<S::Narrow>>(simd.narrow())
        }
    }
}

impl<P: PoolPass<S>, S> Pairs<'_, P, S> {
    #[inline(always)]
    fn lanes<V: Vector<Element = P::Value>>(self, simd: V::Simd) -> bool {
        match V::LANES {
            2 => P::pairs::<V, 2>(self.pool, simd, self.slices),
            4 => P::pairs::<V, 4>(self.pool, simd, self.slices),
            8 => P::pairs::<V, 8>(self.pool, simd, self.slices),
            _ => P::pairs::<V, 16>(self.pool, simd, self.slices),
        }
    }
}

/// Some windows that are neighbours in a row, as places in the planes.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// Their first input in the upper row and in the lower row.
    pub(super) upper: usize,
    pub(super) lower: usize,
    /// The first window.
    pub(super) output: usize,
    /// How many they are, at most `N`.
    pub(super) count: usize,
}

impl Row {
    /// The inputs of `N` windows, those in the upper row and those in the lower row, where there are so many.
    #[inline(always)]
    pub(super) fn inputs<'x, T, const N: usize>(&self, x: &'x [T]) -> Option<(&'x [T], &'x [T])> {
        Some((x.get(self.upper..self.upper + 2 * N)?, x.get(self.lower..self.lower + 2 * N)?))
    }

    /// `N` windows.
    #[inline(always)]
    pub(super) fn windows<const N: usize>(&self) -> Range<usize> {
        self.output..self.output + N
    }
}

/// Calls `f` with up to `N` windows at a time, ascending, for all of `planes`. The last ones of a row begin
/// early enough to be `N` where the row has so many: computing a window twice is cheaper than a loop over what is left.
#[inline(always)]
pub(super) fn for_each<const N: usize>(pool: &Pool2d, planes: usize, mut f: impl FnMut(Row)) {
    let (width, h_out, w_out) = (pool.w_in, pool.h_out(), pool.w_out());
    // Planes without a last row that no window has are one high plane.
    let (planes, h_out) = if pool.h_in == 2 * h_out { (1, planes * h_out) } else { (planes, h_out) };
    let last = w_out.saturating_sub(N);
    for plane in 0..planes {
        let (mut upper, mut output) = (plane * pool.area_in(), plane * h_out * w_out);
        for _ in 0..h_out {
            for start in (0..w_out).step_by(N) {
                let start = if start < last { start } else { last };
                let (upper, count) = (upper + 2 * start, if w_out < N { w_out } else { N });
                f(Row { upper, lower: upper + width, output: output + start, count });
            }
            (upper, output) = (upper + 2 * width, output + w_out);
        }
    }
}

/// The inputs of `N` windows, [tap][window], from as many pairs of two rows; with `RELU`, 0 for those below 0.
#[inline(always)]
pub(super) fn taps<V: Vector, const N: usize, const RELU: bool>(
    simd: V::Simd,
    upper: &[V::Element],
    lower: &[V::Element],
) -> [[V::Element; N]; 4] {
    let mut taps = [[V::Element::ZERO; N]; 4];
    for (row, taps) in [upper, lower].into_iter().zip(taps.as_chunks_mut::<2>().0) {
        let (even, odd) = load::<V, RELU>(simd, row).deinterleave(load::<V, RELU>(simd, &row[N..]));
        even.store(&mut taps[0]);
        odd.store(&mut taps[1]);
    }
    taps
}

#[inline(always)]
fn load<V: Vector, const RELU: bool>(simd: V::Simd, from: &[V::Element]) -> V {
    let x = V::load(simd, from);
    if RELU { x.replace_negative(V::splat(simd, V::Element::ZERO)) } else { x }
}

/// The inputs of one window, as [`taps`].
#[inline(always)]
pub(super) fn taps_of_one<T: Element>(x: &[T], row: &Row, window: usize) -> [[T; 1]; 4] {
    let (upper, lower) = (row.upper + 2 * window, row.lower + 2 * window);
    [[x[upper]], [x[upper + 1]], [x[lower]], [x[lower + 1]]]
}

/// Writes what [`taps`] reads; what overlaps in `x` belongs to the lower row.
#[inline(always)]
pub(super) fn write_taps<V: Vector, const N: usize>(
    simd: V::Simd,
    taps: &[[V::Element; N]; 4],
    row: &Row,
    x: &mut [V::Element],
) {
    for (at, taps) in [row.upper, row.lower].into_iter().zip(taps.as_chunks::<2>().0) {
        let (first, second) = V::load(simd, &taps[0]).interleave(V::load(simd, &taps[1]));
        first.store(&mut x[at..]);
        second.store(&mut x[at + N..]);
    }
}

/// Writes what [`taps_of_one`] reads.
#[inline(always)]
pub(super) fn write_taps_of_one<T: Element>(taps: &[[T; 1]; 4], row: &Row, window: usize, x: &mut [T]) {
    for (at, pair) in [row.upper, row.lower].into_iter().zip(taps.as_chunks::<2>().0) {
        x[at + 2 * window..][..2].copy_from_slice(pair.as_flattened());
    }
}

/// Clears the last column and the last row of every plane where no window has them. After all windows, whose
/// registers may have reached there.
#[inline(always)]
pub(super) fn clear_rest<T: Element>(pool: &Pool2d, x: &mut [T]) {
    if !pool.w_in.is_multiple_of(2) {
        x.chunks_exact_mut(pool.w_in).for_each(|row| row[pool.w_in - 1] = T::ZERO);
    }
    if !pool.h_in.is_multiple_of(2) {
        x.chunks_exact_mut(pool.area_in())
            .for_each(|plane| plane[pool.area_in() - pool.w_in..].fill(T::ZERO));
    }
}
