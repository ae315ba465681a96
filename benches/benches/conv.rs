//! Convolution layers, forward and both gradients, in FLOP/s (criterion's elements are
//! floating-point operations), on one thread and on all; the bias gradient in additions per second on one, and
//! the column matrices of the textbook's way, with the turning of kernels, in bytes.
//!
//! The layers are those of LeNet-5 and of the small and middling networks that other frameworks
//! are measured on. Inputs are random, buffers are made outside of the timed part, and before a
//! layer is timed two samples of it are compared with the reference, bit by bit.

use std::hint::black_box;

use benches::convolutions;
use criterion::measurement::WallTime;
use criterion::{
    Bencher, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use kernels::conv::{self, BackwardInput, BackwardWeight, Conv2d, ForwardPass};
use kernels::{Exec, Level, MatMut, MatRef, reference};

struct Layer {
    conv: Conv2d,
    batch: usize,
    x: Vec<f32>,
    w: Vec<f32>,
    bias: Vec<f32>,
    grad_y: Vec<f32>,
    y: Vec<f32>,
    grad_x: Vec<f32>,
    grad_w: Vec<f32>,
    grad_bias: Vec<f32>,
    scratch: Vec<f32>,
}

impl Layer {
    fn new(conv: Conv2d, batch: usize, threads: usize) -> Self {
        let mut state = 1_u64;
        let mut values =
            |len: usize| -> Vec<f32> { (0..len).map(|_| benches::uniform(&mut state)).collect() };
        Self {
            conv,
            batch,
            x: values(batch * conv.input_len()),
            w: values(conv.weight_len()),
            bias: values(conv.c_out),
            grad_y: values(batch * conv.output_len()),
            y: vec![0.0; batch * conv.output_len()],
            grad_x: vec![0.0; batch * conv.input_len()],
            grad_w: vec![0.0; conv.weight_len()],
            grad_bias: vec![0.0; conv.c_out],
            scratch: vec![0.0; conv.scratch_len(threads)],
        }
    }

    fn forward(&mut self, exec: Exec) {
        let Self { batch, x, w, bias, y, scratch, .. } = self;
        let operands = ForwardPass { batch: *batch, x, w, bias: Some(bias), y, scratch };
        conv::forward(exec, &self.conv, operands).expect("the sizes fit");
    }

    fn backward_input(&mut self, exec: Exec) {
        let Self { batch, w, grad_y, grad_x, scratch, .. } = self;
        let operands = BackwardInput { batch: *batch, w, grad_y, grad_x, scratch };
        conv::backward_input(exec, &self.conv, operands).expect("the sizes fit");
    }

    fn backward_weight(&mut self, exec: Exec) {
        let Self { batch, x, grad_y, grad_w, scratch, .. } = self;
        let operands = BackwardWeight { batch: *batch, x, grad_y, grad_w, scratch };
        conv::backward_weight(exec, &self.conv, operands).expect("the sizes fit");
    }

    fn backward_bias(&mut self, exec: Exec) {
        let Self { conv, batch, grad_y, grad_bias, .. } = self;
        conv::backward_bias(exec, conv, *batch, grad_y, grad_bias).expect("the sizes fit");
    }

    fn check(&mut self, exec: Exec) {
        self.forward(exec);
        self.backward_input(exec);
        self.backward_weight(exec);
        self.backward_bias(exec);
        let Self { conv, batch, x, w, bias, grad_y, .. } = &*self;
        benches::assert_same_bits(&self.y, &reference::conv::forward(conv, *batch, x, w, Some(bias)));
        benches::assert_same_bits(&self.grad_x, &reference::conv::backward_input(conv, *batch, w, grad_y));
        benches::assert_same_bits(&self.grad_w, &reference::conv::backward_weight(conv, *batch, x, grad_y));
        benches::assert_same_bits(&self.grad_bias, &reference::conv::backward_bias(conv, *batch, grad_y));
    }
}

type Pass = fn(&mut Layer, Exec);

const PASSES: [(&str, Pass); 3] = [
    ("forward", Layer::forward),
    ("weight gradient", Layer::backward_weight),
    ("input gradient", Layer::backward_input),
];

fn layers(criterion: &mut Criterion) {
    for (name, batch, conv) in convolutions() {
        let level = Level::best();
        let threads = rayon::current_num_threads();
        Layer::new(conv, 2, 1).check(Exec::serial(level));
        let mut layer = Layer::new(conv, batch, threads);
        for (pass_name, pass) in PASSES {
            let mut group = criterion.benchmark_group(format!("conv {pass_name}"));
            group.throughput(Throughput::Elements(
                (2 * batch * conv.output_len() * conv.weight_len() / conv.c_out) as u64,
            ));
            measure(&mut group, name, 1, |b| b.iter(|| pass(black_box(&mut layer), Exec::serial(level))));
            if threads > 1 {
                // Inside the pool, as a training loop is: entering it costs more than a small layer.
                measure(&mut group, name, threads, |b| {
                    rayon::scope(|_| b.iter(|| pass(black_box(&mut layer), Exec::parallel(level))));
                });
            }
        }
    }
}

fn bias_gradients(criterion: &mut Criterion) {
    let exec = Exec::serial(Level::best());
    let mut group = criterion.benchmark_group("conv bias gradient");
    for (name, batch, conv) in convolutions() {
        let mut layer = Layer::new(conv, batch, 1);
        layer.backward_bias(exec);
        let want = reference::conv::backward_bias(&conv, batch, &layer.grad_y);
        benches::assert_same_bits(&layer.grad_bias, &want);
        group.throughput(Throughput::Elements((batch * conv.output_len()) as u64));
        measure(&mut group, name, 1, |b| b.iter(|| black_box(&mut layer).backward_bias(exec)));
    }
    group.finish();
}

/// Copies of one sample to and from its column matrix, beside a copy by a table of places.
fn column_matrices(criterion: &mut Criterion) {
    for (name, _, conv) in convolutions() {
        let mut layer = Layer::new(conv, 1, 1);
        let mut columns = vec![0.0; conv.weight_len() / conv.c_out * conv.h_out() * conv.w_out()];
        // The columns of the numbers 1, 2, 3 ... tell where each entry is read, 0 in the frame.
        let numbers: Vec<f32> = (1..=conv.input_len()).map(|i| i as f32).collect();
        conv::im2col(&conv, &numbers, &mut columns).expect("the sizes fit");
        let places: Vec<usize> = columns.iter().map(|&number| number as usize).collect();
        let bytes = Throughput::Bytes(size_of_val(&columns[..]) as u64);

        conv::im2col(&conv, &layer.x, &mut columns).expect("the sizes fit");
        check_columns(&mut layer, &columns);
        let mut group = criterion.benchmark_group("im2col");
        group.throughput(bytes.clone());
        group.bench_function(BenchmarkId::new("im2col", name), |b| {
            b.iter(|| conv::im2col(&conv, black_box(&layer.x), &mut columns));
        });
        let framed: Vec<f32> = std::iter::once(0.0).chain(layer.x.iter().copied()).collect();
        group.bench_function(BenchmarkId::new("table of places", name), |b| {
            b.iter(|| {
                let framed = black_box(&framed);
                columns.iter_mut().zip(&places).for_each(|(to, &place)| *to = framed[place]);
            });
        });
        group.finish();

        let mut state = 3_u64;
        columns.iter_mut().for_each(|value| *value = benches::uniform(&mut state));
        let mut sums = vec![0.0; framed.len()];
        add_at(&places, &columns, &mut sums);
        conv::col2im(&conv, &columns, &mut layer.grad_x).expect("the sizes fit");
        benches::assert_same_bits(&layer.grad_x, &sums[1..]);
        let mut group = criterion.benchmark_group("col2im");
        group.throughput(bytes);
        group.bench_function(BenchmarkId::new("col2im", name), |b| {
            b.iter(|| conv::col2im(&conv, black_box(&columns), &mut layer.grad_x));
        });
        group.bench_function(BenchmarkId::new("table of places", name), |b| {
            b.iter(|| add_at(&places, black_box(&columns), &mut sums));
        });
        group.finish();
    }
}

/// The kernels times the column matrix are the layer, by bits: both are one chain over (channel, row, column).
fn check_columns(layer: &mut Layer, columns: &[f32]) {
    let exec = Exec::serial(Level::best());
    let Layer { conv, x, w, y, scratch, .. } = layer;
    let operands = ForwardPass { batch: 1, x, w, bias: None, y, scratch };
    conv::forward(exec, conv, operands).expect("the sizes fit");
    let (taps, positions) = (w.len() / conv.c_out, y.len() / conv.c_out);
    let mut product = vec![0.0; y.len()];
    reference::gemm::gemm(
        MatRef::row_major(w, conv.c_out, taps).expect("the sizes fit"),
        MatRef::row_major(columns, taps, positions).expect("the sizes fit"),
        MatMut::row_major(&mut product, conv.c_out, positions).expect("the sizes fit"),
    );
    benches::assert_same_bits(&product, y);
}

/// Adds every value to the sum at its place.
fn add_at(places: &[usize], values: &[f32], sums: &mut [f32]) {
    sums.fill(0.0);
    for (&place, &value) in places.iter().zip(values) {
        sums[place] += value;
    }
}

/// Kernels turned by 180 degrees, as a true convolution has them.
fn turned_kernels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rotate");
    for (name, _, conv) in convolutions() {
        let layer = Layer::new(conv, 1, 1);
        let mut rotated = vec![0.0; layer.w.len()];
        conv::rotate(conv.kernel, &layer.w, &mut rotated).expect("whole kernels");
        let planes = layer.w.chunks(conv.kernel[0] * conv.kernel[1]);
        let want: Vec<f32> = planes.flat_map(|plane| plane.iter().rev().copied()).collect();
        benches::assert_same_bits(&rotated, &want);
        group.throughput(Throughput::Bytes(size_of_val(&rotated[..]) as u64));
        group.bench_function(BenchmarkId::new("rotate", name), |b| {
            b.iter(|| conv::rotate(conv.kernel, black_box(&layer.w), &mut rotated));
        });
    }
    group.finish();
}

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    layer: &str,
    threads: usize,
    mut body: impl FnMut(&mut Bencher<'_, WallTime>),
) {
    group.bench_function(BenchmarkId::new(layer, format!("{threads} threads")), |b| body(b));
}

criterion_group!(benches, layers, bias_gradients, column_matrices, turned_kernels);
criterion_main!(benches);
