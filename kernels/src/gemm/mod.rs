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

use std::ops::Range;

use blocking::{Blocking, Even, NEAR_B_BYTES, SMALL_A_BYTES, SMALL_B_BYTES};
pub(crate) use chunks::Compiled;
use chunks::Product;
use microkernel::{Ahead, LARGEST_TILE, MicroKernel, Operand, Strip, micro_kernel, tallest, widest};
use pack::{BlockOfA, ChunkOfB, Panel};
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

/// A product in which every element is one chain, on the calling thread: compiled once for each level.
fn one_chain<T: Element, S: Simd>(
    simd: S,
    start: Start,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    c: MatMut<'_, T>,
) {
    simd.vectorize(
        #[inline(always)]
        || by_shape(simd, start, a, b, c),
    );
}

/// The body that suits the shape. All of them compute the same chains.
#[inline(always)]
fn by_shape<T: Element, S: Simd>(
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
    if m == 1 && row::reads(&b) && (c.col_stride() == 1 || n == 1) {
        return row::product(simd, start, a, b, c.row_mut(0));
    }
    if n == 1 && row::reads(&a.t()) && (c.row_stride() == 1 || m == 1) {
        return row::product(simd, start, b.t(), a.t(), c.t().row_mut(0));
    }
    if is_small::<T, S>(&a, &b, &c) {
        return in_place(simd, start, a, b, c);
    }
    five_loops(simd, start, a, b, c);
}

/// The general case: what does not fit a cache is cut until it does.
#[inline(always)]
fn five_loops<T: Element, S: Simd>(
    simd: S,
    start: Start,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    mut c: MatMut<'_, T>,
) {
    let (m, n, k) = (c.rows(), c.cols(), a.cols());
    let lanes = T::Vector::<S>::LANES;
    let sizes =
        Blocking::new::<T, S>((m, n, k), [a.row_stride(), a.col_stride()], [b.row_stride(), b.col_stride()]);
    let mut scratch = Lease::take();
    let Scratch { a: a_copy, b: b_copy, .. } = &mut *scratch;
    let chunks = Even::at_most(sizes.nc, n.div_ceil(lanes));
    // LOOP 5: columns of C and B, counted in registers.
    for (at, chunk) in chunks.runs().enumerate() {
        let columns = chunk.start * lanes..n.min(chunk.end * lanes);
        let mut c = c.tile(0..m, columns.clone());
        let panels = Even::at_most(sizes.nr, chunk.len());
        // LOOP 4: k. From the second block on, the chains continue from C.
        let mut start = start;
        for depth in Even::at_most(sizes.kc, k).runs() {
            let mut b_chunk = ChunkOfB::new(
                simd,
                &sizes,
                panels,
                m > sizes.mc,
                b.tile(depth.clone(), columns.clone()),
                b_copy,
            );
            let mut ahead = Ahead::nothing();
            if m <= sizes.mc && b_chunk.reads_source() {
                let tiles = panels.count() * m.div_ceil(sizes.mr);
                let below = depth.end..k.min(depth.end + depth.len());
                let beside =
                    chunks.runs().nth(at + 1).map(|next| next.start * lanes..n.min(next.end * lanes));
                match beside {
                    _ if !below.is_empty() => {
                        ahead = Ahead::of(b.tile(below, columns.clone()), tiles, depth.len());
                    }
                    Some(beside) => ahead = Ahead::of(b.tile(0..k.min(sizes.kc), beside), tiles, depth.len()),
                    None => {}
                }
            }
            // LOOP 3: rows of C and A.
            for rows in Even::at_most(sizes.mc, m).runs() {
                let a = BlockOfA::new(simd, &sizes, a.tile(rows.clone(), depth.clone()), a_copy);
                // LOOP 2: panels of B and C.
                for panel in panels.runs() {
                    let columns = panel.start * lanes..c.cols().min(panel.end * lanes);
                    let c = c.tile(rows.clone(), columns);
                    tiles(simd, start, sizes.mr, a, (&mut b_chunk, panel), &mut ahead, c);
                }
                b_chunk.is_copied();
            }
            start = Start::Old;
        }
    }
}

/// Whether all operands may be read and written where they are.
#[inline(always)]
fn is_small<T: Element, S: Simd>(a: &MatRef<'_, T>, b: &MatRef<'_, T>, c: &MatMut<'_, T>) -> bool {
    let whole = T::Vector::<S>::FREE_MASKS || b.cols().is_multiple_of(T::Vector::<S>::LANES);
    let contiguous = b.col_stride() == 1 && (c.col_stride() == 1 || c.cols() == 1);
    // The last row of A decides how far it reaches, whichever of its strides is 1.
    let reach = a.rows() * a.row_stride() + a.cols() * a.col_stride();
    whole
        && contiguous
        && b.rows() * b.row_stride() * size_of::<T>()
            <= if a.rows() <= 8 { NEAR_B_BYTES } else { SMALL_B_BYTES }
        && reach * size_of::<T>() <= SMALL_A_BYTES
}

/// The two innermost loops alone, for operands that stay in the nearest caches.
#[inline(always)]
fn in_place<T: Element, S: Simd>(
    simd: S,
    start: Start,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    mut c: MatMut<'_, T>,
) {
    let lanes = T::Vector::<S>::LANES;
    let (m, n, k) = (c.rows(), c.cols(), a.cols());
    let panels = Even::at_most(widest(S::REGISTERS), n.div_ceil(lanes));
    let heights = Even::at_most(tallest(S::REGISTERS, panels.longest()), m);
    let mut ahead = Ahead::nothing();
    for panel in panels.runs() {
        let first = panel.start * lanes;
        let columns = first..n.min(panel.end * lanes);
        let b = Operand { data: &b.data()[first..], lane: 1, step: b.row_stride() };
        for (rows, height) in heights.strips() {
            let a = Operand {
                data: &a.data()[rows.start * a.row_stride()..],
                lane: a.row_stride(),
                step: a.col_stride(),
            };
            let c = c.tile(rows, columns.clone());
            let kernel = micro_kernel::<T, S>(height, panel.len());
            kernel(simd, &mut Strip { start, k, a, b, copy: &mut [], ahead: &mut ahead, far: false, c });
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
    (b, panel): (&mut ChunkOfB<'_, T>, Range<usize>),
    ahead: &mut Ahead<T>,
    mut c: MatMut<'_, T>,
) {
    let (cols, k) = (c.cols(), a.depth());
    let contiguous = c.col_stride() == 1 || cols == 1;
    let heights = Even::at_most(mr, c.rows());
    let mut first = true;
    for (rows, height) in heights.strips() {
        let kernel = micro_kernel::<T, S>(height, panel.len());
        // One at a time through a copy of C, or where tiles of A do not follow each other by its stride.
        let step = if contiguous && !a.is_in_tiles() { rows.len() } else { height };
        for top in rows.clone().step_by(step) {
            let rows = top..top + step;
            let Panel { operand, copy } = b.panel(panel.clone(), first);
            let mut strip = Strip {
                start,
                k,
                a: a.tile(rows.clone()),
                b: operand,
                copy,
                ahead: &mut *ahead,
                far: true,
                c: c.tile(rows, 0..cols),
            };
            first = false;
            if contiguous {
                kernel(simd, &mut strip);
            } else {
                through_a_copy(simd, kernel, strip);
            }
        }
    }
}

/// Multiplies into a row-major copy of the tile of C and writes back what it has become.
fn through_a_copy<T: Element, S: Simd>(simd: S, kernel: MicroKernel<T, S>, strip: Strip<'_, T>) {
    let mut c = strip.c;
    let (rows, cols) = (c.rows(), c.cols());
    let mut copy = [T::ZERO; LARGEST_TILE];
    let copy = &mut copy[..rows * cols];
    if strip.start == Start::Old {
        for (i, row) in copy.chunks_exact_mut(cols).enumerate() {
            row.iter_mut().enumerate().for_each(|(j, x)| *x = c.at(i, j));
        }
    }
    kernel(simd, &mut Strip { c: MatMut::of_rows(copy, rows, cols), ..strip });
    for (i, row) in copy.chunks_exact(cols).enumerate() {
        row.iter().enumerate().for_each(|(j, &x)| c.set(i, j, x));
    }
}
