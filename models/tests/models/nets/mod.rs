//! The networks that several tests train, and deterministic batches for them.
#![allow(unreachable_pub, reason = "all of it is for the other tests of this program")]

use kernels::Exec;
use kernels::activation::Activation;
use models::NetworkElement;
use models::init::Init;
use models::loss::{Loss, Targets};
use models::network::{ConvSpec, LayerSpec, Network, Position};
use models::optimizer::{Optimizer, OptimizerSpec, Rule};
use models::rng::{Purpose, Stream};

/// Enough samples that products are shared out over threads, and no multiple of a chunk.
pub const BATCH: usize = 33;
pub const CLASSES: usize = 4;

/// A network with its input shape and the rule that trains it.
pub struct Example {
    pub name: &'static str,
    pub input: Vec<usize>,
    pub layers: Vec<LayerSpec>,
    pub rule: Rule,
}

/// Images to classes through every kind of layer that has memory of its own; Adam.
pub fn convolutional() -> Example {
    let rotated = ConvSpec { padding: [1, 1], true_convolution: true, ..ConvSpec::new(6, [3, 3]) };
    let (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8);
    Example {
        name: "convolutional",
        input: vec![2, 17, 17],
        layers: vec![
            LayerSpec::conv2d(8, 3),
            LayerSpec::BatchNorm,
            LayerSpec::Activation(Activation::Relu),
            LayerSpec::max_pool2d(2),
            LayerSpec::Conv2d(rotated),
            LayerSpec::Activation(Activation::Elu { alpha: 1.0 }),
            LayerSpec::Dropout { rate: 0.25 },
            LayerSpec::Flatten,
            LayerSpec::dense(CLASSES),
        ],
        rule: Rule::Adam { learning_rate: 0.01, beta1, beta2, epsilon, weight_decay: 1e-3 },
    }
}

/// Flat values to classes; Nesterov's momentum.
pub fn multi_layer() -> Example {
    Example {
        name: "multi-layer",
        input: vec![150],
        layers: vec![
            // 2 x 33 x 150 x 240 = 2.4 million operations: above the 2^21 from which a product is shared out.
            LayerSpec::dense(240),
            LayerSpec::BatchNorm,
            LayerSpec::Activation(Activation::Tanh),
            LayerSpec::Dropout { rate: 0.5 },
            LayerSpec::dense(19),
            LayerSpec::Activation(Activation::Sigmoid),
            LayerSpec::dense(CLASSES),
        ],
        rule: Rule::Sgd { learning_rate: 0.1, momentum: 0.9, nesterov: true, weight_decay: 1e-4 },
    }
}

/// A network in training: the state that a run carries from step to step.
pub struct Run<T> {
    pub network: Network<T>,
    pub optimizer: Optimizer<T>,
    inputs: usize,
}

impl<T: NetworkElement> Run<T> {
    pub fn new(example: &Example) -> Self {
        Self::with_memory_for(BATCH, example)
    }

    pub fn with_memory_for(max_batch: usize, example: &Example) -> Self {
        let (input, layers) = (&example.input, &example.layers);
        let mut network = Network::new(input, layers, Loss::SoftmaxCrossEntropy, max_batch).unwrap();
        network.initialise(Init::HeNormal, 3);
        let spec = OptimizerSpec::constant(example.rule);
        let optimizer = Optimizer::new(spec, network.parameters().len()).unwrap();
        Self { inputs: network.inputs(), network, optimizer }
    }

    /// Steps `range` on batches that depend on the step alone; returns the sums of the losses.
    pub fn steps(&mut self, exec: Exec, range: std::ops::Range<u64>) -> Vec<f64> {
        range.map(|step| self.step(exec, step)).collect()
    }

    fn step(&mut self, exec: Exec, step: u64) -> f64 {
        let (x, y) = batch(self.inputs, step);
        let at = Position { seed: 3, epoch: 0, first: step * BATCH as u64 };
        self.network.train_step(exec, &x, Targets::Labels(&y), &mut self.optimizer, at).unwrap()
    }
}

/// Normal inputs and uniform labels of batch `step`.
pub fn batch<T: NetworkElement>(inputs: usize, step: u64) -> (Vec<T>, Vec<u32>) {
    let mut stream = Stream::new(Purpose::Data, 5, step);
    let x = (0..BATCH * inputs).map(|_| T::from_f64(stream.normal())).collect();
    let y = (0..BATCH).map(|_| stream.below(CLASSES as u64) as u32).collect();
    (x, y)
}
