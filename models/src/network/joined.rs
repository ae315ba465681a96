//! Layers that a training step runs as one: a ReLU and the max-pooling above it.
//!
//! ```text
//! conv2d -> z -> relu -> a -> max-pool2d -> y       forward: y and the places of the maxima straight from z
//!          dJ/dz <---------------------- dJ/dy      backward: at a maximum that is above 0, else +0.0
//! ```
//!
//! The bits are those of the two layers, one after the other; a and dJ/da are never written. Where somebody may want
//! to look at them, after [`super::Network::forward_backward`] or a prediction, each layer runs by itself.

use kernels::Element;

use crate::layers::Layer;

/// What a training step makes of a layer.
#[derive(Debug)]
pub(super) enum Joined<T> {
    /// It runs by itself.
    Alone,
    /// Nothing: the layer above runs with it.
    Above,
    /// It runs as this layer, whose input is that of the layer below.
    Below(Box<dyn Layer<T>>),
}

/// One for each layer.
pub(super) fn join<T: Element>(layers: &[Box<dyn Layer<T>>]) -> Vec<Joined<T>> {
    let pair = |below: usize| layers[below].is_relu().then(|| layers.get(below + 1)?.on_a_relu()).flatten();
    (0..layers.len())
        .map(|index| match index.checked_sub(1).and_then(pair) {
            Some(layer) => Joined::Below(layer),
            None if pair(index).is_some() => Joined::Above,
            None => Joined::Alone,
        })
        .collect()
}

/// Layer `index` as it runs, if it does, and the layer whose input it reads.
pub(super) fn layer_of<'a, T: Element>(
    layers: &'a [Box<dyn Layer<T>>],
    joined: Option<&'a [Joined<T>]>,
    index: usize,
) -> Option<(&'a dyn Layer<T>, usize)> {
    match joined.map(|joined| &joined[index]) {
        Some(Joined::Above) => None,
        Some(Joined::Below(layer)) => Some((layer.as_ref(), index - 1)),
        _ => (!layers[index].only_reshapes()).then(|| (layers[index].as_ref(), index)),
    }
}
