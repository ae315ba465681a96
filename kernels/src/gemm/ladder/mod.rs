//! The ladder: one product written six times, from three plain loops to all cores, each rung with one change that can be
//! named, and all with the same bits. What each buys, and that blocking alone buys nothing, is in
//! `docs/matmul-ladder.md`.
//!
//! | rung | what changes | what it is for |
//! |---|---|---|
//! | [`naive`] | three loops, as the formula is written | |
//! | [`loop_order`] | the column index innermost | the chains of a row are independent: they fill vector registers |
//! | [`blocked`] | the loops cut into blocks | a block of B is used for many rows while it is in the cache |
//! | [`packed`] | B copied panel by panel, C held in registers | no load and store of C per step, no jumps between pages |
//! | [`simd`] | the project's gemm on one thread | explicit registers, tiles that fill them, sizes for each cache |
//! | [`threads`] | the same on all threads of the pool | every core has tiles of its own |
//!
//! The order of a sum is fixed by the contract (N2), so the rungs differ in time alone.

#![forbid(unsafe_code)]

pub mod blocked;
pub mod loop_order;
pub mod naive;
pub mod packed;
pub mod simd;
pub mod threads;

use super::product;
use crate::{Element, Error, Exec};

/// The sizes of a product: C [m, n] = A [m, k] B [k, n].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Rows of A and C.
    pub m: usize,
    /// Columns of B and C.
    pub n: usize,
    /// Columns of A, rows of B: the summed index.
    pub k: usize,
}

/// One way to compute a product.
#[derive(Clone, Copy, Debug)]
pub struct Rung<T> {
    /// Its name in tables.
    pub name: &'static str,
    multiply: fn(Exec, Sizes, &[T], &[T], &mut [T]),
}

impl<T: Element> Rung<T> {
    /// C = A B.
    ///
    /// # Shapes
    /// `a` [m, k], `b` [k, n], `c` [m, n], row-major; k at most 8192.
    ///
    /// # Errors
    /// If a slice does not have the length that `sizes` asks for, or k is larger than 8192, where
    /// the contract cuts a sum into chunks, which would hide what the rungs show.
    pub fn multiply(&self, exec: Exec, sizes: Sizes, a: &[T], b: &[T], c: &mut [T]) -> Result<(), Error> {
        let Sizes { m, n, k } = sizes;
        let lengths = [m.checked_mul(k), k.checked_mul(n), m.checked_mul(n)];
        let got = [a.len(), b.len(), c.len()];
        Error::unless(lengths == got.map(Some) && k <= product::LONGEST_CHAIN, "gemm ladder", || {
            let expected = format!("A, B and C for {m} x {n} x {k} with k <= {}", product::LONGEST_CHAIN);
            (expected, format!("slices of {}, {} and {}", got[0], got[1], got[2]))
        })?;
        (self.multiply)(exec, sizes, a, b, c);
        Ok(())
    }
}

/// All rungs, from the slowest to the fastest.
///
/// ```
/// use kernels::gemm::ladder::{Sizes, rungs};
///
/// let exec = kernels::Exec::from_env()?;
/// for rung in rungs::<f32>() {
///     let mut c = [0.0; 1];
///     rung.multiply(exec, Sizes { m: 1, n: 1, k: 2 }, &[1.0, 2.0], &[3.0, 4.0], &mut c)?;
///     assert_eq!(c, [11.0], "{}", rung.name);
/// }
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn rungs<T: Element>() -> [Rung<T>; 6] {
    T::rungs()
}

pub(crate) fn all<T: Element>() -> [Rung<T>; 6] {
    [
        Rung { name: "naive", multiply: naive::multiply },
        Rung { name: "loop-order", multiply: loop_order::multiply },
        Rung { name: "blocked", multiply: blocked::multiply },
        Rung { name: "packed", multiply: packed::multiply },
        Rung { name: "simd", multiply: simd::multiply },
        Rung { name: "threads", multiply: threads::multiply },
    ]
}
