//! A product on its way to the loops: which thread computes which part of C, and where a chain ends (N2, N3).

#![forbid(unsafe_code)]

use super::loops::five_loops;
use super::output::{Bias, Output, Start};
use super::ranges::Ranges;
use super::row;
use super::scratch::{Buffer, Lease};
use super::small::{in_place, is_small};
use crate::parallel::{Divide, for_each_part};
use crate::simd::{Kernel, Simd, Vector, vectorized};
use crate::tuning::Gemm;
use crate::{Element, Exec, MatMut, MatRef};

/// A product whose summed index is longer than this is cut in chunks of [`CHUNK`] (N2).
pub const LONGEST_CHAIN: usize = 8192;
/// The values of the summed index in a chunk (N2).
pub const CHUNK: usize = 4096;
/// A thread's part of C has at least so many rows and columns, as far as C has them.
const PART_ROWS: usize = 8;
const PART_COLS: usize = 16;

/// A product of checked shapes.
pub struct Product<'a, T> {
    /// The longest chain: the first one begins as `out` says, the others from +0.0, and they are added in order.
    pub(super) chain: usize,
    pub(super) a: MatRef<'a, T>,
    pub(super) b: MatRef<'a, T>,
    pub(super) out: Output<'a, T>,
    pub(super) tuning: &'static Gemm,
}

impl<'a, T: Element> Product<'a, T> {
    /// C = A B by the rule for products (N2).
    pub(super) fn of(exec: Exec, a: MatRef<'a, T>, b: MatRef<'a, T>, c: MatMut<'a, T>) -> Self {
        let chain = if a.cols() > LONGEST_CHAIN { CHUNK } else { LONGEST_CHAIN };
        let out = Output { c, start: Start::Zero, bias: Bias::None };
        Self { chain, a, b, out, tuning: &exec.tuning.gemm }
    }

    /// Computes C, for one type: on the pool's threads if `exec` allows it and the work is worth it.
    #[inline(always)]
    pub(crate) fn compute(self, exec: Exec) {
        let product = if self.is_better_transposed() { self.t() } else { self };
        let (m, n, k) = (product.a.rows(), product.b.cols(), product.a.cols());
        let flops = [m, n, k].into_iter().fold(2, usize::saturating_mul);
        let parts = exec.parts(flops, exec.tuning.gemm.flops, exec.tuning.gemm.parts_per_thread);
        if parts == 1 {
            return exec.level.dispatch(product);
        }
        let done = for_each_part(product, parts, &|part| {
            exec.level.dispatch(part);
            Ok(())
        });
        debug_assert!(done.is_ok(), "no part returns an error");
    }

    /// Whether C' = B' A', which has the same chains, is faster: if C's columns are contiguous, or if both operands are
    /// contiguous along k, as in A B', and transposing A and C copies less than transposing B.
    fn is_better_transposed(&self) -> bool {
        let Self { a, b, out, .. } = self;
        let (m, n, k) = (a.rows(), b.cols(), a.cols());
        let along_k = a.col_stride() == 1 && b.row_stride() == 1 && b.col_stride() != 1;
        match (out.c.row_stride(), out.c.col_stride()) {
            (_, 1) => along_k && m > 1 && m * k + m * n < k * n,
            (1, _) => !(along_k && n > 1 && n * k + m * n < m * k),
            _ => false,
        }
    }

    /// C' = B' A'
    fn t(self) -> Self {
        Self { a: self.b.t(), b: self.a.t(), out: self.out.t(), ..self }
    }

    /// Whether C' = B' A' fills registers better: a few columns, as of the gradient of weights to ten classes, leave a
    /// quarter of a register or more empty, and the rows are contiguous too.
    fn is_narrow<S: Simd>(&self) -> bool {
        let Self { a, b, out, .. } = self;
        let (m, n, k, lanes) = (a.rows(), b.cols(), a.cols(), T::Vector::<S>::LANES);
        let register = if n > lanes / 2 { lanes } else { lanes / 2 };
        let contiguous = out.c.col_stride() == 1 && b.col_stride() == 1 && a.row_stride() == 1;
        let empty = n > 1 && 4 * n <= 3 * register;
        contiguous && empty && m >= 4 * lanes && k >= 2 * lanes
    }
}

impl<T: Element> Divide for Product<'_, T> {
    /// C is cut along its longer side, in whole multiples of [`PART_ROWS`] or [`PART_COLS`].
    fn divide(self, first: usize, parts: usize) -> Result<(Self, Self), Self> {
        let (rows, cols) = (self.a.rows(), self.b.cols());
        let by_rows = rows > cols && rows > PART_ROWS;
        if !by_rows && cols <= PART_COLS {
            return Err(self);
        }
        let (product, least) = if by_rows { (self, PART_ROWS) } else { (self.t(), PART_COLS) };
        let Self { chain, a, b, out, tuning } = product;
        let (rows, k) = (a.rows(), a.cols());
        let at = ((rows.div_ceil(least) * first).div_ceil(parts) * least).min(rows);
        let (upper, lower) = out.split_rows(at);
        let upper = Self { chain, a: a.submatrix(0..at, 0..k), b, out: upper, tuning };
        let lower = Self { chain, a: a.submatrix(at..rows, 0..k), b, out: lower, tuning };
        Ok(if by_rows { (upper, lower) } else { (upper.t(), lower.t()) })
    }
}

impl<T: Element> Kernel for Product<'_, T> {
    type Output = ();

    /// Computes C on the calling thread, chunk of k after chunk.
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { chain, a, b, mut out, tuning } = if self.is_narrow::<S>() { self.t() } else { self };
        let (m, n, k) = (a.rows(), b.cols(), a.cols());
        if m == 0 || n == 0 || k == 0 {
            return out.of_empty_sums(simd);
        }
        if k <= chain {
            return one_chain(simd, tuning, a, b, out);
        }
        // Square by square, because the later chunks need a place of their own.
        for rows in Ranges::at_most(tuning.partial_side, m).iter() {
            for cols in Ranges::at_most(tuning.partial_side, n).iter() {
                let mut out = out.submatrix(rows.clone(), cols.clone());
                for first in (0..k).step_by(chain) {
                    let depth = first..k.min(first.saturating_add(chain));
                    let (a, b) =
                        (a.submatrix(rows.clone(), depth.clone()), b.submatrix(depth.clone(), cols.clone()));
                    if first == 0 {
                        one_chain(simd, tuning, a, b, out.during(&depth, k));
                        continue;
                    }
                    let mut buffer = Lease::take(Buffer::Partial);
                    let partial = buffer.elements(rows.len() * cols.len());
                    let c = MatMut::of_rows(partial, rows.len(), cols.len());
                    one_chain(simd, tuning, a, b, Output { c, start: Start::Zero, bias: Bias::None });
                    out.add(partial);
                }
                out.add_bias(simd);
            }
        }
    }
}

/// A product in which every element is one chain, by the body that suits its shape. All of them compute the same chains.
#[inline(never)]
fn one_chain<T: Element, S: Simd>(
    simd: S,
    tuning: &Gemm,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    out: Output<'_, T>,
) {
    let row = a.rows() == 1 && row::reads(&b) && (out.c.col_stride() == 1 || b.cols() == 1);
    let column = b.cols() == 1 && row::reads(&a.t()) && (out.c.row_stride() == 1 || a.rows() == 1);
    vectorized!(simd, {
        if const { S::PLAIN } {
            five_loops(simd, tuning, a, b, out);
        } else if row {
            row::product(simd, tuning, a, b, out);
        } else if column {
            row::product(simd, tuning, b.t(), a.t(), out.t());
        } else if is_small::<T, S>(tuning, &a, &b, &out) {
            in_place(simd, tuning, a, b, out);
        } else {
            five_loops(simd, tuning, a, b, out);
        }
    });
}
