//! Trains the benchmark's networks with burn on its flex backend; `worker.rs` tells how it is spoken to.

#[path = "../../worker.rs"]
mod worker;

use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d, Relu};
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::prelude::*;
use safetensors::SafeTensors;
use worker::{BATCH, Job, LEARNING_RATE, PIXELS, Trainer, serve};

/// Layers with weights, in the order of the network, convolutions before dense ones.
#[derive(Module, Debug)]
struct Network {
    convolutions: Vec<Conv2d>,
    dense: Vec<Linear>,
    relu: Relu,
    pool: MaxPool2d,
}

impl Network {
    fn new(layers: &[(String, usize)], weights: &SafeTensors<'_>, device: &Device) -> Self {
        let (mut convolutions, mut dense) = (Vec::new(), Vec::new());
        for (index, (kind, padding)) in layers.iter().enumerate() {
            let values = |name: &str| {
                let tensor = weights.tensor(&format!("{index}.{name}")).expect("the layer's weights");
                let values = tensor.data().chunks_exact(4);
                let values: Vec<f32> =
                    values.map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four"))).collect();
                TensorData::new(values, tensor.shape().to_vec())
            };
            match kind.as_str() {
                "conv" => {
                    let weight = Tensor::<4>::from_data(values("weight"), device);
                    let [c_out, c_in, height, width] = weight.dims();
                    let config = Conv2dConfig::new([c_in, c_out], [height, width])
                        .with_padding(PaddingConfig2d::Explicit(*padding, *padding, *padding, *padding));
                    let mut layer = config.init(device);
                    layer.weight = Param::from_tensor(weight);
                    layer.bias = Some(Param::from_tensor(Tensor::from_data(values("bias"), device)));
                    convolutions.push(layer);
                }
                "dense" => {
                    // burn keeps [inputs, units], and each row in one piece.
                    let weight = Tensor::<2>::from_data(values("weight"), device).transpose();
                    let [inputs, units] = weight.dims();
                    let weight = Tensor::from_data(weight.into_data(), device);
                    let mut layer = LinearConfig::new(inputs, units).init(device);
                    layer.weight = Param::from_tensor(weight);
                    layer.bias = Some(Param::from_tensor(Tensor::from_data(values("bias"), device)));
                    dense.push(layer);
                }
                _ => {}
            }
        }
        let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
        Self { convolutions, dense, relu: Relu::new(), pool }
    }

    fn forward(&self, layers: &[(String, usize)], mut x: Tensor<4>) -> Tensor<2> {
        let (mut convolutions, mut dense) = (self.convolutions.iter(), self.dense.iter());
        let mut layers = layers.iter().map(|(kind, _)| kind.as_str());
        for kind in layers.by_ref().take_while(|&kind| kind != "flatten") {
            x = match kind {
                "relu" => self.relu.forward(x),
                "pool" => self.pool.forward(x),
                _ => convolutions.next().expect("a convolution").forward(x),
            };
        }
        layers.fold(x.flatten(1, 3), |x, kind| match kind {
            "relu" => self.relu.forward(x),
            _ => dense.next().expect("a dense layer").forward(x),
        })
    }
}

struct Burn {
    layers: Vec<(String, usize)>,
    start: Network,
    /// Taken while a step makes the next one of it.
    network: Option<Network>,
    optimizer: ModuleOptimizer,
    loss: CrossEntropyLoss,
    images: Tensor<4>,
    labels: Tensor<1, Int>,
    device: Device,
}

impl Burn {
    fn new(job: Job) -> Self {
        let plain = Device::flex();
        let device = plain.clone().autodiff();
        let bytes = std::fs::read(&job.weights).expect("the start weights");
        let weights = SafeTensors::deserialize(&bytes).expect("a safetensors file");
        let start = Network::new(&job.layers, &weights, &device);
        let samples = job.labels.len();
        let labels: Vec<i32> = job.labels.iter().map(|&label| label as i32).collect();
        Self {
            network: Some(start.clone()),
            start,
            layers: job.layers,
            optimizer: SgdConfig::new().init(),
            loss: CrossEntropyLossConfig::new().init(&device),
            images: Tensor::from_data(TensorData::new(job.images(), [samples, 1, 28, PIXELS / 28]), &device),
            labels: Tensor::from_data(TensorData::new(labels, [samples]), &device),
            device,
        }
    }
}

impl Trainer for Burn {
    type Loss = Tensor<1>;

    fn reset(&mut self) {
        self.network = Some(self.start.clone());
    }

    fn step(&mut self, rows: &[u32], _: &[u32]) -> Tensor<1> {
        let rows: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [BATCH]), &self.device);
        let x = self.images.clone().select(0, rows.clone());
        let y = self.labels.clone().select(0, rows);
        let network = self.network.take().expect("a network");
        let loss = self.loss.forward(network.forward(&self.layers, x), y);
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        self.network = Some(self.optimizer.step(LEARNING_RATE, network, gradients));
        loss
    }

    fn number(loss: Tensor<1>) -> f32 {
        loss.into_scalar()
    }
}

fn main() {
    let job = Job::new(&std::env::args().skip(1).collect::<Vec<_>>());
    // Its threads are rayon's, whose number the environment sets: RAYON_NUM_THREADS.
    assert_eq!(rayon::current_num_threads(), job.threads);
    let samples = job.labels.len();
    serve("0.22.0", samples, &mut Burn::new(job));
}
