//! What a network consists of, as an experiment file lists it.

use kernels::activation::Activation;

/// A convolution. Pairs are (height, width); a signal has height 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvSpec {
    /// Channels of the output.
    pub filters: usize,
    /// Height and width of the kernels.
    pub kernel: [usize; 2],
    /// Steps between windows.
    pub stride: [usize; 2],
    /// Zeros on each side.
    pub padding: [usize; 2],
    /// Distance between two taps.
    pub dilation: [usize; 2],
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Whether each filter has a bias.
    pub bias: bool,
    /// Rotates the kernels by 180 degrees: the mathematical convolution.
    pub true_convolution: bool,
}

impl ConvSpec {
    /// `filters` kernels of `kernel` rows and columns with stride 1, no padding, and a bias.
    pub fn new(filters: usize, kernel: [usize; 2]) -> Self {
        let (stride, padding, dilation) = ([1; 2], [0; 2], [1; 2]);
        Self { filters, kernel, stride, padding, dilation, groups: 1, bias: true, true_convolution: false }
    }
}

/// The windows of a pooling. Pairs are (height, width); a signal has height 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Height and width.
    pub kernel: [usize; 2],
    /// Steps between windows.
    pub stride: [usize; 2],
    /// Padding on each side, at most half the window: never a maximum, but a zero that counts in a mean.
    pub padding: [usize; 2],
}

impl Window {
    /// Windows of `kernel` rows and columns that do not overlap.
    pub fn new(kernel: [usize; 2]) -> Self {
        Self { kernel, stride: kernel, padding: [0; 2] }
    }
}

/// One layer; the list of them is PyTorch's `nn.Sequential`, index by index.
///
/// Shapes of one sample: `[n]` is flat, `[channels, length]` a signal, `[channels, height, width]` an image.
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
    Conv2d(ConvSpec),
    /// [channels, length] -> [filters, length_out], with kernels of height 1.
    Conv1d(ConvSpec),
    /// The largest value of each window of an image.
    MaxPool2d(Window),
    /// The mean of each window of an image.
    AveragePool2d(Window),
    /// The largest value of each window of a signal, of height 1.
    MaxPool1d(Window),
    /// The mean of each window of a signal, of height 1.
    AveragePool1d(Window),
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
        Self::Conv2d(ConvSpec::new(filters, [kernel; 2]))
    }

    /// Square windows of side `kernel` that do not overlap, the largest value of each.
    pub fn max_pool2d(kernel: usize) -> Self {
        Self::MaxPool2d(Window::new([kernel; 2]))
    }

    /// The name in tables and messages, as `conv2d`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dense { .. } => "dense",
            Self::Conv2d(_) => "conv2d",
            Self::Conv1d(_) => "conv1d",
            Self::MaxPool2d(_) => "max-pool2d",
            Self::AveragePool2d(_) => "average-pool2d",
            Self::MaxPool1d(_) => "max-pool1d",
            Self::AveragePool1d(_) => "average-pool1d",
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
    /// The kind, as `conv2d`.
    pub kind: &'static str,
    /// The shape of one sample's output.
    pub output: Vec<usize>,
    /// Values that learn.
    pub parameters: usize,
    /// Multiplications and additions in the products of one sample's forward pass.
    pub flops: u64,
}
