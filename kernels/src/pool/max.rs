//! Max pooling.

use super::Pool2d;
use super::pairs::{self, Row};
use super::pass::{PoolPass, slices};
use crate::activation::Activation;
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
    let maxima = Maxima { x, y, indices };
    T::max_forward(exec, pool, maxima.planes(pool, batch)?, maxima)
}

/// As [`max_forward`] of `relu(z)`, which is never written.
///
/// # Shapes
/// As [`max_forward`], with `z` for `x`.
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
    let maxima = Maxima { x: z, y, indices };
    T::relu_max_forward(exec, pool, maxima.planes(pool, batch)?, maxima)
}

/// The inputs of some planes, and where the maximum of each window and its place go.
pub(crate) struct Maxima<'a, T> {
    x: &'a [T],
    y: &'a mut [T],
    indices: &'a mut [u16],
}

slices!(Maxima { x, y, indices });

impl<T> Maxima<'_, T> {
    /// The number of planes.
    fn planes(&self, pool: &Pool2d, batch: usize) -> Result<usize, Error> {
        let outputs = [("y", self.y.len()), ("indices", self.indices.len())];
        pool.check("max pooling", batch, ("x", self.x.len()), &outputs)
    }
}

/// From inputs, or if `RELU` from their ReLU, to maxima.
pub(crate) struct Max<const RELU: bool>;

impl<'a, T: Element, const RELU: bool> PoolPass<Maxima<'a, T>> for Max<RELU> {
    type Value = T;

    #[inline(always)]
    fn plane(pool: &Pool2d, Maxima { x, y, indices }: Maxima<'a, T>) -> bool {
        // How far the first tap that is no padding lies from the window's start.
        let skipped =
            |axis: usize, window: usize| pool.padding[axis].saturating_sub(window * pool.stride[axis]);
        let outputs = y.chunks_exact_mut(pool.w_out()).zip(indices.chunks_exact_mut(pool.w_out()));
        for (h, (y, indices)) in outputs.enumerate() {
            // Each window's first candidate; comparing it with itself again changes nothing.
            let top = (h * pool.stride[0]).saturating_sub(pool.padding[0]) * pool.w_in;
            for (w, (y, index)) in y.iter_mut().zip(indices).enumerate() {
                *y = candidate::<T, RELU>(x[top + (w * pool.stride[1]).saturating_sub(pool.padding[1])]);
                *index = (skipped(0, h) * pool.kernel[1] + skipped(1, w)) as u16;
            }
        }
        pool.for_each_tap(
            #[inline(always)]
            |tap, windows, first| {
                for (w, (y, index)) in y[windows.clone()].iter_mut().zip(&mut indices[windows]).enumerate() {
                    let next = candidate::<T, RELU>(x[first + w * pool.stride[1]]);
                    if wins(next, *y) {
                        (*y, *index) = (next, tap as u16);
                    }
                }
            },
        );
        true
    }

    #[inline(always)]
    fn pairs<V: Vector<Element = T>, const N: usize>(
        pool: &Pool2d,
        simd: V::Simd,
        Maxima { x, y, indices }: Maxima<'a, T>,
    ) -> bool {
        pairs::for_each::<N>(
            pool,
            x.len() / pool.area_in(),
            #[inline(always)]
            |row| {
                // Nested, because options built first and tested together stay in memory.
                if let Some((upper, lower)) = row.inputs::<T, N>(x)
                    && let Some(y) = y.get_mut(row.windows::<N>())
                    && let Some(indices) = indices.get_mut(row.windows::<N>())
                {
                    let taps = pairs::taps::<V, N, RELU>(simd, upper, lower);
                    let (best, places) = best_of::<T, N, RELU>(&taps);
                    y.copy_from_slice(&best);
                    indices.copy_from_slice(&places);
                    return;
                }
                // A copy: the address of `row` itself would keep it in memory.
                best_one_by_one::<T, RELU>(x, &{ row }, y, indices);
            },
        );
        true
    }
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
    // Without a ReLU y is not read.
    let all = MaxBackward { indices, y: grad_y, grad_y, grad_x };
    T::max_backward(exec, pool, all.planes(pool, batch)?, all)
}

/// The operands of [`relu_max_backward`].
#[derive(Debug)]
pub struct MaxBackward<'a, T> {
    /// The place of each maximum, as [`relu_max_forward`] wrote it, [batch, channels, h_out, w_out].
    pub indices: &'a [u16],
    /// The maxima, as [`relu_max_forward`] wrote them, of the same shape.
    pub y: &'a [T],
    /// Their gradient, of the same shape.
    pub grad_y: &'a [T],
    /// The gradient of the input, [batch, channels, h_in, w_in].
    pub grad_x: &'a mut [T],
}

slices!(MaxBackward { indices, y, grad_y, grad_x });

impl<T> MaxBackward<'_, T> {
    /// The number of planes.
    fn planes(&self, pool: &Pool2d, batch: usize) -> Result<usize, Error> {
        let outputs = [("indices", self.indices.len()), ("y", self.y.len()), ("grad_y", self.grad_y.len())];
        pool.check("max pooling gradient", batch, ("grad_x", self.grad_x.len()), &outputs)
    }
}

/// grad_z of [`relu_max_forward`], in `grad_x`: where the maximum `y` is not above 0, neither was its z, and nothing
/// comes through.
///
/// # Shapes
/// In [`MaxBackward`].
///
/// # Errors
/// As [`max_backward`].
///
/// ```
/// use kernels::{Exec, pool};
///
/// let halve =
///     pool::Pool2d { channels: 1, h_in: 2, w_in: 4, kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
/// let mut grad_x = [9.0_f32; 8];
/// let (indices, y, grad_y) = (&[2, 0], &[5.0, 0.0], &[0.5, 0.25]); // the second maximum is no more than 0
/// let operands = pool::MaxBackward { indices, y, grad_y, grad_x: &mut grad_x };
/// pool::relu_max_backward(Exec::from_env()?, &halve, 1, operands)?;
/// assert_eq!(grad_x, [0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn relu_max_backward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    all: MaxBackward<'_, T>,
) -> Result<(), Error> {
    T::relu_max_backward(exec, pool, all.planes(pool, batch)?, all)
}

/// From the gradients of maxima to those of inputs. Under windows of 2 x 2 that tile the plane every input belongs to
/// one window at most, so that its gradient is written, not added.
pub(crate) struct MaxGradient<const RELU: bool>;

impl<'a, T: Element, const RELU: bool> PoolPass<MaxBackward<'a, T>> for MaxGradient<RELU> {
    type Value = T;

    #[inline(always)]
    fn plane(pool: &Pool2d, all: MaxBackward<'a, T>) -> bool {
        let MaxBackward { indices, y, grad_y, grad_x } = all;
        let ([rows, cols], w_out) = (pool.axes(), pool.w_out());
        let ([kernel_h, kernel_w], w_in) = (pool.kernel, pool.w_in);
        grad_x.fill(T::ZERO);
        for (window, (&index, (&y, &grad))) in indices.iter().zip(y.iter().zip(grad_y)).enumerate() {
            let (h, w) = (window / w_out, window % w_out);
            let (row, column) = (usize::from(index) / kernel_w, usize::from(index) % kernel_w);
            let place = rows.source(h, row).zip(cols.source(w, column));
            let Some((i, j)) = place.filter(|_| row < kernel_h) else {
                return false;
            };
            grad_x[i * w_in + j] += grad_through::<T, RELU>(y, grad);
        }
        true
    }

    #[inline(always)]
    fn pairs<V: Vector<Element = T>, const N: usize>(
        pool: &Pool2d,
        simd: V::Simd,
        MaxBackward { indices, y, grad_y, grad_x }: MaxBackward<'a, T>,
    ) -> bool {
        pairs::for_each::<N>(
            pool,
            grad_x.len() / pool.area_in(),
            #[inline(always)]
            |row| {
                let from = row.windows::<N>();
                let windows = indices.get(from.clone()).zip(y.get(from.clone()).zip(grad_y.get(from)));
                match windows.filter(|_| row.lower + 2 * N <= grad_x.len()) {
                    Some((indices, (y, grad_y))) => {
                        let taps = spread::<T, N, RELU>(indices, y, grad_y);
                        pairs::write_taps::<V, N>(simd, &taps, &row, grad_x);
                    }
                    None => spread_one_by_one::<T, RELU>(indices, (y, grad_y), &{ row }, grad_x),
                }
            },
        );
        pairs::clear_rest(pool, grad_x);
        indices.iter().fold(0, |all, &index| all | index) < 4
    }
}

/// What comes through of a window's gradient.
#[inline(always)]
fn grad_through<T: Element, const RELU: bool>(y: T, grad_y: T) -> T {
    if RELU { Activation::Relu.grad_z(y, y, grad_y) } else { grad_y }
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
