//! Matrix products.
use crate::{Element, Error, Exec, MatMut, MatRef};

/// C = A B. One chain `c = fma(a, b, c)` per element from +0.0, k ascending; k > 8192 is cut in
/// chunks of 4096 (N2). Shapes: a [m, k], b [k, n], c [m, n], any strides.
pub fn gemm<T: Element>(
    exec: Exec,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    c: MatMut<'_, T>,
) -> Result<(), Error> {
    todo!("{exec:?}{a:?}{b:?}{c:?}")
}

/// C += A B: the chain starts from the old value of C (N2).
pub fn gemm_acc<T: Element>(
    exec: Exec,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    c: MatMut<'_, T>,
) -> Result<(), Error> {
    todo!("{exec:?}{a:?}{b:?}{c:?}")
}

/// C = A B where k counts samples (N3): k is cut in chunks of `chunk`, each one chain from +0.0;
/// the first chunk's value is taken, the others are added with one `+`, ascending.
pub fn gemm_over_samples<T: Element>(
    exec: Exec,
    chunk: usize,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    c: MatMut<'_, T>,
) -> Result<(), Error> {
    todo!("{exec:?}{chunk}{a:?}{b:?}{c:?}")
}

/// The ladder: `(name, product)` for naive, loop order, blocked, packed, SIMD; each computes C = A B, row-major.
pub mod ladder {}
