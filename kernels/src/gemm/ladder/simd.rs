//! Rung 5: the project's own gemm on one thread.
//!
//! Tiles as large as the register file (8 x 48 in AVX-512), packed panels and blocks sized for
//! each cache, and no row computed that is not there: `gemm/mod.rs` and `gemm/microkernel.rs`.

use super::Sizes;
use crate::gemm::product::Product;
use crate::{Element, Exec, MatMut, MatRef};

/// C = A B, row-major.
pub fn multiply<T: Element>(exec: Exec, sizes: Sizes, a: &[T], b: &[T], c: &mut [T]) {
    let Sizes { m, n, k } = sizes;
    let (a, b) = (MatRef::of_rows(a, m, k), MatRef::of_rows(b, k, n));
    let exec = exec.on_one_thread();
    T::product(Product::of(exec, a, b, MatMut::of_rows(c, m, n)), exec);
}
