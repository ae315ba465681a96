//! Max pooling.

use super::pairs::{self, Row, Windows};
use super::planes::Planes;
use super::{Pool2d, check};
use crate::activation::Activation;
use crate::conv::Reach;
use crate::simd::Vector;
use crate::{Element, Error, Exec};

/// y = the maximum of each window, and its place in the window (row * kernel width + column) in `indices`.
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
/// assert_eq!((y, indices), ([5.0, 3.0], [2, 0])); // of four equal values the first
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn max_forward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    x: &[T],
    y: &mut [T],
    indices: &mut [u16],
) -> Result<(), Error> {
    T::max_forward(exec, pool, batch, x, y, indices)
}

/// As [`max_forward`] of `relu(z)`, which is never written.
///
/// # Errors
/// As [`max_forward`].
///
/// ```
/// use kernels::{Exec, pool};
///
/// let halve =
///     pool::Pool2d { channels: 1, h_in: 2, w_in: 4, kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
/// let (mut y, mut indices) = ([9.0_f32; 2], [9; 2]);
/// let z = [-1.0, 2.0, -3.0, -4.0, 1.0, -1.0, -2.0, -1.0];
/// pool::relu_max_forward(Exec::from_env()?, &halve, 1, &z, &mut y, &mut indices)?;
/// assert_eq!((y, indices), ([2.0, 0.0], [1, 0]));
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn relu_max_forward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    z: &[T],
    y: &mut [T],
    indices: &mut [u16],
) -> Result<(), Error> {
    T::relu_max_forward(exec, pool, batch, z, y, indices)
}

pub(crate) fn forward<T: Element, const RELU: bool>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    x: &[T],
    y: &mut [T],
    indices: &mut [u16],
) -> Result<(), Error> {
    const NAME: &str = "max pooling";
    pool.validate()?;
    check(NAME, "x", batch, pool.input_len(), x.len())?;
    check(NAME, "y", batch, pool.output_len(), y.len())?;
    check(NAME, "indices", batch, pool.output_len(), indices.len())?;
    let all = Planes { first: 0, count: batch * pool.channels, out: y, second: indices };
    all.run(exec, x.len(), |planes| {
        let x = &x[planes.first * pool.area_in()..][..planes.count * pool.area_in()];
        let (y, indices) = (planes.out, planes.second);
        if pool.is_pairs(exec.level) {
            pairs::run(exec, pool, Best::<T, RELU> { x, y, indices });
        } else {
            exec.level.vectorize(
                #[inline(always)]
                || {
                    let planes =
                        y.chunks_exact_mut(pool.area_out()).zip(indices.chunks_exact_mut(pool.area_out()));
                    for (x, (y, indices)) in x.chunks_exact(pool.area_in()).zip(planes) {
                        max_windows::<T, RELU>(pool, x, y, indices);
                    }
                },
            );
        }
        Ok(())
    })
}

/// A value as a candidate: relu of it, or itself.
#[inline(always)]
fn candidate<T: Element, const RELU: bool>(x: T) -> T {
    if RELU { Activation::Relu.phi(x) } else { x }
}

/// True if `next` takes the place of `best`: it is larger, or the first NaN.
#[inline(always)]
fn wins<T: Element>(next: T, best: T) -> bool {
    // Not `next <= best` is `next > best` or a NaN among the two.
    #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "a NaN must win")]
    let larger_or_nan = !(next <= best);
    larger_or_nan & !best.is_nan()
}

/// One plane under any windows, tap by tap over a whole row of windows.
#[inline(always)]
fn max_windows<T: Element, const RELU: bool>(pool: &Pool2d, x: &[T], y: &mut [T], indices: &mut [u16]) {
    let (rows, reach) = (pool.rows(), Reach::forward(&pool.cols()));
    let windows = 0..reach.positions;
    // How far the first tap that is no padding lies from the window's start.
    let skipped = |axis: usize, window: usize| pool.padding[axis].saturating_sub(window * pool.stride[axis]);
    for (h, (y, indices)) in
        y.chunks_exact_mut(windows.end).zip(indices.chunks_exact_mut(windows.end)).enumerate()
    {
        // Each window's first candidate; comparing it with itself again changes nothing.
        let top = (h * pool.stride[0]).saturating_sub(pool.padding[0]) * pool.w_in;
        for (w, (y, index)) in y.iter_mut().zip(indices.iter_mut()).enumerate() {
            *y = candidate::<T, RELU>(x[top + (w * pool.stride[1]).saturating_sub(pool.padding[1])]);
            *index = (skipped(0, h) * pool.kernel[1] + skipped(1, w)) as u16;
        }
        for (row, i) in (0..pool.kernel[0]).filter_map(|tap| rows.source(h, tap).map(|i| (tap, i))) {
            for column in 0..pool.kernel[1] {
                let inside = reach.inside(column, &windows);
                if inside.is_empty() {
                    continue;
                }
                let tap = (row * pool.kernel[1] + column) as u16;
                let first = i * pool.w_in + reach.read(column, inside.start);
                let candidates = y[inside.clone()].iter_mut().zip(&mut indices[inside]).enumerate();
                for (w, (y, index)) in candidates {
                    let next = candidate::<T, RELU>(x[first + w * pool.stride[1]]);
                    if wins(next, *y) {
                        (*y, *index) = (next, tap);
                    }
                }
            }
        }
    }
}

/// Planes under windows of 2 x 2 that tile them.
struct Best<'a, T, const RELU: bool> {
    x: &'a [T],
    y: &'a mut [T],
    indices: &'a mut [u16],
}

impl<T: Element, const RELU: bool> Windows for Best<'_, T, RELU> {
    type Element = T;
    type Output = ();

    #[inline(always)]
    fn each<V: Vector<Element = T>, const N: usize>(self, pool: &Pool2d, simd: V::Simd) {
        let Self { x, y, indices } = self;
        let planes = x.len() / pool.area_in();
        pairs::for_each::<N>(
            pool,
            planes,
            #[inline(always)]
            |row| {
                let (upper, lower) =
                    (x.get(row.upper..row.upper + 2 * N), x.get(row.lower..row.lower + 2 * N));
                let to = row.output..row.output + N;
                let outputs = y.get_mut(to.clone()).zip(indices.get_mut(to));
                if let (Some(upper), Some(lower), Some((y, indices))) = (upper, lower, outputs) {
                    let (best, places) =
                        best_of::<T, N, RELU>(&pairs::taps::<V, N, RELU>(simd, upper, lower));
                    y.copy_from_slice(&best);
                    indices.copy_from_slice(&places);
                    return;
                }
                best_one_by_one::<T, RELU>(x, &row, y, indices);
            },
        );
    }
}

/// The last windows, which registers would overrun.
#[cold]
#[inline(never)]
fn best_one_by_one<T: Element, const RELU: bool>(x: &[T], row: &Row, y: &mut [T], indices: &mut [u16]) {
    for window in 0..row.count {
        let taps = pairs::taps_of_one(x, row, window).map(|[x]| [candidate::<T, RELU>(x)]);
        let (best, places) = best_of::<T, 1, RELU>(&taps);
        (y[row.output + window], indices[row.output + window]) = (best[0], places[0]);
    }
}

/// The first of the largest taps of each of `N` windows, and its place.
#[inline(always)]
fn best_of<T: Element, const N: usize, const RELU: bool>(taps: &[[T; N]; 4]) -> ([T; N], [u16; N]) {
    // Places as wide as f32, so that one comparison selects both; narrowed once at the end.
    let (mut best, mut places) = (taps[0], [0_u32; N]);
    for (tap, next) in (1..).zip(&taps[1..]) {
        let mut next_wins = [false; N];
        for w in 0..N {
            next_wins[w] = wins(next[w], best[w]);
        }
        for w in 0..N {
            best[w] = if next_wins[w] { next[w] } else { best[w] };
        }
        for w in 0..N {
            places[w] = if next_wins[w] { tap } else { places[w] };
        }
    }
    if RELU {
        // As the activation leaves a NaN.
        best.iter_mut().for_each(
            #[inline(always)]
            |y| *y = y.canonical(),
        );
    }
    (best, places.map(|place| place as u16))
}

/// grad_x of max pooling: y is the x of its window at `index`, so grad_x there collects grad_y. From +0.0, windows that
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
/// pool::max_backward(Exec::from_env()?, &halve, 1, &[2, 0], &[0.5, 0.25], &mut grad_x)?;
/// assert_eq!(grad_x, [0.0, 0.0, 0.25, 0.0, 0.5, 0.0, 0.0, 0.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn max_backward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    indices: &[u16],
    grad_y: &[T],
    grad_x: &mut [T],
) -> Result<(), Error> {
    T::max_backward(exec, pool, batch, (indices, grad_y), grad_y, grad_x)
}

/// grad_z of [`relu_max_forward`]: where the maximum `y` is not above 0, neither was its z, and nothing comes through.
///
/// # Shapes
/// As [`max_backward`], and `y` as `grad_y`.
///
/// # Errors
/// As [`max_backward`].
pub fn relu_max_backward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    (indices, y): (&[u16], &[T]),
    grad_y: &[T],
    grad_z: &mut [T],
) -> Result<(), Error> {
    T::relu_max_backward(exec, pool, batch, (indices, y), grad_y, grad_z)
}

pub(crate) fn backward<T: Element, const RELU: bool>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    (indices, y): (&[u16], &[T]),
    grad_y: &[T],
    grad_x: &mut [T],
) -> Result<(), Error> {
    const NAME: &str = "max pooling gradient";
    pool.validate()?;
    check(NAME, "indices", batch, pool.output_len(), indices.len())?;
    check(NAME, "y", batch, pool.output_len(), y.len())?;
    check(NAME, "grad_y", batch, pool.output_len(), grad_y.len())?;
    check(NAME, "grad_x", batch, pool.input_len(), grad_x.len())?;
    let values = grad_x.len();
    let all = Planes { first: 0, count: batch * pool.channels, out: grad_x, second: &mut [0_u16; 0] };
    all.run(exec, values, |planes| {
        let windows = planes.first * pool.area_out()..(planes.first + planes.count) * pool.area_out();
        let (indices, y) = (&indices[windows.clone()], &y[windows.clone()]);
        let (grad_y, grad_x) = (&grad_y[windows], planes.out);
        let inside = if pool.is_pairs(exec.level) {
            pairs::run(exec, pool, Spread::<T, RELU> { indices, y, grad_y, grad_x })
        } else {
            let area = pool.area_out();
            let windows = indices.chunks_exact(area).zip(y.chunks_exact(area).zip(grad_y.chunks_exact(area)));
            let mut planes = windows.zip(grad_x.chunks_exact_mut(pool.area_in()));
            planes.all(|((indices, grads), grad_x)| spread_windows::<T, RELU>(pool, indices, grads, grad_x))
        };
        if inside { Ok(()) } else { Err(index_error(NAME)) }
    })
}

/// What comes through of a window's gradient.
#[inline(always)]
fn grad_through<T: Element, const RELU: bool>(y: T, grad_y: T) -> T {
    if RELU { Activation::Relu.grad_z(y, y, grad_y) } else { grad_y }
}

fn index_error(operation: &'static str) -> Error {
    Error::Shape {
        operation,
        expected: "the indices of the forward pass".to_owned(),
        got: "an index outside of its window".to_owned(),
    }
}

/// One plane under any windows; false if an index lies outside its window.
fn spread_windows<T: Element, const RELU: bool>(
    pool: &Pool2d,
    indices: &[u16],
    (y, grad_y): (&[T], &[T]),
    grad_x: &mut [T],
) -> bool {
    let (rows, cols) = (pool.rows(), pool.cols());
    grad_x.fill(T::ZERO);
    for (window, (&index, (&y, &grad))) in indices.iter().zip(y.iter().zip(grad_y)).enumerate() {
        let (h, w) = (window / pool.w_out(), window % pool.w_out());
        let (row, column) = (usize::from(index) / pool.kernel[1], usize::from(index) % pool.kernel[1]);
        let place = rows.source(h, row).zip(cols.source(w, column));
        let Some((i, j)) = place.filter(|_| row < pool.kernel[0]) else {
            return false;
        };
        grad_x[i * pool.w_in + j] += grad_through::<T, RELU>(y, grad);
    }
    true
}

/// Planes under windows of 2 x 2 that tile them: every input belongs to one window at most, so
/// that its gradient is written, not added.
struct Spread<'a, T, const RELU: bool> {
    indices: &'a [u16],
    y: &'a [T],
    grad_y: &'a [T],
    grad_x: &'a mut [T],
}

impl<T: Element, const RELU: bool> Windows for Spread<'_, T, RELU> {
    type Element = T;
    /// False if an index lies outside its window.
    type Output = bool;

    #[inline(always)]
    fn each<V: Vector<Element = T>, const N: usize>(self, pool: &Pool2d, simd: V::Simd) -> bool {
        let Self { indices, y, grad_y, grad_x } = self;
        let planes = grad_x.len() / pool.area_in();
        pairs::for_each::<N>(
            pool,
            planes,
            #[inline(always)]
            |row| {
                let from = row.output..row.output + N;
                let windows = indices.get(from.clone()).zip(y.get(from.clone()).zip(grad_y.get(from)));
                match windows.filter(|_| row.lower + 2 * N <= grad_x.len()) {
                    Some((indices, (y, grad_y))) => {
                        let taps = spread::<T, N, RELU>(indices, y, grad_y);
                        pairs::write_taps::<V, N>(simd, &taps, &row, grad_x);
                    }
                    None => {
                        spread_one_by_one::<T, RELU>(indices, (y, grad_y), &row, grad_x);
                    }
                }
            },
        );
        pairs::clear_rest(pool, grad_x);
        indices.iter().fold(0, |all, &index| all | index) < 4
    }
}

/// The last windows, which registers would overrun.
#[cold]
#[inline(never)]
fn spread_one_by_one<T: Element, const RELU: bool>(
    indices: &[u16],
    (y, grad_y): (&[T], &[T]),
    row: &Row,
    grad_x: &mut [T],
) {
    for window in 0..row.count {
        let one = row.output + window..row.output + window + 1;
        let taps = spread::<T, 1, RELU>(&indices[one.clone()], &y[one.clone()], &grad_y[one]);
        pairs::write_taps_of_one(&taps, row, window, grad_x);
    }
}

/// The gradient of each of `N` windows at its maximum, and +0.0 at the other taps.
#[inline(always)]
fn spread<T: Element, const N: usize, const RELU: bool>(
    indices: &[u16],
    y: &[T],
    grad_y: &[T],
) -> [[T; N]; 4] {
    // Arrays and selections between two loaded values: what the compiler turns into registers.
    let (mut places, mut grads) = ([0; N], [T::ZERO; N]);
    places.copy_from_slice(&indices[..N]);
    for w in 0..N {
        grads[w] = grad_through::<T, RELU>(y[w], T::ZERO + grad_y[w]);
    }
    let mut taps = [[T::ZERO; N]; 4];
    for (tap, taps) in (0..).zip(&mut taps) {
        for w in 0..N {
            taps[w] = if places[w] == tap { grads[w] } else { T::ZERO };
        }
    }
    taps
}
