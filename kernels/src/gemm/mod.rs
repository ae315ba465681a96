//! Matrix products: C = A B and C += A B, any strides, one definition of every bit.
//!
//! Element (i, j) is one chain of fused multiply-adds over k, ascending (N2); [`gemm_over_samples`]
//! has the rule for sums over samples (N3). A row of C depends on the same row of A alone, so it
//! does not change with the batch that it sits in. A NaN is a NaN at every level, but its
//! payload is not part of the definition (N8).

#![forbid(unsafe_code)]

use crate::{Element, Error, Exec, MatMut, MatRef};

/// A product whose summed index is longer than this is cut in chunks of [`CHUNK`] (N2).
const LONGEST_CHAIN: usize = 8192;
const CHUNK: usize = 4096;

/// C = A B.
///
/// Formula: c_ij = sum over p of a_ip b_pj, as one chain `c = fma(a, b, c)` from +0.0 with p
/// ascending; k > 8192 is cut in chunks of 4096 whose values are added in order (N2).
///
/// # Shapes
/// `a` [m, k], `b` [k, n], `c` [m, n], any strides: a transpose is free.
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
    product(exec, Start::Zero, chain_length(a.cols()), a, b, c);
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
    product(exec, Start::Old, chain_length(a.cols()), a, b, c);
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
    if chunk == 0 {
        return Err(Error::Shape {
            operation: "gemm_over_samples",
            expected: "chunks of one sample or more".to_owned(),
            got: "chunks of 0".to_owned(),
        });
    }
    product(exec, Start::Zero, chunk, a, b, c);
    Ok(())
}

/// What the first chain of an element starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// +0.0
    Zero,
    /// The old value of C.
    Old,
}

fn chain_length(k: usize) -> usize {
    if k > LONGEST_CHAIN { CHUNK } else { LONGEST_CHAIN }
}

fn check<T: Element>(
    operation: &'static str,
    a: &MatRef<'_, T>,
    b: &MatRef<'_, T>,
    c: &MatMut<'_, T>,
) -> Result<(), Error> {
    if a.cols() == b.rows() && a.rows() == c.rows() && b.cols() == c.cols() {
        return Ok(());
    }
    Err(Error::Shape {
        operation,
        expected: "A [m, k], B [k, n] and C [m, n]".to_owned(),
        got: format!(
            "A [{}, {}], B [{}, {}] and C [{}, {}]",
            a.rows(),
            a.cols(),
            b.rows(),
            b.cols(),
            c.rows(),
            c.cols()
        ),
    })
}

/// The product whose chains are `chain` long, the first one from `start`.
fn product<T: Element>(
    exec: Exec,
    start: Start,
    chain: usize,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    mut c: MatMut<'_, T>,
) {
    let k = a.cols();
    exec.level.vectorize(
        #[inline(always)]
        || {
            for i in 0..c.rows() {
                for j in 0..c.cols() {
                    let mut sum = if start == Start::Old { c.at(i, j) } else { T::ZERO };
                    for p in 0..k.min(chain) {
                        sum = a.at(i, p).mul_add(b.at(p, j), sum);
                    }
                    for first in (chain..k).step_by(chain) {
                        let mut part = T::ZERO;
                        for p in first..k.min(first.saturating_add(chain)) {
                            part = a.at(i, p).mul_add(b.at(p, j), part);
                        }
                        sum += part;
                    }
                    c.set(i, j, sum);
                }
            }
        },
    );
}
