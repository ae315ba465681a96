//! What a network consists of, as an experiment file says it.

use kernels::activation::Activation;

/// One layer; the list of them is PyTorch's `nn.Sequential`, index by index.
///
/// Shapes of one sample: `[n]` is flat, `[channels, length]` a signal, `[channels, height, width]`
/// an image. Pairs are (height, width).
#[derive(Clone, Debug, PartialEq)]
pub enum LayerSpec {
    /// z = W x + b: `[inputs]` -> `[units]`.
    Dense {
        /// Neurons.
        units: usize,
        /// Whether each neuron has a bias.
        bias: bool,
    },
    /// [channels, height, width] -> [filters, h_out, w_out].
    Conv2d {
        /// Channels of the output.
        filters: usize,
        /// Height and width of the kernels.
        kernel: [usize; 2],
        /// Steps between windows.
        stride: [usize; 2],
        /// Zeros on each side.
        padding: [usize; 2],
        /// Distance between two taps.
        dilation: [usize; 2],
        /// Groups of channels that do not see each other.
        groups: usize,
        /// Whether each filter has a bias.
        bias: bool,
        /// Turns the kernels by 180 degrees: the mathematical convolution.
        true_convolution: bool,
    },
    /// [channels, length] -> [filters, length_out].
    Conv1d {
        /// Channels of the output.
        filters: usize,
        /// Length of the kernels.
        kernel: usize,
        /// Steps between windows.
        stride: usize,
        /// Zeros on each side.
        padding: usize,
        /// Distance between two taps.
        dilation: usize,
        /// Groups of channels that do not see each other.
        groups: usize,
        /// Whether each filter has a bias.
        bias: bool,
    },
    /// The largest value of each window of an image.
    MaxPool2d {
        /// Height and width of the window.
        kernel: [usize; 2],
        /// Steps between windows.
        stride: [usize; 2],
        /// Padding, at most half the window; never a maximum.
        padding: [usize; 2],
    },
    /// The mean of each window of an image.
    AveragePool2d {
        /// Height and width of the window.
        kernel: [usize; 2],
        /// Steps between windows.
        stride: [usize; 2],
        /// Zeros on each side, at most half the window; they count.
        padding: [usize; 2],
    },
    /// The largest value of each window of a signal.
    MaxPool1d {
        /// Length of the window.
        kernel: usize,
        /// Steps between windows.
        stride: usize,
        /// Padding, at most half the window; never a maximum.
        padding: usize,
    },
    /// The mean of each window of a signal.
    AveragePool1d {
        /// Length of the window.
        kernel: usize,
        /// Steps between windows.
        stride: usize,
        /// Zeros on each side, at most half the window; they count.
        padding: usize,
    },
    /// The mean of each channel: [channels, height, width] -> [channels, 1, 1].
    GlobalAveragePool,
    /// a = phi(z), element by element.
    Activation(Activation),
    /// p = softmax(z) over a flat output.
    Softmax,
    /// Drops values with probability `rate` in training.
    Dropout {
        /// The probability, at least 0 and below 1.
        rate: f64,
    },
    /// One axis: [channels, height, width] -> [channels * height * width].
    Flatten,
    /// Normalises each channel (of a flat input: each value) over the batch.
    BatchNorm,
}

impl LayerSpec {
    /// A dense layer with a bias.
    pub fn dense(units: usize) -> Self {
        Self::Dense { units, bias: true }
    }

    /// `filters` square kernels of side `kernel` with stride 1, no padding, and a bias.
    pub fn conv2d(filters: usize, kernel: usize) -> Self {
        Self::Conv2d {
            filters,
            kernel: [kernel; 2],
            stride: [1; 2],
            padding: [0; 2],
            dilation: [1; 2],
            groups: 1,
            bias: true,
            true_convolution: false,
        }
    }

    /// Square windows of side `kernel` that do not overlap, the largest value of each.
    pub fn max_pool2d(kernel: usize) -> Self {
        Self::MaxPool2d { kernel: [kernel; 2], stride: [kernel; 2], padding: [0; 2] }
    }

    /// Square windows of side `kernel` that do not overlap, the mean of each.
    pub fn average_pool2d(kernel: usize) -> Self {
        Self::AveragePool2d { kernel: [kernel; 2], stride: [kernel; 2], padding: [0; 2] }
    }

    /// The name in tables and messages, as `conv2d`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dense { .. } => "dense",
            Self::Conv2d { .. } => "conv2d",
            Self::Conv1d { .. } => "conv1d",
            Self::MaxPool2d { .. } => "max-pool2d",
            Self::AveragePool2d { .. } => "average-pool2d",
            Self::MaxPool1d { .. } => "max-pool1d",
            Self::AveragePool1d { .. } => "average-pool1d",
            Self::GlobalAveragePool => "global-average-pool",
            Self::Activation(phi) => match phi {
                Activation::Identity => "identity",
                Activation::Step => "step",
                Activation::Sign => "sign",
                Activation::Sigmoid => "sigmoid",
                Activation::Tanh => "tanh",
                Activation::Relu => "relu",
                Activation::LeakyRelu { .. } => "leaky-relu",
                Activation::Elu { .. } => "elu",
                Activation::Softplus => "softplus",
            },
            Self::Softmax => "softmax",
            Self::Dropout { .. } => "dropout",
            Self::Flatten => "flatten",
            Self::BatchNorm => "batch-norm",
        }
    }
}

/// One row of the table of layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerSummary {
    /// The index in `nn.Sequential`, from 0.
    pub index: usize,
    /// The kind, as `conv2d`.
    pub kind: &'static str,
    /// The shape of one sample's output.
    pub output: Vec<usize>,
    /// Values that learn.
    pub parameters: usize,
    /// Multiplications and additions in the products of one sample's forward pass.
    pub flops: u64,
}
