//! Layers that a training step runs as one: a ReLU and the max-pooling above it.
//!
//! ```text
//! conv2d -> z -> relu -> a -> max-pool2d -> y       forward: y and the places of the maxima straight from z
//!          dJ/dz <---------------------- dJ/dy      backward: at a maximum that is above 0, else +0.0
//! ```
//!
//! The bits are those of the two layers, one after the other; a and dJ/da are never written. Where somebody may look
//! at them, after [`super::Network::forward_backward`] or a prediction, each layer runs by itself.

use kernels::Element;
use kernels::activation::Activation;

use super::{LayerSpec, shape};
use crate::layers::{Layer, Pool, Reduction};

/// For each layer the one that runs instead of it and the layer below, if some does.
pub(super) fn fuse<T: Element>(specs: &[LayerSpec], layers: &[Layer<T>]) -> Vec<Option<Layer<T>>> {
    let fused = |index: usize| {
        let below = index.checked_sub(1)?;
        match (&specs[below], &specs[index]) {
            (
                LayerSpec::Activation(Activation::Relu),
                LayerSpec::MaxPool2d(window) | LayerSpec::MaxPool1d(window),
            ) => {
                let input = shape::image(&layers[below].properties.output)?;
                Pool::layer(input, *window, Reduction::MaxOfRelu).ok()
            }
            _ => None,
        }
    };
    (0..layers.len()).map(fused).collect()
}

/// Layer `index` as it runs, if it does, and the layer whose input it reads.
pub(super) fn layer_of<'a, T: Element>(
    layers: &'a [Layer<T>],
    fused: Option<&'a [Option<Layer<T>>]>,
    index: usize,
) -> Option<(&'a Layer<T>, usize)> {
    let fused = |index: usize| fused?.get(index)?.as_ref();
    match (fused(index), fused(index + 1)) {
        (Some(layer), _) => Some((layer, index - 1)),
        (None, Some(_)) => None,
        (None, None) => (!layers[index].is_reshape()).then(|| (&layers[index], index)),
    }
}
