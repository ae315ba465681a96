//! Convolution layers, forward and both gradients, in FLOP/s (criterion's elements are
//! floating-point operations), on one thread and on all.
//!
//! The layers are those of LeNet-5 and of the small and middling networks that other frameworks
//! are measured on. Inputs are random, buffers are made outside of the timed part, and before a
//! layer is timed two samples of it are compared with the reference, bit by bit.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{
    Bencher, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use kernels::conv::{self, BackwardInput, BackwardWeight, Conv2d, Forward};
use kernels::{Exec, Level, reference};

/// Name, batch, c_in, side of the square image, c_out, side of the kernel, padding.
const LAYERS: [(&str, usize, usize, usize, usize, usize, usize); 6] = [
    ("64x1x28x28->6 k5p2", 64, 1, 28, 6, 5, 2),
    ("64x6x14x14->16 k5", 64, 6, 14, 16, 5, 0),
    ("64x1x28x28->32 k3p1", 64, 1, 28, 32, 3, 1),
    ("64x32x28x28->64 k3p1", 64, 32, 28, 64, 3, 1),
    ("32x64x56x56->64 k3p1", 32, 64, 56, 64, 3, 1),
    ("16x128x28x28->128 k3p1", 16, 128, 28, 128, 3, 1),
];

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
            scratch: vec![0.0; conv.scratch_len(threads)],
        }
    }

    fn forward(&mut self, exec: Exec) {
        let Self { batch, x, w, bias, y, scratch, .. } = self;
        let operands = Forward { batch: *batch, x, w, bias: Some(bias), y, scratch };
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

    fn check(&mut self, exec: Exec) {
        self.forward(exec);
        self.backward_input(exec);
        self.backward_weight(exec);
        let Self { conv, batch, x, w, bias, grad_y, .. } = &*self;
        benches::assert_same_bits(&self.y, &reference::conv::forward(conv, *batch, x, w, Some(bias)));
        benches::assert_same_bits(&self.grad_x, &reference::conv::backward_input(conv, *batch, w, grad_y));
        benches::assert_same_bits(&self.grad_w, &reference::conv::backward_weight(conv, *batch, x, grad_y));
    }
}

type Pass = fn(&mut Layer, Exec);

const PASSES: [(&str, Pass); 3] = [
    ("forward", Layer::forward),
    ("weight gradient", Layer::backward_weight),
    ("input gradient", Layer::backward_input),
];

fn layers(criterion: &mut Criterion) {
    for (name, batch, c_in, side, c_out, kernel, padding) in LAYERS {
        let conv = Conv2d {
            c_in,
            h_in: side,
            w_in: side,
            c_out,
            kernel: [kernel; 2],
            stride: [1; 2],
            padding: [padding; 2],
            dilation: [1; 2],
            groups: 1,
        };
        let level = Level::best();
        let threads = rayon::current_num_threads();
        Layer::new(conv, 2, 1).check(Exec::serial(level));
        let mut layer = Layer::new(conv, batch, threads);
        for (pass_name, pass) in PASSES {
            let mut group = criterion.benchmark_group(format!("conv {pass_name}"));
            group.throughput(Throughput::Elements(
                (2 * batch * conv.output_len() * conv.weight_len() / c_out) as u64,
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

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    layer: &str,
    threads: usize,
    mut body: impl FnMut(&mut Bencher<'_, WallTime>),
) {
    group.bench_function(BenchmarkId::new(layer, format!("{threads} threads")), |b| body(b));
}

criterion_group!(benches, layers);
criterion_main!(benches);
