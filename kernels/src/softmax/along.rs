//! Long rows, or few: one after the other, each along its classes.

use super::Goal;
use crate::math::Function;
use crate::reduce::sum_at;
use crate::simd::{Kernel, Simd};
use crate::{Element, Level};

/// Values that are worked on at a time: they stay in the first cache.
const PIECE: usize = 512;
/// Rows at a time, for the logarithms of their sums.
const ROWS: usize = 16;
/// Parallel maxima.
const LANES: usize = 32;

/// The gradients of the rows of x, and their losses.
pub(super) fn rows<T: Element>(level: Level, classes: usize, x: &[T], grad: &mut [T], mut goal: Goal<'_, T>) {
    let (mut sums, mut logs, mut d_y) = ([T::ONE; ROWS], [T::ZERO; ROWS], [T::ZERO; ROWS]);
    let mut d = [T::ZERO; PIECE];
    let rows = (PIECE / classes).clamp(1, ROWS);
    for (piece, (x, e)) in x.chunks(rows * classes).zip(grad.chunks_mut(rows * classes)).enumerate() {
        let goal = goal.of_rows(piece * rows, x.len() / classes);
        level.vectorize(
            #[inline(always)]
            || {
                for (x, e) in x.chunks_exact(classes).zip(e.chunks_exact_mut(classes)) {
                    less_maximum(x, e);
                }
            },
        );
        for (d_y, (x, &label)) in d_y.iter_mut().zip(e.chunks_exact(classes).zip(goal.labels)) {
            *d_y = x[label as usize];
        }
        for e in e.chunks_mut(PIECE) {
            let d = &mut d[..e.len()];
            d.copy_from_slice(e);
            T::evaluate(level, Function::Exp, d, e);
        }
        level.dispatch(Gradients { classes, goal: &goal, sums: &mut sums, e });
        if !goal.losses.is_empty() {
            let count = goal.losses.len();
            T::evaluate(level, Function::Ln, &sums[..count], &mut logs[..count]);
            goal.store_losses(level, &logs, &d_y);
        }
    }
}

/// d = x - m. For the bits that come of it the order does not matter in which m is found, nor what it is beside a
/// NaN: a difference of zeros is a zero, e of it 1, and with a NaN the sum is NaN.
#[inline(always)]
fn less_maximum<T: Element>(x: &[T], d: &mut [T]) {
    let m = maximum(x);
    for (d, &x) in d.iter_mut().zip(x) {
        *d = x - m;
    }
}

/// The largest of x, which has one value at least.
#[inline(always)]
fn maximum<T: Element>(x: &[T]) -> T {
    let larger = |m: T, x: T| if x > m { x } else { m };
    let (columns, _) = x.as_chunks::<LANES>();
    let Some(last) = x.last_chunk::<LANES>() else {
        return x.iter().fold(x[0], |m, &x| larger(m, x));
    };
    let mut m = *last;
    for x in columns {
        for (m, &x) in m.iter_mut().zip(x) {
            *m = larger(*m, x);
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            m[l] = larger(m[l], m[l + half]);
        }
        half /= 2;
    }
    m[0]
}

/// From the exponentials to the gradients, and the sums.
struct Gradients<'a, T> {
    classes: usize,
    goal: &'a Goal<'a, T>,
    sums: &'a mut [T],
    e: &'a mut [T],
}

impl<T: Element> Kernel for Gradients<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { classes, goal, sums, e } = self;
        let r = goal.r;
        for (row, (e, sum)) in e.chunks_exact_mut(classes).zip(sums).enumerate() {
            let s = sum_at(simd, e);
            *sum = s;
            let at_label = goal.labels.get(row).map(|&label| (label as usize, e[label as usize]));
            for e in e.iter_mut() {
                *e = (*e / s * r).canonical();
            }
            if let Some((label, e_y)) = at_label {
                e[label] = ((e_y / s - T::ONE) * r).canonical();
            }
        }
    }
}
