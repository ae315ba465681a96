//! Long rows, or few: one after the other, with its classes in the lanes of a register.

use super::CrossEntropy;
use crate::math::Function;
use crate::reduce::sum_at;
use crate::simd::{Kernel, Simd, vectorized};
use crate::tuning::L1_BLOCK;
use crate::{Element, Level};

/// Rows at a time, for the logarithms of their sums.
const ROWS: usize = 16;
/// Parallel maxima.
const LANES: usize = 32;

/// The gradients of all rows, and their losses.
pub(super) fn gradients<T: Element>(level: Level, classes: usize, mut all: CrossEntropy<'_, T>) {
    let (mut sums, mut logs, mut d_y) = ([T::ONE; ROWS], [T::ZERO; ROWS], [T::ZERO; ROWS]);
    let mut d = [T::ZERO; L1_BLOCK];
    let rows = (L1_BLOCK / classes).clamp(1, ROWS);
    let count = all.x.len() / classes;
    for first in (0..count).step_by(rows) {
        let mut some = all.rows(classes, first..count.min(first + rows));
        vectorized!(level, {
            for (x, e) in some.x.chunks_exact(classes).zip(some.grad.chunks_exact_mut(classes)) {
                less_maximum(x, e);
            }
        });
        for (d_y, (x, &label)) in d_y.iter_mut().zip(some.grad.chunks_exact(classes).zip(some.labels)) {
            *d_y = x[label as usize];
        }
        for e in some.grad.chunks_mut(L1_BLOCK) {
            let d = &mut d[..e.len()];
            d.copy_from_slice(e);
            T::evaluate(level, Function::Exp, d, e);
        }
        level.dispatch(Quotients { classes, sums: &mut sums, rows: &mut some });
        if !some.losses.is_empty() {
            let count = some.losses.len();
            T::evaluate(level, Function::Ln, &sums[..count], &mut logs[..count]);
            some.store_losses(level, &logs, &d_y);
        }
    }
}

/// d = x - m. The order of the maximum does not affect the result, nor does its value beside a NaN: a difference of
/// zeros is a zero, e of it 1, and with a NaN the sum is NaN.
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

/// From the exponentials, which are stored in the gradients' place, to their sums and to the gradients.
struct Quotients<'a, 'r, T> {
    classes: usize,
    sums: &'a mut [T],
    rows: &'a mut CrossEntropy<'r, T>,
}

impl<T: Element> Kernel for Quotients<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { classes, sums, rows } = self;
        let r = rows.r;
        for (row, (e, sum)) in rows.grad.chunks_exact_mut(classes).zip(sums).enumerate() {
            let s = sum_at(simd, e);
            *sum = s;
            let at_label = rows.labels.get(row).map(|&label| (label as usize, e[label as usize]));
            for e in e.iter_mut() {
                *e = (*e / s * r).canonical();
            }
            if let Some((label, e_y)) = at_label {
                e[label] = ((e_y / s - T::ONE) * r).canonical();
            }
        }
    }
}
