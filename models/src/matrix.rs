//! A plain row-major matrix, for the modules that are written as the slides are.

use kernels::Element;

use crate::error::{Error, misfit};

/// A matrix of `rows` x `cols`, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix<T> {
    data: Vec<T>,
    rows: usize,
    cols: usize,
}

impl<T: Element> Matrix<T> {
    /// The matrix whose elements are `data`, row by row.
    ///
    /// # Errors
    /// If there are not `rows` x `cols` elements.
    pub fn new(rows: usize, cols: usize, data: Vec<T>) -> Result<Self, Error> {
        if rows.checked_mul(cols) != Some(data.len()) {
            let got = format!("{} elements", data.len());
            return Err(misfit("matrix", format!("{rows} x {cols} elements"), got).into());
        }
        Ok(Self { data, rows, cols })
    }

    /// The matrix whose element (i, j) is `element(i, j)`.
    ///
    /// ```
    /// use models::matrix::Matrix;
    /// let m = Matrix::from_fn(2, 3, |i, j| (10 * i + j) as f64);
    /// assert_eq!(m.row(1), [10.0, 11.0, 12.0]);
    /// ```
    pub fn from_fn(rows: usize, cols: usize, mut element: impl FnMut(usize, usize) -> T) -> Self {
        let places = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j)));
        Self { data: places.map(|(i, j)| element(i, j)).collect(), rows, cols }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Element (i, j).
    ///
    /// # Panics
    /// If the matrix has no such element.
    pub fn at(&self, i: usize, j: usize) -> T {
        self.row(i)[j]
    }

    /// Row i.
    ///
    /// # Panics
    /// If the matrix has no such row.
    pub fn row(&self, i: usize) -> &[T] {
        &self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// All elements, row by row.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// All elements, row by row, to be changed.
    pub fn data_mut(&mut self) -> &mut [T] {
        &mut self.data
    }
}
