//! Random convolutions, reductions, losses and activations.

use kernels::activation;
use kernels::conv::Conv2d;
use kernels::{Element, reduce, reference, softmax as losses};

use super::draw::{Draw, Runners};
use super::{Compared, either_type};
use crate::common::convolution::Case;
use crate::common::{ACTIVATIONS, same_stored_bits};

pub(crate) fn convolution(draw: &mut Draw, runners: &Runners) -> Compared {
    either_type!(convolution_of, draw, runners)
}

fn convolution_of<T: Element>(draw: &mut Draw, runners: &Runners) -> Compared {
    let case = convolution_case::<T>(draw);
    let want = case.reference();
    let execs = draw.execs(runners, case.batch * macs(&case.conv));
    runners.each(&execs, |exec, threads| case.check(exec, threads, &want))
}

fn macs(conv: &Conv2d) -> usize {
    conv.h_out() * conv.w_out() * conv.weight_len()
}

pub(crate) fn convolution_case<T: Element>(draw: &mut Draw) -> Case<T> {
    let conv = loop {
        let conv = conv2d(draw);
        if conv.validate().is_ok() {
            break conv;
        }
    };
    let batch = if macs(&conv) < 4000 { draw.below(10) } else { 1 + draw.below(2) };
    // The case asks for values one by one: they come from draws of a prime length.
    let mut operands = Vec::new();
    Case::new(conv, batch, || {
        if operands.is_empty() {
            operands = draw.values(997);
        }
        operands.pop().unwrap_or(T::ZERO)
    })
}

fn conv2d(draw: &mut Draw) -> Conv2d {
    let groups = if draw.once_in(5) { 2 + draw.below(2) } else { 1 };
    let signal = draw.once_in(5);
    let up_to = |n: usize, draw: &mut Draw| if draw.once_in(2) { 1 } else { 1 + draw.below(n) };
    // Some have more filters than two of the widest registers have lanes.
    let most_filters = [3, 3, 3, 14, 14, 40][draw.below(6)];
    let filters = 1 + draw.below(most_filters);
    let mut conv = Conv2d {
        c_in: groups * (1 + draw.below(3)),
        h_in: 1 + draw.below(9),
        w_in: 1 + draw.below(if signal { 70 } else { 20 }),
        c_out: groups * filters,
        kernel: [1 + draw.below(5), 1 + draw.below(5)],
        stride: [up_to(3, draw), up_to(3, draw)],
        padding: [draw.below(3), draw.below(3)],
        dilation: [up_to(2, draw), up_to(2, draw)],
        groups,
    };
    if draw.once_in(5) {
        // As most networks have it: an odd side, every position, and no padding or as much as keeps the size.
        let side = 3 + 2 * draw.below(2);
        (conv.kernel, conv.stride, conv.dilation) = ([side; 2], [1; 2], [1; 2]);
        conv.padding = [draw.below(2) * (side / 2); 2];
    }
    if signal {
        (conv.h_in, conv.kernel[0], conv.padding[0]) = (1, 1, 0);
    }
    conv
}

pub(crate) fn reduction(draw: &mut Draw, runners: &Runners) -> Compared {
    either_type!(reduction_of, draw, runners)
}

pub(crate) fn length(draw: &mut Draw) -> usize {
    if draw.once_in(8) { draw.below(5000) } else { draw.below(140) }
}

fn reduction_of<T: Element>(draw: &mut Draw, runners: &Runners) -> Compared {
    let len = length(draw);
    let x: Vec<T> = draw.values(len);
    let centre: T = draw.source().plain();
    let sum = reference::reduce::sum(&x);
    let squares = [T::ZERO, centre].map(|c| reference::reduce::sum_of_squares_about(&x, c));
    let want = [sum, (sum / T::from_f64(len as f64)).canonical(), squares[0], squares[1]];
    if reduce::argmax(&x) != reference::reduce::argmax(&x) {
        return Err(format!("argmax of {len} x {}", T::NAME));
    }
    let execs = draw.execs(runners, len);
    runners.each(&execs, |exec, _| {
        let got = [
            reduce::sum(exec, &x),
            reduce::mean(exec, &x),
            reduce::sum_of_squares(exec, &x),
            reduce::sum_of_squares_about(exec, &x, centre),
        ];
        same_stored_bits(format_args!("sum, mean, squares of {len} x {}, {exec:?}", T::NAME), &got, &want)
    })
}

pub(crate) fn softmax(draw: &mut Draw, runners: &Runners) -> Compared {
    either_type!(softmax_of, draw, runners)
}

fn softmax_of<T: Element>(draw: &mut Draw, runners: &Runners) -> Compared {
    let (rows, classes) = if draw.once_in(2) {
        (1 + draw.below(8), 1 + draw.below(70))
    } else {
        (1 + draw.below(80), 1 + draw.below(35))
    };
    let scale = T::from_f64([1.0, 20.0, 200.0][draw.below(3)]);
    let x: Vec<T> = draw.values::<T>(rows * classes).into_iter().map(|x| scale * x).collect();
    let labels: Vec<u32> = (0..rows).map(|_| draw.below(classes) as u32).collect();
    let r = T::ONE / T::from_f64(rows as f64);
    let p: Vec<T> = x.chunks(classes).flat_map(reference::softmax::softmax).collect();
    let rows_of = x.chunks(classes).zip(&labels);
    let (want, grads): (Vec<T>, Vec<Vec<T>>) =
        rows_of.map(|(x, &y)| reference::softmax::cross_entropy(x, y as usize, r)).unzip();
    let targets: Vec<T> = (0..x.len()).map(|i| [T::ZERO, T::ONE, T::from_f64(0.25)][i % 3]).collect();
    let binary = x.iter().zip(&targets);
    let (logistic, logistic_grad): (Vec<T>, Vec<T>) =
        binary.map(|(&z, &y)| reference::softmax::binary_cross_entropy(z, y, r)).unzip();
    let execs = draw.execs(runners, 8 * x.len());
    runners.each(&execs, |exec, _| {
        let label = |name| format!("{name}, {rows} x {classes} {}, {exec:?}", T::NAME);
        let (mut got, mut loss, mut all) = (vec![T::ONE; x.len()], vec![T::ONE; rows], vec![T::ONE; x.len()]);
        losses::softmax(exec, classes, &x, &mut got).unwrap();
        same_stored_bits(label("softmax"), &got, &p)?;
        let rows = losses::CrossEntropy { x: &x, labels: &labels, r, losses: &mut loss, grad: &mut got };
        losses::cross_entropy(exec, classes, rows).unwrap();
        same_stored_bits(label("loss"), &loss, &want)?;
        same_stored_bits(label("loss gradient"), &got, &grads.concat())?;
        losses::binary_cross_entropy(exec, &x, &targets, r, &mut all, &mut got).unwrap();
        same_stored_bits(label("logistic loss"), &all, &logistic)?;
        same_stored_bits(label("logistic gradient"), &got, &logistic_grad)
    })
}

pub(crate) fn activation(draw: &mut Draw, runners: &Runners) -> Compared {
    either_type!(activation_of, draw, runners)
}

fn activation_of<T: Element>(draw: &mut Draw, runners: &Runners) -> Compared {
    let (phi, len) = (ACTIVATIONS[draw.below(ACTIVATIONS.len())], length(draw) / 4);
    let scale = T::from_f64([1.0, 8.0, 100.0][draw.below(3)]);
    let z: Vec<T> = draw.values::<T>(len).into_iter().map(|z| scale * z).collect();
    let grad_a: Vec<T> = draw.values(len);
    let want: Vec<T> = z.iter().map(|&z| phi.phi(z)).collect();
    let want_grad: Vec<T> = (0..len).map(|i| phi.grad_z(z[i], want[i], grad_a[i])).collect();
    let execs = draw.execs(runners, 8 * len);
    runners.each(&execs, |exec, _| {
        let label = |name| format!("{phi:?}{name}, {len} x {}, {exec:?}", T::NAME);
        let (mut a, mut grad_z) = (vec![T::ONE; len], vec![T::ONE; len]);
        activation::forward(exec, phi, &z, &mut a).unwrap();
        same_stored_bits(label(""), &a, &want)?;
        activation::backward(exec, phi, &z, &a, &grad_a, &mut grad_z).unwrap();
        same_stored_bits(label(" gradient"), &grad_z, &want_grad)
    })
}
