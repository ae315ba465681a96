//! The register tile behind all three passes, with registers along the filters:
//!
//! ```text
//! C[row][filter] += sum over k of A(row, k) B[k][filter]
//!
//! for each k                                    in up to three nested loops
//!   b[v] = B[k][v * LANES ..]                   NV registers, contiguous
//!   for each row                                A(row, k): one value, in every lane
//!     for v in 0..NV   c[row][v] = fma(A(row, k), b[v], c[row][v])
//! ```
//!
//! | pass | a row is | k runs over | B is |
//! |---|---|---|---|
//! | forward, input gradient | a position of the map | the taps | the weights |
//! | weight gradient | a tap | the positions of the map | the output gradient |
//!
//! A is never made: A(row, k) is read where the planes hold it, at the place of the row plus the step of
//! k. No lane is lost at the end of a map's rows, whatever their width, and a row of C is one chain over
//! k in its order (N2, N3).

use std::ops::Range;

use crate::simd::{Simd, Strided, Vector};
use crate::{Element, Level};

/// Lanes of the widest register: what filters are padded to where room is set aside.
pub(super) const LANES: usize = 16;

/// Whether convolutions have tiles of their own at a level: f32 where there are vectors. Elsewhere they are matrix products
/// of copied columns, with the same bits and a tenth of the machine code.
pub(super) const fn exists<T: Element, S: Simd>() -> bool {
    !S::PLAIN && size_of::<T>() == size_of::<f32>()
}

/// Where [`exists`] is false, `product.rs` and `chunk_gradients.rs` take another way.
pub(super) const MISSING: &str = "no convolution of this type has tiles at this level";

/// [`exists`] at a level.
pub(super) fn exists_at<T: Element>(level: Level) -> bool {
    !level.is_plain() && size_of::<T>() == size_of::<f32>()
}

/// How k runs: three nested loops, the outermost first, and how far a step of each moves on in A. B moves
/// on by a row for each k, and to the start of the next block of `b_step` values in the outermost loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    pub(super) counts: [usize; 3],
    pub(super) a: [isize; 3],
    pub(super) b_step: usize,
}

/// Whether filters fit a register of half the width, of which the multipliers take twice as many.
pub(super) fn is_narrow<T: Element, S: Simd>(filters: usize) -> bool {
    filters <= T::Vector::<S::Narrow>::LANES
}

/// Whether V is a register of half the width that S has, to which one panel of filters comes.
pub(super) const fn is_half<S: Simd, V: Vector>() -> bool {
    V::LANES < <V::Element as Element>::Vector::<S>::LANES
}

/// Filters cut into panels of two registers, the last one of one or two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panels {
    registers: usize,
    lanes: usize,
}

impl Panels {
    #[inline(always)]
    pub(super) fn new<V: Vector>(filters: usize) -> Self {
        Self { registers: filters.div_ceil(V::LANES), lanes: V::LANES }
    }

    /// The first filter of each panel, and its registers.
    #[inline(always)]
    pub(super) fn iter(self) -> impl Iterator<Item = (usize, usize)> {
        let first = (0..self.registers).step_by(2);
        first.map(
            #[inline(always)]
            move |first| (first * self.lanes, if first + 1 < self.registers { 2 } else { 1 }),
        )
    }
}

/// The chains of ROWS x COLS rows, which begin with `c`: the rows (r, s) read `rows[r][at + s]`, where `at`
/// begins at `start` and takes the steps of k. `b` is [k, NV registers].
#[inline(always)]
pub(super) fn multiply<V: Vector, const ROWS: usize, const COLS: usize, const NV: usize>(
    simd: V::Simd,
    steps: &Steps,
    (rows, start): ([&[V::Element]; ROWS], usize),
    b: &[V::Element],
    mut c: [[[V; NV]; COLS]; ROWS],
) -> [[[V; NV]; COLS]; ROWS] {
    let width = NV * V::LANES;
    let [outer, middle, inner] = steps.counts;
    let (mut outer_at, mut outer_b) = (start, 0);
    for _ in 0..outer {
        let (mut middle_at, mut k) = (outer_at, outer_b);
        for _ in 0..middle {
            let mut at = middle_at;
            for _ in 0..inner {
                let b = &b[k..k + width];
                let b: [V; NV] = load_row(simd, b);
                for r in 0..ROWS {
                    let a = &rows[r][at..at + COLS];
                    for s in 0..COLS {
                        let a = V::splat(simd, a[s]);
                        for v in 0..NV {
                            c[r][s][v] = a.mul_add(b[v], c[r][s][v]);
                        }
                    }
                }
                at = at.wrapping_add_signed(steps.a[2]);
                k += width;
            }
            middle_at = middle_at.wrapping_add_signed(steps.a[1]);
        }
        outer_at = outer_at.wrapping_add_signed(steps.a[0]);
        outer_b += steps.b_step;
    }
    c
}

/// NV registers, contiguous.
#[inline(always)]
pub(super) fn load_row<V: Vector, const NV: usize>(simd: V::Simd, from: &[V::Element]) -> [V; NV] {
    std::array::from_fn(
        #[inline(always)]
        |v| V::load(simd, &from[v * V::LANES..]),
    )
}

/// ROWS x COLS rows of C, contiguous.
#[inline(always)]
pub(super) fn load<V: Vector, const ROWS: usize, const COLS: usize, const NV: usize>(
    simd: V::Simd,
    c: &[V::Element],
) -> [[[V; NV]; COLS]; ROWS] {
    let mut tile = [[[V::splat(simd, V::Element::ZERO); NV]; COLS]; ROWS];
    let c = &c[..ROWS * COLS * NV * V::LANES];
    for r in 0..ROWS {
        for s in 0..COLS {
            for v in 0..NV {
                tile[r][s][v] = V::load(simd, &c[((r * COLS + s) * NV + v) * V::LANES..]);
            }
        }
    }
    tile
}

/// The opposite of [`load`].
#[inline(always)]
pub(super) fn store<V: Vector, const ROWS: usize, const COLS: usize, const NV: usize>(
    tile: [[[V; NV]; COLS]; ROWS],
    c: &mut [V::Element],
) {
    let c = &mut c[..ROWS * COLS * NV * V::LANES];
    for r in 0..ROWS {
        for s in 0..COLS {
            for v in 0..NV {
                tile[r][s][v].store(&mut c[((r * COLS + s) * NV + v) * V::LANES..]);
            }
        }
    }
}

/// to [columns, at most LANES of `width`] = the transpose of from [rows, `columns`], in square blocks: `rows`
/// is at most LANES, and the rows of `to` are written as far as LANES, with +0.0.
#[inline(always)]
pub(super) fn turn_rows<V: Vector>(
    simd: V::Simd,
    (from, columns): (&[V::Element], usize),
    (to, width): (&mut [V::Element], usize),
) {
    let rows = from.len() / columns;
    if columns < V::LANES {
        for (column, to) in to.chunks_mut(width).take(columns).enumerate() {
            to[..V::LANES].fill(V::Element::ZERO);
            to.iter_mut().zip(from[column..].iter().step_by(columns)).for_each(
                #[inline(always)]
                |(to, &from)| *to = from,
            );
        }
        return;
    }
    for first in (0..columns).step_by(V::LANES) {
        // A block beyond the last column begins earlier and turns some of them again.
        let first = if first + V::LANES <= columns { first } else { columns - V::LANES };
        let block = Strided { data: &from[first..], stride: columns };
        V::transpose_block(simd, block, rows, Strided { data: &mut to[first * width..], stride: width });
    }
}

/// Turns the whole registers' worth of rows of c [rows, `width`] that lie in `ready`: column f of c goes to row f of
/// out [filters, `rows`]. Returns the first row that is left.
#[inline(always)]
pub(super) fn turn_ready<V: Vector>(
    simd: V::Simd,
    (c, width): (&[V::Element], usize),
    ready: Range<usize>,
    (out, rows): (&mut [V::Element], usize),
) -> usize {
    let mut first = ready.start;
    while first + V::LANES <= ready.end {
        turn_block::<V>(simd, (c, width), first, (&mut *out, rows));
        first += V::LANES;
    }
    first
}

/// Turns a register's worth of rows from row `first` on, as [`turn_ready`].
#[inline(always)]
fn turn_block<V: Vector>(
    simd: V::Simd,
    (c, width): (&[V::Element], usize),
    first: usize,
    (out, rows): (&mut [V::Element], usize),
) {
    for (v, out) in out.chunks_mut(V::LANES * rows).enumerate() {
        let block = Strided { data: &c[first * width + v * V::LANES..], stride: width };
        if out.len() == V::LANES * rows {
            V::transpose_block(simd, block, V::LANES, Strided { data: &mut out[first..], stride: rows });
        } else {
            let mut lines = [V::Element::ZERO; LANES * LANES];
            V::transpose_block(simd, block, V::LANES, Strided { data: &mut lines, stride: V::LANES });
            for (line, out) in lines.chunks_exact(V::LANES).zip(out.chunks_exact_mut(rows)) {
                V::load(simd, line).store(&mut out[first..]);
            }
        }
    }
}

/// Turns the rows from `first` to the last, as [`turn_ready`]. One copy of the code for all tiles.
#[inline(never)]
pub(super) fn turn_from<S: Simd, V: Vector>(
    (level, simd): (S, V::Simd),
    (c, width): (&[V::Element], usize),
    first: usize,
    (out, rows): (&mut [V::Element], usize),
) {
    level.vectorize(
        #[inline(always)]
        || {
            if rows < V::LANES {
                for (filter, out) in out.chunks_exact_mut(rows).enumerate() {
                    let column = c[filter..].iter().step_by(width);
                    out.iter_mut().zip(column).for_each(
                        #[inline(always)]
                        |(out, &value)| *out = value,
                    );
                }
                return;
            }
            for first in (first..rows).step_by(V::LANES) {
                // A block beyond the last row begins earlier and turns some of them again.
                let first = if first + V::LANES <= rows { first } else { rows - V::LANES };
                turn_block::<V>(simd, (c, width), first, (&mut *out, rows));
            }
        },
    );
}
