//! Matrix products: C = A B and C += A B, any strides, one definition of every bit.
//!
//! Element (i, j) is one chain of fused multiply-adds over k, ascending (N2); [`gemm_over_samples`]
//! has the rule for sums over samples (N3). A row of C depends on the same row of A alone, so it
//! does not change with the batch that it sits in. A NaN is a NaN at every level, but its
//! payload is not part of the definition (N8).
//!
//! The speed comes from five loops that cut C into tiles, so that every cache level holds what it
//! is read for most often (after Goto and van de Geijn, 2008; sizes in `blocking.rs`):
//!
//! ```text
//! LOOP 5  columns of C by nc       a chunk of B      level-3 cache
//! LOOP 4    k by kc
//! LOOP 3      rows of C by mc      a block of A      level-2 cache
//! LOOP 2        columns by nr      a panel of B      level-2 cache
//! LOOP 1          rows by mr       a tile of C       registers: microkernel.rs
//! ```
//!
//! None of them reorders a chain: a tile loads C, continues the chains of its elements and stores
//! C. So the bits depend neither on the sizes nor on the level nor on the threads, which share
//! out tiles of C and nothing else.

mod blocking;
mod chunks;
pub mod ladder;
#[allow(unsafe_code)] // checks its bounds once per tile instead of once per element
mod microkernel;
mod pack;
mod row;
mod scratch;

use blocking::{Blocking, Even};
pub(crate) use chunks::Compiled;
use chunks::Product;
use microkernel::{LARGEST_TILE, Operand, Tile, micro_kernel};
use pack::{BlockOfA, ChunkOfB};
use scratch::{Lease, Scratch};

use crate::simd::{Simd, Vector};
use crate::{Element, Error, Exec, MatMut, MatRef};

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
    Product::of(a, b, c).compute(exec);
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
    Product { start: Start::Old, ..Product::of(a, b, c) }.compute(exec);
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
    Product { chain: chunk, ..Product::of(a, b, c) }.compute(exec);
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

/// The five loops: a product in which every element is one chain, on the calling thread.
#[inline(always)]
fn one_chain<T: Element, S: Simd>(
    simd: S,
    start: Start,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    mut c: MatMut<'_, T>,
) {
    let (m, n, k) = (c.rows(), c.cols(), a.cols());
    if m == 0 || n == 0 || k == 0 {
        if start == Start::Zero {
            (0..m).for_each(|i| (0..n).for_each(|j| c.set(i, j, T::ZERO)));
        }
        return;
    }
    if m == 1 && b.col_stride() == 1 && (c.col_stride() == 1 || n == 1) {
        return row::product(simd, start, a, b, c.row_mut(0));
    }
    let lanes = T::Vector::<S>::LANES;
    let unit_stride = a.row_stride() == 1 || a.col_stride() == 1;
    let sizes = Blocking::new::<T, S>((m, n, k), unit_stride, b.col_stride() == 1);
    let mut scratch = Lease::take();
    let Scratch { a: a_block, b: b_chunk, .. } = &mut *scratch;
    // LOOP 5: columns of C and B, counted in registers.
    for chunk in Even::at_most(sizes.nc, n.div_ceil(lanes)).runs() {
        let columns = chunk.start * lanes..n.min(chunk.end * lanes);
        let mut c = c.tile(0..m, columns.clone());
        let panels = Even::at_most(sizes.nr, chunk.len());
        // LOOP 4: k. From the second block on, the chains continue from C.
        let mut start = start;
        for depth in Even::at_most(sizes.kc, k).runs() {
            let b = ChunkOfB::new(simd, &sizes, panels, b.tile(depth.clone(), columns.clone()), b_chunk);
            // LOOP 3: rows of C and A.
            for rows in Even::at_most(sizes.mc, m).runs() {
                let a = BlockOfA::new(simd, &sizes, a.tile(rows.clone(), depth.clone()), a_block);
                // LOOP 2: panels of B and C.
                for panel in panels.runs() {
                    let columns = panel.start * lanes..c.cols().min(panel.end * lanes);
                    tiles(simd, start, sizes.mr, a, b.panel(panel), c.tile(rows.clone(), columns));
                }
            }
            start = Start::Old;
        }
    }
}

/// LOOP 1: the tiles of a panel, from top to bottom.
#[inline(always)]
fn tiles<T: Element, S: Simd>(
    simd: S,
    start: Start,
    mr: usize,
    a: BlockOfA<'_, T>,
    b: Operand<'_, T>,
    mut c: MatMut<'_, T>,
) {
    let cols = c.cols();
    let vectors = cols.div_ceil(T::Vector::<S>::LANES);
    let contiguous = c.col_stride() == 1 || cols == 1;
    for rows in Even::at_most(mr, c.rows()).runs() {
        let kernel = micro_kernel::<T, S>(rows.len(), vectors);
        let a_tile = a.tile(rows.clone());
        let c = c.tile(rows, 0..cols);
        if contiguous {
            kernel(simd, Tile { start, k: a.depth(), a: a_tile, b, c });
        } else {
            through_a_copy(c, |c| kernel(simd, Tile { start, k: a.depth(), a: a_tile, b, c }));
        }
    }
}

/// Calls `f` with a row-major copy of the tile `c` and writes back what it has become.
fn through_a_copy<T: Element>(mut c: MatMut<'_, T>, f: impl FnOnce(MatMut<'_, T>)) {
    let (rows, cols) = (c.rows(), c.cols());
    let mut copy = [T::ZERO; LARGEST_TILE];
    let copy = &mut copy[..rows * cols];
    for (i, row) in copy.chunks_exact_mut(cols).enumerate() {
        row.iter_mut().enumerate().for_each(|(j, x)| *x = c.at(i, j));
    }
    f(MatMut::of_rows(copy, rows, cols));
    for (i, row) in copy.chunks_exact(cols).enumerate() {
        row.iter().enumerate().for_each(|(j, &x)| c.set(i, j, x));
    }
}
