//! What is done to an element after its chains: bias, residual, activation.

#![forbid(unsafe_code)]

use std::ops::Range;

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
    /// phi. Identity, ReLU and leaky ReLU are taken in registers; the others, which are tens of instructions for an
    /// element, in a pass of their own over rows of C.
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
    pub(super) fn finish(&self, m: usize, n: usize) -> Result<Finish<'a, T>, Error> {
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
        Ok(Finish { terms: [bias, self.residual], negative })
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

/// An epilogue as the tiles see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finish<'a, T> {
    /// Added one after the other, each as large as C. One that is the same for all rows, or columns, has a stride of 0.
    pub(super) terms: [Option<MatRef<'a, T>>; 2],
    pub(super) negative: Negative<T>,
}

/// The part of a strip's epilogue that begins at (row, col).
#[derive(Clone, Copy)]
pub(super) struct FinishAt<'a, T> {
    pub(super) finish: &'a Finish<'a, T>,
    pub(super) row: usize,
    pub(super) col: usize,
}

/// What becomes of a value below zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Negative<T> {
    Kept,
    /// +0.0
    Zero,
    Times(T),
}

impl<T: Element> Finish<'_, T> {
    pub(super) const NOTHING: Self = Self { terms: [None; 2], negative: Negative::Kept };

    #[inline(always)]
    pub(super) fn is_nothing(&self) -> bool {
        self.terms.iter().all(Option::is_none) && self.negative == Negative::Kept
    }

    /// Whether a row of a tile finds its terms beside each other, or one for all.
    #[inline(always)]
    pub(super) fn fits_registers(&self) -> bool {
        self.terms.iter().flatten().all(|term| term.col_stride() <= 1)
    }

    /// The same for C'.
    pub(super) fn t(self) -> Self {
        Self { terms: self.terms.map(|term| term.map(MatRef::t)), ..self }
    }

    /// The same for a tile of C.
    #[inline(always)]
    pub(super) fn tile(self, rows: Range<usize>, cols: Range<usize>) -> Self {
        if self.is_nothing() {
            return self;
        }
        Self { terms: self.terms.map(|term| term.map(|term| term.tile(rows.clone(), cols.clone()))), ..self }
    }

    /// Finishes elements that are in memory.
    #[inline(always)]
    pub(super) fn apply(&self, c: &mut MatMut<'_, T>) {
        if !self.is_nothing() {
            self.apply_to_each(c);
        }
    }

    fn apply_to_each(&self, c: &mut MatMut<'_, T>) {
        for i in 0..c.rows() {
            for j in 0..c.cols() {
                let z = self.terms.iter().flatten().fold(c.at(i, j), |z, term| z + term.at(i, j));
                let a = match self.negative {
                    Negative::Zero if z < T::ZERO => T::ZERO,
                    Negative::Times(slope) if z < T::ZERO => slope * z,
                    _ => z,
                };
                c.set(i, j, a);
            }
        }
    }
}
