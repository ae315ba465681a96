//! Max pooling.

use super::planes::Planes;
use super::{Pool2d, check, pieces};
use crate::conv::Reach;
use crate::{Element, Error, Exec};

/// y = the maximum of each window, and its position in the plane (h * w_in + w) in `indices`.
///
/// Strict `>` row-major, so that the first of equals wins; a NaN wins, the first NaN stays;
/// padding is never a candidate (N16).
///
/// # Shapes
/// `x` [batch, channels, h_in, w_in], `y` and `indices` [batch, channels, h_out, w_out].
///
/// # Errors
/// [`Error::Shape`] if the sizes are not valid or a slice has another length than they say.
///
/// # Source
/// K. Jarrett et al., "What is the best multi-stage architecture for object recognition?", 2009;
/// slide "Pooling".
///
/// ```
/// use kernels::{Exec, pool};
///
/// let halve =
///     pool::Pool2d { channels: 1, h_in: 2, w_in: 4, kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
/// let (mut y, mut indices) = ([0.0_f32; 2], [0; 2]);
/// let x = [1.0, 2.0, 3.0, 3.0, 5.0, 4.0, 3.0, 3.0];
/// pool::max_forward(Exec::from_env()?, &halve, 1, &x, &mut y, &mut indices)?;
/// assert_eq!((y, indices), ([5.0, 3.0], [4, 2])); // of four equal values the first
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn max_forward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    x: &[T],
    y: &mut [T],
    indices: &mut [u32],
) -> Result<(), Error> {
    const NAME: &str = "max pooling";
    pool.validate()?;
    check(NAME, "x", batch, pool.input_len(), x.len())?;
    check(NAME, "y", batch, pool.output_len(), y.len())?;
    check(NAME, "indices", batch, pool.output_len(), indices.len())?;
    let all = Planes { first: 0, count: batch * pool.channels, out: y, second: indices };
    all.run(
        exec,
        x.len(),
        #[inline(always)]
        |planes| {
            let x = x.chunks_exact(pool.area_in()).skip(planes.first);
            let y = planes.out.chunks_exact_mut(pool.area_out());
            for ((x, y), indices) in x.zip(y).zip(planes.second.chunks_exact_mut(pool.area_out())) {
                match pool.w_in {
                    16..=PAIRS if pool.is_pairs() => max_pairs::<T, 8>(pool, x, y, indices),
                    8..=PAIRS if pool.is_pairs() => max_pairs::<T, 4>(pool, x, y, indices),
                    _ => max_windows(pool, x, y, indices),
                }
            }
            Ok(())
        },
    )
}

/// True if `next` takes the place of `best`: it is larger, or the first NaN.
#[inline(always)]
fn wins<T: Element>(next: T, best: T) -> bool {
    // Not `next <= best` is `next > best` or a NaN among the two.
    #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "a NaN must win")]
    let larger_or_nan = !(next <= best);
    larger_or_nan & !best.is_nan()
}

#[inline(always)]
fn better<T: Element>(best: (T, u32), next: (T, u32)) -> (T, u32) {
    if wins(next.0, best.0) { next } else { best }
}

/// One plane under any windows, tap by tap over a whole row of windows.
#[inline(always)]
fn max_windows<T: Element>(pool: &Pool2d, x: &[T], y: &mut [T], indices: &mut [u32]) {
    let (rows, reach) = (pool.rows(), Reach::forward(&pool.cols()));
    let windows = 0..reach.positions;
    for (h, (y, indices)) in
        y.chunks_exact_mut(windows.end).zip(indices.chunks_exact_mut(windows.end)).enumerate()
    {
        // Each window's first candidate; comparing it with itself again changes nothing.
        let top = (h * pool.stride[0]).saturating_sub(pool.padding[0]) * pool.w_in;
        for (w, (y, index)) in y.iter_mut().zip(indices.iter_mut()).enumerate() {
            let first = top + (w * pool.stride[1]).saturating_sub(pool.padding[1]);
            (*y, *index) = (x[first], first as u32);
        }
        for i in (0..pool.kernel[0]).filter_map(|tap| rows.source(h, tap)) {
            for tap in 0..pool.kernel[1] {
                let inside = reach.inside(tap, &windows);
                if inside.is_empty() {
                    continue;
                }
                let first = i * pool.w_in + reach.read(tap, inside.start);
                let row = y[inside.clone()].iter_mut().zip(&mut indices[inside]).enumerate();
                for (w, (y, index)) in row {
                    let position = first + w * pool.stride[1];
                    (*y, *index) = better((*y, *index), (x[position], position as u32));
                }
            }
        }
    }
}

/// Pairs of two rows, which the first pass leaves for the second.
const PAIRS: usize = 512;

/// One plane under windows of 2 x 2 that tile it: first the better of each pair of neighbours in
/// a row, then the better of two pairs, `N` at a time. The order of comparing does not matter to
/// "the first of the largest", as the upper row comes before the lower one.
#[inline(always)]
fn max_pairs<T: Element, const N: usize>(pool: &Pool2d, x: &[T], y: &mut [T], indices: &mut [u32]) {
    let (width, w_out) = (pool.w_in, pool.w_in / 2);
    let (mut best, mut places) = ([T::ZERO; PAIRS], [0; PAIRS]);
    for h in 0..pool.h_in / 2 {
        let first = 2 * h * width;
        let two_rows = &x[first..first + 2 * width];
        if width.is_multiple_of(2) {
            better_of_pairs(two_rows, first as u32, &mut best, &mut places);
        } else {
            let (upper, lower) = two_rows.split_at(width);
            better_of_pairs(upper, first as u32, &mut best, &mut places);
            better_of_pairs(lower, (first + width) as u32, &mut best[w_out..], &mut places[w_out..]);
        }
        let (upper, lower) = best[..2 * w_out].split_at(w_out);
        let (above, below) = places[..2 * w_out].split_at(w_out);
        let (y, indices) = (&mut y[h * w_out..][..w_out], &mut indices[h * w_out..][..w_out]);
        for start in pieces::<N>(w_out) {
            let (upper, lower) = (&upper[start..start + N], &lower[start..start + N]);
            let (above, below) = (&above[start..start + N], &below[start..start + N]);
            let (y, indices) = (&mut y[start..start + N], &mut indices[start..start + N]);
            for l in 0..N {
                let lower_wins = wins(lower[l], upper[l]);
                y[l] = if lower_wins { lower[l] } else { upper[l] };
                indices[l] = if lower_wins { below[l] } else { above[l] };
            }
        }
    }
}

/// The better of x[0] and x[1], of x[2] and x[3], ...; the first one's place is `first`.
#[inline(always)]
fn better_of_pairs<T: Element>(x: &[T], first: u32, best: &mut [T], places: &mut [u32]) {
    let pairs = x.as_chunks::<2>().0;
    let (best, places) = (&mut best[..pairs.len()], &mut places[..pairs.len()]);
    for p in 0..pairs.len() {
        let [left, right] = pairs[p];
        let right_wins = wins(right, left);
        best[p] = if right_wins { right } else { left };
        places[p] = first + 2 * p as u32 + u32::from(right_wins);
    }
}

/// grad_x of max pooling: `y = x[index]`, so `grad_x[index]` collects grad_y. From +0.0, windows that
/// overlap add in ascending order (N16).
///
/// # Shapes
/// `indices` (of [`max_forward`]) and `grad_y` [batch, channels, h_out, w_out], `grad_x` [batch,
/// channels, h_in, w_in].
///
/// # Errors
/// As [`max_forward`]; also if an index lies outside its window.
///
/// ```
/// use kernels::{Exec, pool};
///
/// let halve =
///     pool::Pool2d { channels: 1, h_in: 2, w_in: 4, kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
/// let mut grad_x = [9.0_f32; 8];
/// pool::max_backward(Exec::from_env()?, &halve, 1, &[4, 2], &[0.5, 0.25], &mut grad_x)?;
/// assert_eq!(grad_x, [0.0, 0.0, 0.25, 0.0, 0.5, 0.0, 0.0, 0.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn max_backward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    indices: &[u32],
    grad_y: &[T],
    grad_x: &mut [T],
) -> Result<(), Error> {
    const NAME: &str = "max pooling gradient";
    pool.validate()?;
    check(NAME, "indices", batch, pool.output_len(), indices.len())?;
    check(NAME, "grad_y", batch, pool.output_len(), grad_y.len())?;
    check(NAME, "grad_x", batch, pool.input_len(), grad_x.len())?;
    let values = grad_x.len();
    let all = Planes { first: 0, count: batch * pool.channels, out: grad_x, second: &mut [0_u32; 0] };
    all.run(
        exec,
        values,
        #[inline(always)]
        |planes| {
            let indices = indices.chunks_exact(pool.area_out()).skip(planes.first);
            let grad_y = grad_y.chunks_exact(pool.area_out()).skip(planes.first);
            let mut inside = true;
            for ((grad_x, indices), grad_y) in
                planes.out.chunks_exact_mut(pool.area_in()).zip(indices).zip(grad_y)
            {
                inside &= if pool.is_pairs() {
                    spread_pairs(pool, indices, grad_y, grad_x)
                } else {
                    spread_windows(pool, indices, grad_y, grad_x)
                };
            }
            if inside { Ok(()) } else { Err(index_error(NAME)) }
        },
    )
}

fn index_error(operation: &'static str) -> Error {
    Error::Shape {
        operation,
        expected: "the indices of the forward pass".to_owned(),
        got: "an index outside of its window".to_owned(),
    }
}

/// One plane under any windows; false if an index lies outside its window.
#[inline(always)]
fn spread_windows<T: Element>(pool: &Pool2d, indices: &[u32], grad_y: &[T], grad_x: &mut [T]) -> bool {
    let (width, w_out) = (pool.w_in, pool.w_out());
    grad_x.fill(T::ZERO);
    for (window, (&index, &grad)) in indices.iter().zip(grad_y).enumerate() {
        let index = index as usize;
        let within = |axis: usize, window: usize, position: usize| {
            let start = window * pool.stride[axis];
            (start..start + pool.kernel[axis]).contains(&(position + pool.padding[axis]))
        };
        if !within(0, window / w_out, index / width) || !within(1, window % w_out, index % width) {
            return false;
        }
        match grad_x.get_mut(index) {
            Some(to) => *to += grad,
            None => return false,
        }
    }
    true
}

/// One plane under windows of 2 x 2 that tile it: every input belongs to one window at most, so
/// that its gradient is written, not added; false if an index lies outside its window.
#[inline(always)]
fn spread_pairs<T: Element>(pool: &Pool2d, indices: &[u32], grad_y: &[T], grad_x: &mut [T]) -> bool {
    let (width, w_out) = (pool.w_in, pool.w_in / 2);
    let mut outside = false;
    for h in 0..pool.h_in / 2 {
        let first = 2 * h * width;
        let (upper, lower) = grad_x[first..first + 2 * width].split_at_mut(width);
        let (upper, rest) = upper.as_chunks_mut::<2>();
        rest.fill(T::ZERO);
        let (lower, rest) = lower.as_chunks_mut::<2>();
        rest.fill(T::ZERO);
        let (upper, lower) = (&mut upper[..w_out], &mut lower[..w_out]);
        let (indices, grad_y) = (&indices[h * w_out..][..w_out], &grad_y[h * w_out..][..w_out]);
        let below = width as u32;
        for j in 0..w_out {
            let offset = indices[j].wrapping_sub(first as u32 + 2 * j as u32);
            let grad = T::ZERO + grad_y[j];
            upper[j] = [if offset == 0 { grad } else { T::ZERO }, if offset == 1 { grad } else { T::ZERO }];
            lower[j] = [
                if offset == below { grad } else { T::ZERO },
                if offset == below + 1 { grad } else { T::ZERO },
            ];
            outside |= (offset >= 2) & (offset.wrapping_sub(below) >= 2);
        }
    }
    grad_x[pool.h_in / 2 * 2 * width..].fill(T::ZERO);
    !outside
}
