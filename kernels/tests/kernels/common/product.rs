//! Matrix products to be compared with the contract's plain loops.

use kernels::gemm::Bias;
use kernels::{Element, Exec, MatMut, MatRef, gemm, reference};

use super::{Values, same_bits};

/// How an operand lies in memory.
#[derive(Clone, Copy, Debug)]
pub enum Layout {
    RowMajor,
    ColumnMajor,
    /// Both strides larger than needed.
    Spread,
    /// Contiguous rows with so many values between them.
    Padded(usize),
}

/// One of each kind.
pub const LAYOUTS: [Layout; 4] = [Layout::RowMajor, Layout::ColumnMajor, Layout::Spread, Layout::Padded(3)];

impl Layout {
    /// Strides, and the length of the slice they need.
    pub fn of(self, rows: usize, cols: usize) -> ((usize, usize), usize) {
        match self {
            Self::RowMajor => ((cols, 1), rows * cols),
            Self::ColumnMajor => ((1, rows), rows * cols),
            Self::Spread => ((3 * cols + 1, 3), rows * (3 * cols + 1)),
            Self::Padded(by) => ((cols + by, 1), rows * (cols + by)),
        }
    }
}

/// Which of the three products.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    Product,
    Accumulate,
    OverSamples(usize),
}

/// One product to be compared.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// m, n, k
    pub shape: (usize, usize, usize),
    /// Of A, B and C.
    pub layouts: [Layout; 3],
    pub operation: Operation,
}

/// A case with its operands' slices and what C holds before.
pub struct Inputs<T> {
    case: Case,
    a: Vec<T>,
    b: Vec<T>,
    old: Vec<T>,
}

impl Case {
    pub fn row_major(m: usize, n: usize, k: usize) -> Self {
        Self { shape: (m, n, k), layouts: [Layout::RowMajor; 3], operation: Operation::Product }
    }

    pub fn random(values: &mut Values, size: impl Fn(&mut Values) -> usize) -> Self {
        let layout = |values: &mut Values| LAYOUTS[values.below(LAYOUTS.len())];
        let shape = (size(values), size(values), size(values));
        let operation = match values.below(3) {
            0 => Operation::Product,
            1 => Operation::Accumulate,
            _ => Operation::OverSamples(1 + values.below(shape.2 + 1)),
        };
        Self { shape, layouts: [layout(values), layout(values), layout(values)], operation }
    }

    /// The operands, and the old C, from `values(length)`.
    pub fn inputs<T>(self, mut values: impl FnMut(usize) -> Vec<T>) -> Inputs<T> {
        let (m, n, k) = self.shape;
        let [a, b, c] = self.layouts;
        Inputs { case: self, a: values(a.of(m, k).1), b: values(b.of(k, n).1), old: values(c.of(m, n).1) }
    }
}

impl<T: Element> Inputs<T> {
    /// The slice of C after `multiply(operation, a, b, c)`.
    pub fn compute(
        &self,
        multiply: impl FnOnce(Operation, MatRef<'_, T>, MatRef<'_, T>, MatMut<'_, T>),
    ) -> Vec<T> {
        let Case { shape: (m, n, k), layouts: [a_layout, b_layout, c_layout], operation } = self.case;
        let mut out = self.old.clone();
        let a = MatRef::with_strides(&self.a, (m, k), a_layout.of(m, k).0).unwrap();
        let b = MatRef::with_strides(&self.b, (k, n), b_layout.of(k, n).0).unwrap();
        multiply(operation, a, b, MatMut::with_strides(&mut out, (m, n), c_layout.of(m, n).0).unwrap());
        out
    }

    /// What the plain loops make of it.
    pub fn reference(&self) -> Vec<T> {
        self.compute(|operation, a, b, c| match operation {
            Operation::Product => reference::gemm::gemm(a, b, c),
            Operation::Accumulate => reference::gemm::gemm_acc(a, b, c),
            Operation::OverSamples(chunk) => reference::gemm::gemm_over_samples(chunk, a, b, c),
        })
    }

    /// Compares the kernel at `exec`.
    pub fn check(&self, exec: Exec, want: &[T]) -> Result<(), String> {
        self.check_of(format_args!("{exec:?}"), want, |operation, a, b, c| {
            match operation {
                Operation::Product => gemm::gemm(exec, a, b, c),
                Operation::Accumulate => gemm::gemm_acc(exec, a, b, c),
                Operation::OverSamples(chunk) => gemm::gemm_over_samples(exec, chunk, a, b, c),
            }
            .unwrap();
        })
    }

    /// Compares `multiply`. The whole slice of C is compared, so a write between its rows or columns is found too.
    pub fn check_of(
        &self,
        name: impl std::fmt::Display,
        want: &[T],
        multiply: impl FnOnce(Operation, MatRef<'_, T>, MatRef<'_, T>, MatMut<'_, T>),
    ) -> Result<(), String> {
        same_bits(format_args!("{:?} of {} at {name}", self.case, T::NAME), &self.compute(multiply), want)
    }
}

/// What a bias is one value for each of.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    Nothing,
    Rows,
    Columns,
}

/// A product to which a bias is added.
pub struct Biased<T> {
    product: Inputs<T>,
    of: Of,
    bias: Vec<T>,
}

impl Of {
    pub fn inputs<T>(self, case: Case, mut values: impl FnMut(usize) -> Vec<T>) -> Biased<T> {
        let (m, n, _) = case.shape;
        let bias = values(match self {
            Self::Nothing => 0,
            Self::Rows => m,
            Self::Columns => n,
        });
        Biased { product: case.inputs(values), of: self, bias }
    }
}

impl<T: Element> Biased<T> {
    /// The slice of C by the plain loops.
    pub fn reference(&self) -> Vec<T> {
        self.product.compute(|_, a, b, mut c| {
            reference::gemm::gemm(a, b, c.reborrow());
            for i in 0..c.rows() {
                for j in 0..c.cols() {
                    match self.of {
                        Of::Nothing => {}
                        Of::Rows => c.set(i, j, c.at(i, j) + self.bias[i]),
                        Of::Columns => c.set(i, j, c.at(i, j) + self.bias[j]),
                    }
                }
            }
        })
    }

    /// Compares the kernel at `exec`.
    pub fn check(&self, exec: Exec, want: &[T]) -> Result<(), String> {
        let bias = match self.of {
            Of::Nothing => Bias::None,
            Of::Rows => Bias::OfRows(&self.bias),
            Of::Columns => Bias::OfColumns(&self.bias),
        };
        self.product.check_of(format_args!("{exec:?} with a bias of {:?}", self.of), want, |_, a, b, c| {
            gemm::gemm_bias(exec, a, b, bias, c).unwrap();
        })
    }
}
