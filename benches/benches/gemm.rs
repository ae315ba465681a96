//! Matrix products in FLOP/s (criterion's elements are floating-point operations), beside the
//! naive loops and three Rust libraries.
//!
//! Group `gemm f32, 1 thread` has every shape of the course's networks and square ones, group
//! `gemm f32, all threads` those that are worth sharing out, and groups `gemm_acc` and `gemm_over_samples` have
//! the two other sums beside [`kernels::gemm::gemm`] on the same operands; the first lines printed are the rates
//! that nothing can exceed. Inputs are random, and before a shape is timed our result is compared
//! with the plain loops by bits, and each library's within the rounding bound. Operands are hot;
//! in a training step they often are not.

use std::hint::black_box;
use std::time::Instant;

use benches::{Product, Shape};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use faer::Par;
use kernels::gemm::ladder::{Sizes, rungs};
use kernels::{Exec, Level, peak};

/// What is timed, and what it is.
const SHAPES: [(Shape, &str); 17] = [
    (Shape::ab(32, 32, 32), "square"),
    (Shape::ab(64, 64, 64), "square"),
    (Shape::ab(128, 128, 128), "square"),
    (Shape::ab(256, 256, 256), "square"),
    (Shape::ab(512, 512, 512), "square"),
    (Shape::ab(1024, 1024, 1024), "square"),
    (Shape::ab(64, 128, 784), "dense 784-128 forward"),
    (Shape::ab(64, 10, 128), "dense 128-10 forward"),
    (Shape::atb(784, 128, 64), "dense 784-128 weight gradient"),
    (Shape::abt(64, 784, 128), "dense 784-128 input gradient"),
    (Shape::abt(64, 128, 10), "dense 128-10 input gradient"),
    (Shape::ab(1, 128, 784), "dense 784-128, one sample"),
    (Shape::ab(1024, 1, 1024), "one neuron"),
    (Shape::ab(6, 576, 25), "LeNet-5 first convolution"),
    (Shape::ab(16, 64, 150), "LeNet-5 second convolution"),
    (Shape::ab(16, 4096, 150), "LeNet-5 second convolution, batch"),
    (Shape::ab(256, 3136, 1152), "3x3 convolution of 128 channels"),
];

/// Sums that continue C, as a block of a longer product does.
const CONTINUED: [Shape; 2] = [Shape::ab(64, 128, 784), Shape::ab(512, 512, 512)];

/// Weight gradients of a dense layer: one chunk of samples, and four.
const OVER_SAMPLES: [Shape; 2] = [Shape::atb(784, 128, 64), Shape::atb(784, 128, 4096)];

/// Samples of a chunk in a dense layer (N3).
const CHUNK: usize = 1024;

fn naive(product: &mut Product<f32>, exec: Exec) {
    let Shape { m, n, k, .. } = product.shape;
    let [naive, ..] = rungs::<f32>();
    naive.multiply(exec, Sizes { m, n, k }, &product.a, &product.b, &mut product.c).expect("the sizes fit");
}

/// Every library's result, before any is timed.
fn check(product: &mut Product<f32>, exec: Exec) {
    product.check_ours(exec);
    let right = product.c.clone();
    type Multiply = fn(&mut Product<f32>);
    let libraries: [(&str, Multiply); 3] = [
        ("matrixmultiply", Product::matrixmultiply),
        ("gemm crate", |p| p.gemm_crate(gemm::Parallelism::None)),
        ("faer", |p| p.faer(Par::Seq)),
    ];
    for (name, library) in libraries {
        product.c.copy_from_slice(&right);
        product.check_theirs(name, library);
    }
}

fn bench<F: FnMut(&mut Product<f32>)>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    shape: &str,
    product: &mut Product<f32>,
    mut multiply: F,
) {
    group.bench_function(BenchmarkId::new(name, shape), |bencher| {
        bencher.iter(|| multiply(black_box(product)));
    });
}

/// Times from inside the pool, as a training loop calls: entering it costs 20 microseconds.
fn bench_in_pool<F: Fn(&mut Product<f32>) + Sync>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    shape: &str,
    product: &mut Product<f32>,
    multiply: F,
) {
    group.bench_function(BenchmarkId::new(name, shape), |bencher| {
        bencher.iter_custom(|rounds| {
            rayon::scope(|_| {
                let start = Instant::now();
                (0..rounds).for_each(|_| multiply(black_box(product)));
                start.elapsed()
            })
        });
    });
}

fn one_thread(criterion: &mut Criterion) {
    let best = Exec::serial(Level::best());
    let mut group = criterion.benchmark_group("gemm f32, 1 thread");
    for (shape, what) in SHAPES {
        let mut product = Product::new(shape);
        check(&mut product, best);
        let name = format!("{}, {what}", shape.name());
        group.throughput(Throughput::Elements(shape.flops() as u64));
        for level in Level::available() {
            bench(&mut group, level.name(), &name, &mut product, |p| p.ours(Exec::serial(level)));
        }
        if shape == Shape::ab(shape.m, shape.n, shape.k) && shape.flops() <= 1 << 25 {
            bench(&mut group, "naive", &name, &mut product, |p| naive(p, best));
        }
        bench(&mut group, "matrixmultiply", &name, &mut product, Product::matrixmultiply);
        bench(&mut group, "gemm crate", &name, &mut product, |p| p.gemm_crate(gemm::Parallelism::None));
        bench(&mut group, "faer", &name, &mut product, |p| p.faer(Par::Seq));
    }
    group.finish();
}

fn all_threads(criterion: &mut Criterion) {
    let exec = Exec::parallel(Level::best());
    let mut group = criterion.benchmark_group("gemm f32, all threads");
    for (shape, what) in SHAPES.into_iter().filter(|(shape, _)| shape.flops() >= 1 << 21) {
        let mut product = Product::new(shape);
        check(&mut product, exec);
        let name = format!("{}, {what}", shape.name());
        group.throughput(Throughput::Elements(shape.flops() as u64));
        bench_in_pool(&mut group, exec.level.name(), &name, &mut product, |p| p.ours(exec));
        bench_in_pool(&mut group, "gemm crate", &name, &mut product, |p| {
            p.gemm_crate(gemm::Parallelism::Rayon(0));
        });
        bench_in_pool(&mut group, "faer", &name, &mut product, |p| p.faer(Par::rayon(0)));
    }
    group.finish();
}

fn other_sums(criterion: &mut Criterion) {
    let exec = Exec::serial(Level::best());
    type Multiply = fn(&mut Product<f32>, Exec);
    let acc: Multiply = Product::ours_acc;
    let over: Multiply = |product, exec| product.ours_over_samples(exec, CHUNK);
    for (name, shapes, multiply) in [("gemm_acc", CONTINUED, acc), ("gemm_over_samples", OVER_SAMPLES, over)]
    {
        let mut group = criterion.benchmark_group(format!("{name} f32, 1 thread"));
        for shape in shapes {
            let mut product = Product::new(shape);
            product.check_sums(exec, CHUNK);
            group.throughput(Throughput::Elements(shape.flops() as u64));
            bench(&mut group, name, &shape.name(), &mut product, |p| multiply(p, exec));
            bench(&mut group, "gemm", &shape.name(), &mut product, |p| p.ours(exec));
        }
        group.finish();
    }
}

/// Not a benchmark but the yardstick of the others.
fn fma_peak(_: &mut Criterion) {
    for level in Level::available() {
        let (single, double) = (peak::gflops::<f32>(level, 1), peak::gflops::<f64>(level, 1));
        println!("peak of one core, {}: f32 {single:.1} GFLOP/s, f64 {double:.1} GFLOP/s", level.name());
    }
}

criterion_group!(gemm_benches, fma_peak, one_thread, all_threads, other_sums);
criterion_main!(gemm_benches);
