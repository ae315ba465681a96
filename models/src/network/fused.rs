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

/// What a training step makes of a layer.
#[derive(Debug)]
pub(super) enum Fused<T> {
    /// It runs by itself.
    ByItself,
    /// Nothing: the layer above does its work.
    InLayerAbove,
    /// It runs as this layer, whose input is that of the layer below.
    WithLayerBelow(Layer<T>),
}

/// One for each layer.
pub(super) fn fuse<T: Element>(specs: &[LayerSpec], layers: &[Layer<T>]) -> Vec<Fused<T>> {
    let pair = |below: usize| match specs.get(below..below + 2)? {
        [
            LayerSpec::Activation(Activation::Relu),
            LayerSpec::MaxPool2d(window) | LayerSpec::MaxPool1d(window),
        ] => Pool::layer(shape::image(&layers[below].properties.output)?, *window, Reduction::MaxOfRelu).ok(),
        _ => None,
    };
    (0..layers.len())
        .map(|index| match index.checked_sub(1).and_then(pair) {
            Some(layer) => Fused::WithLayerBelow(layer),
            None if pair(index).is_some() => Fused::InLayerAbove,
            None => Fused::ByItself,
        })
        .collect()
}

/// Layer `index` as it runs, if it does, and the layer whose input it reads.
pub(super) fn layer_of<'a, T: Element>(
    layers: &'a [Layer<T>],
    fused: Option<&'a [Fused<T>]>,
    index: usize,
) -> Option<(&'a Layer<T>, usize)> {
    match fused.map(|fused| &fused[index]) {
        Some(Fused::InLayerAbove) => None,
        Some(Fused::WithLayerBelow(layer)) => Some((layer, index - 1)),
        _ => (!layers[index].is_reshape()).then(|| (&layers[index], index)),
    }
}
