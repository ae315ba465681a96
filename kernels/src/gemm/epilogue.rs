//! What is done to an element after its chains: bias, residual, activation.

#![forbid(unsafe_code)]

use crate::activation::{self, Activation};
use crate::{Element, Error, Exec, MatMut, MatRef};

/// What [`gemm_fused`](super::gemm_fused) makes of a product's element z: phi((z + bias) + residual), each `+`
/// rounded once (N2), in this order.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a, T> {
    /// Added first.
    pub bias: Bias<'a, T>,
    /// A matrix of C's shape, added second.
    pub residual: Option<MatRef<'a, T>>,
    /// phi. Identity, ReLU and leaky ReLU are taken with the sums; the others, which are tens of instructions for an
    /// element, in a pass of their own over rows of C, on the calling thread.
    pub activation: Activation,
}

/// The bias of an [`Epilogue`].
#[derive(Clone, Copy, Debug)]
pub enum Bias<'a, T> {
    /// None.
    None,
    /// One value for each row of C: the filters of a convolution.
    OfRows(&'a [T]),
    /// One value for each column of C: the units of a dense layer.
    OfColumns(&'a [T]),
}

impl<'a, T: Element> Epilogue<'a, T> {
    /// Nothing: C = A B.
    pub const NOTHING: Self = Self { bias: Bias::None, residual: None, activation: Activation::Identity };

    /// What is to be done in registers, for a C of `m` x `n`.
    pub(super) fn terms(&self, m: usize, n: usize) -> Result<Terms<'a, T>, Error> {
        let one_for_each = |what: &str, expected: usize, bias: &'a [T], strides| {
            if bias.len() == expected {
                return MatRef::with_strides(bias, (m, n), strides);
            }
            Err(Error::Shape {
                operation: "gemm_fused",
                expected: format!("a bias for each of the {expected} {what} of C"),
                got: format!("{} values", bias.len()),
            })
        };
        let bias = match self.bias {
            Bias::None => None,
            Bias::OfRows(bias) => Some(one_for_each("rows", m, bias, (1, 0))?),
            Bias::OfColumns(bias) => Some(one_for_each("columns", n, bias, (0, 1))?),
        };
        if let Some(residual) = self.residual.filter(|r| (r.rows(), r.cols()) != (m, n)) {
            return Err(Error::Shape {
                operation: "gemm_fused",
                expected: format!("a residual [{m}, {n}] as C"),
                got: format!("[{}, {}]", residual.rows(), residual.cols()),
            });
        }
        let negative = match self.activation {
            Activation::Relu => Negative::Zero,
            Activation::LeakyRelu { slope } => Negative::Times(T::from_f64(slope)),
            _ => Negative::Kept,
        };
        Ok(Terms { added: [bias, self.residual], negative })
    }

    /// Takes the activation of every element, if it is not one that is taken in registers.
    pub(super) fn activate(&self, exec: Exec, c: &mut MatMut<'_, T>) -> Result<(), Error> {
        if matches!(self.activation, Activation::Identity | Activation::Relu | Activation::LeakyRelu { .. }) {
            return Ok(());
        }
        let (mut z, mut a) = ([T::ZERO; RUN], [T::ZERO; RUN]);
        for i in 0..c.rows() {
            for first in (0..c.cols()).step_by(RUN) {
                let len = RUN.min(c.cols() - first);
                z[..len].iter_mut().enumerate().for_each(|(j, z)| *z = c.at(i, first + j));
                activation::forward(exec, self.activation, &z[..len], &mut a[..len])?;
                a[..len].iter().enumerate().for_each(|(j, &a)| c.set(i, first + j, a));
            }
        }
        Ok(())
    }
}

/// Elements whose activation is taken at a time: what stays in the level-1 cache.
const RUN: usize = 1024;

/// An epilogue of checked shapes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a, T> {
    /// Added one after the other, each as large as C. One that is the same for all rows, or columns, has a stride of 0.
    pub(super) added: [Option<MatRef<'a, T>>; 2],
    pub(super) negative: Negative<T>,
}

/// What becomes of a value below zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Negative<T> {
    Kept,
    /// +0.0
    Zero,
    Times(T),
}

impl<T: Element> Terms<'_, T> {
    /// The same for C'.
    pub(super) fn t(self) -> Self {
        Self { added: self.added.map(|term| term.map(MatRef::t)), ..self }
    }

    fn finish(&self, i: usize, j: usize, z: T) -> T {
        let z = self.added.iter().flatten().fold(z, |z, term| z + term.at(i, j));
        match self.negative {
            Negative::Zero if z < T::ZERO => T::ZERO,
            Negative::Times(slope) if z < T::ZERO => slope * z,
            _ => z,
        }
    }
}

/// What is left to do with a tile of C.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finish<'a, T> {
    /// For C and for C'; `None`: nothing.
    terms: Option<[&'a Terms<'a, T>; 2]>,
    /// Where in C the tile begins.
    row: usize,
    col: usize,
}

impl<'a, T: Element> Finish<'a, T> {
    pub(super) const NOTHING: Self = Self { terms: None, row: 0, col: 0 };

    /// All of C; `turned` is `terms` for C'.
    pub(super) fn new(terms: &'a Terms<'a, T>, turned: &'a Terms<'a, T>) -> Self {
        Self { terms: Some([terms, turned]), row: 0, col: 0 }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.terms.is_none()
    }

    /// The terms, if any, and where in them the tile begins.
    #[inline(always)]
    pub(super) fn terms(&self) -> Option<(&'a Terms<'a, T>, usize, usize)> {
        match self.terms {
            Some([terms, _]) => Some((terms, self.row, self.col)),
            None => None,
        }
    }

    /// Whether a row of a tile finds its terms beside each other, or one for all.
    #[inline(always)]
    pub(super) fn fits_registers(&self) -> bool {
        match self.terms {
            Some([terms, _]) => terms.added.iter().flatten().all(|term| term.col_stride() <= 1),
            None => true,
        }
    }

    /// Whether the terms reach over a tile of `rows` x `cols`.
    #[inline(always)]
    pub(super) fn covers(&self, rows: usize, cols: usize) -> bool {
        match self.terms {
            Some([terms, _]) => {
                let reaches = |x: &MatRef<'_, T>| x.rows() >= self.row + rows && x.cols() >= self.col + cols;
                terms.added.iter().flatten().all(reaches)
            }
            None => true,
        }
    }

    /// The same for C'.
    pub(super) fn t(self) -> Self {
        Self { terms: self.terms.map(|[terms, turned]| [turned, terms]), row: self.col, col: self.row }
    }

    /// The tile that begins at (row, col) of this one.
    #[inline(always)]
    pub(super) fn tile(self, row: usize, col: usize) -> Self {
        Self { row: self.row + row, col: self.col + col, ..self }
    }

    /// Finishes elements that are in memory.
    pub(super) fn apply(&self, c: &mut MatMut<'_, T>) {
        let Some((terms, row, col)) = self.terms() else { return };
        for i in 0..c.rows() {
            for j in 0..c.cols() {
                c.set(i, j, terms.finish(row + i, col + j, c.at(i, j)));
            }
        }
    }
}
