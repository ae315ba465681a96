//! Many short rows at once, a row in each lane: a register holds one class of as many rows as it has lanes.
//!
//! ```text
//!   x: rows of classes           tile: classes of rows
//!   a0 a1 a2 ... a9              a0 b0 c0 ... p0
//!   b0 b1 b2 ... b9      ->      a1 b1 c1 ... p1
//!   ...                          ...
//!   p0 p1 p2 ... p9              a9 b9 c9 ... p9
//! ```
//!
//! A row of ten classes fills no register, and its maximum and its sum are steps that wait for each other. Transposed,
//! sixteen rows are as many registers as there are classes, and every step works on all of them: the maximum, N4's
//! lanes and their halving tree, the quotients, exp and ln.

use std::hint::black_box;

use super::CrossEntropy;
use crate::math::Function;
use crate::simd::{Kernel, MOST_LANES, Simd, Strided, Vector};
use crate::{Element, Level};

/// Rows of a block: the widest register, so that the others divide it.
const ROWS: usize = MOST_LANES;
/// Values of a tile: some blocks, which stay in L1.
const TILE: usize = 640;
/// Rows of a tile.
const TILE_ROWS: usize = 64;
/// What transposing a block writes behind its last class, at most.
const SLACK: usize = ROWS * (ROWS - 1);
/// Registers that a sum begins with, half as many as N4 has lanes.
const HALF: usize = 16;

/// Rows of more classes go one by one, as in `classes_in_lanes`.
pub(super) const MOST_CLASSES: usize = 2 * HALF;
/// As do fewer rows, which would leave half of the lanes idle.
pub(super) const LEAST_ROWS: usize = 10;

/// A value of each row of a block: one class's, the maxima, the sums.
type Column<T> = [T; ROWS];

/// The gradients of all rows, and their losses.
pub(super) fn gradients<T: Element>(level: Level, classes: usize, mut all: CrossEntropy<'_, T>) {
    let (mut d, mut e) = ([T::ZERO; TILE + SLACK], [T::ZERO; TILE + ROWS]);
    let (mut sums, mut logs, mut d_y) = ([T::ONE; TILE_ROWS], [T::ZERO; TILE_ROWS], [T::ZERO; TILE_ROWS]);
    let rows = (TILE / (classes * ROWS) * ROWS).clamp(ROWS, TILE_ROWS);
    let count = all.x.len() / classes;
    for first in (0..count).step_by(rows) {
        let mut tile = all.rows(classes, first..count.min(first + rows));
        level.dispatch(Enter { classes, x: tile.x, padded: &mut e, d: &mut d });
        let padded = (tile.x.len() / classes).next_multiple_of(ROWS);
        T::evaluate(level, Function::Exp, &d[..padded * classes], &mut e[..padded * classes]);
        for (d_y, (row, &label)) in d_y.iter_mut().zip(tile.labels.iter().enumerate()) {
            *d_y = d[(row / ROWS * classes + label as usize) * ROWS + row % ROWS];
        }
        level.dispatch(Leave { classes, e: &mut e, sums: &mut sums, tile: &mut tile });
        if !tile.losses.is_empty() {
            T::evaluate(level, Function::Ln, &sums[..padded], &mut logs[..padded]);
            tile.store_losses(level, &logs, &d_y);
        }
    }
}

/// x - m, transposed; rows that a last block lacks are zeros.
struct Enter<'a, T> {
    classes: usize,
    x: &'a [T],
    /// Holds a last block, whose end could be read past.
    padded: &'a mut [T],
    d: &'a mut [T],
}

impl<T: Element> Kernel for Enter<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if const { S::PLAIN } {
            unreachable!("rows side by side are for levels with vectors")
        }
        let Self { classes, x, padded, d } = self;
        let length = ROWS * classes;
        for first in (0..x.len()).step_by(length) {
            let mut x = &x[first..];
            if x.len() < length + ROWS {
                let present = x.len().min(length);
                padded[..present].copy_from_slice(&x[..present]);
                padded[present..length].fill(T::ZERO);
                x = padded;
            }
            // What is written behind the last class is the next block's, which is still to come.
            transpose::<T, S>(simd, classes, x, &mut d[first..]);
            less_maximum(d[first..first + length].as_chunks_mut().0);
        }
    }
}

/// A block of x, transposed.
#[inline(always)]
fn transpose<T: Element, S: Simd>(simd: S, classes: usize, x: &[T], tile: &mut [T]) {
    let width = T::Vector::<S>::LANES;
    for row in (0..ROWS).step_by(width) {
        for class in (0..classes).step_by(width) {
            let from = Strided { data: &x[row * classes + class..], stride: classes };
            let to = Strided { data: &mut tile[class * ROWS + row..], stride: ROWS };
            T::Vector::<S>::transpose_block(simd, from, width, to);
        }
    }
}

/// x - m. Neither the zeros' signs nor a NaN matter to m here: a difference of zeros is a zero, e of it 1, and with
/// a NaN in a row its sum is NaN and so is all that comes of it.
#[inline(always)]
fn less_maximum<T: Element>(x: &mut [Column<T>]) {
    let mut m = x[0];
    for x in x.iter() {
        m = map(|l| if x[l] > m[l] { x[l] } else { m[l] });
    }
    for x in one_by_one(x) {
        *x = map(|l| x[l] - m[l]);
    }
}

/// A value of each lane: arrays that cannot overlap, which become registers.
#[inline(always)]
fn map<T: Element>(f: impl Fn(usize) -> T) -> Column<T> {
    let mut y = [T::ZERO; ROWS];
    for (l, y) in y.iter_mut().enumerate() {
        *y = f(l);
    }
    y
}

/// The classes, one by one. The compiler must not see through it: it would make registers of a lane's classes, gathered
/// one by one.
#[inline(always)]
fn one_by_one<T>(classes: &mut [Column<T>]) -> impl Iterator<Item = &mut Column<T>> {
    classes.iter_mut().map(black_box)
}

/// From the exponentials, in tiles, to their sums and to the gradients, in rows.
struct Leave<'a, 't, T> {
    classes: usize,
    e: &'a mut [T],
    sums: &'a mut [T],
    tile: &'a mut CrossEntropy<'t, T>,
}

impl<T: Element> Kernel for Leave<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if const { S::PLAIN } {
            unreachable!("rows side by side are for levels with vectors")
        }
        let Self { classes, e, sums, tile } = self;
        let r = tile.r;
        let mut labels = [u32::MAX; TILE_ROWS];
        labels[..tile.labels.len()].copy_from_slice(tile.labels);
        let mut scratch = [T::ZERO; ROWS * ROWS];
        let blocks = e.chunks_exact_mut(ROWS * classes).zip(tile.grad.chunks_mut(ROWS * classes));
        let lanes = labels.as_chunks().0.iter().zip(sums.as_chunks_mut().0);
        for ((e, grad), (labels, s)) in blocks.zip(lanes) {
            *s = sum::<T, S>(simd, e);
            gradients_of_block(e.as_chunks_mut().0, s, labels, r);
            transpose_back::<T, S>(simd, classes, e, grad, &mut scratch);
        }
    }
}

/// The sums of N4: its lanes are the classes. Those that a row lacks are +0.0, which changes no sum here.
#[inline(always)]
fn sum<T: Element, S: Simd>(simd: S, e: &[T]) -> Column<T> {
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let mut sums = [T::ZERO; ROWS];
    for (group, sums) in sums.chunks_exact_mut(T::Vector::<S>::LANES).enumerate() {
        let e = &e[group * T::Vector::<S>::LANES..];
        let mut lanes = [zero; HALF];
        for (lane, e) in lanes.iter_mut().zip(e.chunks(ROWS)) {
            *lane = T::Vector::<S>::load(simd, e);
        }
        for (lane, e) in lanes.iter_mut().zip(e.chunks(ROWS).skip(HALF)) {
            *lane = *lane + T::Vector::<S>::load(simd, e);
        }
        let mut half = HALF / 2;
        while half > 0 {
            for l in 0..half {
                lanes[l] = lanes[l] + lanes[l + half];
            }
            half /= 2;
        }
        lanes[0].store(sums);
    }
    sums
}

/// e becomes (e / s - [class = label]) r.
#[inline(always)]
fn gradients_of_block<T: Element>(e: &mut [Column<T>], s: &Column<T>, labels: &[u32; ROWS], r: T) {
    let (s, labels) = (*s, *labels);
    for (class, e) in (0_u32..).zip(one_by_one(e)) {
        let target = map(|l| if labels[l] == class { T::ONE } else { T::ZERO });
        *e = map(|l| ((e[l] / s[l] - target[l]) * r).canonical());
    }
}

/// A block of gradients in rows again, as many as there are. Full registers are stored; what one spills into the
/// next row, that row overwrites.
#[inline(always)]
fn transpose_back<T: Element, S: Simd>(
    simd: S,
    classes: usize,
    tile: &[T],
    grad: &mut [T],
    scratch: &mut [T; ROWS * ROWS],
) {
    let width = T::Vector::<S>::LANES;
    for row in (0..ROWS).step_by(width) {
        // From the last class: it is the one that spills, into classes that come later.
        for class in (0..classes).step_by(width).rev() {
            let columns = width.min(classes - class);
            let from = Strided { data: &tile[class * ROWS + row..], stride: ROWS };
            T::Vector::<S>::transpose_block(simd, from, columns, Strided { data: scratch, stride: width });
            for (i, values) in scratch.chunks_exact(width).take(width).enumerate() {
                let values = T::Vector::<S>::load(simd, values);
                match grad.get_mut((row + i) * classes + class..) {
                    Some(grad) if grad.len() >= width => values.store(grad),
                    Some(grad) => values.store_partial(simd, grad),
                    None => {}
                }
            }
        }
    }
}
