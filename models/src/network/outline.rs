//! A network's sizes before its memory is taken.

use kernels::Element;

use super::plan::Plan;
use super::{LayerSpec, LayerSummary, NetworkElement, ShapeError};
use crate::layers::Layer;
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
pub fn outline<T: NetworkElement>(
    input: &[usize],
    layers: &[LayerSpec],
    loss: Loss,
    max_batch: usize,
) -> Result<Outline, ShapeError> {
    let built = T::infer(input, layers, loss, 1)?;
    Ok(Outline::of(layers, &built, &Plan::new(input, &built, loss, max_batch)))
}

impl Outline {
    pub(super) fn of<T: Element>(specs: &[LayerSpec], layers: &[Layer<T>], plan: &Plan) -> Self {
        let rows = specs.iter().zip(layers).zip(&plan.layouts);
        let layers = rows.map(|((spec, layer), layout)| LayerSummary {
            kind: spec.kind(),
            output: layer.properties.output.clone(),
            parameters: layout.parameters.len(),
            flops: layer.properties.flops,
        });
        let layers: Vec<_> = layers.collect();
        let flops = layers.iter().map(|layer| layer.flops).sum();
        // Threads that a step is planned for; with more, the first step takes more scratch.
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let (parameters, outputs, memory) = (plan.parameters, plan.outputs(), plan.bytes::<T>(threads));
        Self { layers, parameters, outputs, flops, memory }
    }
}
