//! The innermost loops: tiles of C, each held in registers while k runs.
//!
//! ```text
//! for p in 0..k                      b[p]:  | v0 | v1 | v2 |     NV registers of B
//!   for i in 0..MR                 a[0,p]:  | c00| c01| c02|     broadcast a[i,p], then
//!     for v in 0..NV               a[1,p]:  | c10| c11| c12|     c[i,v] = fma(a[i,p], b[p,v], c[i,v])
//! ```
//!
//! A fused multiply-add takes about four cycles and one or two start in each, so at least four or eight
//! chains must be under way; MR * NV of them are. Every element of C is one chain (N2):
//! the accumulators start from C or +0.0 and nothing is ever summed across lanes or tiles.
//!
//! Two kernels are made of such tiles. [`near`] is for operands that the caches hold: it does nothing
//! but multiply. [`far`] is for operands that come from memory: the first tile of a panel of B leaves a copy of it
//! behind while it multiplies (a tile has a store to spare for every eight multiply-adds, so packing costs
//! nothing but the room), and what will be needed next is asked for on the way.

use std::hint::black_box;

use super::Start;
use crate::simd::{Simd, Vector};
use crate::{Element, MatMut, MatRef};

/// Rows of A or columns of B: number i at the index p of the sum is `data[i * lane + p * step]`.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a, T> {
    pub(super) data: &'a [T],
    pub(super) lane: usize,
    pub(super) step: usize,
}

/// Tiles of one height below each other: `c` (+)= `a` `b`, with the k index running over `k` values.
pub(super) struct Strip<'a, T> {
    pub(super) start: Start,
    pub(super) k: usize,
    /// The strip's rows of A.
    pub(super) a: Operand<'a, T>,
    /// The strip's columns of B, which are contiguous. If masks are not free, whole registers of
    /// them must be readable, whatever stands right of the last column.
    pub(super) b: Operand<'a, T>,
    /// The strip of C, with contiguous columns.
    pub(super) c: MatMut<'a, T>,
}

/// What [`far`] does on the way.
pub(super) struct Passing<'a, T> {
    /// Where the first tile leaves a copy of B, [k] rows of whole registers; empty: nowhere.
    pub(super) copy: &'a mut [T],
    /// The tile of C that follows the strip, wherever that is.
    pub(super) next_c: *const T,
    /// Rows that are read later.
    pub(super) ahead: &'a mut Ahead<T>,
}

/// Rows that will be read later, whose cache lines are asked for a few at a time, so that memory is never waited for.
pub(super) struct Ahead<T> {
    row: *const T,
    step: usize,
    /// Cache lines of a row, and how many of them have been asked for.
    lines: usize,
    line: usize,
    /// Lines that are left.
    left: usize,
    /// In every `requests` requests, `rate` lines are due.
    rate: usize,
    requests: usize,
    due: usize,
}

/// Steps of k between two requests.
const STEPS: usize = 8;
/// Elements of a cache line.
const fn line<T>() -> usize {
    64 / size_of::<T>()
}

impl<T: Element> Ahead<T> {
    /// Nothing to ask for.
    pub(super) fn nothing() -> Self {
        Self { row: std::ptr::null(), step: 0, lines: 1, line: 0, left: 0, rate: 0, requests: 1, due: 0 }
    }

    /// The rows of `next`, whose columns are contiguous, spread over `tiles` tiles of `k` steps.
    pub(super) fn of(next: MatRef<'_, T>, tiles: usize, k: usize) -> Self {
        // Rows begin anywhere in a line, so that they may end in one more.
        let lines = next.cols().div_ceil(line::<T>()) + 1;
        let left = next.rows() * lines;
        let requests = (tiles * (k / STEPS)).max(1);
        Self {
            row: next.data().as_ptr(),
            step: next.row_stride(),
            lines,
            left,
            rate: left,
            requests,
            ..Self::nothing()
        }
    }

    #[inline(always)]
    fn ask<V: Vector<Element = T>>(&mut self, simd: V::Simd) {
        self.due += self.rate;
        while self.due >= self.requests && self.left > 0 {
            self.due -= self.requests;
            self.left -= 1;
            V::prefetch(simd, self.row.wrapping_add(self.line * line::<T>()));
            self.line += 1;
            if self.line == self.lines {
                self.line = 0;
                self.row = self.row.wrapping_add(self.step);
            }
        }
    }
}

/// [`near`] for one height and one width in registers.
pub(super) type Near<T, S> = fn(S, &mut Strip<'_, T>);
/// [`far`] for one height and one width in registers.
pub(super) type Far<T, S> = fn(S, &mut Strip<'_, T>, &mut Passing<'_, T>);

/// The tallest tile of a width of 1, 2 or 3 registers.
pub(super) const fn tallest(registers: usize, vectors: usize) -> usize {
    match (registers >= 32, vectors) {
        (true, 3) => 8,  // 24 accumulators + 3 of B + a broadcast, of 32
        (true, _) => 12, // 24 or 12
        (false, 2) => 6, // 12 accumulators + 2 of B + a broadcast, of 16
        (false, _) => 12,
    }
}

/// The widest tile of [`far`], in registers.
pub(super) const fn widest(registers: usize) -> usize {
    if registers >= 32 { 3 } else { 2 }
}

/// The width of [`near`]'s tiles in registers, but for a last column of one.
///
/// Where a register is wide, a narrow tile is enough to keep the multipliers busy, and the less a tile holds the
/// less it costs to begin and end it.
pub(super) const fn nearest(registers: usize) -> usize {
    if registers >= 32 { 1 } else { 2 }
}

/// Picks the instance of a kernel for `rows` rows and `vectors` registers per row.
///
/// There is one for every height, so that no tile computes rows that are not there.
macro_rules! instance {
    ($kernel:ident, $rows:ident, $vectors:ident, $($width:literal: $($height:literal)*;)*) => {
        match ($vectors, $rows) {
            $($(($width, $height) => $kernel::<T, S, $height, $width>,)*)*
            _ => unreachable!("no tile is {} rows high and {} registers wide", $rows, $vectors),
        }
    };
}

/// The instance of [`near`]. The conditions are constants of the level: other tiles are not compiled for it.
#[inline(always)]
pub(super) fn near_kernel<T: Element, S: Simd>(rows: usize, vectors: usize) -> Near<T, S> {
    if S::REGISTERS >= 32 {
        instance!(near, rows, vectors, 1: 1 2 3 4 5 6 7 8 9 10 11 12;)
    } else {
        instance!(near, rows, vectors, 1: 1 2 3 4 5 6 7 8 9 10 11 12; 2: 1 2 3 4 5 6;)
    }
}

/// The instance of [`far`].
#[inline(always)]
pub(super) fn far_kernel<T: Element, S: Simd>(rows: usize, vectors: usize) -> Far<T, S> {
    if S::REGISTERS >= 32 {
        instance!(far, rows, vectors,
            1: 1 2 3 4 5 6 7 8 9 10 11 12; 2: 1 2 3 4 5 6 7 8 9 10 11 12; 3: 1 2 3 4 5 6 7 8;)
    } else {
        instance!(far, rows, vectors, 1: 1 2 3 4 5 6 7 8 9 10 11 12; 2: 1 2 3 4 5 6;)
    }
}

/// All columns of a strip, panel by panel: each NV registers wide, the last of them cut short or not.
fn near<T: Element, S: Simd, const MR: usize, const NV: usize>(simd: S, strip: &mut Strip<'_, T>) {
    simd.vectorize(
        #[inline(always)]
        || {
            let width = NV * T::Vector::<S>::LANES;
            let steps = strip.steps::<MR>();
            let (mut left, mut panel) = (strip.c.cols(), strip.c.as_mut_ptr());
            let mut at = Place { a: strip.a.data.as_ptr(), b: strip.b.data.as_ptr(), c: panel };
            while left > 0 {
                let last = last_register::<T::Vector<S>, NV>(simd, left);
                for _ in 0..steps.tiles {
                    // SAFETY: `Strip::steps` has checked that all that the tiles of the strip touch is theirs.
                    unsafe {
                        match last {
                            None => near_tile::<T::Vector<S>, MR, NV>(simd, steps, at, None),
                            Some(_) => near_tile::<T::Vector<S>, MR, NV>(simd, steps, at, last),
                        }
                    }
                    at = at.below::<MR>(steps);
                }
                left = left.saturating_sub(width);
                panel = panel.wrapping_add(width);
                at = Place { a: strip.a.data.as_ptr(), b: at.b.wrapping_add(width), c: panel };
            }
        },
    );
}

/// # Safety
/// As [`multiply`], and MR rows of C must be the caller's as far as a row of B goes.
#[inline(always)]
unsafe fn near_tile<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    steps: Steps,
    mut at: Place<V::Element>,
    last: Option<V::Mask>,
) {
    // SAFETY: the caller promises what all three touch.
    unsafe {
        let mut sums = begin::<V, MR, NV>(simd, steps, at.c, last);
        multiply::<V, MR, NV>(simd, steps.k, steps, &mut at, last, None, &mut sums);
        end(sums, steps, at.c, last);
    }
}

/// One panel: NV registers, the last of them cut short or not.
fn far<T: Element, S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    strip: &mut Strip<'_, T>,
    passing: &mut Passing<'_, T>,
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let width = NV * T::Vector::<S>::LANES;
            assert!(strip.c.cols() <= width);
            assert!(passing.copy.is_empty() || passing.copy.len() >= strip.k * width);
            let mut last = last_register::<T::Vector<S>, NV>(simd, strip.c.cols());
            let cut = last;
            let mut steps = strip.steps::<MR>();
            let c = strip.c.as_mut_ptr();
            let mut at = Place { a: strip.a.data.as_ptr(), b: strip.b.data.as_ptr(), c };
            for tile in 0..steps.tiles {
                let next_c =
                    if tile + 1 < steps.tiles { at.below::<MR>(steps).c } else { passing.next_c.cast_mut() };
                for i in 0..MR {
                    for v in 0..NV {
                        let next = next_c.wrapping_add(i * steps.c_stride + v * T::Vector::<S>::LANES);
                        T::Vector::<S>::prefetch(simd, next);
                    }
                }
                let copy = if tile == 0 && !passing.copy.is_empty() {
                    passing.copy.as_mut_ptr()
                } else {
                    std::ptr::null_mut()
                };
                // SAFETY: `Strip::steps` has checked that all that the tiles of the strip touch is theirs, and the
                // copy has room for k rows of NV registers.
                unsafe {
                    match (copy.is_null(), last) {
                        (true, None) => {
                            far_tile::<T::Vector<S>, MR, NV>(simd, steps, at, None, None, cut, passing.ahead)
                        }
                        (true, _) => {
                            far_tile::<T::Vector<S>, MR, NV>(simd, steps, at, last, None, cut, passing.ahead)
                        }
                        (_, None) => far_tile::<T::Vector<S>, MR, NV>(
                            simd,
                            steps,
                            at,
                            None,
                            Some(copy),
                            cut,
                            passing.ahead,
                        ),
                        _ => far_tile::<T::Vector<S>, MR, NV>(
                            simd,
                            steps,
                            at,
                            last,
                            Some(copy),
                            cut,
                            passing.ahead,
                        ),
                    }
                }
                if !copy.is_null() {
                    at.b = copy;
                    steps.b_step = width;
                    last = None;
                }
                at = at.below::<MR>(steps);
            }
        },
    );
}

/// # Safety
/// As [`multiply`], and MR rows of C must be the caller's up to the register that `cut` tells.
#[inline(always)]
unsafe fn far_tile<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    steps: Steps,
    mut at: Place<V::Element>,
    last: Option<V::Mask>,
    mut copy: Option<*mut V::Element>,
    cut: Option<V::Mask>,
    ahead: &mut Ahead<V::Element>,
) {
    // SAFETY: the caller promises what all three touch.
    unsafe {
        let mut sums = begin::<V, MR, NV>(simd, steps, at.c, cut);
        let mut left = steps.k;
        while left > 0 {
            let n = if left < STEPS { left } else { STEPS };
            left -= n;
            ahead.ask::<V>(simd);
            multiply::<V, MR, NV>(simd, n, steps, &mut at, last, copy.as_mut(), &mut sums);
        }
        end(sums, steps, at.c, cut);
    }
}

/// The mask of the last of NV registers, where `cols` columns cut it short.
#[inline(always)]
fn last_register<V: Vector, const NV: usize>(simd: V::Simd, cols: usize) -> Option<V::Mask> {
    let before = (NV - 1) * V::LANES;
    assert!(cols > before);
    // A masked load or store costs a multiply-add or more, so that it is kept for where it is needed.
    if cols - before < V::LANES { Some(V::mask(simd, cols - before)) } else { None }
}

/// Counts and strides of the tiles of a strip.
#[derive(Clone, Copy)]
struct Steps {
    start: Start,
    k: usize,
    tiles: usize,
    a_lane: usize,
    a_rows: Rows,
    a_step: usize,
    b_step: usize,
    c_stride: usize,
}

/// How many bytes the rows of a tile lie apart: 1, 3, 5, 7, 9 and 11 times a stride, from which an address is made of
/// a register and a shift.
///
/// The compiler must not see that they are multiples of one another. It would save registers and find each row by
/// adding the stride to the row before, a chain of additions that takes as long as the multiply-adds.
#[derive(Clone, Copy)]
struct Rows([usize; 6]);

impl Rows {
    #[inline(always)]
    fn new<const MR: usize>(stride: usize) -> Self {
        let mut odd = [0; 6];
        for (i, bytes) in odd.iter_mut().enumerate().take(MR / 2) {
            *bytes = black_box((2 * i + 1) * stride);
        }
        Self(odd)
    }

    #[inline(always)]
    fn offset(&self, row: usize) -> usize {
        match row {
            0 => 0,
            row => self.0[(row >> row.trailing_zeros()) / 2] << row.trailing_zeros(),
        }
    }
}

/// Where a tile begins, and on its way through k where it is.
#[derive(Clone, Copy)]
struct Place<T> {
    a: *const T,
    b: *const T,
    c: *mut T,
}

impl<T> Place<T> {
    /// The tile below.
    #[inline(always)]
    fn below<const MR: usize>(self, steps: Steps) -> Self {
        let (a, c) = (self.a.wrapping_add(MR * steps.a_lane), self.c.wrapping_add(MR * steps.c_stride));
        Self { a, c, ..self }
    }
}

impl<T: Element> Strip<'_, T> {
    /// Checks once what the tiles rely on: rows of A, columns of B and all of C lie where they may be touched.
    #[inline(always)]
    fn steps<const MR: usize>(&self) -> Steps {
        let Self { start, k, a, b, c } = self;
        let (rows, cols) = (c.rows(), c.cols());
        assert!(rows > 0 && rows.is_multiple_of(MR) && cols > 0 && *k > 0);
        assert!(a.data.len() > (rows - 1) * a.lane + (k - 1) * a.step);
        assert!(b.lane == 1 && b.data.len() >= (k - 1) * b.step + cols);
        assert!(c.col_stride() == 1 || cols == 1);
        Steps {
            start: *start,
            k: *k,
            tiles: rows / MR,
            a_lane: a.lane,
            a_rows: Rows::new::<MR>(a.lane * size_of::<T>()),
            a_step: a.step,
            b_step: b.step,
            c_stride: c.row_stride(),
        }
    }
}

/// The accumulators of a tile, from C or +0.0.
///
/// # Safety
/// In MR rows of C the elements of NV registers, or as many as the mask tells, must be readable.
#[inline(always)]
unsafe fn begin<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    steps: Steps,
    c: *const V::Element,
    last: Option<V::Mask>,
) -> [[V; NV]; MR] {
    let mut sums = [[V::splat(simd, V::Element::ZERO); NV]; MR];
    if steps.start == Start::Old {
        for (i, row) in sums.iter_mut().enumerate() {
            // SAFETY: the caller promises the elements of the row.
            *row = unsafe { load_row(simd, c.wrapping_add(i * steps.c_stride), last) };
        }
    }
    sums
}

/// Continues the chains of a tile over `n` steps of k, and leaves a copy of B if there is a place for it.
///
/// # Safety
/// For every step MR elements of A must be readable, and of B NV registers or as much as the mask tells; NV
/// registers must be writable at the copy.
#[inline(always)]
unsafe fn multiply<V: Vector, const MR: usize, const NV: usize>(
    simd: V::Simd,
    n: usize,
    steps: Steps,
    at: &mut Place<V::Element>,
    last: Option<V::Mask>,
    mut copy: Option<&mut *mut V::Element>,
    sums: &mut [[V; NV]; MR],
) {
    for _ in 0..n {
        // SAFETY: the caller promises the elements of B.
        let b_row: [V; NV] = unsafe { load_row(simd, at.b, last) };
        if let Some(copy) = &mut copy {
            // SAFETY: the caller promises room for NV registers.
            unsafe { store_row(b_row, **copy, None) };
            **copy = copy.wrapping_add(NV * V::LANES);
        }
        for (i, row) in sums.iter_mut().enumerate() {
            // SAFETY: the caller promises the elements of A.
            let x = V::splat(simd, unsafe { at.a.byte_add(steps.a_rows.offset(i)).read() });
            for v in 0..NV {
                row[v] = x.mul_add(b_row[v], row[v]);
            }
        }
        at.a = at.a.wrapping_add(steps.a_step);
        at.b = at.b.wrapping_add(steps.b_step);
    }
}

/// Stores the accumulators of a tile.
///
/// # Safety
/// In MR rows of C the elements of NV registers, or as many as the mask tells, must be writable.
#[inline(always)]
unsafe fn end<V: Vector, const MR: usize, const NV: usize>(
    sums: [[V; NV]; MR],
    steps: Steps,
    c: *mut V::Element,
    last: Option<V::Mask>,
) {
    for (i, row) in sums.into_iter().enumerate() {
        // SAFETY: the caller promises the elements of the row.
        unsafe { store_row(row, c.wrapping_add(i * steps.c_stride), last) };
    }
}

/// NV registers from `source`, the last one through the mask if there is one.
///
/// # Safety
/// The elements of NV registers, or as many as the mask tells, must be readable.
#[inline(always)]
unsafe fn load_row<V: Vector, const NV: usize>(
    simd: V::Simd,
    source: *const V::Element,
    last: Option<V::Mask>,
) -> [V; NV] {
    std::array::from_fn(
        #[inline(always)]
        |v| {
            let from = source.wrapping_add(v * V::LANES);
            match last {
                // SAFETY: the caller promises the elements of the mask.
                Some(mask) if v == NV - 1 => unsafe { V::load_masked(simd, from, mask) },
                // SAFETY: the caller promises the elements of this register.
                _ => unsafe { V::load_from(simd, from) },
            }
        },
    )
}

/// NV registers to `target`, the last one through the mask if there is one.
///
/// # Safety
/// The elements of NV registers, or as many as the mask tells, must be writable.
#[inline(always)]
unsafe fn store_row<V: Vector, const NV: usize>(
    row: [V; NV],
    target: *mut V::Element,
    last: Option<V::Mask>,
) {
    for (v, x) in row.into_iter().enumerate() {
        let to = target.wrapping_add(v * V::LANES);
        match last {
            // SAFETY: the caller promises the elements of the mask.
            Some(mask) if v == NV - 1 => unsafe { x.store_masked(to, mask) },
            // SAFETY: the caller promises the elements of this register.
            _ => unsafe { x.store_to(to) },
        }
    }
}
