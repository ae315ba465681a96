//! Trains the benchmark's networks with candle; `worker.rs` tells how it is spoken to.

#[path = "../../worker.rs"]
mod worker;

use std::collections::HashMap;

use candle_core::{D, Device, Result, Tensor, Var};
use candle_nn::{Optimizer, SGD, loss::cross_entropy};
use worker::{Job, LEARNING_RATE, PIXELS, Trainer, serve};

enum Layer {
    Conv { weight: Var, bias: Var, padding: usize },
    Relu,
    Pool,
    Flatten,
    Dense { weight: Var, bias: Var },
}

impl Layer {
    fn new(index: usize, kind: &str, padding: usize, weights: &HashMap<String, Tensor>) -> Result<Self> {
        let variable = |name: &str| Var::from_tensor(&weights[&format!("{index}.{name}")]);
        Ok(match kind {
            "relu" => Self::Relu,
            "pool" => Self::Pool,
            "flatten" => Self::Flatten,
            "dense" => Self::Dense { weight: variable("weight")?, bias: variable("bias")? },
            _ => Self::Conv { weight: variable("weight")?, bias: variable("bias")?, padding },
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Conv { weight, bias, padding } => {
                x.conv2d(weight, *padding, 1, 1, 1)?.broadcast_add(&bias.reshape((1, (), 1, 1))?)
            }
            Self::Relu => x.relu(),
            Self::Pool => {
                let (n, c, h, w) = x.dims4()?;
                let windows = x.reshape(vec![n, c, h / 2, 2, w / 2, 2])?.transpose(3, 4)?;
                first_maximum(&windows.reshape((n, c, h / 2, w / 2, 4))?)
            }
            Self::Flatten => x.flatten_from(1),
            Self::Dense { weight, bias } => x.matmul(&weight.t()?)?.broadcast_add(bias),
        }
    }

    fn variables(&self) -> Vec<&Var> {
        match self {
            Self::Conv { weight, bias, .. } | Self::Dense { weight, bias } => vec![weight, bias],
            _ => Vec::new(),
        }
    }
}

/// The maxima over the last axis. The gradient of candle's own max_pool2d is a quarter of the true one, and that
/// of its maximum is doubled where two are equal.
fn first_maximum(x: &Tensor) -> Result<Tensor> {
    x.gather(&x.argmax_keepdim(D::Minus1)?, D::Minus1)?.squeeze(D::Minus1)
}

struct Candle {
    layers: Vec<Layer>,
    /// The variables and where they start.
    start: Vec<(Var, Tensor)>,
    optimizer: SGD,
    images: Tensor,
    labels: Tensor,
}

impl Candle {
    fn new(job: Job) -> Result<Self> {
        let weights = candle_core::safetensors::load(&job.weights, &Device::Cpu)?;
        let layers = job.layers.iter().enumerate();
        let layers = layers
            .map(|(index, (kind, padding))| Layer::new(index, kind, *padding, &weights))
            .collect::<Result<Vec<_>>>()?;
        let variables: Vec<Var> = layers.iter().flat_map(Layer::variables).cloned().collect();
        let start = variables.iter().map(|v| Ok((v.clone(), v.as_tensor().copy()?)));
        Ok(Self {
            start: start.collect::<Result<_>>()?,
            optimizer: SGD::new(variables, LEARNING_RATE)?,
            layers,
            images: Tensor::from_vec(job.images(), (job.labels.len(), 1, 28, PIXELS / 28), &Device::Cpu)?,
            labels: Tensor::new(job.labels, &Device::Cpu)?,
        })
    }

    fn learn(&mut self, rows: &[u32]) -> Result<Tensor> {
        let rows = Tensor::new(rows, &Device::Cpu)?;
        let mut x = self.images.index_select(&rows, 0)?;
        for layer in &self.layers {
            x = layer.forward(&x)?;
        }
        let loss = cross_entropy(&x, &self.labels.index_select(&rows, 0)?)?;
        self.optimizer.backward_step(&loss)?;
        Ok(loss)
    }
}

impl Trainer for Candle {
    type Loss = Tensor;

    fn reset(&mut self) {
        for (variable, start) in &self.start {
            variable.set(start).expect("the same shape");
        }
    }

    fn step(&mut self, rows: &[u32], _: &[u32]) -> Tensor {
        self.learn(rows).expect("a step")
    }

    fn number(loss: Tensor) -> f32 {
        loss.to_scalar().expect("one value")
    }
}

fn main() {
    let job = Job::new(&std::env::args().skip(1).collect::<Vec<_>>());
    // Its own count of threads comes from the environment: RAYON_NUM_THREADS.
    assert_eq!(candle_core::utils::get_num_threads(), job.threads);
    let samples = job.labels.len();
    serve("0.11.0", samples, &mut Candle::new(job).expect("the benchmark's network"));
}
