//! Average pooling.

use super::pass::PoolPass;
use super::{Pool2d, pairs};
use crate::simd::{Vector, vectorized};
use crate::window::Reads;
use crate::{Element, Error, Exec, Level};

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
    let planes = pool.check("average pooling", batch, ("x", x.len()), &[("y", y.len())])?;
    T::average_forward(exec, pool, planes, (x, y))
}

/// From inputs to means.
pub(crate) struct Mean;

impl<T: Element> PoolPass<(&[T], &mut [T])> for Mean {
    type Element = T;

    fn windows(level: Level, pool: &Pool2d, (x, y): (&[T], &mut [T])) -> bool {
        vectorized!(level, {
            for (x, y) in x.chunks_exact(pool.area_in()).zip(y.chunks_exact_mut(pool.area_out())) {
                average_windows(pool, x, y);
            }
        });
        true
    }

    #[inline(always)]
    fn pairs<V: Vector<Element = T>, const N: usize>(
        pool: &Pool2d,
        simd: V::Simd,
        (x, y): (&[T], &mut [T]),
    ) -> bool {
        pairs::for_each::<N>(
            pool,
            x.len() / pool.area_in(),
            #[inline(always)]
            |row| {
                if let Some((upper, lower)) = row.inputs::<T, N>(x)
                    && let Some(to) = y.get_mut(row.windows::<N>())
                {
                    to.copy_from_slice(&mean_of(&pairs::taps::<V, N, false>(simd, upper, lower)));
                    return;
                }
                for window in 0..row.count {
                    y[row.output + window] = mean_of(&pairs::taps_of_one(x, &row, window))[0];
                }
            },
        );
        true
    }
}

/// The number that a window's sum is divided by.
#[inline(always)]
fn size<T: Element>(pool: &Pool2d) -> T {
    T::from_f64((pool.kernel[0] * pool.kernel[1]) as f64)
}

/// One plane under any windows, tap by tap over a whole row of windows.
#[inline(always)]
fn average_windows<T: Element>(pool: &Pool2d, x: &[T], y: &mut [T]) {
    let (rows, reach) = (pool.rows(), Reads::forward(&pool.cols()));
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

/// The mean of the taps of each of `N` windows.
#[inline(always)]
fn mean_of<T: Element, const N: usize>(taps: &[[T; N]; 4]) -> [T; N] {
    let mut mean = [T::ZERO; N];
    for w in 0..N {
        mean[w] = (T::ZERO + taps[0][w] + taps[1][w] + taps[2][w] + taps[3][w]) / T::from_f64(4.0);
    }
    mean
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
    let (inputs, outputs) = (("grad_x", grad_x.len()), [("grad_y", grad_y.len())]);
    let planes = pool.check("average pooling gradient", batch, inputs, &outputs)?;
    T::average_backward(exec, pool, planes, (grad_y, grad_x))
}

/// From the gradients of means to those of inputs. Under windows of 2 x 2 that tile the plane every input belongs to
/// one window at most, so that its gradient is written, not added.
pub(crate) struct MeanGradient;

impl<T: Element> PoolPass<(&[T], &mut [T])> for MeanGradient {
    type Element = T;

    fn windows(level: Level, pool: &Pool2d, (grad_y, grad_x): (&[T], &mut [T])) -> bool {
        vectorized!(level, {
            let planes = grad_y.chunks_exact(pool.area_out()).zip(grad_x.chunks_exact_mut(pool.area_in()));
            for (grad_y, grad_x) in planes {
                spread_windows(pool, grad_y, grad_x);
            }
        });
        true
    }

    #[inline(always)]
    fn pairs<V: Vector<Element = T>, const N: usize>(
        pool: &Pool2d,
        simd: V::Simd,
        (grad_y, grad_x): (&[T], &mut [T]),
    ) -> bool {
        pairs::for_each::<N>(
            pool,
            grad_x.len() / pool.area_in(),
            #[inline(always)]
            |row| {
                let from = grad_y.get(row.windows::<N>());
                match from.filter(|_| row.lower + 2 * N <= grad_x.len()) {
                    Some(grad_y) => {
                        pairs::write_taps::<V, N>(simd, &[of_each::<T, N>(grad_y); 4], &row, grad_x);
                    }
                    None => {
                        for window in 0..row.count {
                            let one = of_each::<T, 1>(&grad_y[row.output + window..]);
                            pairs::write_taps_of_one(&[one; 4], &row, window, grad_x);
                        }
                    }
                }
            },
        );
        pairs::clear_rest(pool, grad_x);
        true
    }
}

/// One plane under any windows.
#[inline(always)]
fn spread_windows<T: Element>(pool: &Pool2d, grad_y: &[T], grad_x: &mut [T]) {
    let (rows, cols) = (pool.rows(), pool.cols());
    grad_x.fill(T::ZERO);
    for (h, grad_y) in grad_y.chunks_exact(pool.w_out()).enumerate() {
        for (w, &grad) in grad_y.iter().enumerate() {
            let of_each = grad / size(pool);
            let left = (w * pool.stride[1]).saturating_sub(pool.padding[1]);
            let count = (0..pool.kernel[1]).filter(|&tap| cols.source(w, tap).is_some()).count();
            for i in (0..pool.kernel[0]).filter_map(|tap| rows.source(h, tap)) {
                grad_x[i * pool.w_in + left..][..count].iter_mut().for_each(|to| *to += of_each);
            }
        }
    }
}

/// What each input of a window receives, for `N` windows.
#[inline(always)]
fn of_each<T: Element, const N: usize>(grad_y: &[T]) -> [T; N] {
    let mut grads = [T::ZERO; N];
    for w in 0..N {
        grads[w] = T::ZERO + grad_y[w] / T::from_f64(4.0);
    }
    grads
}
