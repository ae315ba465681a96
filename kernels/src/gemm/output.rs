//! Where a product goes: C, what its chains start from, and the epilogue, what is added to them at their end.

#![forbid(unsafe_code)]

use std::ops::Range;

use crate::simd::{Simd, vectorized};
use crate::{Element, Error, MatMut};

/// What the first chain of an element starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// +0.0
    Zero,
    /// The old value of C.
    Old,
}

/// What [`gemm_bias`](super::gemm_bias) adds to a product's element, with one `+` (N2).
#[derive(Clone, Copy, Debug)]
pub enum Bias<'a, T> {
    /// Nothing.
    None,
    /// One value for each row of C: the filters of a convolution.
    OfRows(&'a [T]),
    /// One value for each column of C: the units of a dense layer.
    OfColumns(&'a [T]),
}

impl<T: Element> Bias<'_, T> {
    /// Whether there is one value for each row or column of a C [m, n].
    pub(super) fn check(&self, m: usize, n: usize) -> Result<(), Error> {
        let (what, expected, got) = match self {
            Self::None => return Ok(()),
            Self::OfRows(bias) => ("rows", m, bias.len()),
            Self::OfColumns(bias) => ("columns", n, bias.len()),
        };
        if expected == got {
            return Ok(());
        }
        Err(Error::Shape {
            operation: "gemm_bias",
            expected: format!("a bias for each of the {expected} {what} of C"),
            got: format!("{got} values"),
        })
    }

    /// Whether the values reach over a tile of `rows` x `cols`.
    #[inline(always)]
    pub(super) fn covers(&self, rows: usize, cols: usize) -> bool {
        match self {
            Self::None => true,
            Self::OfRows(bias) => bias.len() >= rows,
            Self::OfColumns(bias) => bias.len() >= cols,
        }
    }

    /// The values for the tile of C that begins at (row, col).
    #[inline(always)]
    pub(super) fn submatrix(self, row: usize, col: usize) -> Self {
        match self {
            Self::None => Self::None,
            Self::OfRows(bias) => Self::OfRows(&bias[row..]),
            Self::OfColumns(bias) => Self::OfColumns(&bias[col..]),
        }
    }
}

/// C, or a part of it.
pub(super) struct Output<'a, T> {
    pub(super) c: MatMut<'a, T>,
    pub(super) start: Start,
    pub(super) bias: Bias<'a, T>,
}

impl<'a, T: Element> Output<'a, T> {
    /// The output of C', with rows and columns exchanged.
    pub(super) fn t(self) -> Self {
        let bias = match self.bias {
            Bias::None => Bias::None,
            Bias::OfRows(bias) => Bias::OfColumns(bias),
            Bias::OfColumns(bias) => Bias::OfRows(bias),
        };
        Self { c: self.c.t(), bias, start: self.start }
    }

    /// The submatrix of the given rows and columns, for a shorter time.
    #[inline(always)]
    pub(super) fn submatrix(&mut self, rows: Range<usize>, cols: Range<usize>) -> Output<'_, T> {
        let bias = self.bias.submatrix(rows.start, cols.start);
        Output { c: self.c.submatrix(rows, cols), start: self.start, bias }
    }

    /// The same while the chains run over `depth` of k values: those after the first continue from C, and the epilogue is
    /// the last one's.
    #[inline(always)]
    pub(super) fn during(&mut self, depth: &Range<usize>, k: usize) -> Output<'_, T> {
        let start = if depth.start == 0 { self.start } else { Start::Old };
        let bias = if depth.end == k { self.bias } else { Bias::None };
        Output { c: self.c.reborrow(), start, bias }
    }

    /// Before and from row `at`, which different threads may write.
    pub(super) fn split_rows(self, at: usize) -> (Self, Self) {
        let Self { c, start, bias } = self;
        let (upper, lower) = c.split_rows(at);
        (Self { c: upper, start, bias }, Self { c: lower, start, bias: bias.submatrix(at, 0) })
    }

    /// The output of a product over an empty k: +0.0 or C, and the bias.
    pub(super) fn of_empty_sums<S: Simd>(mut self, simd: S) {
        if self.start == Start::Zero {
            for i in 0..self.c.rows() {
                (0..self.c.cols()).for_each(|j| self.c.set(i, j, T::ZERO));
            }
        }
        self.add_bias(simd);
    }

    /// C += `terms`, row-major, with one `+` for each element.
    #[inline(always)]
    pub(super) fn add(&mut self, terms: &[T]) {
        for (i, row) in terms.chunks_exact(self.c.cols()).enumerate() {
            for (j, &x) in row.iter().enumerate() {
                self.c.set(i, j, self.c.at(i, j) + x);
            }
        }
    }

    /// Adds the bias to elements that have been stored.
    #[inline(never)]
    pub(super) fn add_bias<S: Simd>(self, simd: S) {
        if matches!(self.bias, Bias::None) {
            return;
        }
        let mut out = if self.c.col_stride() == 1 { self } else { self.t() };
        vectorized!(
            simd,
            match out.c.col_stride() {
                1 => out.add_to_rows(),
                _ => out.add_to_elements(),
            }
        );
    }

    #[inline(always)]
    fn add_to_rows(&mut self) {
        for i in 0..self.c.rows() {
            let row = self.c.row_mut(i);
            match self.bias {
                Bias::None => {}
                Bias::OfRows(bias) => row.iter_mut().for_each(|z| *z += bias[i]),
                Bias::OfColumns(bias) => row.iter_mut().zip(bias).for_each(|(z, &b)| *z += b),
            }
        }
    }

    #[inline(always)]
    fn add_to_elements(&mut self) {
        for i in 0..self.c.rows() {
            for j in 0..self.c.cols() {
                match self.bias {
                    Bias::None => {}
                    Bias::OfRows(bias) => self.c.set(i, j, self.c.at(i, j) + bias[i]),
                    Bias::OfColumns(bias) => self.c.set(i, j, self.c.at(i, j) + bias[j]),
                }
            }
        }
    }
}
