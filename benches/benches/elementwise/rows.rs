//! Sums, the softmax and its loss beside plain loops.

use kernels::softmax::{self, CrossEntropy};
use kernels::{Exec, reduce, reference};

use crate::{Buffers, Call, Contest, Later, at_levels, values};

/// Values that a sum takes: 64 KiB.
const ELEMENTS: usize = 16_384;
/// Samples of a batch.
const BATCH: usize = 128;

pub(crate) fn all() -> Vec<Later> {
    let mut all = vec![Later::new("sum", sum), Later::new("sum of squares", sum_of_squares)];
    for classes in [10, 100, 1000] {
        let name = |kernel: &str| format!("{kernel} {BATCH} x {classes}");
        all.push(Later::new(name("softmax"), move |name| softmax_rows(name, classes)));
        all.push(Later::new(name("cross-entropy"), move |name| cross_entropy(name, classes)));
    }
    all
}

/// A sum into y\[0\].
fn of_array(
    kernel: String,
    want: fn(&[f32]) -> f32,
    ours: fn(Exec, &[f32]) -> f32,
    naive: Call<'static>,
) -> Contest<'static> {
    let x = values(1, ELEMENTS, 1.0);
    let want = vec![want(&x)];
    let levels =
        at_levels(|level| move |Buffers { x, y, .. }: &mut Buffers| y[0] = ours(Exec::serial(level), x));
    let buffers = Buffers { z: x.clone(), x, y: vec![0.0] };
    let baseline = ("one chain of additions", naive);
    Contest { kernel, elements: ELEMENTS, bytes: 4 * ELEMENTS, buffers, want, baseline, levels }
}

fn sum(kernel: String) -> Contest<'static> {
    let naive = |Buffers { x, y, .. }: &mut Buffers| y[0] = x.iter().fold(0.0, |s, &x| s + x);
    of_array(kernel, reference::reduce::sum, reduce::sum, Box::new(naive))
}

fn sum_of_squares(kernel: String) -> Contest<'static> {
    let naive = |Buffers { x, y, .. }: &mut Buffers| y[0] = x.iter().fold(0.0, |s, &x| s + x * x);
    let want = |x: &[f32]| reference::reduce::sum_of_squares_about(x, 0.0);
    of_array(kernel, want, reduce::sum_of_squares, Box::new(naive))
}

fn softmax_rows(kernel: String, classes: usize) -> Contest<'static> {
    let x = values(1, BATCH * classes, 8.0);
    let want: Vec<f32> = x.chunks(classes).flat_map(reference::softmax::softmax).collect();
    let levels = at_levels(|level| {
        move |Buffers { x, y, .. }: &mut Buffers| {
            softmax::softmax(Exec::serial(level), classes, x, y).expect("whole rows");
        }
    });
    let naive = move |Buffers { x, y, .. }: &mut Buffers| {
        for (x, p) in x.chunks(classes).zip(y.chunks_mut(classes)) {
            let (_, s) = exponentials(x, p);
            p.iter_mut().for_each(|p| *p /= s);
        }
    };
    let (elements, bytes) = (x.len(), 8 * x.len());
    let buffers = Buffers { z: x.clone(), y: vec![0.0; x.len()], x };
    let baseline = ("plain loops, std's exp", Box::new(naive) as Call<'static>);
    Contest { kernel, elements, bytes, buffers, want, baseline, levels }
}

/// The classes of the samples.
fn labels(classes: usize) -> Vec<u32> {
    (0..BATCH).map(|sample| (sample * 7 % classes) as u32).collect()
}

/// Losses stand in y before the gradients.
fn cross_entropy(kernel: String, classes: usize) -> Contest<'static> {
    const R: f32 = 1.0 / BATCH as f32;
    let x = values(1, BATCH * classes, 8.0);
    let (mut want, mut gradients) = (Vec::new(), Vec::new());
    for (x, &label) in x.chunks(classes).zip(&labels(classes)) {
        let (loss, gradient) = reference::softmax::cross_entropy(x, label as usize, R);
        want.push(loss);
        gradients.extend(gradient);
    }
    want.extend(gradients);
    let levels = at_levels(|level| {
        let labels = labels(classes);
        move |Buffers { x, y, .. }: &mut Buffers| {
            let (losses, grad) = y.split_at_mut(BATCH);
            let exec = Exec::serial(level);
            let rows = CrossEntropy { x, labels: &labels, r: R, losses, grad };
            softmax::cross_entropy(exec, classes, rows).expect("the shapes fit");
        }
    });
    let labels = labels(classes);
    let naive = move |Buffers { x, y, .. }: &mut Buffers| {
        let (losses, grad) = y.split_at_mut(BATCH);
        let rows = x.chunks(classes).zip(grad.chunks_mut(classes));
        for ((x, grad), (&label, loss)) in rows.zip(labels.iter().zip(losses)) {
            *loss = naive_loss(x, grad, label as usize, R);
        }
    };
    let (elements, bytes) = (x.len(), 4 * (2 * x.len() + 2 * BATCH));
    let y = vec![0.0; BATCH + x.len()];
    let buffers = Buffers { z: y.clone(), y, x };
    let baseline = ("plain loops, std's exp and ln", Box::new(naive) as Call<'static>);
    Contest { kernel, elements, bytes, buffers, want, baseline, levels }
}

/// e = exp(x - m); returns m and the sum.
#[allow(clippy::disallowed_methods, reason = "the baseline that the contract's sequence is timed against")]
fn exponentials(x: &[f32], e: &mut [f32]) -> (f32, f32) {
    let m = x.iter().fold(f32::NEG_INFINITY, |m, &x| if x > m { x } else { m });
    let mut s = 0.0;
    for (e, &x) in e.iter_mut().zip(x) {
        *e = (x - m).exp();
        s += *e;
    }
    (m, s)
}

/// A row's loss, and its gradient in `grad`.
#[allow(clippy::disallowed_methods, reason = "the baseline that the contract's sequence is timed against")]
fn naive_loss(x: &[f32], grad: &mut [f32], label: usize, r: f32) -> f32 {
    let (m, s) = exponentials(x, grad);
    grad.iter_mut().for_each(|p| *p = *p / s * r);
    grad[label] -= r;
    s.ln() - (x[label] - m)
}
