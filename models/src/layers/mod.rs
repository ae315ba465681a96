//! The layers of a network: one file per kind, `forward` beside `backward`.
//!
//! | file | layers | of one sample |
//! |---|---|---|
//! | `dense.rs` | dense | z = x W + b |
//! | `conv.rs` | convolution in 2-D and 1-D | z = w * x + b |
//! | `pool.rs` | max pooling (alone or with a ReLU below it), average pooling, global average pooling | y = max, mean |
//! | `activation.rs` | ReLU, sigmoid, tanh ... | a = phi(z) |
//! | `softmax.rs` | softmax | p = e^z / sum e^z |
//! | `dropout.rs` | dropout | y = x / (1 - rate), or 0 |
//! | `batch_norm.rs` | batch normalisation | y = gamma (x - mean) / sd + beta, mean and sd those of the batch |
//!
//! A [`Layer`] is what it says of itself once, before any memory is taken ([`Properties`]: its output's shape, its
//! tensors, its sizes), and what it does with samples ([`Kind`]). Most layers treat each sample alone, so that any
//! samples may be given to any thread; batch normalisation needs the whole batch; a flatten does nothing.
//! Signals are images of height 1.
//!
//! Parameters, activations, gradients and what a backward pass needs of the forward pass (the places of maxima, a
//! dropout mask) lie in the network's memory, planned once: a layer receives slices of it and allocates nothing.
//!
//! Notation, as in the course: x the layer's input, y its output, delta = dJ/dy the gradient that
//! comes from above (`grad_y`), `grad_x` = dJ/dx the one that goes below. J is the mean loss of the
//! batch; the factor 1/batch enters in the loss, once.

mod activation;
mod batch_norm;
mod conv;
mod dense;
mod dropout;
mod pool;
mod softmax;

use std::fmt::Debug;
use std::ops::Range;

use kernels::{Element, Error, Exec};

pub(crate) use activation::Elementwise;
pub(crate) use batch_norm::BatchNorm;
pub(crate) use conv::Conv;
pub(crate) use dense::Dense;
pub(crate) use dropout::Dropout;
pub(crate) use pool::{GlobalAveragePool, Pool, Reduction};
pub(crate) use softmax::Softmax;

/// Where a training step is in the run: what the random streams of dropout depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The trial's seed.
    pub seed: u64,
    /// The epoch, from 0.
    pub epoch: u32,
    /// The position of the batch's first sample in the shuffled epoch.
    pub first: u64,
}

/// One pass over some samples: how to run, how many samples, learning or predicting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    pub(crate) exec: Exec,
    pub(crate) batch: usize,
    /// Where in the run the network learns; none where it predicts: dropout and batch normalisation differ.
    pub(crate) training: Option<Position>,
}

/// How the values of a tensor start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Initial {
    /// Drawn, from the numbers of connections into and out of one unit.
    Weight { fan_in: usize, fan_out: usize },
    /// Drawn or zero, as the initialisation says.
    Bias,
    /// All the same, as the scales (1) and shifts (0) of batch normalisation.
    Constant(f64),
}

/// One named tensor of a layer, in PyTorch's naming and shape.
#[derive(Clone, Debug)]
pub(crate) struct TensorPlan {
    pub(crate) name: &'static str,
    pub(crate) shape: Vec<usize>,
    /// Whether PyTorch's [out, in] is [in, out] in memory.
    pub(crate) transposed: bool,
    /// A parameter; else it is measured.
    pub(crate) learns: bool,
    pub(crate) start: Initial,
}

impl TensorPlan {
    pub(crate) fn new(name: &'static str, shape: &[usize], start: Initial) -> Self {
        Self { name, shape: shape.to_vec(), transposed: false, learns: true, start }
    }

    /// A weight and, if there is one, the bias of `units` units.
    fn with_bias(weight: Self, bias: bool, units: usize) -> Vec<Self> {
        let bias = bias.then(|| Self::new("bias", &[units], Initial::Bias));
        std::iter::once(weight).chain(bias).collect()
    }

    pub(crate) fn len(&self) -> usize {
        volume(&self.shape)
    }

    /// Where in memory the value at `i` in PyTorch's order is.
    pub(crate) fn in_memory(&self, i: usize) -> usize {
        match self.shape[..] {
            [units, inputs] if self.transposed => i % inputs * units + i / inputs,
            _ => i,
        }
    }
}

/// What a layer says of itself before any memory is taken. The default is a layer without parameters that needs
/// nothing besides its x, y and their gradients.
#[derive(Clone, Debug, Default)]
pub(crate) struct Properties {
    /// The shape of one sample's output.
    pub(crate) output: Vec<usize>,
    /// In memory order, those that learn before those that are measured.
    pub(crate) tensors: Vec<TensorPlan>,
    /// Parameters whose gradient is computed together, a row; 0: any.
    pub(crate) row: usize,
    /// Samples of a chunk of the gradient (N3), where the backward pass writes one gradient for each.
    pub(crate) chunk: Option<usize>,
    /// Multiplications and additions of one sample's products going forward.
    pub(crate) flops: u64,
    /// Elements of scratch that a pass needs for any number of samples, and for each sample.
    pub(crate) scratch: usize,
    pub(crate) scratch_per_sample: usize,
    /// Values of one sample that the forward pass keeps for the backward pass, in 16 bits each.
    pub(crate) kept: usize,
    /// Values of one sample's x and y that `grad_x` is computed from, besides those kept.
    pub(crate) read_for_grad_x: usize,
    /// Whether a pass reads parameters that are many beside one sample, so that it is fast over many samples only.
    pub(crate) needs_many_samples: bool,
}

/// A layer of a network.
#[derive(Debug)]
pub(crate) struct Layer<T> {
    pub(crate) properties: Properties,
    pub(crate) kind: Kind<T>,
}

/// What a layer does.
#[derive(Debug)]
pub(crate) enum Kind<T> {
    /// The same with each sample, whatever the others are.
    PerSample(Box<dyn PerSample<T>>),
    /// Samples depend on each other: a barrier.
    WholeBatch(BatchNorm<T>),
    /// Nothing: y is x under another shape.
    Reshape,
}

impl<T: Element> Layer<T> {
    fn per_sample(layer: impl PerSample<T> + 'static, properties: Properties) -> Self {
        Self { properties, kind: Kind::PerSample(Box::new(layer)) }
    }

    /// One axis: the same values, row-major. No memory moves.
    pub(crate) fn flatten(input: &[usize]) -> Self {
        Self {
            properties: Properties { output: vec![volume(input)], ..Properties::default() },
            kind: Kind::Reshape,
        }
    }

    /// Elements of one sample's output.
    pub(crate) fn outputs(&self) -> usize {
        volume(&self.properties.output)
    }

    pub(crate) fn is_barrier(&self) -> bool {
        matches!(self.kind, Kind::WholeBatch(_))
    }

    pub(crate) fn is_reshape(&self) -> bool {
        matches!(self.kind, Kind::Reshape)
    }
}

/// What a forward pass reads and writes.
#[derive(Debug)]
pub(crate) struct LayerForward<'a, T> {
    /// [batch, inputs]
    pub(crate) x: &'a [T],
    /// The layer's parameters, one tensor after the other.
    pub(crate) parameters: &'a [T],
    /// [batch, outputs]
    pub(crate) y: &'a mut [T],
    /// [batch, kept]: what the backward pass will need.
    pub(crate) kept: &'a mut [u16],
    pub(crate) scratch: &'a mut [T],
}

/// What dJ/dx and the gradients of chunks are computed from, and where they go: each is empty where nobody needs it.
#[derive(Debug)]
pub(crate) struct LayerBackward<'a, T> {
    /// The input of the forward pass, [batch, inputs].
    pub(crate) x: &'a [T],
    /// The output of the forward pass, [batch, outputs].
    pub(crate) y: &'a [T],
    pub(crate) parameters: &'a [T],
    /// dJ/dy, [batch, outputs].
    pub(crate) grad_y: &'a [T],
    /// dJ/dx, [batch, inputs], written whole.
    pub(crate) grad_x: &'a mut [T],
    /// The gradient of each chunk of samples (N3), [chunks, parameters].
    pub(crate) chunks: &'a mut [T],
    /// [batch, kept], as the forward pass left it.
    pub(crate) kept: &'a [u16],
    pub(crate) scratch: &'a mut [T],
}

/// What a gradient of parameters is computed from, and where it goes.
#[derive(Debug)]
pub(crate) struct Gradient<'a, T> {
    /// The input of the whole batch, [batch, inputs].
    pub(crate) x: &'a [T],
    /// dJ/dy of the whole batch, [batch, outputs].
    pub(crate) grad_y: &'a [T],
    /// Which of the layer's parameters: whole rows of [`Properties::row`].
    pub(crate) range: Range<usize>,
    /// Their gradient.
    pub(crate) gradient: &'a mut [T],
}

/// A layer that treats each sample alone.
///
/// A gradient of parameters is a sum over the batch: a layer with [`Properties::chunk`] writes one sum for each chunk,
/// which are then added; another computes it whole, for any rows of parameters.
pub(crate) trait PerSample<T: Element>: Debug + Send + Sync {
    /// Writes y.
    fn forward(&self, pass: &Pass, f: LayerForward<'_, T>) -> Result<(), Error>;
    /// Writes dJ/dx and the gradients of the chunks, after `forward` in training mode on the same samples.
    fn backward(&self, pass: &Pass, b: LayerBackward<'_, T>) -> Result<(), Error>;
    /// Writes the gradient of some parameters of a layer without chunks, after all samples.
    fn gradient(&self, _: &Pass, g: Gradient<'_, T>) -> Result<(), Error> {
        debug_assert!(g.gradient.is_empty(), "a layer with parameters has a gradient");
        Ok(())
    }
}

/// Elements of one sample of `shape`.
pub(crate) fn volume(shape: &[usize]) -> usize {
    shape.iter().product()
}
