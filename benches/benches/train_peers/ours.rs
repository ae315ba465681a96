//! This project as a worker.

use std::ops::Range;

use benches::{exec, in_pool, network, values};
use kernels::Exec;
use kernels::lookup::Lookup;
use models::checkpoint::load_weights;
use models::loss::Targets;
use models::network::{Examples, LayerSpec, Network, Position};
use models::optimizer::{Optimizer, OptimizerSpec};

use crate::worker::{BATCH, Job, LEARNING_RATE, PIXELS, Trainer, serve};

/// Serves until the input ends.
pub(crate) fn work(layers: &[LayerSpec], job: Job) {
    let (threads, samples) = (job.threads, job.labels.len());
    let mut ours = Ours::new(layers, job, exec(threads));
    in_pool(threads, || serve(env!("CARGO_PKG_VERSION"), samples, &mut ours));
}

struct Ours {
    network: Network<f32>,
    optimizer: Optimizer<f32>,
    start: Vec<f32>,
    exec: Exec,
    pixels: Vec<u8>,
    values: Lookup<f32>,
    labels: Vec<u32>,
    y: Vec<u32>,
}

impl Ours {
    fn new(layers: &[LayerSpec], job: Job, exec: Exec) -> Self {
        assert_eq!(job.layers.len(), layers.len());
        assert_eq!(job.pixels.len(), job.labels.len() * PIXELS);
        let mut network = network(layers);
        let weights = std::fs::read(&job.weights).expect("the start weights");
        load_weights(&mut network, &weights).expect("weights of this network");
        let parameters = network.parameters().len();
        Self {
            start: network.parameters().to_vec(),
            network,
            optimizer: Optimizer::new(OptimizerSpec::sgd(LEARNING_RATE), parameters).expect("a rate"),
            exec,
            pixels: job.pixels,
            values: values(),
            labels: job.labels,
            y: Vec::with_capacity(BATCH),
        }
    }
}

impl Trainer for Ours {
    type Loss = f64;

    fn reset(&mut self) {
        self.network.parameters_mut().copy_from_slice(&self.start);
    }

    fn step(&mut self, rows: &[u32], next: &[u32]) -> f64 {
        self.y.clear();
        self.y.extend(rows.iter().map(|&row| self.labels[row as usize]));
        let (level, pixels, values) = (self.exec.level, &self.pixels, &self.values);
        let gather = |samples: Range<usize>, x: &mut [f32]| {
            benches::gather((level, values), pixels, [rows, next], samples, x);
        };
        let examples = Examples { samples: rows.len(), gather: &gather, targets: Targets::Labels(&self.y) };
        let loss =
            self.network.train_step_from(self.exec, examples, &mut self.optimizer, Position::default());
        loss.expect("the shapes fit") / rows.len() as f64
    }

    fn number(loss: f64) -> f32 {
        loss as f32
    }
}
