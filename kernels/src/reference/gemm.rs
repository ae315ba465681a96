//! Matrix products (N2, N3).

use std::ops::Range;

use crate::{Element, MatMut, MatRef};

/// A product whose summed index is longer than this is cut in chunks of [`CHUNK`] (N2).
const LONGEST_CHAIN: usize = 8192;
const CHUNK: usize = 4096;

/// C = A B: per element one chain `c = fma(a, b, c)` from +0.0, k ascending (N2).
///
/// # Shapes
/// `a` [m, k], `b` [k, n], `c` [m, n], any strides.
///
/// # Panics
/// If the shapes do not fit.
pub fn gemm<T: Element>(a: MatRef<'_, T>, b: MatRef<'_, T>, c: MatMut<'_, T>) {
    product(chunk_of_products(a.cols()), |_| T::ZERO, a, b, c);
}

/// C += A B: the chain of [`gemm`] from the old value of C (N2).
///
/// # Shapes
/// As [`gemm`].
///
/// # Panics
/// If the shapes do not fit.
pub fn gemm_acc<T: Element>(a: MatRef<'_, T>, b: MatRef<'_, T>, c: MatMut<'_, T>) {
    product(chunk_of_products(a.cols()), |old| old, a, b, c);
}

/// C = A B where k counts samples: chunks of `chunk`, each one chain from +0.0, added in order (N3).
///
/// # Shapes
/// As [`gemm`].
///
/// # Panics
/// If the shapes do not fit or `chunk` is 0.
pub fn gemm_over_samples<T: Element>(chunk: usize, a: MatRef<'_, T>, b: MatRef<'_, T>, c: MatMut<'_, T>) {
    product(chunk, |_| T::ZERO, a, b, c);
}

fn chunk_of_products(k: usize) -> usize {
    if k > LONGEST_CHAIN { CHUNK } else { LONGEST_CHAIN }
}

fn product<T: Element>(
    chunk: usize,
    first: impl Fn(T) -> T,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    mut c: MatMut<'_, T>,
) {
    assert!(chunk > 0, "a chunk of no samples");
    assert_eq!((a.rows(), a.cols(), b.cols()), (c.rows(), b.rows(), c.cols()), "shapes do not fit");
    let k = a.cols();
    for i in 0..c.rows() {
        for j in 0..c.cols() {
            let chain =
                |start, terms: Range<usize>| terms.fold(start, |c, p| a.at(i, p).mul_add(b.at(p, j), c));
            let mut sum = chain(first(c.at(i, j)), 0..k.min(chunk));
            for start in (chunk..k).step_by(chunk) {
                sum += chain(T::ZERO, start..k.min(start.saturating_add(chunk)));
            }
            c.set(i, j, sum);
        }
    }
}
