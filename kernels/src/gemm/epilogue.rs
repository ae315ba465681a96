//! What is done to an element after its chains: a bias is added.

#![forbid(unsafe_code)]

use crate::{Element, Error, MatMut};

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

    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::None)
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

    /// The same for C'.
    pub(super) fn t(self) -> Self {
        match self {
            Self::None => Self::None,
            Self::OfRows(bias) => Self::OfColumns(bias),
            Self::OfColumns(bias) => Self::OfRows(bias),
        }
    }

    /// The values for the tile of C that begins at (row, col).
    #[inline(always)]
    pub(super) fn tile(self, row: usize, col: usize) -> Self {
        match self {
            Self::None => Self::None,
            Self::OfRows(bias) => Self::OfRows(&bias[row..]),
            Self::OfColumns(bias) => Self::OfColumns(&bias[col..]),
        }
    }

    /// Adds it to elements that are in memory.
    pub(super) fn add_to(&self, c: &mut MatMut<'_, T>) {
        for i in 0..c.rows() {
            for j in 0..c.cols() {
                match self {
                    Self::None => {}
                    Self::OfRows(bias) => c.set(i, j, c.at(i, j) + bias[i]),
                    Self::OfColumns(bias) => c.set(i, j, c.at(i, j) + bias[j]),
                }
            }
        }
    }
}
