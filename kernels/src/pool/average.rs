//! Average pooling.

use super::planes::Planes;
use super::{Pool2d, check, pieces};
use crate::conv::Reach;
use crate::{Element, Error, Exec};

/// y = the mean of each window: a `+` chain over the window row-major, then one division by the
/// window's size, padding included (N16).
///
/// # Shapes
/// `x` [batch, channels, h_in, w_in], `y` [batch, channels, h_out, w_out].
///
/// # Errors
/// [`Error::Shape`] if the sizes are not valid or a slice has another length than they say.
///
/// # Source
/// LeCun et al. 1998, section II.B ("sub-sampling"); slide "Pooling".
///
/// ```
/// use kernels::{Exec, pool};
///
/// let halve =
///     pool::Pool2d { channels: 1, h_in: 2, w_in: 4, kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
/// let mut y = [0.0_f32; 2];
/// let x = [1.0, 2.0, 3.0, 3.0, 5.0, 4.0, 3.0, 3.0];
/// pool::average_forward(Exec::from_env()?, &halve, 1, &x, &mut y)?;
/// assert_eq!(y, [3.0, 3.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn average_forward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    x: &[T],
    y: &mut [T],
) -> Result<(), Error> {
    const NAME: &str = "average pooling";
    pool.validate()?;
    check(NAME, "x", batch, pool.input_len(), x.len())?;
    check(NAME, "y", batch, pool.output_len(), y.len())?;
    let all = Planes { first: 0, count: batch * pool.channels, out: y, second: &mut [0_u32; 0] };
    all.run(
        exec,
        x.len(),
        #[inline(always)]
        |planes| {
            let x = x.chunks_exact(pool.area_in()).skip(planes.first);
            for (x, y) in x.zip(planes.out.chunks_exact_mut(pool.area_out())) {
                match pool.w_out() {
                    16.. if pool.is_pairs() => average_pairs::<T, 16>(pool, x, y),
                    8.. if pool.is_pairs() => average_pairs::<T, 8>(pool, x, y),
                    4.. if pool.is_pairs() => average_pairs::<T, 4>(pool, x, y),
                    _ => average_windows(pool, x, y),
                }
            }
            Ok(())
        },
    )
}

/// The number that a window's sum is divided by.
#[inline(always)]
fn size<T: Element>(pool: &Pool2d) -> T {
    T::from_f64((pool.kernel[0] * pool.kernel[1]) as f64)
}

/// One plane under any windows, tap by tap over a whole row of windows.
#[inline(always)]
fn average_windows<T: Element>(pool: &Pool2d, x: &[T], y: &mut [T]) {
    let (rows, reach) = (pool.rows(), Reach::forward(&pool.cols()));
    let windows = 0..reach.positions;
    for (h, y) in y.chunks_exact_mut(windows.end).enumerate() {
        y.fill(T::ZERO);
        for i in (0..pool.kernel[0]).filter_map(|tap| rows.source(h, tap)) {
            for tap in 0..pool.kernel[1] {
                let inside = reach.inside(tap, &windows);
                if inside.is_empty() {
                    continue;
                }
                let first = i * pool.w_in + reach.read(tap, inside.start);
                for (w, sum) in y[inside].iter_mut().enumerate() {
                    *sum += x[first + w * pool.stride[1]];
                }
            }
        }
        y.iter_mut().for_each(|y| *y = *y / size(pool));
    }
}

/// One plane under windows of 2 x 2 that tile it, `N` windows at a time.
#[inline(always)]
fn average_pairs<T: Element, const N: usize>(pool: &Pool2d, x: &[T], y: &mut [T]) {
    let (width, w_out) = (pool.w_in, pool.w_out());
    for (two_rows, y) in x.chunks_exact(2 * width).zip(y.chunks_exact_mut(w_out)) {
        let (upper, lower) = two_rows.split_at(width);
        for start in pieces::<N>(w_out) {
            let upper = &upper[2 * start..2 * start + 2 * N];
            let lower = &lower[2 * start..2 * start + 2 * N];
            let y = &mut y[start..start + N];
            for l in 0..N {
                let row = T::ZERO + upper[2 * l] + upper[2 * l + 1];
                y[l] = (row + lower[2 * l] + lower[2 * l + 1]) / size(pool);
            }
        }
    }
}

/// grad_x of average pooling: y holds x / size, so every input under a window collects grad_y /
/// size. From +0.0, windows that overlap add in ascending order (N16).
///
/// # Shapes
/// `grad_y` [batch, channels, h_out, w_out], `grad_x` [batch, channels, h_in, w_in].
///
/// # Errors
/// As [`average_forward`].
///
/// ```
/// use kernels::{Exec, pool};
///
/// let overlap =
///     pool::Pool2d { channels: 1, h_in: 1, w_in: 3, kernel: [1, 2], stride: [1, 1], padding: [0, 0] };
/// let mut grad_x = [9.0_f32; 3];
/// pool::average_backward(Exec::from_env()?, &overlap, 1, &[2.0, 4.0], &mut grad_x)?;
/// assert_eq!(grad_x, [1.0, 3.0, 2.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn average_backward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    grad_y: &[T],
    grad_x: &mut [T],
) -> Result<(), Error> {
    const NAME: &str = "average pooling gradient";
    pool.validate()?;
    check(NAME, "grad_y", batch, pool.output_len(), grad_y.len())?;
    check(NAME, "grad_x", batch, pool.input_len(), grad_x.len())?;
    let values = grad_x.len();
    let all = Planes { first: 0, count: batch * pool.channels, out: grad_x, second: &mut [0_u32; 0] };
    all.run(
        exec,
        values,
        #[inline(always)]
        |planes| {
            let grad_y = grad_y.chunks_exact(pool.area_out()).skip(planes.first);
            for (grad_y, grad_x) in grad_y.zip(planes.out.chunks_exact_mut(pool.area_in())) {
                match pool.w_out() {
                    16.. if pool.is_pairs() => share_pairs::<T, 16>(pool, grad_y, grad_x),
                    8.. if pool.is_pairs() => share_pairs::<T, 8>(pool, grad_y, grad_x),
                    4.. if pool.is_pairs() => share_pairs::<T, 4>(pool, grad_y, grad_x),
                    _ => share_windows(pool, grad_y, grad_x),
                }
            }
            Ok(())
        },
    )
}

/// One plane under any windows.
#[inline(always)]
fn share_windows<T: Element>(pool: &Pool2d, grad_y: &[T], grad_x: &mut [T]) {
    let (rows, cols) = (pool.rows(), pool.cols());
    grad_x.fill(T::ZERO);
    for (h, grad_y) in grad_y.chunks_exact(pool.w_out()).enumerate() {
        for (w, &grad) in grad_y.iter().enumerate() {
            let share = grad / size(pool);
            let left = (w * pool.stride[1]).saturating_sub(pool.padding[1]);
            let count = (0..pool.kernel[1]).filter(|&tap| cols.source(w, tap).is_some()).count();
            for i in (0..pool.kernel[0]).filter_map(|tap| rows.source(h, tap)) {
                grad_x[i * pool.w_in + left..][..count].iter_mut().for_each(|to| *to += share);
            }
        }
    }
}

/// One plane under windows of 2 x 2 that tile it: every input belongs to one window at most, so
/// that its gradient is written, not added.
#[inline(always)]
fn share_pairs<T: Element, const N: usize>(pool: &Pool2d, grad_y: &[T], grad_x: &mut [T]) {
    let (width, w_out) = (pool.w_in, pool.w_out());
    let mut pairs_of_rows = grad_x.chunks_exact_mut(2 * width);
    for (grad_y, two_rows) in grad_y.chunks_exact(w_out).zip(pairs_of_rows.by_ref()) {
        let (upper, lower) = two_rows.split_at_mut(width);
        for start in pieces::<N>(w_out) {
            let upper = &mut upper[2 * start..2 * start + 2 * N];
            let grad_y = &grad_y[start..start + N];
            for l in 0..N {
                let share = T::ZERO + grad_y[l] / size(pool);
                (upper[2 * l], upper[2 * l + 1]) = (share, share);
            }
        }
        upper[2 * w_out..].fill(T::ZERO);
        lower.copy_from_slice(upper);
    }
    pairs_of_rows.into_remainder().fill(T::ZERO);
}
