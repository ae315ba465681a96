//! Matrices as views: a slice of elements with two strides.

use std::marker::PhantomData;
use std::ops::Range;

use crate::Error;

/// A matrix of `rows` x `cols` read from a slice: element (i, j) is at
/// `i * row_stride + j * col_stride`. A transpose swaps the strides and copies nothing.
#[derive(Clone, Copy, Debug)]
pub struct MatRef<'a, T> {
    data: &'a [T],
    layout: Layout,
}

/// A matrix of `rows` x `cols` written through a slice, addressed as [`MatRef`].
///
/// No two index pairs address the same element, so that its parts may be written by different
/// threads; the constructors check it.
#[derive(Debug)]
pub struct MatMut<'a, T> {
    data: *mut T,
    layout: Layout,
    borrow: PhantomData<&'a mut [T]>,
}

/// Sizes, and distances in elements.
#[derive(Clone, Copy, Debug)]
struct Layout {
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl Layout {
    fn row_major(rows: usize, cols: usize) -> Self {
        Self { rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// The layout, or an error about a slice of `len` elements that it does not fit.
    #[inline]
    fn valid_if(self, valid: bool, len: usize) -> Result<Self, Error> {
        if valid { Ok(self) } else { Err(self.refused(len)) }
    }

    #[cold]
    fn refused(self, len: usize) -> Error {
        let Self { rows, cols, row_stride, col_stride } = self;
        Error::Shape {
            operation: "matrix view",
            expected: format!(
                "a {rows} x {cols} matrix with strides {row_stride} and {col_stride} inside the slice, without overlap"
            ),
            got: format!("a slice of {len} elements"),
        }
    }

    /// One past the largest offset that the matrix addresses, or `None` where it overflows.
    fn end(self) -> Option<usize> {
        if self.rows == 0 || self.cols == 0 {
            return Some(0);
        }
        let (row, col) = (self.rows - 1, self.cols - 1);
        row.checked_mul(self.row_stride)?.checked_add(col.checked_mul(self.col_stride)?)?.checked_add(1)
    }

    fn is_inside(self, len: usize) -> bool {
        self.end().is_some_and(|end| end <= len)
    }

    /// Whether no two index pairs address the same element: one row ends before the next begins, or the same for columns.
    fn is_disjoint(self) -> bool {
        let nested = |inner: usize, inner_stride: usize, outer: usize, outer_stride: usize| {
            (inner == 1 || inner_stride > 0)
                && (outer == 1 || outer_stride > (inner - 1).saturating_mul(inner_stride))
        };
        let Self { rows, cols, row_stride, col_stride } = self;
        rows == 0
            || cols == 0
            || nested(cols, col_stride, rows, row_stride)
            || nested(rows, row_stride, cols, col_stride)
    }

    #[inline(always)]
    fn t(self) -> Self {
        let Self { rows, cols, row_stride, col_stride } = self;
        Self { rows: cols, cols: rows, row_stride: col_stride, col_stride: row_stride }
    }

    /// Where element (i, j) is.
    #[inline(always)]
    fn offset(self, i: usize, j: usize) -> usize {
        let (rows, cols) = (self.rows, self.cols);
        assert!(i < rows && j < cols, "({i}, {j}) is outside a {rows} x {cols} matrix");
        i * self.row_stride + j * self.col_stride
    }

    /// Where a submatrix begins and its layout; an empty one has no first element and begins at 0.
    #[inline(always)]
    fn submatrix(self, rows: Range<usize>, cols: Range<usize>) -> (usize, Self) {
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
        let empty = height == 0 || width == 0;
        let offset = if empty { 0 } else { rows.start * self.row_stride + cols.start * self.col_stride };
        (offset, Self { rows: height, cols: width, ..self })
    }
}

/// What both views have: constructors from a slice, and the layout's parts.
macro_rules! view {
    ($slice:ty, $valid:expr, $errors:literal) => {
        /// A row-major matrix: element (i, j) at `i * cols + j`.
        ///
        /// # Errors
        /// If the slice does not have exactly `rows * cols` elements.
        pub fn row_major(data: $slice, rows: usize, cols: usize) -> Result<Self, Error> {
            let whole = rows.checked_mul(cols) == Some(data.len());
            Ok(Self::new(data, Layout::row_major(rows, cols).valid_if(whole, data.len())?))
        }

        /// A matrix with any strides, in elements.
        ///
        /// # Errors
        #[doc = $errors]
        pub fn with_strides(
            data: $slice,
            (rows, cols): (usize, usize),
            (row_stride, col_stride): (usize, usize),
        ) -> Result<Self, Error> {
            let layout = Layout { rows, cols, row_stride, col_stride };
            let layout = layout.valid_if($valid(layout, data.len()), data.len())?;
            Ok(Self::new(data, layout))
        }

        /// The front of a slice as a row-major matrix.
        ///
        /// # Panics
        /// If the slice is too short.
        pub(crate) fn of_rows(data: $slice, rows: usize, cols: usize) -> Self {
            assert!(rows * cols <= data.len());
            Self::new(data, Layout::row_major(rows, cols))
        }

        /// The transpose: the same elements with rows and columns exchanged.
        #[must_use]
        pub fn t(self) -> Self {
            Self { layout: self.layout.t(), ..self }
        }

        /// The number of rows.
        pub fn rows(&self) -> usize {
            self.layout.rows
        }
        /// The number of columns.
        pub fn cols(&self) -> usize {
            self.layout.cols
        }
        /// The distance between two elements of a column, in elements.
        pub fn row_stride(&self) -> usize {
            self.layout.row_stride
        }
        /// The distance between two elements of a row, in elements.
        pub fn col_stride(&self) -> usize {
            self.layout.col_stride
        }
    };
}

impl<'a, T> MatRef<'a, T> {
    view!(&'a [T], Layout::is_inside, "If an element would lie outside the slice.");

    fn new(data: &'a [T], layout: Layout) -> Self {
        Self { data, layout }
    }

    /// The slice that the strides index.
    pub fn data(&self) -> &'a [T] {
        self.data
    }

    /// The submatrix of the given rows and columns.
    ///
    /// # Panics
    /// If it reaches outside the matrix.
    #[must_use]
    #[inline(always)]
    pub fn submatrix(self, rows: Range<usize>, cols: Range<usize>) -> Self {
        let (offset, layout) = self.layout.submatrix(rows, cols);
        Self { data: &self.data[offset..], layout }
    }
}

impl<T: Copy> MatRef<'_, T> {
    /// The element in row `i`, column `j`.
    ///
    /// # Panics
    /// If the index is outside the matrix.
    pub fn at(&self, i: usize, j: usize) -> T {
        self.data[self.layout.offset(i, j)]
    }
}

// SAFETY: a `MatMut` is the only way to its elements for as long as it lives (no two index pairs
// share an element, and parts of one matrix share none), as a `&mut [T]` is to its own.
unsafe impl<T: Send> Send for MatMut<'_, T> {}

impl<'a, T> MatMut<'a, T> {
    view!(
        &'a mut [T],
        |layout: Layout, len| layout.is_inside(len) && layout.is_disjoint(),
        "If an element would lie outside the slice or two index pairs would address the same one."
    );

    fn new(data: &'a mut [T], layout: Layout) -> Self {
        Self { data: data.as_mut_ptr(), layout, borrow: PhantomData }
    }

    /// The same matrix for a shorter time.
    pub fn reborrow(&mut self) -> MatMut<'_, T> {
        MatMut { borrow: PhantomData, ..*self }
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
        let Layout { rows, cols, row_stride, col_stride } = self.layout;
        assert!(i < rows, "row {i} is outside a {rows} x {cols} matrix");
        assert!(col_stride == 1 || cols <= 1, "the columns are {col_stride} apart");
        if cols == 0 {
            return &mut [];
        }
        // SAFETY: the constructor has checked that the row lies inside the slice.
        let first = unsafe { self.data.add(i * row_stride) };
        // SAFETY: as before; its elements are this matrix's own, and `&mut self` lends them to nobody else.
        unsafe { std::slice::from_raw_parts_mut(first, cols) }
    }

    /// The rows before `at` and the rows from `at`, which different threads may write.
    ///
    /// # Panics
    /// If `at` is larger than the number of rows.
    #[must_use]
    pub fn split_rows(self, at: usize) -> (Self, Self) {
        let Layout { rows, cols, .. } = self.layout;
        let (_, upper) = self.layout.submatrix(0..at, 0..cols);
        let (below, lower) = self.layout.submatrix(at..rows, 0..cols);
        (Self { layout: upper, ..self }, Self { data: self.data.wrapping_add(below), layout: lower, ..self })
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

    /// The submatrix of the given rows and columns, for a shorter time.
    ///
    /// # Panics
    /// If it reaches outside the matrix.
    #[inline(always)]
    pub fn submatrix(&mut self, rows: Range<usize>, cols: Range<usize>) -> MatMut<'_, T> {
        let (offset, layout) = self.layout.submatrix(rows, cols);
        MatMut { data: self.data.wrapping_add(offset), layout, borrow: PhantomData }
    }

    /// Where element (i, j) is, which is a valid address.
    #[inline(always)]
    fn address(&self, i: usize, j: usize) -> *mut T {
        self.data.wrapping_add(self.layout.offset(i, j))
    }
}

impl<T: Copy> MatMut<'_, T> {
    /// The element in row `i`, column `j`.
    ///
    /// # Panics
    /// If the index is outside the matrix.
    #[inline(always)]
    pub fn at(&self, i: usize, j: usize) -> T {
        // SAFETY: the constructor has checked that every element lies inside the slice, and only this matrix may write it.
        unsafe { self.address(i, j).read() }
    }

    /// Writes the element in row `i`, column `j`.
    ///
    /// # Panics
    /// If the index is outside the matrix.
    #[inline(always)]
    pub fn set(&mut self, i: usize, j: usize, value: T) {
        // SAFETY: as in `at`.
        unsafe { self.address(i, j).write(value) };
    }
}
