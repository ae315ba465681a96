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
                match pool.w_out() {
                    16.. if pool.is_pairs() => max_pairs::<T, 16>(pool, x, y, indices),
                    8.. if pool.is_pairs() => max_pairs::<T, 8>(pool, x, y, indices),
                    4.. if pool.is_pairs() => max_pairs::<T, 4>(pool, x, y, indices),
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

/// One plane under windows of 2 x 2 that tile it, `N` windows at a time.
#[inline(always)]
fn max_pairs<T: Element, const N: usize>(pool: &Pool2d, x: &[T], y: &mut [T], indices: &mut [u32]) {
    let (width, w_out) = (pool.w_in, pool.w_out());
    let rows = y.chunks_exact_mut(w_out).zip(indices.chunks_exact_mut(w_out));
    for ((h, two_rows), (y, indices)) in x.chunks_exact(2 * width).enumerate().zip(rows) {
        let (upper, lower) = two_rows.split_at(width);
        for start in pieces::<N>(w_out) {
            let upper = &upper[2 * start..2 * start + 2 * N];
            let lower = &lower[2 * start..2 * start + 2 * N];
            let (y, indices) = (&mut y[start..start + N], &mut indices[start..start + N]);
            let corner = (2 * h * width + 2 * start) as u32;
            for l in 0..N {
                let (left, below) = (corner + 2 * l as u32, width as u32);
                // The better of the rows' best ones: the order of comparing does not matter to
                // "the first of the largest".
                let best = better((upper[2 * l], left), (upper[2 * l + 1], left + 1));
                let best_below = better((lower[2 * l], left + below), (lower[2 * l + 1], left + below + 1));
                (y[l], indices[l]) = better(best, best_below);
            }
        }
    }
}

/// grad_x of max pooling: y = x[index], so grad_x[index] collects grad_y. From +0.0, windows that
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
                inside &= match pool.w_out() {
                    16.. if pool.is_pairs() => spread_pairs::<T, 16>(pool, indices, grad_y, grad_x),
                    8.. if pool.is_pairs() => spread_pairs::<T, 8>(pool, indices, grad_y, grad_x),
                    4.. if pool.is_pairs() => spread_pairs::<T, 4>(pool, indices, grad_y, grad_x),
                    _ => spread_windows(pool, indices, grad_y, grad_x),
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
fn spread_pairs<T: Element, const N: usize>(
    pool: &Pool2d,
    indices: &[u32],
    grad_y: &[T],
    grad_x: &mut [T],
) -> bool {
    let (width, w_out) = (pool.w_in, pool.w_out());
    let mut inside = true;
    let rows = indices.chunks_exact(w_out).zip(grad_y.chunks_exact(w_out)).enumerate();
    let mut pairs_of_rows = grad_x.chunks_exact_mut(2 * width);
    for ((h, (indices, grad_y)), two_rows) in rows.zip(pairs_of_rows.by_ref()) {
        let (upper, lower) = two_rows.split_at_mut(width);
        for start in pieces::<N>(w_out) {
            let upper = &mut upper[2 * start..2 * start + 2 * N];
            let lower = &mut lower[2 * start..2 * start + 2 * N];
            let (indices, grad_y) = (&indices[start..start + N], &grad_y[start..start + N]);
            let corner = (2 * h * width + 2 * start) as u32;
            let below = width as u32;
            for l in 0..N {
                let offset = indices[l].wrapping_sub(corner + 2 * l as u32);
                let grad = T::ZERO + grad_y[l];
                let at = |place: u32| if offset == place { grad } else { T::ZERO };
                (upper[2 * l], upper[2 * l + 1]) = (at(0), at(1));
                (lower[2 * l], lower[2 * l + 1]) = (at(below), at(below + 1));
                inside &= (offset < 2) | (offset.wrapping_sub(below) < 2);
            }
        }
        upper[2 * w_out..].fill(T::ZERO);
        lower[2 * w_out..].fill(T::ZERO);
    }
    pairs_of_rows.into_remainder().fill(T::ZERO);
    inside
}
