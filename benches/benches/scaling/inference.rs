//! Answers: one sample at a time, and batches.

use std::time::Instant;

use benches::{PIXELS, assert_same_bits, flop_per_sample, network_for};
use kernels::Exec;
use models::network::{LayerSpec, Network};

use crate::Bench;
use crate::row::{self, Row};

/// Samples of a call. The model of scaling wants every power of two.
const BATCHES: [usize; 10] = [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
/// The largest of them.
const LARGEST: usize = 1024;
/// What a network is planned for; a call with more samples takes them batch by batch.
const PLANNED: usize = 256;
/// Samples whose answers alone are compared with those in a batch.
const COMPARED: usize = 64;
/// Calls on one sample of which the median and the 99th percentile are taken: at least, and at most.
const CALLS: (usize, usize) = (200, 20_000);

/// The latency of one sample and the rates of batches.
pub(crate) fn answers(bench: &Bench) -> Vec<Row> {
    let mut rows = Vec::new();
    for (model, layers) in bench.networks() {
        let mut answering = Answering::new(bench, &layers);
        answering.check();
        let row = |batch: usize| {
            let (part, model) = (row::INFERENCE.to_owned(), model.to_owned());
            Row { part, model, threads: bench.threads, batch, ..Row::default() }
        };
        let calls =
            BATCHES.map(|batch| bench.calls(|count| (0..count).for_each(|call| answering.call(call, batch))));
        let ((mut latencies, times), peak) = bench.beside_peak(|| {
            let latencies = answering.latencies(bench);
            let run = |place: usize, count: usize| {
                (0..count).for_each(|call| answering.call(call, BATCHES[place]));
            };
            (latencies, bench.in_turns(&calls, run))
        });
        latencies.sort_by(f64::total_cmp);
        let at = |hundredths: usize| latencies[(latencies.len() - 1) * hundredths / 100];
        let flop = answering.flop;
        let alone = Row {
            median_microseconds: Some(1e6 * at(50)),
            p99_microseconds: Some(1e6 * at(99)),
            ..row(1).with_rates(at(50), flop, peak)
        };
        let batches = BATCHES.iter().zip(times);
        let batches = batches.map(|(&batch, seconds)| row(batch).with_rates(seconds, flop, peak));
        rows.extend([alone].into_iter().chain(batches).inspect(Row::print));
    }
    rows
}

struct Answering {
    network: Network<f32>,
    exec: Exec,
    /// [LARGEST, 784].
    x: Vec<f32>,
    /// [LARGEST, classes].
    outputs: Vec<f32>,
    /// Of one answer.
    flop: usize,
}

impl Answering {
    fn new(bench: &Bench, layers: &[LayerSpec]) -> Self {
        let network = network_for(layers, PLANNED);
        let mut x = vec![0.0; LARGEST * PIXELS];
        benches::values().gather(bench.exec.level, &bench.images.pixels, &|row| row, &mut x);
        let outputs = vec![0.0; LARGEST * network.outputs()];
        let flop = network.layers().iter().map(|layer| layer.flops as usize).sum();
        debug_assert!(flop < flop_per_sample(layers));
        Self { network, exec: bench.exec, x, outputs, flop }
    }

    /// Answers the `call`-th batch of the samples, around and around.
    fn call(&mut self, call: usize, batch: usize) {
        let first = call % (LARGEST / batch) * batch;
        self.answer(self.exec, first, batch);
    }

    fn answer(&mut self, exec: Exec, first: usize, batch: usize) {
        let width = self.network.outputs();
        let x = &self.x[first * PIXELS..][..batch * PIXELS];
        self.network.predict(exec, x, &mut self.outputs[first * width..][..batch * width]).expect("they fit");
    }

    /// Seconds of calls on one sample each.
    fn latencies(&mut self, bench: &Bench) -> Vec<f64> {
        let calls = 3 * bench.calls(|count| (0..count).for_each(|call| self.call(call, 1)));
        let calls = calls.clamp(CALLS.0, CALLS.1);
        let time = |call| {
            let start = Instant::now();
            self.call(call, 1);
            start.elapsed().as_secs_f64()
        };
        (0..calls).map(time).collect()
    }

    /// The answers to a sample are the same alone, in any batch, and on any number of threads, by bits.
    fn check(&mut self) {
        let compared = COMPARED * self.network.outputs();
        self.answer(Exec::serial(self.exec.level), 0, LARGEST);
        let want = self.outputs[..compared].to_vec();
        for batch in [1, COMPARED, LARGEST] {
            self.outputs.fill(f32::NAN);
            (0..COMPARED.div_ceil(batch)).for_each(|call| self.call(call, batch));
            assert_same_bits(&self.outputs[..compared], &want);
        }
    }
}
