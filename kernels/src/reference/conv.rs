//! Convolution and its gradients, each output one written sum (N2, N3).

use crate::Element;
use crate::conv::{Conv2d, Target};
use crate::reference::reduce::sum;

/// N2's product of k taps: one chain from +0.0; for k > 8192 chunks of 4096, each later one from
/// +0.0 and added with one `+`.
fn product<T: Element>(taps: &[(T, T)]) -> T {
    let chunk = if taps.len() > 8192 { 4096 } else { taps.len().max(1) };
    let mut chunks = taps.chunks(chunk).map(|part| part.iter().fold(T::ZERO, |c, &(a, b)| a.mul_add(b, c)));
    let first = chunks.next().unwrap_or(T::ZERO);
    chunks.fold(first, |sum, next| sum + next)
}

/// y [batch, c_out, h_out, w_out]: per output the product over (channel, kernel row, kernel
/// column), padding as taps of +0.0, then one `+` of the bias.
pub fn forward<T: Element>(conv: &Conv2d, batch: usize, x: &[T], w: &[T], bias: Option<&[T]>) -> Vec<T> {
    let [rows, cols] = conv.axes();
    let channels = conv.c_in / conv.groups;
    let mut y = Vec::with_capacity(batch * conv.output_len());
    let mut taps = Vec::with_capacity(conv.taps_in());
    for sample in x.chunks_exact(conv.input_len()).take(batch) {
        for c_out in 0..conv.c_out {
            let group = c_out / (conv.c_out / conv.groups);
            let filter = &w[c_out * conv.taps_in()..][..conv.taps_in()];
            for (h, w) in grid([conv.h_out(), conv.w_out()]) {
                taps.clear();
                let mut weights = filter.iter();
                for c in group * channels..(group + 1) * channels {
                    for (kh, kw) in grid(conv.kernel) {
                        let value = match (rows.source(h, kh), cols.source(w, kw)) {
                            (Some(i), Some(j)) => sample[(c * conv.h_in + i) * conv.w_in + j],
                            _ => T::ZERO,
                        };
                        taps.extend(weights.next().map(|&weight| (weight, value)));
                    }
                }
                let z = product(&taps);
                y.push(bias.map_or(z, |bias| z + bias[c_out]));
            }
        }
    }
    y
}

/// grad_x [batch, c_in, h_in, w_in]: per input value the product over (c_out, kernel row, kernel
/// column) of the weight and the output gradient of the window whose tap lies there; windows
/// beside the output map are taps of +0.0, taps between strides are absent.
pub fn backward_input<T: Element>(conv: &Conv2d, batch: usize, w: &[T], grad_y: &[T]) -> Vec<T> {
    let [rows, cols] = conv.axes();
    let (h_out, w_out) = (conv.h_out(), conv.w_out());
    let (channels, filters) = (conv.c_in / conv.groups, conv.c_out / conv.groups);
    let mut grad_x = Vec::with_capacity(batch * conv.input_len());
    let mut taps = Vec::new();
    for grad in grad_y.chunks_exact(conv.output_len()).take(batch) {
        for c_in in 0..conv.c_in {
            let (group, c) = (c_in / channels, c_in % channels);
            for (h, j) in grid([conv.h_in, conv.w_in]) {
                taps.clear();
                for c_out in group * filters..(group + 1) * filters {
                    for (kh, kw) in grid(conv.kernel) {
                        let value = match (rows.target(h, kh), cols.target(j, kw)) {
                            (Target::Absent, _) | (_, Target::Absent) => continue,
                            (Target::At(i), Target::At(j)) => grad[(c_out * h_out + i) * w_out + j],
                            _ => T::ZERO,
                        };
                        let weight = w[((c_out * channels + c) * conv.kernel[0] + kh) * conv.kernel[1] + kw];
                        taps.push((weight, value));
                    }
                }
                grad_x.push(product(&taps));
            }
        }
    }
    grad_x
}

/// grad_w [c_out, c_in / groups, kernel_h, kernel_w]: the sum over (sample, row, column) in
/// chunks of [`Conv2d::chunk`] samples, each one chain from +0.0, added ascending (N3).
pub fn backward_weight<T: Element>(conv: &Conv2d, batch: usize, x: &[T], grad_y: &[T]) -> Vec<T> {
    let [rows, cols] = conv.axes();
    let (h_out, w_out) = (conv.h_out(), conv.w_out());
    let (channels, filters) = (conv.c_in / conv.groups, conv.c_out / conv.groups);
    let mut grad_w = Vec::with_capacity(conv.weight_len());
    for c_out in 0..conv.c_out {
        for c in 0..channels {
            let c_in = c_out / filters * channels + c;
            for (kh, kw) in grid(conv.kernel) {
                grad_w.push(sum_over_samples(conv.chunk(), batch, |n, chain| {
                    let sample = &x[n * conv.input_len()..][..conv.input_len()];
                    let grad = &grad_y[n * conv.output_len()..][..conv.output_len()];
                    grid([h_out, w_out]).fold(chain, |chain, (h, w)| {
                        let value = match (rows.source(h, kh), cols.source(w, kw)) {
                            (Some(i), Some(j)) => sample[(c_in * conv.h_in + i) * conv.w_in + j],
                            _ => T::ZERO,
                        };
                        grad[(c_out * h_out + h) * w_out + w].mul_add(value, chain)
                    })
                }));
            }
        }
    }
    grad_w
}

/// `grad_bias [c_out]`: per sample the N4 sum over the positions, samples chained with `+` in the
/// chunks of [`backward_weight`].
pub fn backward_bias<T: Element>(conv: &Conv2d, batch: usize, grad_y: &[T]) -> Vec<T> {
    let area = conv.h_out() * conv.w_out();
    let plane = |n: usize, c: usize| &grad_y[n * conv.output_len() + c * area..][..area];
    (0..conv.c_out)
        .map(|c| sum_over_samples(conv.chunk(), batch, |n, chain| chain + sum(plane(n, c))))
        .collect()
}

/// N3: `chain(n, c)` continues c by sample n. Each chunk starts from +0.0; the first chunk's
/// value is taken, the others are added ascending.
fn sum_over_samples<T: Element>(chunk: usize, batch: usize, chain: impl Fn(usize, T) -> T) -> T {
    let mut sum = None;
    for first in (0..batch).step_by(chunk) {
        let last = batch.min(first + chunk);
        let value = (first..last).fold(T::ZERO, |c, n| chain(n, c));
        sum = Some(sum.map_or(value, |sum| sum + value));
    }
    sum.unwrap_or(T::ZERO)
}

/// All (row, column) of a grid, row-major.
pub(super) fn grid([rows, cols]: [usize; 2]) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..cols).map(move |col| (row, col)))
}
