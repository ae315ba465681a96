//! Training: whole steps from shuffled epochs.

use std::ops::Range;

use benches::{BATCH, Images, assert_same_bits, flop_per_sample, network_for, perceptron};
use kernels::Exec;
use kernels::lookup::Lookup;
use models::loss::Targets;
use models::network::{Examples, LayerSpec, Network, Position};
use models::optimizer::{Optimizer, OptimizerSpec};
use models::rng::{Purpose, Stream};

use crate::row::{self, Row};
use crate::{Bench, SAMPLES};

/// Samples in memory.
const SIZES: [usize; 4] = [1_000, 5_000, 20_000, 60_000];
/// Samples of a step.
const BATCHES: [usize; 6] = [1, 4, 16, 64, 256, 1024];
/// C2 takes 2 MiB for each sample of a batch.
const LARGEST_OF_C2: usize = 256;
/// Units of the hidden layer of 784-W-10.
const WIDTHS: [usize; 8] = [32, 64, 128, 256, 512, 1024, 2048, 4096];
/// Small, so that the loss stays finite in any number of steps.
const LEARNING_RATE: f64 = 0.001;

/// The same number of steps with more and more samples in memory.
pub(crate) fn data(bench: &Bench) -> Vec<Row> {
    let mut rows = Vec::new();
    for (model, layers) in bench.networks() {
        check(bench, &layers, BATCH);
        let mut training = Training::new(bench, &layers, BATCH);
        let mut epochs = SIZES.map(Epochs::new);
        let calls = bench.calls(|steps| training.steps(&mut epochs[0], steps));
        let (times, peak) = bench.beside_peak(|| {
            bench.in_turns(&[calls; SIZES.len()], |size, steps| training.steps(&mut epochs[size], steps))
        });
        let row = |(&samples, seconds): (&usize, f64)| {
            Row { samples, ..row_of(row::DATA, model, bench, BATCH) }.with_rates(
                seconds,
                flop_per_sample(&layers),
                peak,
            )
        };
        rows.extend(SIZES.iter().zip(times).map(row).inspect(Row::print));
    }
    rows
}

/// Larger and larger batches.
pub(crate) fn batches(bench: &Bench) -> Vec<Row> {
    let mut rows = Vec::new();
    for (model, layers) in bench.networks() {
        let batches = BATCHES.iter().filter(|&&batch| model != "C2" || batch <= LARGEST_OF_C2);
        let sizes: Vec<_> = batches.map(|&batch| (layers.clone(), batch)).collect();
        let row = |place: usize| row_of(row::BATCH, model, bench, sizes[place].1);
        rows.extend(measure(bench, &sizes, row));
    }
    rows
}

/// Wider and wider layers.
pub(crate) fn widths(bench: &Bench) -> Vec<Row> {
    if bench.networks().count() == 1 {
        return Vec::new();
    }
    let sizes = WIDTHS.map(|width| (perceptron(&[width, 10]), BATCH));
    let row = |place| Row { width: WIDTHS[place], ..row_of(row::WIDTH, "784-W-10", bench, BATCH) };
    measure(bench, &sizes, row)
}

fn row_of(part: &str, model: &str, bench: &Bench, batch: usize) -> Row {
    let (part, model) = (part.to_owned(), model.to_owned());
    Row { part, model, threads: bench.threads, samples: SAMPLES, batch, ..Row::default() }
}

/// Networks with their batches, in turns.
fn measure(bench: &Bench, sizes: &[(Vec<LayerSpec>, usize)], row: impl Fn(usize) -> Row) -> Vec<Row> {
    sizes.iter().for_each(|(layers, batch)| check(bench, layers, *batch));
    let train = |(layers, batch): &(Vec<LayerSpec>, usize)| {
        (Training::new(bench, layers, *batch), Epochs::new(SAMPLES))
    };
    let mut all: Vec<_> = sizes.iter().map(train).collect();
    let run = |(training, epochs): &mut (Training<'_>, Epochs), steps| training.steps(epochs, steps);
    let calls: Vec<usize> =
        all.iter_mut().map(|training| bench.calls(|steps| run(training, steps))).collect();
    let (times, peak) =
        bench.beside_peak(|| bench.in_turns(&calls, |place, steps| run(&mut all[place], steps)));
    let rates = |(place, seconds)| row(place).with_rates(seconds, flop_per_sample(&sizes[place].0), peak);
    times.into_iter().enumerate().map(rates).inspect(Row::print).collect()
}

/// A step on several threads has the bits of a step on one.
fn check(bench: &Bench, layers: &[LayerSpec], batch: usize) {
    if bench.threads == 1 {
        return;
    }
    let [one, several] = [Exec::serial(bench.exec.level), bench.exec].map(|exec| {
        let mut training = Training { exec, ..Training::new(bench, layers, batch) };
        training.steps(&mut Epochs::new(SAMPLES), 1);
        training.network.parameters().to_vec()
    });
    assert_same_bits(&several, &one);
}

/// A network with its optimiser.
struct Training<'a> {
    network: Network<f32>,
    optimizer: Optimizer<f32>,
    exec: Exec,
    images: &'a Images,
    values: Lookup<f32>,
    batch: usize,
    labels: Vec<u32>,
}

impl<'a> Training<'a> {
    fn new(bench: &'a Bench, layers: &[LayerSpec], batch: usize) -> Self {
        let network = network_for(layers, batch);
        let rate = OptimizerSpec::sgd(LEARNING_RATE);
        let optimizer = Optimizer::new(rate, network.parameters().len()).expect("a rate");
        let labels = Vec::with_capacity(batch);
        Self {
            network,
            optimizer,
            exec: bench.exec,
            images: &bench.images,
            values: benches::values(),
            batch,
            labels,
        }
    }

    fn steps(&mut self, epochs: &mut Epochs, steps: usize) {
        let Self { network, optimizer, exec, images, values, batch, labels } = self;
        for _ in 0..steps {
            let (rows, next) = epochs.next_batch(*batch);
            labels.clear();
            labels.extend(rows.iter().map(|&row| u32::from(images.labels[row as usize])));
            let gather = |samples: Range<usize>, x: &mut [f32]| {
                benches::gather((exec.level, values), &images.pixels, [rows, next], samples, x);
            };
            let (targets, at) = (Targets::Labels(labels), Position::default());
            let examples = Examples { samples: *batch, gather: &gather, targets };
            let loss = network.train_step_from(*exec, examples, optimizer, at);
            assert!(loss.expect("the shapes fit").is_finite(), "the loss is not finite");
        }
    }
}

/// Whole batches of one shuffled epoch after the other; what is left of an epoch is left out.
struct Epochs {
    order: Vec<u32>,
    position: usize,
    epoch: u64,
}

impl Epochs {
    fn new(samples: usize) -> Self {
        Self { order: (0..samples as u32).collect(), position: samples, epoch: 0 }
    }

    /// A batch, and what follows it in the same epoch.
    fn next_batch(&mut self, batch: usize) -> (&[u32], &[u32]) {
        if self.position + batch > self.order.len() {
            Stream::new(Purpose::Shuffle, 1, self.epoch).shuffle(&mut self.order);
            self.epoch += 1;
            self.position = 0;
        }
        self.position += batch;
        let (until, after) = self.order.split_at(self.position);
        (&until[self.position - batch..], after)
    }
}
