//! Kinds that train nothing: gradient check, convolution of an image, timings, activation curves.

use std::path::PathBuf;

use kernels::activation::Activation;
use models::loss::Loss;
use models::network::{ConvSpec, LayerSpec};

use super::network::ModelSpec;

/// Analytic against numeric gradients, in f64 on random samples.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientCheckTrial {
    /// The network.
    pub model: ModelSpec,
    /// The cost.
    pub loss: Loss,
    /// Samples in the batch, drawn from N(0, 1); labels drawn evenly.
    pub batch: usize,
    /// The steps h of the central difference (J(w + h) - J(w - h)) / 2h.
    pub steps: Vec<f64>,
    /// Check so many parameters, evenly spaced; `None`: all.
    pub parameters: Option<usize>,
}

/// Kernels applied to an image.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvolveTrial {
    /// The image.
    pub image: Image,
    /// What is applied to it.
    pub filter: Filter,
    /// Step between outputs, rows and columns.
    pub stride: [usize; 2],
    /// Zeros around the image.
    pub padding: [usize; 2],
    /// Distance between the kernel's taps.
    pub dilation: [usize; 2],
    /// Flip the kernel, as in mathematics.
    pub true_convolution: bool,
    /// What is applied after: activations or pooling.
    pub then: Vec<LayerSpec>,
    /// The key of the convolution and of each layer behind it, for messages.
    pub origins: Vec<String>,
    /// Shifts (rows, columns) to compare "shift, then apply" with "apply, then shift".
    pub shifts: Vec<[usize; 2]>,
    /// Write the output as pictures.
    pub pictures: bool,
    /// Write the output's values.
    pub values: bool,
}

impl ConvolveTrial {
    /// The convolution of an image of so many channels, and what is applied after.
    pub fn layers(&self, channels: usize) -> Vec<LayerSpec> {
        let [filters, _, kernel_h, kernel_w] = self.filter.shape;
        let copies = self.copies(channels);
        let convolution = LayerSpec::Conv2d(ConvSpec {
            filters: filters * copies,
            kernel: [kernel_h, kernel_w],
            stride: self.stride,
            padding: self.padding,
            dilation: self.dilation,
            groups: copies,
            bias: true,
            true_convolution: self.true_convolution,
        });
        std::iter::once(convolution).chain(self.then.iter().cloned()).collect()
    }

    /// A filter of one input channel is applied to every channel by itself.
    pub fn copies(&self, channels: usize) -> usize {
        if self.filter.shape[1] == 1 { channels } else { 1 }
    }
}

/// An image to convolve.
#[derive(Clone, Debug, PartialEq)]
pub enum Image {
    /// The embedded photograph.
    Temple,
    /// A PNG or JPEG file.
    File(PathBuf),
    /// Values by channel, row, column.
    Inline {
        /// Channels, rows, columns.
        shape: [usize; 3],
        /// Row-major.
        values: Vec<f64>,
    },
}

/// The weights of a convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// A name for tables and pictures.
    pub name: String,
    /// Output channels, input channels (1: applied to every channel by itself), rows, columns.
    pub shape: [usize; 4],
    /// Row-major.
    pub weights: Vec<f64>,
    /// One per output channel.
    pub bias: Vec<f64>,
}

/// Timed rungs of the matrix product.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelsTrial {
    /// m, n, k
    pub shape: [usize; 3],
    /// The rung, by its name in `kernels::gemm::ladder`.
    pub rung: String,
    /// Timed repetitions; the median counts.
    pub repeats: usize,
}

/// Values of phi and phi' on an even grid.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivationsTrial {
    /// The function.
    pub function: Activation,
    /// First z.
    pub from: f64,
    /// Last z.
    pub to: f64,
    /// Number of points.
    pub points: usize,
}
