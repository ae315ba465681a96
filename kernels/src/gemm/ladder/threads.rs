//! Rung 6: rung 5 on all threads of the surrounding rayon pool.
//!
//! The threads share out tiles of C, never the sum: each element is still one chain. Small
//! products stay on one thread, where waking another would cost more than it saves.

use super::Sizes;
use crate::gemm::product::Product;
use crate::{Element, Exec, MatMut, MatRef};

/// C = A B, row-major.
pub fn multiply<T: Element>(exec: Exec, sizes: Sizes, a: &[T], b: &[T], c: &mut [T]) {
    let Sizes { m, n, k } = sizes;
    let (a, b) = (MatRef::of_rows(a, m, k), MatRef::of_rows(b, k, n));
    let exec = Exec::parallel(exec.level);
    T::product(Product::of(exec, a, b, MatMut::of_rows(c, m, n)), exec);
}
