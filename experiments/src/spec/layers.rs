//! Layers, starts, costs and update rules.

use kernels::activation::Activation;

/// A layer.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum LayerSpec {
    Dense {
        units: usize,
        bias: bool,
    },
    Conv2d {
        filters: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        dilation: [usize; 2],
        groups: usize,
        bias: bool,
        true_convolution: bool,
    },
    Conv1d {
        filters: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
        dilation: usize,
        groups: usize,
        bias: bool,
    },
    MaxPool2d {
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    },
    AveragePool2d {
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    },
    MaxPool1d {
        kernel: usize,
        stride: usize,
        padding: usize,
    },
    AveragePool1d {
        kernel: usize,
        stride: usize,
        padding: usize,
    },
    GlobalAveragePool,
    Activation(Activation),
    Softmax,
    Dropout {
        rate: f64,
    },
    Flatten,
    BatchNorm,
}

/// How weights start.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Init {
    Zeros,
    Normal { sd: f64 },
    XavierUniform,
    XavierNormal,
    HeUniform,
    HeNormal,
    Nielsen,
}

/// The cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Loss {
    Quadratic,
    BinaryCrossEntropy,
    SoftmaxCrossEntropy,
}

/// The update rule.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum OptimizerSpec {
    Sgd { learning_rate: f64, momentum: f64, nesterov: bool, weight_decay: f64 },
    Adam { learning_rate: f64, beta1: f64, beta2: f64, epsilon: f64, weight_decay: f64 },
}

/// How the learning rate changes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Schedule {
    Constant,
    Step { every: usize, factor: f64 },
    Cosine { epochs: usize },
    Linear { epochs: usize },
}
