//! A matrix product as every library is asked for it: operands, strides, and the Rust libraries' calls.

use faer::linalg::matmul::matmul;
use faer::{Accum, Par};
use kernels::{Element, Exec, MatMut, MatRef, reference};

use crate::{assert_same_bits, uniform};

/// Sizes of C = op(A) op(B) and which operands are stored transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of C.
    pub m: usize,
    /// Columns of C.
    pub n: usize,
    /// The summed index.
    pub k: usize,
    /// A is stored [k, m], as in the weight gradient of a dense layer.
    pub trans_a: bool,
    /// B is stored [n, k], as in its input gradient.
    pub trans_b: bool,
}

impl Shape {
    /// C = A B.
    pub const fn ab(m: usize, n: usize, k: usize) -> Self {
        Self { m, n, k, trans_a: false, trans_b: false }
    }

    /// C = A' B.
    pub const fn atb(m: usize, n: usize, k: usize) -> Self {
        Self { trans_a: true, ..Self::ab(m, n, k) }
    }

    /// C = A B'.
    pub const fn abt(m: usize, n: usize, k: usize) -> Self {
        Self { trans_b: true, ..Self::ab(m, n, k) }
    }

    /// Floating-point operations.
    pub const fn flops(&self) -> usize {
        2 * self.m * self.n * self.k
    }

    /// `A'B 784 x 128 x 64`.
    pub fn name(&self) -> String {
        let a = if self.trans_a { "A'" } else { "A" };
        let b = if self.trans_b { "B'" } else { "B" };
        format!("{a}{b} {} x {} x {}", self.m, self.n, self.k)
    }
}

/// An element type that every Rust library here multiplies.
pub trait Number: Element + faer::traits::ComplexField {
    /// matrixmultiply's call for this type: m, k, n, then pointer and strides of A, B and C.
    ///
    /// # Safety
    /// Every element that sizes and strides address must lie inside its matrix.
    unsafe fn matrixmultiply(
        sizes: [usize; 3],
        a: (*const Self, [isize; 2]),
        b: (*const Self, [isize; 2]),
        c: (*mut Self, [isize; 2]),
    );
}

macro_rules! number {
    ($t:ident, $call:ident) => {
        impl Number for $t {
            unsafe fn matrixmultiply(
                [m, k, n]: [usize; 3],
                (a, [ar, ac]): (*const Self, [isize; 2]),
                (b, [br, bc]): (*const Self, [isize; 2]),
                (c, [cr, cc]): (*mut Self, [isize; 2]),
            ) {
                // SAFETY: the caller's promise.
                unsafe { matrixmultiply::$call(m, k, n, 1.0, a, ar, ac, b, br, bc, 0.0, c, cr, cc) }
            }
        }
    };
}

number!(f32, sgemm);
number!(f64, dgemm);

/// A product with random operands.
pub struct Product<T> {
    /// Its sizes.
    pub shape: Shape,
    /// A as stored, row-major.
    pub a: Vec<T>,
    /// B as stored, row-major.
    pub b: Vec<T>,
    /// C, row-major.
    pub c: Vec<T>,
}

impl<T: Number> Product<T> {
    /// Operands drawn from [-1, 1).
    pub fn new(shape: Shape) -> Self {
        let Shape { m, n, k, .. } = shape;
        let mut state = 1_u64;
        let mut values = |len: usize| -> Vec<T> { (0..len).map(|_| uniform(&mut state)).collect() };
        Self { shape, a: values(m * k), b: values(k * n), c: vec![T::ZERO; m * n] }
    }

    /// Row and column strides of A, then of B.
    fn strides(&self) -> [(usize, usize); 2] {
        let Shape { m, n, k, trans_a, trans_b } = self.shape;
        [if trans_a { (1, m) } else { (k, 1) }, if trans_b { (1, k) } else { (n, 1) }]
    }

    fn views(&mut self) -> (MatRef<'_, T>, MatRef<'_, T>, MatMut<'_, T>) {
        let [a, b] = self.strides();
        let Shape { m, n, k, .. } = self.shape;
        (
            MatRef::with_strides(&self.a, (m, k), a).expect("the strides fit"),
            MatRef::with_strides(&self.b, (k, n), b).expect("the strides fit"),
            MatMut::row_major(&mut self.c, m, n).expect("the sizes fit"),
        )
    }

    /// This project.
    pub fn ours(&mut self, exec: Exec) {
        let (a, b, c) = self.views();
        kernels::gemm::gemm(exec, a, b, c).expect("the shapes fit");
    }

    /// This project, C += A B.
    pub fn ours_acc(&mut self, exec: Exec) {
        let (a, b, c) = self.views();
        kernels::gemm::gemm_acc(exec, a, b, c).expect("the shapes fit");
    }

    /// This project, with k counting samples in chunks of `chunk`.
    pub fn ours_over_samples(&mut self, exec: Exec, chunk: usize) {
        let (a, b, c) = self.views();
        kernels::gemm::gemm_over_samples(exec, chunk, a, b, c).expect("the shapes fit");
    }

    /// The crate matrixmultiply, on one thread.
    pub fn matrixmultiply(&mut self) {
        let [a, b] = self.strides().map(|(row, col)| [row as isize, col as isize]);
        let Shape { m, n, k, .. } = self.shape;
        let c = (self.c.as_mut_ptr(), [n as isize, 1]);
        // SAFETY: the strides stay inside the three vectors, as `views` checks for ours.
        unsafe { T::matrixmultiply([m, k, n], (self.a.as_ptr(), a), (self.b.as_ptr(), b), c) }
    }

    /// The crate gemm.
    pub fn gemm_crate(&mut self, threads: gemm::Parallelism) {
        let [(ar, ac), (br, bc)] = self.strides().map(|(row, col)| (row as isize, col as isize));
        let Shape { m, n, k, .. } = self.shape;
        let (a, b, c) = (self.a.as_ptr(), self.b.as_ptr(), self.c.as_mut_ptr());
        let (zero, one, conjugate) = (T::ZERO, T::ONE, false);
        // SAFETY: as above; the crate names columns before rows.
        unsafe {
            gemm::gemm(
                m, n, k, c, 1, n as isize, conjugate, a, ac, ar, b, bc, br, zero, one, conjugate, conjugate,
                conjugate, threads,
            );
        }
    }

    /// The crate faer.
    pub fn faer(&mut self, threads: Par) {
        let [(ar, ac), (br, bc)] = self.strides().map(|(row, col)| (row as isize, col as isize));
        let Shape { m, n, k, .. } = self.shape;
        // SAFETY: as above.
        let (a, b, c) = unsafe {
            (
                faer::MatRef::from_raw_parts(self.a.as_ptr(), m, k, ar, ac),
                faer::MatRef::from_raw_parts(self.b.as_ptr(), k, n, br, bc),
                faer::MatMut::from_raw_parts_mut(self.c.as_mut_ptr(), m, n, n as isize, 1),
            )
        };
        matmul(c, Accum::Replace, a, b, T::ONE, threads);
    }

    /// Checks ours by bits against the plain loops, and leaves their C.
    ///
    /// # Panics
    /// If a bit differs.
    pub fn check_ours(&mut self, exec: Exec) {
        let (a, b, c) = self.views();
        reference::gemm::gemm(a, b, c);
        let want = self.c.clone();
        self.c.fill(T::from_f64(f64::NAN));
        self.ours(exec);
        assert_same_bits(&self.c, &want);
    }

    /// Checks [`Product::ours_acc`] and [`Product::ours_over_samples`] by bits against the plain loops.
    ///
    /// # Panics
    /// If a bit differs.
    pub fn check_sums(&mut self, exec: Exec, chunk: usize) {
        let mut state = 2_u64;
        let old: Vec<T> = self.c.iter().map(|_| uniform(&mut state)).collect();
        self.c.copy_from_slice(&old);
        let (a, b, c) = self.views();
        reference::gemm::gemm_acc(a, b, c);
        let want = std::mem::replace(&mut self.c, old);
        self.ours_acc(exec);
        assert_same_bits(&self.c, &want);
        let (a, b, c) = self.views();
        reference::gemm::gemm_over_samples(chunk, a, b, c);
        let want = self.c.clone();
        self.c.fill(T::from_f64(f64::NAN));
        self.ours_over_samples(exec, chunk);
        assert_same_bits(&self.c, &want);
    }

    /// Checks another library against the values that stand in C: within twice the bound of any
    /// order of the sum, 2 gamma_k |A| |B| (Higham, *Accuracy and stability*, 3.5).
    ///
    /// # Panics
    /// If a value is further off.
    pub fn check_theirs(&mut self, name: &str, library: impl FnOnce(&mut Self)) {
        let want = self.c.clone();
        self.c.fill(T::from_f64(f64::NAN));
        library(self);
        // |a| and |b| are below 1, so |A| |B| is below k.
        let k = self.shape.k as f64;
        let unit = if size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON } / 2.0;
        let bound = 2.0 * k * (k * unit) * 1.01;
        for (got, want) in self.c.iter().zip(&want) {
            let (got, want) = (got.to_f64(), want.to_f64());
            assert!((got - want).abs() <= bound, "{name}, {}: got {got}, want {want}", self.shape.name());
        }
    }
}
