//! Matrices as views: a slice of elements with two strides.

use std::marker::PhantomData;
use std::ops::Range;

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

    /// The front of a slice as a row-major matrix.
    ///
    /// # Panics
    /// If the slice is too short.
    pub(crate) fn of_rows(data: &'a [T], rows: usize, cols: usize) -> Self {
        assert!(rows * cols <= data.len());
        Self { data, rows, cols, row_stride: cols, col_stride: 1 }
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

    /// The tile with the given rows and columns.
    ///
    /// # Panics
    /// If the tile reaches outside the matrix.
    #[must_use]
    #[inline(always)]
    pub fn tile(self, rows: Range<usize>, cols: Range<usize>) -> Self {
        assert!(
            rows.start <= rows.end
                && rows.end <= self.rows
                && cols.start <= cols.end
                && cols.end <= self.cols,
            "rows {rows:?}, columns {cols:?} reach outside a {} x {} matrix",
            self.rows,
            self.cols
        );
        let (height, width) = (rows.end - rows.start, cols.end - cols.start);
        // An empty tile has no first element, so its offset may lie outside the slice.
        let empty = height == 0 || width == 0;
        let offset = if empty { 0 } else { rows.start * self.row_stride + cols.start * self.col_stride };
        Self { data: &self.data[offset..], rows: height, cols: width, ..self }
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

// SAFETY: a `MatMut` is the only way to its elements for as long as it lives (no two index pairs
// share an element, and tiles of one matrix share none), as a `&mut [T]` is to its own.
unsafe impl<T: Send> Send for MatMut<'_, T> {}

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
        Ok(Self { data: data.as_mut_ptr(), rows, cols, row_stride, col_stride, borrow: PhantomData })
    }

    /// The front of a slice as a row-major matrix.
    ///
    /// # Panics
    /// If the slice is too short.
    pub(crate) fn of_rows(data: &'a mut [T], rows: usize, cols: usize) -> Self {
        assert!(rows * cols <= data.len());
        Self { data: data.as_mut_ptr(), rows, cols, row_stride: cols, col_stride: 1, borrow: PhantomData }
    }

    /// The transpose: the same elements with rows and columns exchanged.
    #[must_use]
    pub fn t(self) -> Self {
        let (rows, row_stride) = (self.cols, self.col_stride);
        Self { rows, cols: self.rows, row_stride, col_stride: self.row_stride, ..self }
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

    /// The address of element (0, 0), from which the strides lead to every other one.
    #[inline(always)]
    pub(crate) fn as_mut_ptr(&mut self) -> *mut T {
        self.data
    }

    /// Row `i` as a slice, where the columns are contiguous.
    ///
    /// # Panics
    /// If there is no such row or `col_stride` is not 1 (a single column counts as contiguous).
    #[inline(always)]
    pub fn row_mut(&mut self, i: usize) -> &mut [T] {
        assert!(i < self.rows, "row {i} is outside a {} x {} matrix", self.rows, self.cols);
        assert!(self.col_stride == 1 || self.cols <= 1, "the columns are {} apart", self.col_stride);
        if self.cols == 0 {
            return &mut [];
        }
        // SAFETY: the constructor has checked that the row lies inside the slice; its elements
        // are this matrix's own, and `&mut self` lends them to nobody else.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(i * self.row_stride), self.cols) }
    }

    /// The rows before `at` and the rows from `at`, which different threads may write.
    ///
    /// # Panics
    /// If `at` is larger than the number of rows.
    #[must_use]
    pub fn split_rows(self, at: usize) -> (Self, Self) {
        let rows = self.rows;
        assert!(at <= rows, "cannot split {rows} rows at {at}");
        // The address of an empty part is never used, so it may point anywhere.
        let below = self.data.wrapping_add(at.wrapping_mul(self.row_stride));
        let upper = Self { rows: at, borrow: PhantomData, ..self };
        let lower = Self { data: below, rows: rows - at, borrow: PhantomData, ..self };
        (upper, lower)
    }

    /// The columns before `at` and the columns from `at`, which different threads may write.
    ///
    /// # Panics
    /// If `at` is larger than the number of columns.
    #[must_use]
    pub fn split_cols(self, at: usize) -> (Self, Self) {
        let (left, right) = self.t().split_rows(at);
        (left.t(), right.t())
    }

    /// The tile with the given rows and columns, for a shorter time.
    ///
    /// # Panics
    /// If the tile reaches outside the matrix.
    #[inline(always)]
    pub fn tile(&mut self, rows: Range<usize>, cols: Range<usize>) -> MatMut<'_, T> {
        assert!(
            rows.start <= rows.end
                && rows.end <= self.rows
                && cols.start <= cols.end
                && cols.end <= self.cols,
            "rows {rows:?}, columns {cols:?} reach outside a {} x {} matrix",
            self.rows,
            self.cols
        );
        // The address of an empty tile is never used, so it may point anywhere.
        let offset =
            rows.start.wrapping_mul(self.row_stride).wrapping_add(cols.start.wrapping_mul(self.col_stride));
        MatMut {
            data: self.data.wrapping_add(offset),
            rows: rows.end - rows.start,
            cols: cols.end - cols.start,
            row_stride: self.row_stride,
            col_stride: self.col_stride,
            borrow: PhantomData,
        }
    }
}

impl<T: Copy> MatMut<'_, T> {
    /// The address of element (i, j).
    ///
    /// # Panics
    /// If the index is outside the matrix.
    #[inline(always)]
    fn address(&self, i: usize, j: usize) -> *mut T {
        let (rows, cols) = (self.rows, self.cols);
        assert!(i < rows && j < cols, "({i}, {j}) is outside a {rows} x {cols} matrix");
        // SAFETY: the constructor has checked that every element lies inside the slice.
        unsafe { self.data.add(i * self.row_stride + j * self.col_stride) }
    }

    /// The element in row `i`, column `j`.
    ///
    /// # Panics
    /// If the index is outside the matrix.
    #[inline(always)]
    pub fn at(&self, i: usize, j: usize) -> T {
        // SAFETY: the address is valid, and only this matrix may write the element.
        unsafe { self.address(i, j).read() }
    }

    /// Writes the element in row `i`, column `j`.
    ///
    /// # Panics
    /// If the index is outside the matrix.
    #[inline(always)]
    pub fn set(&mut self, i: usize, j: usize, value: T) {
        // SAFETY: the address is valid, and only this matrix may touch the element.
        unsafe { self.address(i, j).write(value) }
    }
}
