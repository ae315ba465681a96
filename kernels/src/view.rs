//! Matrices as views: a slice of elements with two strides.

use std::marker::PhantomData;

use crate::Error;

/// A matrix of `rows` x `cols` read from a slice: element (i, j) stands at
/// `i * row_stride + j * col_stride`. A transpose swaps the strides and copies nothing.
#[derive(Clone, Copy, Debug)]
pub struct MatRef<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

/// A matrix of `rows` x `cols` written through a slice, addressed as [`MatRef`].
///
/// No two index pairs address the same element, so that tiles may be written by different
/// threads; the constructors check it.
#[derive(Debug)]
pub struct MatMut<'a, T> {
    data: *mut T,
    len: usize,
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
    borrow: PhantomData<&'a mut [T]>,
}

fn shape_error(rows: usize, cols: usize, strides: (usize, usize), len: usize) -> Error {
    Error::Shape {
        operation: "matrix view",
        expected: format!(
            "a {rows} x {cols} matrix with strides {} and {} inside the slice, without overlap",
            strides.0, strides.1
        ),
        got: format!("a slice of {len} elements"),
    }
}

/// One past the largest offset that the matrix addresses, or `None` where it overflows.
fn extent(rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> Option<usize> {
    if rows == 0 || cols == 0 {
        return Some(0);
    }
    let last = (rows - 1).checked_mul(row_stride)?.checked_add((cols - 1).checked_mul(col_stride)?)?;
    last.checked_add(1)
}

impl<'a, T> MatRef<'a, T> {
    /// A row-major matrix: element (i, j) at `i * cols + j`.
    ///
    /// # Errors
    /// If the slice does not have exactly `rows * cols` elements.
    pub fn row_major(data: &'a [T], rows: usize, cols: usize) -> Result<Self, Error> {
        if rows.checked_mul(cols) != Some(data.len()) {
            return Err(shape_error(rows, cols, (cols, 1), data.len()));
        }
        Ok(Self { data, rows, cols, row_stride: cols, col_stride: 1 })
    }

    /// A matrix with any strides, in elements.
    ///
    /// # Errors
    /// If an element would lie outside the slice.
    pub fn with_strides(
        data: &'a [T],
        (rows, cols): (usize, usize),
        (row_stride, col_stride): (usize, usize),
    ) -> Result<Self, Error> {
        match extent(rows, cols, row_stride, col_stride) {
            Some(end) if end <= data.len() => Ok(Self { data, rows, cols, row_stride, col_stride }),
            _ => Err(shape_error(rows, cols, (row_stride, col_stride), data.len())),
        }
    }

    /// The transpose: the same elements with rows and columns exchanged.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// The number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }
    /// The distance between two elements of a column, in elements.
    pub fn row_stride(&self) -> usize {
        self.row_stride
    }
    /// The distance between two elements of a row, in elements.
    pub fn col_stride(&self) -> usize {
        self.col_stride
    }
    /// The slice that the strides index.
    pub fn data(&self) -> &'a [T] {
        self.data
    }
}

impl<'a, T: Copy> MatRef<'a, T> {
    /// The element in row `i`, column `j`.
    ///
    /// # Panics
    /// If the index is outside the matrix.
    pub fn at(&self, i: usize, j: usize) -> T {
        assert!(
            i < self.rows && j < self.cols,
            "({i}, {j}) is outside a {} x {} matrix",
            self.rows,
            self.cols
        );
        self.data[i * self.row_stride + j * self.col_stride]
    }
}

impl<'a, T> MatMut<'a, T> {
    /// A row-major matrix: element (i, j) at `i * cols + j`.
    ///
    /// # Errors
    /// If the slice does not have exactly `rows * cols` elements.
    pub fn row_major(data: &'a mut [T], rows: usize, cols: usize) -> Result<Self, Error> {
        if rows.checked_mul(cols) != Some(data.len()) {
            return Err(shape_error(rows, cols, (cols, 1), data.len()));
        }
        Self::with_strides(data, (rows, cols), (cols, 1))
    }

    /// A matrix with any strides, in elements.
    ///
    /// # Errors
    /// If an element would lie outside the slice or two index pairs would address the same one.
    pub fn with_strides(
        data: &'a mut [T],
        (rows, cols): (usize, usize),
        (row_stride, col_stride): (usize, usize),
    ) -> Result<Self, Error> {
        let inside = extent(rows, cols, row_stride, col_stride).is_some_and(|end| end <= data.len());
        let empty = rows == 0 || cols == 0;
        // Rows do not meet if one row ends before the next begins, or the same for columns.
        let apart = empty
            || ((cols == 1 || col_stride > 0)
                && (rows == 1 || row_stride > (cols - 1).saturating_mul(col_stride)))
            || ((rows == 1 || row_stride > 0)
                && (cols == 1 || col_stride > (rows - 1).saturating_mul(row_stride)));
        if !inside || !apart {
            return Err(shape_error(rows, cols, (row_stride, col_stride), data.len()));
        }
        Ok(Self {
            len: data.len(),
            data: data.as_mut_ptr(),
            rows,
            cols,
            row_stride,
            col_stride,
            borrow: PhantomData,
        })
    }

    /// The transpose: the same elements with rows and columns exchanged.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    /// The same matrix for a shorter time.
    pub fn reborrow(&mut self) -> MatMut<'_, T> {
        MatMut { borrow: PhantomData, ..*self }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// The number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }
    /// The distance between two elements of a column, in elements.
    pub fn row_stride(&self) -> usize {
        self.row_stride
    }
    /// The distance between two elements of a row, in elements.
    pub fn col_stride(&self) -> usize {
        self.col_stride
    }
}
