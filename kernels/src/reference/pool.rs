//! Pooling and its gradients, one window after the other (N7, N16).

use crate::Element;
use crate::pool::Pool2d;
use crate::reference::conv::grid;
use crate::reference::reduce::sum;

/// y and the place of each maximum in its window: strict `>` row-major, so that the first
/// wins; a NaN wins, the first NaN stays; padding is never a candidate.
pub fn max_forward<T: Element>(pool: &Pool2d, batch: usize, x: &[T]) -> (Vec<T>, Vec<u16>) {
    let mut best = Vec::new();
    for_each_window(pool, batch, |plane, window| {
        let mut window = window.iter().map(|&(tap, position)| (x[plane + position], tap as u16));
        let first = window.next().unwrap_or((T::ZERO, 0));
        best.push(window.fold(first, |best, next| {
            let wins = next.0 > best.0 || (next.0.is_nan() && !best.0.is_nan());
            if wins { next } else { best }
        }));
    });
    best.into_iter().unzip()
}

/// grad_x: from +0.0, each window adds its gradient at its maximum, windows ascending.
pub fn max_backward<T: Element>(pool: &Pool2d, batch: usize, indices: &[u16], grad_y: &[T]) -> Vec<T> {
    let mut grad_x = vec![T::ZERO; batch * pool.input_len()];
    let mut outputs = indices.iter().zip(grad_y);
    for_each_window(pool, batch, |plane, window| {
        let Some((&index, &grad)) = outputs.next() else { return };
        for &(_, position) in window.iter().filter(|&&(tap, _)| tap == usize::from(index)) {
            grad_x[plane + position] += grad;
        }
    });
    grad_x
}

/// y: a `+` chain from +0.0 over the window row-major, then one division by the window's size,
/// padding included.
pub fn average_forward<T: Element>(pool: &Pool2d, batch: usize, x: &[T]) -> Vec<T> {
    let mut y = Vec::new();
    for_each_window(pool, batch, |plane, window| {
        let sum = window.iter().fold(T::ZERO, |sum, &(_, position)| sum + x[plane + position]);
        y.push(sum / T::from_f64((pool.kernel[0] * pool.kernel[1]) as f64));
    });
    y
}

/// grad_x: from +0.0, each window adds grad_y / size to every input under it, windows ascending.
pub fn average_backward<T: Element>(pool: &Pool2d, batch: usize, grad_y: &[T]) -> Vec<T> {
    let mut grad_x = vec![T::ZERO; batch * pool.input_len()];
    let mut grads = grad_y.iter();
    for_each_window(pool, batch, |plane, window| {
        let grad = grads.next().copied().unwrap_or(T::ZERO);
        let share = grad / T::from_f64((pool.kernel[0] * pool.kernel[1]) as f64);
        for &(_, position) in window {
            grad_x[plane + position] += share;
        }
    });
    grad_x
}

/// `y [planes]`: the N4 sum of each plane of `area` values, then one division.
pub fn global_average_forward<T: Element>(area: usize, x: &[T]) -> Vec<T> {
    x.chunks_exact(area).map(|plane| sum(plane) / T::from_f64(area as f64)).collect()
}

/// grad_x: grad_y / area at every position of the plane.
pub fn global_average_backward<T: Element>(area: usize, grad_y: &[T]) -> Vec<T> {
    grad_y.iter().flat_map(|&grad| std::iter::repeat_n(grad / T::from_f64(area as f64), area)).collect()
}

/// Calls `f(start of the plane, window)` for every window, ascending. The window lists its taps
/// row-major, each with its position in the plane, and leaves the padding out.
fn for_each_window(pool: &Pool2d, batch: usize, mut f: impl FnMut(usize, &[(usize, usize)])) {
    let [rows, cols] = pool.axes();
    let mut window = Vec::with_capacity(pool.kernel[0] * pool.kernel[1]);
    for plane in 0..batch * pool.channels {
        for (h, w) in grid([pool.h_out(), pool.w_out()]) {
            window.clear();
            for (row, column) in grid(pool.kernel) {
                let place = rows.source(h, row).zip(cols.source(w, column));
                window.extend(place.map(|(i, j)| (row * pool.kernel[1] + column, i * pool.w_in + j)));
            }
            f(plane * pool.h_in * pool.w_in, &window);
        }
    }
}
