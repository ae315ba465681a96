//! The layers of a network: one file per kind, `forward` beside `backward`.
//!
//! A layer knows its sizes. Everything else, parameters, activations, gradients and what a backward
//! pass wants to know of the forward pass (the places of maxima, a dropout mask), lies in the
//! network's memory, planned once: a layer receives slices of it and allocates nothing.
//!
//! Notation, as in the course: x the layer's input, y its output, delta = dJ/dy the gradient that
//! comes from above (`grad_y`), `grad_x` = dJ/dx the one that goes below. J is the mean loss of the
//! batch; the factor 1/batch enters in the loss, once.

mod activation;
mod average_pool;
mod batch_norm;
mod conv;
mod dense;
mod dropout;
mod flatten;
mod global_average_pool;
mod max_pool;
mod softmax;

use std::fmt::Debug;
use std::ops::Range;

use kernels::{Element, Error, Exec};

pub(crate) use activation::Elementwise;
pub(crate) use average_pool::AveragePool;
pub(crate) use batch_norm::BatchNorm;
pub(crate) use conv::{Conv, ConvSpec};
pub(crate) use dense::Dense;
pub(crate) use dropout::Dropout;
pub(crate) use flatten::Flatten;
pub(crate) use global_average_pool::GlobalAveragePool;
pub(crate) use max_pool::MaxPool;
pub(crate) use softmax::Softmax;

/// Where a training step stands: what the random streams of dropout depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The trial's seed.
    pub seed: u64,
    /// The epoch, from 0.
    pub epoch: u32,
    /// The position of the batch's first sample in the shuffled epoch.
    pub first: u64,
}

impl Position {
    /// The position `samples` further.
    pub(crate) fn after(self, samples: usize) -> Self {
        Self { first: self.first + samples as u64, ..self }
    }
}

/// Whether the network learns or predicts: dropout and batch normalisation differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Training(Position),
    Evaluation,
}

/// One pass over a batch: how to run, how many samples, learning or predicting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    pub(crate) exec: Exec,
    pub(crate) batch: usize,
    pub(crate) mode: Mode,
}

/// What a tensor of parameters is, which decides how it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Drawn by the initialisation, from the numbers of connections into and out of one unit.
    Weight { fan_in: usize, fan_out: usize },
    /// Drawn or zero, as the initialisation says.
    Bias,
    /// 1 at the start: a scale of batch normalisation.
    Scale,
    /// 0 at the start: a shift of batch normalisation.
    Shift,
}

/// How a tensor lies in memory compared with PyTorch's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The same.
    Same,
    /// Transposed: PyTorch's [out, in] lies as [in, out].
    Transposed,
}

/// One named tensor of a layer, in PyTorch's naming and shape.
#[derive(Clone, Debug)]
pub(crate) struct TensorPlan<R> {
    pub(crate) name: &'static str,
    pub(crate) shape: Vec<usize>,
    pub(crate) order: Order,
    pub(crate) role: R,
}

impl<R> TensorPlan<R> {
    pub(crate) fn new(name: &'static str, shape: &[usize], role: R) -> Self {
        Self { name, shape: shape.to_vec(), order: Order::Same, role }
    }

    pub(crate) fn len(&self) -> usize {
        self.shape.iter().product()
    }
}

/// What a forward pass reads and writes.
#[derive(Debug)]
pub(crate) struct Forward<'a, T> {
    /// [batch, inputs]
    pub(crate) x: &'a [T],
    /// The layer's parameters, one tensor after the other.
    pub(crate) parameters: &'a [T],
    /// [batch, outputs]
    pub(crate) y: &'a mut [T],
    /// [batch, kept]: what the backward pass will want to know.
    pub(crate) kept: &'a mut [u16],
    pub(crate) scratch: &'a mut [T],
}

/// What a backward pass reads and writes.
#[derive(Debug)]
pub(crate) struct Backward<'a, T> {
    /// The input of the forward pass, [batch, inputs].
    pub(crate) x: &'a [T],
    /// The output of the forward pass, [batch, outputs].
    pub(crate) y: &'a [T],
    pub(crate) parameters: &'a [T],
    /// dJ/dy, [batch, outputs].
    pub(crate) grad_y: &'a [T],
    /// dJ/dx, [batch, inputs], written whole; none where no layer below learns.
    pub(crate) grad_x: Option<&'a mut [T]>,
    /// The gradient of each chunk of samples (N3), [chunks, parameters], of a layer that has chunks; none where it is
    /// not wanted.
    pub(crate) chunks: Option<&'a mut [T]>,
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
    /// The gradients of all chunks, as [`Backward::chunks`].
    pub(crate) chunks: &'a [T],
    /// Which of the layer's parameters: whole rows of [`Layer::row`].
    pub(crate) range: Range<usize>,
    /// Their gradient.
    pub(crate) gradient: &'a mut [T],
}

/// A layer: its sizes, its tensors, and what it does with samples.
///
/// The passes treat each sample alone, so that any range of samples may be given to them, on any
/// thread. A gradient of parameters is a sum over the batch: where the layer has chunks, its
/// backward pass writes one sum for each, else [`Layer::gradient`] does it all, for any rows of
/// parameters. Batch normalisation, which needs the whole batch, is a [`WholeBatch`].
pub(crate) trait Layer<T: Element>: Debug + Send + Sync {
    /// The shape of one sample's output.
    fn output(&self) -> &[usize];
    /// The tensors that learn, in memory order.
    fn parameters(&self) -> Vec<TensorPlan<Role>> {
        Vec::new()
    }
    /// The tensors that are measured, with their start values, in memory order.
    fn statistics(&self) -> Vec<TensorPlan<T>> {
        Vec::new()
    }
    /// Multiplications and additions of one sample's products going forward.
    fn flops(&self) -> u64 {
        0
    }
    /// The elements of scratch that either pass needs for `batch` samples.
    fn scratch(&self, _batch: usize) -> usize {
        0
    }
    /// The values of one sample that the backward pass wants to know.
    fn kept(&self) -> usize {
        0
    }
    /// Samples of a chunk whose gradient the backward pass writes; 1: none.
    fn chunk(&self) -> usize {
        1
    }
    /// Parameters whose gradient is computed together.
    fn row(&self) -> usize {
        1
    }
    /// The values of one sample's input and output that its `grad_x` is computed from, besides what is kept.
    fn recalled(&self) -> usize {
        0
    }
    /// Whether the output is the input under another shape: then neither pass is called.
    fn only_reshapes(&self) -> bool {
        false
    }
    /// Whether this is a ReLU, which the layer above may take in.
    fn is_relu(&self) -> bool {
        false
    }
    /// The layer with a ReLU below it as one layer, whose x is the ReLU's, if there is such a layer.
    fn on_a_relu(&self) -> Option<Box<dyn Layer<T>>> {
        None
    }
    /// Whether a pass reads parameters that are many beside one sample, so that it is faster over many samples.
    fn wants_many_samples(&self) -> bool {
        false
    }
    /// The layer as one that needs the whole batch: then its own passes are called instead of these.
    fn whole_batch(&mut self) -> Option<&mut dyn WholeBatch<T>> {
        None
    }
    /// As [`Layer::whole_batch`].
    fn needs_whole_batch(&self) -> bool {
        false
    }
    /// Writes y.
    fn forward(&self, pass: &Pass, f: Forward<'_, T>) -> Result<(), Error>;
    /// Writes `grad_x` and the chunks; called after `forward` in training mode on the same samples.
    fn backward(&self, pass: &Pass, b: Backward<'_, T>) -> Result<(), Error>;
    /// Writes the gradient of some parameters; called after `backward` on all samples.
    fn gradient(&self, _: &Pass, g: Gradient<'_, T>) -> Result<(), Error> {
        debug_assert!(g.gradient.is_empty(), "a layer with parameters has a gradient");
        Ok(())
    }
}

/// A layer whose samples depend on each other: a barrier between the samples of a batch.
pub(crate) trait WholeBatch<T> {
    /// Writes y of the whole batch.
    fn forward(&mut self, pass: &Pass, f: Forward<'_, T>, statistics: &mut [T]) -> Result<(), Error>;
    /// Writes `grad_x` and the gradient of all parameters.
    fn backward(&mut self, pass: &Pass, b: Backward<'_, T>, gradient: &mut [T]) -> Result<(), Error>;
}

/// Elements of one sample of `shape`.
pub(crate) fn volume(shape: &[usize]) -> usize {
    shape.iter().product()
}
