//! Average pooling.

use super::pass::PoolPass;
use super::{Pool2d, pairs};
use crate::simd::Vector;
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
    let planes = pool.check("average pooling", batch, ("x", x.len()), &[("y", y.len())])?;
    T::average_forward(exec, pool, planes, (x, y))
}

/// From inputs to means.
pub(crate) struct Mean;

impl<T: Element> PoolPass<(&[T], &mut [T])> for Mean {
    type Value = T;

    #[inline(always)]
    fn plane(pool: &Pool2d, (x, y): (&[T], &mut [T])) -> bool {
        y.fill(T::ZERO);
        pool.for_each_tap(
            #[inline(always)]
            |_, windows, first| {
                for (w, sum) in y[windows].iter_mut().enumerate() {
                    *sum += x[first + w * pool.stride[1]];
                }
            },
        );
        y.iter_mut().for_each(|y| *y = *y / size(pool));
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
    type Value = T;

    #[inline(always)]
    fn plane(pool: &Pool2d, (grad_y, grad_x): (&[T], &mut [T])) -> bool {
        let ([rows, cols], size) = (pool.axes(), size::<T>(pool));
        grad_x.fill(T::ZERO);
        for (h, grad_y) in grad_y.chunks_exact(pool.w_out()).enumerate() {
            for (w, &grad) in grad_y.iter().enumerate() {
                let of_each = grad / size;
                let left = (w * cols.stride).saturating_sub(cols.padding);
                let count = (0..cols.kernel).filter(|&tap| cols.source(w, tap).is_some()).count();
                for i in (0..rows.kernel).filter_map(|tap| rows.source(h, tap)) {
                    grad_x[i * cols.input + left..][..count].iter_mut().for_each(|to| *to += of_each);
                }
            }
        }
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

/// What each input of a window receives, for `N` windows.
#[inline(always)]
fn of_each<T: Element, const N: usize>(grad_y: &[T]) -> [T; N] {
    let mut grads = [T::ZERO; N];
    for w in 0..N {
        grads[w] = T::ZERO + grad_y[w] / T::from_f64(4.0);
    }
    grads
}
