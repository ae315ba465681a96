//! A network's sizes before its memory is taken.

use super::plan::Plan;
use super::{LayerSpec, LayerSummary, ShapeError, shape, summarise, threads};
use crate::Element;
use crate::loss::Loss;

/// What a network would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// One row per layer.
    pub layers: Vec<LayerSummary>,
    /// Values that learn.
    pub parameters: usize,
    /// Values of one sample's output.
    pub outputs: usize,
    /// Multiplications and additions in the products of one sample's forward pass.
    pub flops: u64,
    /// Bytes of parameters, gradients, activations and scratch, as [`super::Network::memory`].
    pub memory: usize,
}

/// The sizes of the network that [`super::Network::new`] would make.
///
/// # Errors
/// As [`super::Network::new`].
///
/// ```
/// use models::loss::Loss;
/// use models::network::{LayerSpec, outline};
/// let outline = outline::<f32>(&[3], &[LayerSpec::dense(2)], Loss::Quadratic, 8)?;
/// assert_eq!((outline.parameters, outline.outputs), (3 * 2 + 2, 2));
/// # Ok::<(), models::network::ShapeError>(())
/// ```
pub fn outline<T: Element>(
    input: &[usize],
    layers: &[LayerSpec],
    loss: Loss,
    max_batch: usize,
) -> Result<Outline, ShapeError> {
    T::outline(input, layers, loss, max_batch)
}

pub(super) fn outline_body<T: kernels::Element>(
    input: &[usize],
    layers: &[LayerSpec],
    loss: Loss,
    max_batch: usize,
) -> Result<Outline, ShapeError> {
    let specs = layers;
    let layers = shape::infer::<T>(input, specs, loss, 1)?;
    let plan = Plan::new(input, &layers, loss, max_batch);
    let summaries = summarise(specs, &layers, &plan);
    Ok(Outline {
        parameters: plan.parameters,
        outputs: plan.outputs(),
        flops: summaries.iter().map(|layer| layer.flops).sum(),
        layers: summaries,
        memory: plan.bytes::<T>(threads()),
    })
}
