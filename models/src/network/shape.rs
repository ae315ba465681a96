//! From the list of layers to layers that know their sizes, and which two of them can run as one.

use std::fmt;

use kernels::Element;
use kernels::activation::Activation;

use super::{LayerSpec, Window};
use crate::layers::{
    BatchNorm, Conv, Dense, Dropout, Elementwise, GlobalAveragePool, Layer, Pool, Reduction, Softmax, volume,
};
use crate::loss::Loss;

/// The most values of one sample before or after a layer, so that no product of sizes overflows.
const LARGEST: usize = 1 << 24;

/// Why a list of layers is no network. It prints the chain of shapes up to the layer at fault:
/// `[1, 28, 28] -> conv2d -> [6, 24, 24] -> dense: expects a flat input, put a flatten before it`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// The index of the layer at fault; none if it is the network as a whole or its loss.
    pub layer: Option<usize>,
    /// The chain of shapes, as far as it holds.
    pub chain: String,
    /// What is wrong, with the remedy.
    pub reason: String,
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.chain, self.reason)
    }
}

impl std::error::Error for ShapeError {}

/// Builds the layers one after the other, each from the shape that the last one gives.
pub(super) fn infer<T: Element>(
    input: &[usize],
    specs: &[LayerSpec],
    loss: Loss,
    max_batch: usize,
) -> Result<Vec<Layer<T>>, ShapeError> {
    let mut chain = format!("{input:?}");
    let whole = |chain: String, reason: String| ShapeError { layer: None, chain, reason };
    if let Some(reason) = network_refuses(input, specs, max_batch) {
        return Err(whole(chain, reason.to_owned()));
    }
    let mut shape = input.to_vec();
    let mut layers: Vec<Layer<T>> = Vec::with_capacity(specs.len());
    for (index, spec) in specs.iter().enumerate() {
        chain = format!("{chain} -> {}", spec.kind());
        let wrong = |reason| ShapeError { layer: Some(index), chain: chain.clone(), reason };
        let layer = build(index, spec, &shape, max_batch).map_err(wrong)?;
        shape.clone_from(&layer.properties.output);
        if volume(&shape) > LARGEST {
            return Err(wrong(format!("{shape:?} has more than 2^24 values per sample, make it smaller")));
        }
        chain = format!("{chain} -> {shape:?}");
        layers.push(layer);
    }
    if layers.iter().all(Layer::is_reshape) {
        return Err(whole(chain, "a network needs at least one layer that computes".to_owned()));
    }
    match loss_refuses(loss, specs.last(), &shape) {
        Some(reason) => Err(whole(format!("{chain} -> loss"), reason.to_owned())),
        None => Ok(layers),
    }
}

/// Why there can be no network, whatever its layers.
fn network_refuses(input: &[usize], specs: &[LayerSpec], max_batch: usize) -> Option<&'static str> {
    let values = input.iter().try_fold(1, |product: usize, &axis| product.checked_mul(axis));
    if input.is_empty() || input.contains(&0) {
        Some("the input needs at least one axis, and no axis of size 0")
    } else if specs.is_empty() {
        Some("a network needs at least one layer")
    } else if values.is_none_or(|len| len > LARGEST) {
        Some("a sample has more than 2^24 values")
    } else if max_batch == 0 {
        Some("the batch needs at least 1 sample")
    } else {
        None
    }
}

fn build<T: Element>(
    index: usize,
    spec: &LayerSpec,
    input: &[usize],
    max_batch: usize,
) -> Result<Layer<T>, String> {
    let pool = |window, reduction| Pool::layer(image_of(input)?, window, reduction);
    let pool_signal = |window: Window, reduction| {
        Pool::layer(signal_of(input, window.kernel)?, window, reduction).map(without_height)
    };
    match *spec {
        LayerSpec::Dense { units, bias } => Dense::layer(input, units, bias),
        LayerSpec::Conv2d(spec) => Conv::layer(image_of(input)?, spec),
        LayerSpec::Conv1d(spec) => Conv::layer(signal_of(input, spec.kernel)?, spec).map(without_height),
        LayerSpec::MaxPool2d(window) => pool(window, Reduction::Max),
        LayerSpec::AveragePool2d(window) => pool(window, Reduction::Mean),
        LayerSpec::MaxPool1d(window) => pool_signal(window, Reduction::Max),
        LayerSpec::AveragePool1d(window) => pool_signal(window, Reduction::Mean),
        LayerSpec::GlobalAveragePool => GlobalAveragePool::layer(input),
        LayerSpec::Activation(phi) => Elementwise::layer(input, phi),
        LayerSpec::Softmax => Softmax::layer(input),
        LayerSpec::Dropout { rate } => Dropout::layer(input, rate, index),
        LayerSpec::Flatten => Ok(Layer::flatten(input)),
        LayerSpec::BatchNorm => BatchNorm::layer(input, max_batch),
    }
}

/// Channels, height and width.
fn image_of(input: &[usize]) -> Result<[usize; 3], String> {
    input.try_into().map_err(|_| "expects an image, [channels, height, width]".to_owned())
}

/// As an image of height 1.
fn signal_of(input: &[usize], kernel: [usize; 2]) -> Result<[usize; 3], String> {
    match *input {
        _ if kernel[0] != 1 => Err(format!("expects windows of height 1 on a signal, not {}", kernel[0])),
        [channels, length] => Ok([channels, 1, length]),
        _ => Err("expects a signal, [channels, length]".to_owned()),
    }
}

/// A layer of images of height 1 as one of signals: its shapes lose the axis of the height.
fn without_height<T>(mut layer: Layer<T>) -> Layer<T> {
    layer.properties.output.remove(1);
    for weight in layer.properties.tensors.iter_mut().filter(|tensor| tensor.shape.len() == 4) {
        weight.shape.remove(2);
    }
    layer
}

/// Why `loss` cannot follow the last layer.
fn loss_refuses(loss: Loss, last: Option<&LayerSpec>, output: &[usize]) -> Option<&'static str> {
    match (loss, last) {
        _ if output.len() != 1 => Some("expects a flat output, put a flatten at the end"),
        (Loss::SoftmaxCrossEntropy, Some(LayerSpec::Softmax)) => {
            Some("softmax cross-entropy takes logits, leave the softmax layer out")
        }
        (Loss::BinaryCrossEntropy, Some(LayerSpec::Activation(Activation::Sigmoid))) => {
            Some("binary cross-entropy takes logits, leave the last sigmoid out")
        }
        (Loss::SoftmaxCrossEntropy, _) if volume(output) < 2 => {
            Some("softmax cross-entropy needs at least 2 outputs; for one, take binary cross-entropy")
        }
        _ => None,
    }
}

/// For each layer the one that a training step runs instead of it and the layer below, if some does: a max-pooling
/// with the ReLU below it.
///
/// ```text
/// conv2d -> z -> relu -> a -> max-pool2d -> y       forward: y and the places of the maxima straight from z
///          dJ/dz <---------------------- dJ/dy      backward: at a maximum that is above 0, else +0.0
/// ```
///
/// The bits are those of the two layers, one after the other; a and dJ/da are never written. Where somebody may look
/// at them, after [`super::Network::forward_backward`] or a prediction, each layer runs by itself.
pub(super) fn fuse<T: Element>(specs: &[LayerSpec], layers: &[Layer<T>]) -> Vec<Option<Layer<T>>> {
    let fused = |index: usize| {
        let relu = |&below: &usize| specs[below] == LayerSpec::Activation(Activation::Relu);
        let input = &layers[index.checked_sub(1).filter(relu)?].properties.output;
        let (image, window) = match specs[index] {
            LayerSpec::MaxPool2d(window) => (image_of(input), window),
            LayerSpec::MaxPool1d(window) => (signal_of(input, window.kernel), window),
            _ => return None,
        };
        Pool::layer(image.ok()?, window, Reduction::MaxOfRelu).ok()
    };
    (0..layers.len()).map(fused).collect()
}
