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
//! Operands that the level-2 cache holds need none but the innermost: their tiles are read where they are.
//!
//! None of them reorders a chain: a tile loads C, continues the chains of its elements and stores
//! C. So the bits depend neither on the sizes nor on the level nor on the threads, which share
//! out tiles of C and nothing else.

mod ahead;
mod blocking;
mod chunks;
mod epilogue;
pub mod ladder;
#[allow(unsafe_code)] // checks its bounds once per strip instead of once per element
mod microkernel;
mod pack;
mod row;
mod scratch;
#[allow(unsafe_code)] // the loads and stores of the micro-kernel
mod tile;
#[allow(unsafe_code)] // turns blocks of C where they are
mod turned;

use std::ops::Range;

use ahead::Ahead;
pub(crate) use blocking::Even;
use blocking::{Blocking, NEAR_ROWS_BYTES, SMALL_A_BYTES, SMALL_B_BYTES};
pub(crate) use chunks::Product;
pub use epilogue::Bias;
use microkernel::{
    Operand, Passing, Strip, add_bias, far_kernel, near_kernel, nearest, one_at_a_time, tallest, widest,
};
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

/// C = A B + bias.
///
/// Formula: z_ij as in [`gemm`]; then the bias of its row or column with one `+` (N2), in registers or, where the product
/// is large, strip by strip in the cache.
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
    Product { bias, ..Product::of(a, b, c) }.compute(exec);
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
#[inline(never)]
fn one_chain<T: Element, S: Simd>(
    simd: S,
    start: Start,
    bias: Bias<'_, T>,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    c: MatMut<'_, T>,
) {
    simd.vectorize(
        #[inline(always)]
        || by_shape(simd, start, bias, a, b, c),
    );
}

/// The body that suits the shape. All of them compute the same chains.
#[inline(always)]
fn by_shape<T: Element, S: Simd>(
    simd: S,
    start: Start,
    bias: Bias<'_, T>,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    mut c: MatMut<'_, T>,
) {
    let (m, n, k) = (c.rows(), c.cols(), a.cols());
    if m == 0 || n == 0 || k == 0 {
        if start == Start::Zero {
            (0..m).for_each(|i| (0..n).for_each(|j| c.set(i, j, T::ZERO)));
        }
        return add_bias(simd, bias, &mut c);
    }
    if const { S::PLAIN } {
        return five_loops(simd, start, bias, a, b, c);
    }
    if m == 1 && row::reads(&b) && (c.col_stride() == 1 || n == 1) {
        row::product(simd, start, a, b, c.row_mut(0));
        return add_bias(simd, bias, &mut c);
    }
    if n == 1 && row::reads(&a.t()) && (c.row_stride() == 1 || m == 1) {
        row::product(simd, start, b.t(), a.t(), c.reborrow().t().row_mut(0));
        return add_bias(simd, bias, &mut c);
    }
    if is_small::<T, S>(start, &a, &b, &c) {
        in_place(simd, start, bias, a, b, c);
    } else {
        five_loops(simd, start, bias, a, b, c);
    }
}

/// The general case: what does not fit a cache is cut until it does.
#[inline(always)]
fn five_loops<T: Element, S: Simd>(
    simd: S,
    start: Start,
    bias: Bias<'_, T>,
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
    let (chunks, depths) = (Even::at_most(sizes.nc, n.div_ceil(lanes)), Even::at_most(sizes.kc, k));
    // LOOP 5: columns of C and B, counted in registers.
    for chunk in chunks.runs() {
        let columns = chunk.start * lanes..n.min(chunk.end * lanes);
        let mut c = c.tile(0..m, columns.clone());
        let bias = bias.tile(0, columns.start);
        let panels = Even::at_most(sizes.nr, chunk.len());
        // LOOP 4: k. From the second block on, the chains continue from C.
        let mut start = start;
        for depth in depths.runs() {
            let b = b.tile(depth.clone(), columns.clone());
            let bias = if depth.end == k { bias } else { Bias::None };
            let mut b_chunk = ChunkOfB::new(simd, &sizes, panels, m > sizes.mc, b, b_copy);
            // LOOP 3: rows of C and A.
            for rows in Even::at_most(sizes.mc, m).runs() {
                let a = BlockOfA::new(simd, &sizes, a.tile(rows.clone(), depth.clone()), a_copy);
                let bias = bias.tile(rows.start, 0);
                let mut c = c.tile(rows, 0..columns.len());
                // LOOP 2: panels of B and C.
                for (i, panel) in panels.runs().enumerate() {
                    let next = panels.run(i + 1);
                    let next = next.start * lanes..b.cols().min(next.end * lanes);
                    let mut ahead = if b_chunk.reads_source() && !next.is_empty() {
                        let count = a.rows().div_ceil(sizes.mr);
                        Ahead::of(b.tile(0..b.rows(), next.clone()), count, b.rows())
                    } else {
                        Ahead::nothing()
                    };
                    let next_c = c.as_mut_ptr().wrapping_add(next.start);
                    let columns = panel.start * lanes..c.cols().min(panel.end * lanes);
                    let bias = bias.tile(0, columns.start);
                    let c = c.tile(0..a.rows(), columns);
                    tiles(simd, (start, bias), sizes.mr, a, (&mut b_chunk, panel), (&mut ahead, next_c), c);
                }
                b_chunk.is_copied();
            }
            start = Start::Old;
        }
    }
}

/// Whether all operands may be read and written where they are.
#[inline(always)]
fn is_small<T: Element, S: Simd>(
    start: Start,
    a: &MatRef<'_, T>,
    b: &MatRef<'_, T>,
    c: &MatMut<'_, T>,
) -> bool {
    let contiguous =
        b.col_stride() == 1 && (c.col_stride() == 1 || c.cols() == 1 || is_turned::<T, S>(start, c));
    // Short multiply-adds wait for rows of B that meet in a few sets of the level-1 cache.
    let near_rows = one_at_a_time::<T::Vector<S>>()
        || b.row_stride() * size_of::<T>() < NEAR_ROWS_BYTES
        || c.rows() <= tallest::<S>(widest::<S>());
    // The last row of A decides how far it reaches, whichever of its strides is 1.
    let reach = a.rows() * a.row_stride() + a.cols() * a.col_stride();
    contiguous
        && near_rows
        && b.rows() * b.row_stride() * size_of::<T>() <= SMALL_B_BYTES
        && reach * size_of::<T>() <= SMALL_A_BYTES
}

/// Whether C has contiguous columns of one tile, which [`near_kernel`] turns on its way out.
#[inline(always)]
fn is_turned<T: Element, S: Simd>(start: Start, c: &MatMut<'_, T>) -> bool {
    start == Start::Zero && c.row_stride() == 1 && c.rows() <= tallest::<S>(1)
}

/// The two innermost loops alone, for operands that the caches hold.
#[inline(always)]
fn in_place<T: Element, S: Simd>(
    simd: S,
    start: Start,
    bias: Bias<'_, T>,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    mut c: MatMut<'_, T>,
) {
    let lanes = T::Vector::<S>::LANES;
    let n = c.cols();
    // What fits half a register goes to one of half the width, and what does not fill a panel to panels of one.
    let (rest, narrow) = (n % lanes, T::Vector::<S::Narrow>::LANES);
    let single = if narrow < lanes && rest <= narrow { n - rest } else { n };
    let wide = if c.col_stride() == 1 { nearest::<T, S>() } else { 1 };
    let beyond = single % (wide * lanes);
    let whole = if beyond > (wide - 1) * lanes { single } else { single - beyond };
    let (a, b, c) = (&a, &b, &mut c);
    columns(simd, (start, bias), wide, 0..whole, a, b, c);
    columns(simd, (start, bias), 1, whole..single, a, b, c);
    columns(simd.narrow(), (start, bias), 1, single..n, a, b, c);
}

/// The columns `cols` in panels of `vectors` registers, the last one cut short or not.
#[inline(always)]
fn columns<T: Element, S: Simd>(
    simd: S,
    (start, bias): (Start, Bias<'_, T>),
    vectors: usize,
    cols: Range<usize>,
    a: &MatRef<'_, T>,
    b: &MatRef<'_, T>,
    c: &mut MatMut<'_, T>,
) {
    if cols.is_empty() {
        return;
    }
    let k = a.cols();
    let b = Operand { data: &b.data()[cols.start..], lane: 1, step: b.row_stride() };
    let heights = Even::of_tiles::<T::Vector<S>>(tallest::<S>(vectors), c.rows());
    for (rows, height) in heights.strips() {
        let (lane, step) = (a.row_stride(), a.col_stride());
        let a = Operand { data: &a.data()[rows.start * lane..], lane, step };
        let bias = bias.tile(rows.start, cols.start);
        let mut strip = Strip { start, bias, k, a, b, c: c.tile(rows, cols.clone()) };
        near_kernel::<T, S>(height, vectors)(simd, &mut strip);
    }
}

/// LOOP 1: the tiles of a panel, from top to bottom.
#[inline(always)]
fn tiles<T: Element, S: Simd>(
    simd: S,
    (start, bias): (Start, Bias<'_, T>),
    mr: usize,
    a: BlockOfA<'_, T>,
    (b, panel): (&mut ChunkOfB<'_, T>, Range<usize>),
    (ahead, next_panel): (&mut Ahead<T>, *const T),
    mut c: MatMut<'_, T>,
) {
    let (cols, k) = (c.cols(), a.depth());
    let contiguous = c.col_stride() == 1 || cols == 1;
    // Through a copy of C in eights, of which two make a block that is turned in registers.
    let mr = if contiguous || a.is_in_tiles() || mr < 8 { mr } else { 8 };
    let heights = Even::of_tiles::<T::Vector<S>>(mr, c.rows());
    let mut first = true;
    for (rows, height) in heights.strips() {
        let kernel = far_kernel::<T, S>(height, panel.len());
        let step = match contiguous {
            // Tiles of A that are packed do not follow each other by its stride.
            _ if a.is_in_tiles() => height,
            true => rows.len(),
            false => turned::ROWS / height * height,
        };
        for top in rows.clone().step_by(step) {
            let rows = top..if top + step < rows.end { top + step } else { rows.end };
            let Panel { operand, copy } = b.panel(panel.clone(), first);
            let next_c = if rows.end < c.rows() {
                c.as_mut_ptr().wrapping_add(rows.end * c.row_stride()).cast_const()
            } else {
                next_panel
            };
            let mut passing = Passing { copy, next_c, ahead: &mut *ahead };
            let bias = bias.tile(rows.start, 0);
            let a = a.tile(rows.clone());
            let mut strip = Strip { start, bias, k, a, b: operand, c: c.tile(rows, 0..cols) };
            first = false;
            if contiguous {
                kernel(simd, &mut strip, &mut passing);
            } else {
                turned::through_a_copy(simd, kernel, strip, &mut passing);
            }
        }
    }
}
