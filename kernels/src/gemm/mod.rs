//! Matrix products: C = A B and C += A B, any strides, one definition of every bit.
//!
//! Element (i, j) is one chain of fused multiply-adds over k, ascending (N2); [`gemm_over_samples`]
//! has the rule for sums over samples (N3). A row of C depends on the same row of A alone, so it
//! does not change with the batch that it sits in. A NaN is a NaN at every level, but its
//! payload is not part of the definition (N8).
//!
//! The speed comes from five loops that cut C into tiles, so that every cache holds what is
//! read most often (after Goto and van de Geijn, 2008):
//!
//! ```text
//! LOOP 5  columns of C by nc       a panel of B        L3
//! LOOP 4    k by kc
//! LOOP 3      rows of C by mc      a block of A        L2
//! LOOP 2        columns by nr      a micro-panel of B  L2
//! LOOP 1          rows by mr       a tile of C         registers
//! ```
//!
//! None of them reorders a chain: a tile starts from +0.0 or loads C, continues the chains of its
//! elements and stores C. So the bits depend neither on the sizes nor on the level nor on the threads, which share
//! out parts of C and nothing else.
//!
//! From a call to its multiply-adds, in this order:
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | the public functions |
//! | `product.rs` | which thread computes which part of C, where a chain ends, which body suits the shape |
//! | `loops.rs` | LOOP 5 to LOOP 1 |
//! | `strip.rs` | tiles of one height below each other |
//! | `microkernel.rs` | one tile: load C, multiply, store C |
//!
//! and beside them:
//!
//! | file | holds |
//! |---|---|
//! | `output.rs` | C with what its chains start from, and the epilogue: a bias |
//! | `small.rs`, `row.rs` | LOOP 2 and LOOP 1 alone, where L2 holds the operands; a single row of C |
//! | `blocking.rs`, `ranges.rs` | every size, from [`crate::tuning`]; ranges of even length |
//! | `pack.rs`, `prefetch.rs`, `transpose.rs` | copies of B, what is fetched early, a C with contiguous columns |
//! | `scratch.rs` | the buffers of a thread |
//! | [`ladder`] | the same product in six steps, from three plain loops |

mod blocking;
pub mod ladder;
mod loops;
#[allow(unsafe_code)] // the loads and stores of a tile
mod microkernel;
mod output;
mod pack;
mod prefetch;
mod product;
mod ranges;
mod row;
mod scratch;
mod small;
#[allow(unsafe_code)] // checks its bounds once per strip instead of once per element
mod strip;
#[allow(unsafe_code)] // transposes blocks of C where they are
mod transpose;

pub use output::Bias;
pub(crate) use product::Product;
pub use product::{CHUNK, LONGEST_CHAIN};

use crate::{Element, Error, Exec, MatMut, MatRef};
use output::Start;

/// C = A B.
///
/// Formula: c_ij = sum over p of a_ip b_pj, as one chain `c = fma(a, b, c)` from +0.0 with p
/// ascending; k > 8192 is cut in chunks of 4096 whose values are added in order (N2).
///
/// # Shapes
/// `a` [m, k], `b` [k, n], `c` [m, n], any strides: a transpose is another view of the same values.
///
/// # Errors
/// If the shapes do not fit.
///
/// # Source
/// Goto and van de Geijn, *Anatomy of high-performance matrix multiplication* (2008), for the
/// blocking; the order of the sum is the project's own.
///
/// ```
/// use kernels::{Exec, MatMut, MatRef, gemm};
///
/// let a = MatRef::row_major(&[1.0_f32, 2.0, 3.0, 4.0], 2, 2)?;
/// let b = MatRef::row_major(&[5.0, 6.0], 2, 1)?;
/// let mut c = [0.0; 2];
/// gemm::gemm(Exec::from_env()?, a, b, MatMut::row_major(&mut c, 2, 1)?)?;
/// assert_eq!(c, [17.0, 39.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn gemm<T: Element>(
    exec: Exec,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    c: MatMut<'_, T>,
) -> Result<(), Error> {
    check("gemm", &a, &b, &c)?;
    T::product(Product::of(exec, a, b, c), exec);
    Ok(())
}

/// C += A B: as [`gemm`], but the first chain starts from the old value of C.
///
/// # Shapes
/// As [`gemm`].
///
/// # Errors
/// If the shapes do not fit.
///
/// ```
/// use kernels::{Exec, MatMut, MatRef, gemm};
///
/// let a = MatRef::row_major(&[1.0_f32, 2.0, 3.0, 4.0], 2, 2)?;
/// let b = MatRef::row_major(&[5.0, 6.0], 2, 1)?;
/// let mut c = [100.0, 200.0];
/// gemm::gemm_acc(Exec::from_env()?, a, b, MatMut::row_major(&mut c, 2, 1)?)?;
/// assert_eq!(c, [117.0, 239.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn gemm_acc<T: Element>(
    exec: Exec,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    c: MatMut<'_, T>,
) -> Result<(), Error> {
    check("gemm_acc", &a, &b, &c)?;
    let mut product = Product::of(exec, a, b, c);
    product.out.start = Start::Old;
    T::product(product, exec);
    Ok(())
}

/// C = A B where k counts samples, as in a weight gradient.
///
/// Formula: k is cut in chunks of `chunk`, the last one shorter; each is one chain from +0.0;
/// the first chunk's value is taken and the others are added with one `+`, ascending (N3).
///
/// # Shapes
/// As [`gemm`]; `chunk` in samples.
///
/// # Errors
/// If the shapes do not fit or `chunk` is 0.
///
/// ```
/// use kernels::{Exec, MatMut, MatRef, gemm};
///
/// let x = MatRef::row_major(&[1.0_f32, 2.0, 3.0], 3, 1)?; // three samples of one feature
/// let delta = MatRef::row_major(&[10.0, 20.0, 30.0], 3, 1)?;
/// let mut grad = [0.0];
/// gemm::gemm_over_samples(Exec::from_env()?, 2, x.t(), delta, MatMut::row_major(&mut grad, 1, 1)?)?;
/// assert_eq!(grad, [(10.0 + 40.0) + 90.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn gemm_over_samples<T: Element>(
    exec: Exec,
    chunk: usize,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    c: MatMut<'_, T>,
) -> Result<(), Error> {
    check("gemm_over_samples", &a, &b, &c)?;
    Error::unless(chunk > 0, "gemm_over_samples", || {
        ("chunks of one sample or more".to_owned(), "chunks of 0".to_owned())
    })?;
    T::product(Product { chain: chunk, ..Product::of(exec, a, b, c) }, exec);
    Ok(())
}

/// C = A B + bias.
///
/// Formula: z_ij as in [`gemm`]; then the bias of its row or column with one `+` (N2), in registers or, where the product
/// is large, strip by strip in L1.
///
/// # Shapes
/// As [`gemm`]; a bias as long as C has rows or columns.
///
/// # Errors
/// If the shapes do not fit.
///
/// ```
/// use kernels::gemm::{Bias, gemm_bias};
/// use kernels::{Exec, MatMut, MatRef};
///
/// let x = MatRef::row_major(&[1.0_f32, 2.0], 2, 1)?; // two samples of one input
/// let w = MatRef::row_major(&[3.0, -3.0], 1, 2)?; // two units
/// let mut z = [0.0; 4];
/// gemm_bias(Exec::from_env()?, x, w, Bias::OfColumns(&[0.5, 4.0]), MatMut::row_major(&mut z, 2, 2)?)?;
/// assert_eq!(z, [3.5, 1.0, 6.5, -2.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn gemm_bias<T: Element>(
    exec: Exec,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    bias: Bias<'_, T>,
    c: MatMut<'_, T>,
) -> Result<(), Error> {
    check("gemm_bias", &a, &b, &c)?;
    bias.check(c.rows(), c.cols())?;
    let mut product = Product::of(exec, a, b, c);
    product.out.bias = bias;
    T::product(product, exec);
    Ok(())
}

fn check<T: Element>(
    operation: &'static str,
    a: &MatRef<'_, T>,
    b: &MatRef<'_, T>,
    c: &MatMut<'_, T>,
) -> Result<(), Error> {
    let [a, b, c] = [[a.rows(), a.cols()], [b.rows(), b.cols()], [c.rows(), c.cols()]];
    Error::unless(a[1] == b[0] && a[0] == c[0] && b[1] == c[1], operation, || {
        ("A [m, k], B [k, n] and C [m, n]".to_owned(), format!("A {a:?}, B {b:?} and C {c:?}"))
    })
}
