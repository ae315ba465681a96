//! The elementary functions at every level and in f64, activations, sums and the softmax loss, per element.
//!
//! `std` is std's function in a plain loop: what a program without this crate would do, fast or slow
//! as the C library is, and not correctly rounded. Inputs are random, buffers are made outside of the timed part,
//! and before a kernel is timed its output is compared with the reference's, bit by bit.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kernels::activation::{self, Activation};
use kernels::math::{self, Function};
use kernels::softmax::{self, CrossEntropy};
use kernels::{Exec, Level, reduce, reference};

/// A layer's activations of one batch: they stay in the second cache.
const ELEMENTS: usize = 16_384;

/// `n` random values in [-scale, scale).
fn values(n: usize, scale: f32) -> Vec<f32> {
    let mut state = 1_u64;
    (0..n).map(|_| scale * benches::uniform::<f32>(&mut state)).collect()
}

/// std's function, the baseline.
#[allow(clippy::disallowed_methods, reason = "the baseline that N5's functions are timed against")]
fn std_function(function: Function) -> fn(f32) -> f32 {
    match function {
        Function::Exp => f32::exp,
        Function::Expm1 => f32::exp_m1,
        Function::Ln => f32::ln,
        Function::Ln1p => f32::ln_1p,
        Function::Tanh => f32::tanh,
        Function::Sigmoid => |x| 1.0 / (1.0 + (-x).exp()),
    }
}

fn elementary(criterion: &mut Criterion) {
    let (any, positive) = (values(ELEMENTS, 8.0), values(ELEMENTS, 8.0).iter().map(|x| x.abs()).collect());
    let mut y = vec![0.0; ELEMENTS];
    for function in Function::ALL {
        let x: &Vec<f32> = if matches!(function, Function::Ln | Function::Ln1p) { &positive } else { &any };
        let want: Vec<f32> = x.iter().map(|&x| reference::math::rounded(function, x).value).collect();
        let mut group = criterion.benchmark_group(function.name());
        group.throughput(Throughput::Elements(ELEMENTS as u64));
        for level in Level::available() {
            let exec = Exec::serial(level);
            math::evaluate(exec, function, x, &mut y).expect("one length");
            benches::assert_same_bits(&y, &want);
            group.bench_function(level.name(), |b| {
                b.iter(|| math::evaluate(exec, function, black_box(x), &mut y))
            });
        }
        let f = std_function(function);
        group.bench_function("std", |b| {
            b.iter(|| black_box(x).iter().zip(&mut y).for_each(|(&x, y)| *y = f(x)));
        });
        group.finish();
    }
}

/// The f64 functions, each beside std's.
#[allow(clippy::disallowed_methods, reason = "the baseline that N5's functions are timed against")]
fn doubles(criterion: &mut Criterion) {
    let exec = Exec::serial(Level::best());
    let any: Vec<f64> = values(ELEMENTS, 8.0).into_iter().map(f64::from).collect();
    let positive: Vec<f64> = any.iter().map(|x| x.abs()).collect();
    type Double = fn(f64) -> f64;
    let of_arrays: [(Function, &[f64], Double); 6] = [
        (Function::Exp, &any, f64::exp),
        (Function::Expm1, &any, f64::exp_m1),
        (Function::Ln, &positive, f64::ln),
        (Function::Ln1p, &positive, f64::ln_1p),
        (Function::Tanh, &any, f64::tanh),
        (Function::Sigmoid, &any, |x| 1.0 / (1.0 + (-x).exp())),
    ];
    let of_numbers: [(&str, &[f64], Double, Double); 3] = [
        ("sin", &any, math::f64::sin, f64::sin),
        ("cos", &any, math::f64::cos, f64::cos),
        ("log10", &positive, math::f64::log10, f64::log10),
    ];
    let mut y = vec![0.0; ELEMENTS];
    let mut group = criterion.benchmark_group("f64");
    group.throughput(Throughput::Elements(ELEMENTS as u64));
    for (function, x, std) in of_arrays {
        math::evaluate(exec, function, x, &mut y).expect("one length");
        assert_near(&y, x, std);
        group.bench_function(BenchmarkId::new(function.name(), exec.level.name()), |b| {
            b.iter(|| math::evaluate(exec, function, black_box(x), &mut y));
        });
        group.bench_function(BenchmarkId::new(function.name(), "std"), |b| {
            b.iter(|| black_box(x).iter().zip(&mut y).for_each(|(&x, y)| *y = std(x)));
        });
    }
    for (name, x, ours, std) in of_numbers {
        x.iter().zip(&mut y).for_each(|(&x, y)| *y = ours(x));
        assert_near(&y, x, std);
        for (whose, f) in [("ours", ours), ("std", std)] {
            group.bench_function(BenchmarkId::new(name, whose), |b| {
                b.iter(|| black_box(x).iter().zip(&mut y).for_each(|(&x, y)| *y = f(x)));
            });
        }
    }
    group.finish();
}

/// Both stay within 3 ulp of the real function: ours by the tests, the C library's by its manual. So
/// they are 6 ulp apart at most, and an ulp of y is at most 2^-52 |y|.
fn assert_near(y: &[f64], x: &[f64], std: fn(f64) -> f64) {
    for (&y, &x) in y.iter().zip(x) {
        let want = std(x);
        assert!((y - want).abs() <= 6.0 * f64::EPSILON * want.abs(), "at {x:?}: {y:?}, std has {want:?}");
    }
}

fn activations(criterion: &mut Criterion) {
    let exec = Exec::serial(Level::best());
    let (z, grad_a) = (values(ELEMENTS, 8.0), values(ELEMENTS, 1.0));
    let (mut a, mut grad_z) = (vec![0.0; ELEMENTS], vec![0.0; ELEMENTS]);
    let mut group = criterion.benchmark_group("activation");
    group.throughput(Throughput::Elements(ELEMENTS as u64));
    let (elu, leaky) = (Activation::Elu { alpha: 1.0 }, Activation::LeakyRelu { slope: 0.01 });
    for phi in [Activation::Relu, leaky, Activation::Sigmoid, Activation::Tanh, elu, Activation::Softplus] {
        activation::forward(exec, phi, &z, &mut a).expect("one length");
        benches::assert_same_bits(&a, &z.iter().map(|&z| phi.phi(z)).collect::<Vec<_>>());
        group.bench_function(BenchmarkId::new("forward", format!("{phi:?}")), |b| {
            b.iter(|| activation::forward(exec, phi, black_box(&z), &mut a));
        });
        activation::backward(exec, phi, &z, &a, &grad_a, &mut grad_z).expect("one length");
        let want: Vec<f32> = (0..ELEMENTS).map(|i| phi.grad_z(z[i], a[i], grad_a[i])).collect();
        benches::assert_same_bits(&grad_z, &want);
        group.bench_function(BenchmarkId::new("backward", format!("{phi:?}")), |b| {
            b.iter(|| activation::backward(exec, phi, black_box(&z), &a, &grad_a, &mut grad_z));
        });
    }
    group.finish();
}

fn sums(criterion: &mut Criterion) {
    let exec = Exec::serial(Level::best());
    let x = values(ELEMENTS, 1.0);
    benches::assert_same_bits(&[reduce::sum(exec, &x)], &[reference::reduce::sum(&x)]);
    let mut group = criterion.benchmark_group("sum");
    group.throughput(Throughput::Elements(ELEMENTS as u64));
    group.bench_function("32 lanes", |b| b.iter(|| reduce::sum(exec, black_box(&x))));
    group.bench_function("naive chain", |b| b.iter(|| black_box(&x).iter().fold(0.0_f32, |s, x| s + x)));
    benches::assert_same_bits(&[reduce::mean(exec, &x)], &[reference::reduce::sum(&x) / ELEMENTS as f32]);
    group.bench_function("mean", |b| b.iter(|| reduce::mean(exec, black_box(&x))));
    let want = reference::reduce::sum_of_squares_about(&x, 0.0);
    benches::assert_same_bits(&[reduce::sum_of_squares(exec, &x)], &[want]);
    group.bench_function("squares", |b| b.iter(|| reduce::sum_of_squares(exec, black_box(&x))));
    let want = reference::reduce::sum_of_squares_about(&x, 0.5);
    benches::assert_same_bits(&[reduce::sum_of_squares_about(exec, &x, 0.5)], &[want]);
    group.bench_function("squares about a centre", |b| {
        b.iter(|| reduce::sum_of_squares_about(exec, black_box(&x), 0.5));
    });
    assert_eq!(reduce::argmax(&x), reference::reduce::argmax(&x));
    group.bench_function("argmax", |b| b.iter(|| reduce::argmax(black_box(&x))));
    assert_eq!(reduce::max(&x), reference::reduce::argmax(&x).map(|i| x[i]));
    group.bench_function("max", |b| b.iter(|| reduce::max(black_box(&x))));
    group.finish();
}

fn probabilities(criterion: &mut Criterion) {
    const BATCH: usize = 128;
    let exec = Exec::serial(Level::best());
    let mut group = criterion.benchmark_group("softmax");
    for classes in [10, 100] {
        let x = values(BATCH * classes, 8.0);
        let mut p = vec![0.0; x.len()];
        softmax::softmax(exec, classes, &x, &mut p).expect("whole rows");
        let want: Vec<f32> = x.chunks(classes).flat_map(reference::softmax::softmax).collect();
        benches::assert_same_bits(&p, &want);
        group.throughput(Throughput::Elements(x.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("{BATCH}x{classes}")), |b| {
            b.iter(|| softmax::softmax(exec, classes, black_box(&x), &mut p));
        });
    }
    group.finish();
}

fn logistic_loss(criterion: &mut Criterion) {
    let exec = Exec::serial(Level::best());
    let z = values(ELEMENTS, 8.0);
    let targets: Vec<f32> = (0..ELEMENTS).map(|i| (i % 2) as f32).collect();
    let (mut losses, mut grad) = (vec![0.0; ELEMENTS], vec![0.0; ELEMENTS]);
    let r = 1.0 / ELEMENTS as f32;
    softmax::binary_cross_entropy(exec, &z, &targets, r, &mut losses, &mut grad).expect("one length");
    let rows = z.iter().zip(&targets).map(|(&z, &y)| reference::softmax::binary_cross_entropy(z, y, r));
    let (want_losses, want_grad): (Vec<f32>, Vec<f32>) = rows.unzip();
    benches::assert_same_bits(&losses, &want_losses);
    benches::assert_same_bits(&grad, &want_grad);
    let mut group = criterion.benchmark_group("binary cross-entropy");
    group.throughput(Throughput::Elements(ELEMENTS as u64));
    group.bench_function("logits", |b| {
        b.iter(|| softmax::binary_cross_entropy(exec, black_box(&z), &targets, r, &mut losses, &mut grad));
    });
    group.finish();
}

fn losses(criterion: &mut Criterion) {
    const BATCH: usize = 128;
    let exec = Exec::serial(Level::best());
    let mut group = criterion.benchmark_group("softmax cross-entropy");
    for classes in [10, 100] {
        let x = values(BATCH * classes, 8.0);
        let labels: Vec<u32> = (0..BATCH).map(|i| (i * 7 % classes) as u32).collect();
        let r = 1.0 / BATCH as f32;
        let (mut losses, mut grad) = (vec![0.0; BATCH], vec![0.0; x.len()]);
        let mut compute = |x: &[f32], losses: &mut [f32]| {
            softmax::cross_entropy(
                exec,
                classes,
                CrossEntropy { x, labels: &labels, r, losses, grad: &mut grad },
            )
        };
        compute(&x, &mut losses).expect("the shapes fit");
        let rows = x.chunks(classes).zip(&labels);
        let want = rows.map(|(x, &y)| reference::softmax::cross_entropy(x, y as usize, r).0);
        benches::assert_same_bits(&losses, &want.collect::<Vec<_>>());
        group.throughput(Throughput::Elements(x.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("{BATCH}x{classes}")), |b| {
            b.iter(|| compute(black_box(&x), &mut losses));
        });
    }
    group.finish();
}

criterion_group!(benches, elementary, doubles, activations, sums, probabilities, losses, logistic_loss);
criterion_main!(benches);
