//! Samples per second of one training step: batch 64, plain SGD, softmax cross-entropy, f32, data in
//! memory. Run `just bench train_step`.
//!
//! The networks are those of [`networks`]. Each runs on one thread and on a pool of two. Before a model is
//! timed, its step at the best level is compared by bits with the step at the scalar level.

use std::hint::black_box;
use std::time::Duration;

use benches::{BATCH, PIXELS, network, networks};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kernels::{Exec, Level};
use models::loss::Targets;
use models::network::{LayerSpec, Network, Position};
use models::optimizer::{Optimizer, OptimizerSpec};
use models::rng::{Purpose, Stream};

const BATCHES: usize = 8;

/// A network with its optimiser and a few batches.
struct Training {
    network: Network<f32>,
    optimizer: Optimizer<f32>,
    x: Vec<f32>,
    y: Vec<u32>,
    step: usize,
}

impl Training {
    fn new(layers: &[LayerSpec]) -> Self {
        let network = network(layers);
        let optimizer = Optimizer::new(OptimizerSpec::sgd(0.01), network.parameters().len()).unwrap();
        let mut stream = Stream::new(Purpose::Data, 1, 0);
        let x = (0..BATCHES * BATCH * PIXELS).map(|_| stream.uniform() as f32).collect();
        let y = (0..BATCHES * BATCH).map(|_| stream.below(10) as u32).collect();
        Self { network, optimizer, x, y, step: 0 }
    }

    fn step(&mut self, exec: Exec) -> f64 {
        let first = self.step % BATCHES * BATCH;
        self.step += 1;
        let x = &self.x[first * PIXELS..(first + BATCH) * PIXELS];
        let targets = Targets::Labels(&self.y[first..first + BATCH]);
        self.network.train_step(exec, x, targets, &mut self.optimizer, Position::default()).unwrap()
    }
}

fn check(name: &str, layers: &[LayerSpec]) {
    let levels = [Level::from_name("scalar").unwrap(), Level::best()];
    let [scalar, best] = levels.map(|level| {
        let mut training = Training::new(layers);
        training.step(Exec::serial(level));
        training.network.parameters().iter().map(|w| w.to_bits()).collect::<Vec<_>>()
    });
    assert!(scalar == best, "{name}: the levels differ");
}

fn train_step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("train_step");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for (name, layers) in networks() {
        check(name, &layers);
        let mut training = Training::new(&layers);
        let exec = Exec::serial(Level::best());
        group.bench_function(format!("{name}, 1 thread"), |b| b.iter(|| black_box(training.step(exec))));

        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let exec = Exec::parallel(Level::best());
        group.bench_function(format!("{name}, 2 threads"), |b| {
            pool.install(|| b.iter(|| black_box(training.step(exec))));
        });
    }
    group.finish();
}

criterion_group!(benches, train_step);
criterion_main!(benches);
