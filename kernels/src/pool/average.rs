//! Average pooling.

use super::pairs::{self, Windows};
use super::planes::Planes;
use super::{Pool2d, check};
use crate::conv::Reach;
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
    T::average_forward(exec, pool, batch, x, y)
}

pub(crate) fn forward<T: Element>(
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
    let all = Planes { first: 0, count: batch * pool.channels, out: y, second: &mut [0_u16; 0] };
    all.run(exec, x.len(), |planes| {
        let x = &x[planes.first * pool.area_in()..][..planes.count * pool.area_in()];
        let y = planes.out;
        if pool.is_pairs(exec.level) {
            pairs::run(exec, pool, Mean { x, y });
        } else {
            exec.level.vectorize(
                #[inline(always)]
                || {
                    for (x, y) in x.chunks_exact(pool.area_in()).zip(y.chunks_exact_mut(pool.area_out())) {
                        average_windows(pool, x, y);
                    }
                },
            );
        }
        Ok(())
    })
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

/// Planes under windows of 2 x 2 that tile them.
struct Mean<'a, T> {
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Element> Windows for Mean<'_, T> {
    type Element = T;
    type Output = ();

    #[inline(always)]
    fn each<V: Vector<Element = T>, const N: usize>(self, pool: &Pool2d, simd: V::Simd) {
        let Self { x, y } = self;
        let planes = x.len() / pool.area_in();
        pairs::for_each::<N>(
            pool,
            planes,
            #[inline(always)]
            |row| {
                let (upper, lower) =
                    (x.get(row.upper..row.upper + 2 * N), x.get(row.lower..row.lower + 2 * N));
                let to = y.get_mut(row.output..row.output + N);
                if let (Some(upper), Some(lower), Some(to)) = (upper, lower, to) {
                    to.copy_from_slice(&mean_of(&pairs::taps::<V, N, false>(simd, upper, lower)));
                    return;
                }
                for window in 0..row.count {
                    y[row.output + window] = mean_of(&pairs::taps_of_one(x, &row, window))[0];
                }
            },
        );
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
    T::average_backward(exec, pool, batch, grad_y, grad_x)
}

pub(crate) fn backward<T: Element>(
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
    let all = Planes { first: 0, count: batch * pool.channels, out: grad_x, second: &mut [0_u16; 0] };
    all.run(exec, values, |planes| {
        let windows = planes.first * pool.area_out()..(planes.first + planes.count) * pool.area_out();
        let (grad_y, grad_x) = (&grad_y[windows], planes.out);
        if pool.is_pairs(exec.level) {
            pairs::run(exec, pool, Share { grad_y, grad_x });
        } else {
            exec.level.vectorize(
                #[inline(always)]
                || {
                    let planes =
                        grad_y.chunks_exact(pool.area_out()).zip(grad_x.chunks_exact_mut(pool.area_in()));
                    planes.for_each(
                        #[inline(always)]
                        |(grad_y, grad_x)| share_windows(pool, grad_y, grad_x),
                    );
                },
            );
        }
        Ok(())
    })
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

/// Planes under windows of 2 x 2 that tile them: every input belongs to one window at most, so
/// that its gradient is written, not added.
struct Share<'a, T> {
    grad_y: &'a [T],
    grad_x: &'a mut [T],
}

impl<T: Element> Windows for Share<'_, T> {
    type Element = T;
    type Output = ();

    #[inline(always)]
    fn each<V: Vector<Element = T>, const N: usize>(self, pool: &Pool2d, simd: V::Simd) {
        let Self { grad_y, grad_x } = self;
        let planes = grad_x.len() / pool.area_in();
        pairs::for_each::<N>(
            pool,
            planes,
            #[inline(always)]
            |row| {
                let from = grad_y.get(row.output..row.output + N);
                match from.filter(|_| row.lower + 2 * N <= grad_x.len()) {
                    Some(grad_y) => {
                        pairs::write_taps::<V, N>(simd, &[share::<T, N>(grad_y); 4], &row, grad_x);
                    }
                    None => {
                        for window in 0..row.count {
                            let one = share::<T, 1>(&grad_y[row.output + window..]);
                            pairs::write_taps_of_one(&[one; 4], &row, window, grad_x);
                        }
                    }
                }
            },
        );
        pairs::clear_rest(pool, grad_x);
    }
}

/// What each input of a window receives, for `N` windows.
#[inline(always)]
fn share<T: Element, const N: usize>(grad_y: &[T]) -> [T; N] {
    let mut share = [T::ZERO; N];
    for w in 0..N {
        share[w] = T::ZERO + grad_y[w] / T::from_f64(4.0);
    }
    share
}
