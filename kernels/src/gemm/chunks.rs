//! Where a chain ends: the chunk rules N2 and N3, and the tiles of C that threads share.

#![forbid(unsafe_code)]

use super::blocking::{Even, PART};
use super::epilogue::Bias;
use super::microkernel::{add_bias, one_at_a_time};
use super::scratch::Lease;
use super::{Start, one_chain};
use crate::parallel::{Divide, for_each_part};
use crate::simd::{Kernel, Simd, Vector};
use crate::{Element, Exec, MatMut, MatRef};

/// A product whose summed index is longer than this is cut in chunks of [`CHUNK`] (N2).
pub(super) const LONGEST_CHAIN: usize = 8192;
const CHUNK: usize = 4096;
/// A thread's part of C has at least so many rows and columns, as far as C has them.
const PART_ROWS: usize = 8;
const PART_COLS: usize = 16;

/// A product of checked shapes whose chains are `chain` long, the first one from `start`.
pub struct Product<'a, T> {
    pub(super) start: Start,
    pub(super) chain: usize,
    pub(super) bias: Bias<'a, T>,
    pub(super) a: MatRef<'a, T>,
    pub(super) b: MatRef<'a, T>,
    pub(super) c: MatMut<'a, T>,
}

impl<'a, T: Element> Product<'a, T> {
    /// C = A B by the rule for products (N2).
    pub(super) fn of(a: MatRef<'a, T>, b: MatRef<'a, T>, c: MatMut<'a, T>) -> Self {
        let chain = if a.cols() > LONGEST_CHAIN { CHUNK } else { LONGEST_CHAIN };
        Self { start: Start::Zero, chain, bias: Bias::None, a, b, c }
    }

    /// Computes C.
    pub(super) fn compute(self, exec: Exec) {
        T::product(self, exec);
    }

    /// As [`Product::compute`], for one type: on the pool's threads if `exec` allows it and the work is worth it.
    pub(crate) fn share_out(self, exec: Exec) {
        let product = self.oriented();
        let k = product.a.cols();
        let flops = [product.c.rows(), product.c.cols(), k].into_iter().fold(2, usize::saturating_mul);
        let parts = exec.parts(flops, exec.tuning.gemm_flops, exec.tuning.gemm_parts_per_thread);
        // Infallible: the body never returns an error.
        let _ = for_each_part(product, parts, &|part| Ok(exec.level.dispatch(part)));
    }

    /// The product or its transpose, C' = B' A', which has the same chains: with contiguous rows of C; but where
    /// both operands are contiguous along k, as in A B', the one in B's place is turned when it is packed, so that
    /// it may be less to turn the other one and C.
    fn oriented(self) -> Self {
        let Self { a, b, c, .. } = &self;
        let (m, n, k) = (c.rows(), c.cols(), a.cols());
        let along_k = a.col_stride() == 1 && b.row_stride() == 1 && b.col_stride() != 1;
        let turn = match (c.row_stride(), c.col_stride()) {
            (_, 1) => along_k && m > 1 && m * k + m * n < k * n,
            (1, _) => !(along_k && n > 1 && n * k + m * n < m * k),
            _ => false,
        };
        if turn { self.t() } else { self }
    }

    /// C' = B' A'
    fn t(self) -> Self {
        Self { a: self.b.t(), b: self.a.t(), c: self.c.t(), bias: self.bias.t(), ..self }
    }

    /// Whether many rows of a few columns, as of the gradient of weights to ten classes, are faster as a few columns of
    /// many rows: where the columns would leave a quarter of a register empty, and the rows are contiguous too.
    fn is_narrow<S: Simd>(&self) -> bool {
        let Self { a, b, c, .. } = self;
        let (m, n, k, lanes) = (c.rows(), c.cols(), a.cols(), T::Vector::<S>::LANES);
        let register = if n > lanes / 2 { lanes } else { lanes / 2 };
        let contiguous = c.col_stride() == 1 && b.col_stride() == 1 && a.row_stride() == 1;
        let empty = n > 1 && 4 * n <= 3 * register;
        one_at_a_time::<T::Vector<S>>() && contiguous && empty && m >= 4 * lanes && k >= 2 * lanes
    }
}

impl<T: Element> Divide for Product<'_, T> {
    /// C is cut along its longer side, in whole multiples of [`PART_ROWS`] or [`PART_COLS`].
    fn divide(self, first: usize, parts: usize) -> Result<(Self, Self), Self> {
        let Self { start, chain, bias, a, b, c } = self;
        let (rows, cols, k) = (c.rows(), c.cols(), a.cols());
        let by_columns = cols >= rows || rows <= PART_ROWS;
        let (length, least) = if by_columns { (cols, PART_COLS) } else { (rows, PART_ROWS) };
        if length <= least {
            return Err(Self { start, chain, bias, a, b, c });
        }
        let at = ((length.div_ceil(least) * first).div_ceil(parts) * least).min(length);
        if by_columns {
            let (left, right) = c.split_cols(at);
            let (b_left, b_right) = (b.tile(0..k, 0..at), b.tile(0..k, at..cols));
            let right = Self { start, chain, bias: bias.tile(0, at), a, b: b_right, c: right };
            Ok((Self { start, chain, bias, a, b: b_left, c: left }, right))
        } else {
            let (upper, lower) = c.split_rows(at);
            let (a_upper, a_lower) = (a.tile(0..at, 0..k), a.tile(at..rows, 0..k));
            let lower = Self { start, chain, bias: bias.tile(at, 0), a: a_lower, b, c: lower };
            Ok((Self { start, chain, bias, a: a_upper, b, c: upper }, lower))
        }
    }
}

impl<T: Element> Kernel for Product<'_, T> {
    type Output = ();

    /// Computes C on the calling thread.
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let product = if self.is_narrow::<S>() { self.t() } else { self };
        let Self { start, chain, bias, a, b, mut c } = product;
        let (m, n, k) = (c.rows(), c.cols(), a.cols());
        if k <= chain {
            return one_chain(simd, start, bias, a, b, c);
        }
        // Tile by tile, because the later chunks need a place of their own for their chains.
        for rows in Even::at_most(PART, m).runs() {
            for cols in Even::at_most(PART, n).runs() {
                let mut c = c.tile(rows.clone(), cols.clone());
                for first in (0..k).step_by(chain) {
                    let depth = first..k.min(first.saturating_add(chain));
                    let (a, b) = (a.tile(rows.clone(), depth.clone()), b.tile(depth, cols.clone()));
                    if first == 0 {
                        one_chain(simd, start, Bias::None, a, b, c.reborrow());
                    } else {
                        add_one_chain(simd, a, b, &mut c);
                    }
                }
                add_bias(simd, bias.tile(rows.start, cols.start), &mut c);
            }
        }
    }
}

/// Adds a product whose chains start at +0.0, with one `+` per element.
#[inline(always)]
fn add_one_chain<T: Element, S: Simd>(simd: S, a: MatRef<'_, T>, b: MatRef<'_, T>, c: &mut MatMut<'_, T>) {
    let (m, n) = (c.rows(), c.cols());
    let mut scratch = Lease::take();
    let part = &mut scratch.part;
    let part = part.elements(m * n);
    one_chain(simd, Start::Zero, Bias::None, a, b, MatMut::of_rows(part, m, n));
    for (i, row) in part.chunks_exact(n).enumerate() {
        for (j, &x) in row.iter().enumerate() {
            c.set(i, j, c.at(i, j) + x);
        }
    }
}
