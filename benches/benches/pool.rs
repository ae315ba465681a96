//! Pooling of a batch of feature maps, in bytes of the larger tensor per second.
//!
//! `naive` is the reference, window by window. Inputs are random, buffers are made outside of the
//! timed part, and before a kernel is timed its output is compared with the reference's, bit by bit.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kernels::pool::{self, Pool2d};
use kernels::{Exec, Level, reference};

const SIZES: [(&str, Pool2d, usize); 3] = [
    ("64x6x28x28 2x2", square(6, 28, 2, 2, 0), 64),
    ("64x32x28x28 2x2", square(32, 28, 2, 2, 0), 64),
    ("64x32x28x28 3x3 stride 2", square(32, 28, 3, 2, 1), 64),
];

const fn square(channels: usize, side: usize, kernel: usize, stride: usize, padding: usize) -> Pool2d {
    Pool2d {
        channels,
        h_in: side,
        w_in: side,
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [padding; 2],
    }
}

fn pooling(criterion: &mut Criterion) {
    let exec = Exec::serial(Level::best());
    for (name, sizes, batch) in SIZES {
        let mut state = 1_u64;
        let x: Vec<f32> = (0..batch * sizes.input_len()).map(|_| benches::uniform(&mut state)).collect();
        let grad_y: Vec<f32> =
            (0..batch * sizes.output_len()).map(|_| benches::uniform(&mut state)).collect();
        let (mut y, mut indices) = (vec![0.0; grad_y.len()], vec![0; grad_y.len()]);
        let mut grad_x = vec![0.0; x.len()];
        let bytes = Throughput::Bytes(size_of_val(&x[..]) as u64);

        pool::max_forward(exec, &sizes, batch, &x, &mut y, &mut indices).expect("the sizes fit");
        let (want, want_indices) = reference::pool::max_forward(&sizes, batch, &x);
        benches::assert_same_bits(&y, &want);
        assert_eq!(indices, want_indices);
        let mut group = criterion.benchmark_group("max pooling");
        group.throughput(bytes.clone());
        group.bench_function(BenchmarkId::new("forward", name), |b| {
            b.iter(|| pool::max_forward(exec, &sizes, batch, black_box(&x), &mut y, &mut indices));
        });
        group.bench_function(BenchmarkId::new("forward naive", name), |b| {
            b.iter(|| reference::pool::max_forward(&sizes, batch, black_box(&x)));
        });
        pool::max_backward(exec, &sizes, batch, &indices, &grad_y, &mut grad_x).expect("the sizes fit");
        let want = reference::pool::max_backward(&sizes, batch, &indices, &grad_y);
        benches::assert_same_bits(&grad_x, &want);
        group.bench_function(BenchmarkId::new("backward", name), |b| {
            b.iter(|| pool::max_backward(exec, &sizes, batch, &indices, black_box(&grad_y), &mut grad_x));
        });
        group.finish();

        let mut group = criterion.benchmark_group("average pooling");
        group.throughput(bytes);
        pool::average_forward(exec, &sizes, batch, &x, &mut y).expect("the sizes fit");
        benches::assert_same_bits(&y, &reference::pool::average_forward(&sizes, batch, &x));
        group.bench_function(BenchmarkId::new("forward", name), |b| {
            b.iter(|| pool::average_forward(exec, &sizes, batch, black_box(&x), &mut y));
        });
        pool::average_backward(exec, &sizes, batch, &grad_y, &mut grad_x).expect("the sizes fit");
        benches::assert_same_bits(&grad_x, &reference::pool::average_backward(&sizes, batch, &grad_y));
        group.bench_function(BenchmarkId::new("backward", name), |b| {
            b.iter(|| pool::average_backward(exec, &sizes, batch, black_box(&grad_y), &mut grad_x));
        });
        group.finish();
    }
}

fn global(criterion: &mut Criterion) {
    const PLANES: usize = 64 * 64;
    const AREA: usize = 7 * 7;
    let exec = Exec::serial(Level::best());
    let mut state = 1_u64;
    let x: Vec<f32> = (0..PLANES * AREA).map(|_| benches::uniform(&mut state)).collect();
    let grad_y: Vec<f32> = (0..PLANES).map(|_| benches::uniform(&mut state)).collect();
    let (mut y, mut grad_x) = (vec![0.0; PLANES], vec![0.0; x.len()]);
    let mut group = criterion.benchmark_group("global average pooling");
    group.throughput(Throughput::Bytes(size_of_val(&x[..]) as u64));
    pool::global_average_forward(exec, PLANES, AREA, &x, &mut y).expect("the sizes fit");
    benches::assert_same_bits(&y, &reference::pool::global_average_forward(AREA, &x));
    group.bench_function(BenchmarkId::new("forward", "64x64x7x7"), |b| {
        b.iter(|| pool::global_average_forward(exec, PLANES, AREA, black_box(&x), &mut y));
    });
    pool::global_average_backward(exec, PLANES, AREA, &grad_y, &mut grad_x).expect("the sizes fit");
    benches::assert_same_bits(&grad_x, &reference::pool::global_average_backward(AREA, &grad_y));
    group.bench_function(BenchmarkId::new("backward", "64x64x7x7"), |b| {
        b.iter(|| pool::global_average_backward(exec, PLANES, AREA, black_box(&grad_y), &mut grad_x));
    });
    group.finish();
}

criterion_group!(benches, pooling, global);
criterion_main!(benches);
