//! A network: a list of layers, a loss, and memory planned once for the largest batch.
//!
//! The simple idea is [`mod@crate::reference`]: every layer forward, the loss, every layer backward, each over the whole
//! batch, then the update. This folder computes the same bits, faster, by four departures, which `step.rs` draws:
//!
//! 1. **Parts.** A *part* is what one thread computes: some samples of the batch, or some buckets of the parameters.
//!    No sum depends on them.
//! 2. **Segments.** Parts go through a *segment*, all layers up to a layer that needs the whole batch, without waiting
//!    for each other. That layer is a *barrier*: it waits for all parts. A network without batch normalisation is one
//!    segment.
//! 3. **Layer groups.** Within a part a *micro-batch*, as many samples as L2 holds, goes through a whole *layer group*
//!    before the next micro-batch (depth first): a layer finds in L2 what the layer below wrote. Dense layers,
//!    whose weights are many, take all samples of the part at once.
//! 4. **Buckets.** A *bucket* is some thousands of parameters whose gradient, a sum over the whole batch, is computed
//!    and at once used for their update, while it is in L1.
//!
//! A *chunk* is the contract's: samples whose terms of a gradient are one chain (N3). Parts and micro-batches begin
//! and end at chunks.
//!
//! | file | holds |
//! |---|---|
//! | `spec.rs` | what a network consists of, as an experiment lists it |
//! | `shape.rs` | from that list to layers that know their sizes, or the reason why not; two layers as one |
//! | `segments.rs` | the order of work: segments, layer groups, micro-batches |
//! | `plan.rs`, `arena.rs` | the places of all values in memory; buckets |
//! | `examples.rs` | samples on their way into the network |
//! | `step.rs` | a training step: samples in parts, segment by segment |
//! | `part.rs`, `barrier.rs` | what a thread does with its part: forward, loss, backward; a layer that needs all parts |
//! | `learn.rs` | gradients and updates, bucket by bucket |
//! | `predict.rs` | outputs, loss and accuracy of any number of samples |
//! | `tensors.rs` | tensors by PyTorch's names; start values |
//! | `outline.rs`, `profile.rs` | sizes before any memory is taken; a step, stage by stage for a caller with a clock |
//! | `compiled.rs` | all this compiled once, for f32 and f64 |
//!
//! `models/examples/` trains three: on XOR, Iris and digits.

mod arena;
mod barrier;
mod compiled;
mod examples;
mod learn;
mod outline;
mod part;
mod plan;
mod predict;
mod profile;
mod segments;
mod shape;
mod spec;
mod step;
mod tensors;

pub use crate::layers::Position;
pub use compiled::NetworkElement;
pub use examples::{Examples, Gather};
pub use outline::{Outline, outline};
pub use predict::Evaluation;
pub use profile::{Observe, ProfiledStep, Stage, Work};
pub use shape::ShapeError;
pub use spec::{ConvSpec, LayerSpec, LayerSummary, Window};
pub use tensors::Tensor;
pub(crate) use tensors::little_endian;

use crate::layers::Layer;
use crate::loss::Loss;
use arena::{Arena, BlockId};
use kernels::Element;
use plan::Plan;
use shape::fuse;

/// A network of layers with its parameters, gradients and working memory.
#[derive(Debug)]
pub struct Network<T> {
    input: usize,
    layers: Vec<Layer<T>>,
    fused: Vec<Option<Layer<T>>>,
    outline: Outline,
    loss: Loss,
    max_batch: usize,
    plan: Plan,
    parameters: Arena<T>,
    gradients: Arena<T>,
    /// Running means and variances.
    statistics: Vec<T>,
    /// Activations, their gradients, the gradients of chunks and the losses.
    values: Arena<T>,
    /// What the backward pass needs of the forward pass.
    kept: Vec<u16>,
    scratch: Arena<T>,
    /// Samples of the last forward pass.
    rows: usize,
}

impl<T: NetworkElement> Network<T> {
    /// A network for samples of shape `input` in batches of at most `max_batch`, with all parameters
    /// zero: [`Network::initialise`] comes next. All memory is taken here.
    ///
    /// # Errors
    /// If a layer does not fit the one before it, or the loss the last one; the message shows the
    /// chain of shapes.
    ///
    /// ```
    /// use models::loss::Loss;
    /// use models::network::{LayerSpec, Network};
    /// let network = Network::<f32>::new(&[3], &[LayerSpec::dense(2)], Loss::Quadratic, 8)?;
    /// assert_eq!(network.parameters().len(), 3 * 2 + 2);
    /// # Ok::<(), models::network::ShapeError>(())
    /// ```
    pub fn new(
        input: &[usize],
        layers: &[LayerSpec],
        loss: Loss,
        max_batch: usize,
    ) -> Result<Self, ShapeError> {
        let specs = layers;
        let layers = T::infer(input, specs, loss, max_batch)?;
        let plan = Plan::new(input, &layers, loss, max_batch);
        let mut network = Self {
            input: input.iter().product(),
            outline: Outline::of(specs, &layers, &plan),
            loss,
            max_batch,
            parameters: Arena::new(plan.parameters),
            gradients: Arena::new(plan.parameters),
            statistics: vec![T::ZERO; plan.statistics],
            values: Arena::new(plan.values.len),
            kept: vec![0; plan.kept.len],
            scratch: Arena::new(plan.scratch),
            rows: 0,
            fused: fuse(specs, &layers),
            layers,
            plan,
        };
        network.reset_constants();
        Ok(network)
    }
}

impl<T: Element> Network<T> {
    /// Kind, output shape, parameters and FLOPs of each layer.
    pub fn layers(&self) -> &[LayerSummary] {
        &self.outline.layers
    }

    /// Values of one sample's input.
    pub fn inputs(&self) -> usize {
        self.input
    }

    /// Values of one sample's output.
    pub fn outputs(&self) -> usize {
        self.plan.outputs()
    }

    /// The largest batch that memory is planned for.
    pub fn max_batch(&self) -> usize {
        self.max_batch
    }

    /// Bytes of all parameters, gradients, activations and scratch.
    pub fn memory(&self) -> usize {
        self.outline.memory
    }

    /// All parameters, layer after layer, in memory order (dense weights as [inputs, units]).
    pub fn parameters(&self) -> &[T] {
        self.parameters.as_slice()
    }

    /// As [`Network::parameters`], to be changed.
    pub fn parameters_mut(&mut self) -> &mut [T] {
        self.parameters.as_mut_slice()
    }

    /// dJ/dparameters as [`Network::forward_backward`] left it, in the order of [`Network::parameters`].
    pub fn gradients(&self) -> &[T] {
        self.gradients.as_slice()
    }

    /// The running means and variances of batch normalisation.
    pub fn statistics(&self) -> &[T] {
        &self.statistics
    }

    /// As [`Network::statistics`], to be changed.
    pub fn statistics_mut(&mut self) -> &mut [T] {
        &mut self.statistics
    }

    /// The loss of each sample of the last batch, so that a caller can go on with one sum from batch to batch.
    pub fn losses(&self) -> &[T] {
        self.rows_of(BlockId::LOSSES)
    }

    /// The output of layer `layer` in the last forward pass, [batch, outputs]: feature maps. Empty
    /// for a layer beyond the last. A training step does not write that of a ReLU below a max-pooling.
    pub fn activations(&self, layer: usize) -> &[T] {
        self.plan.layouts.get(layer).map_or(&[], |layout| self.rows_of(layout.y))
    }

    /// dJ/d(output of layer `layer`) in the last backward pass, [batch, outputs]. At a dense or
    /// convolution layer, whose output is z, that is the course's delta = dJ/dz, Nielsen's delta^l;
    /// at the activation after it, it is dJ/da. Empty where none is computed: below the first layer
    /// that learns. It holds until the next pass over the network, an evaluation included. Only
    /// [`Network::forward_backward`] leaves all of them: a training step reuses their memory.
    pub fn deltas(&self, layer: usize) -> &[T] {
        let layout = self.plan.layouts.get(layer).filter(|_| layer >= self.plan.first_learning);
        layout.and_then(|layout| layout.grad_y).map_or(&[], |block| self.rows_of(block))
    }

    /// The rows of the last batch in a block of one row for each sample.
    fn rows_of(&self, block: BlockId) -> &[T] {
        self.plan.values.rows(self.values.as_slice(), block, self.rows)
    }
}
