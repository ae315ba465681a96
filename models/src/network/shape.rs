//! From the list of layers to layers that know their sizes.

use std::fmt;

use kernels::Element;
use kernels::activation::Activation;

use super::LayerSpec;
use crate::layers::{
    AveragePool, BatchNorm, Conv, ConvSpec, Dense, Dropout, Elementwise, Flatten, GlobalAveragePool, Layer,
    MaxPool, Softmax, volume,
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
) -> Result<Vec<Box<dyn Layer<T>>>, ShapeError> {
    let mut chain = format!("{input:?}");
    let whole = |chain: &str, reason: &str| {
        Err(ShapeError { layer: None, chain: chain.to_owned(), reason: reason.to_owned() })
    };
    if input.is_empty() || input.contains(&0) {
        return whole(&chain, "the input needs at least one axis, and no axis of size 0");
    }
    if specs.is_empty() {
        return whole(&chain, "a network needs at least one layer");
    }
    if input
        .iter()
        .try_fold(1, |product: usize, &axis| product.checked_mul(axis))
        .is_none_or(|len| len > LARGEST)
    {
        return whole(&chain, "a sample has more than 2^24 values");
    }
    if max_batch == 0 {
        return whole(&chain, "the batch needs at least 1 sample");
    }
    let mut shape = input.to_vec();
    let mut layers: Vec<Box<dyn Layer<T>>> = Vec::with_capacity(specs.len());
    for (index, spec) in specs.iter().enumerate() {
        chain = format!("{chain} -> {}", spec.kind());
        let layer = build(index, spec, &shape, max_batch).map_err(|reason| ShapeError {
            layer: Some(index),
            chain: chain.clone(),
            reason,
        })?;
        shape = layer.output().to_vec();
        if volume(&shape) > LARGEST {
            let reason = format!("{shape:?} has more than 2^24 values per sample, make it smaller");
            return Err(ShapeError { layer: Some(index), chain, reason });
        }
        chain = format!("{chain} -> {shape:?}");
        layers.push(layer);
    }
    if layers.iter().all(|layer| layer.only_reshapes()) {
        return whole(&chain, "a network needs at least one layer that computes");
    }
    match loss_refuses(loss, specs.last(), &shape) {
        Some(reason) => whole(&format!("{chain} -> loss"), &reason),
        None => Ok(layers),
    }
}

fn build<T: Element>(
    index: usize,
    spec: &LayerSpec,
    input: &[usize],
    max_batch: usize,
) -> Result<Box<dyn Layer<T>>, String> {
    Ok(match *spec {
        LayerSpec::Dense { units, bias } => Box::new(Dense::new(input, units, bias)?),
        LayerSpec::Conv2d { filters, kernel, stride, padding, dilation, groups, bias, true_convolution } => {
            axes(input, 3)?;
            let spec =
                ConvSpec { filters, kernel, stride, padding, dilation, groups, bias, true_convolution };
            Box::new(Conv::new(input, spec)?)
        }
        LayerSpec::Conv1d { filters, kernel, stride, padding, dilation, groups, bias } => {
            axes(input, 2)?;
            let spec = ConvSpec {
                filters,
                kernel: [1, kernel],
                stride: [1, stride],
                padding: [0, padding],
                dilation: [1, dilation],
                groups,
                bias,
                true_convolution: false,
            };
            Box::new(Conv::new(input, spec)?)
        }
        LayerSpec::MaxPool2d { kernel, stride, padding } => {
            axes(input, 3)?;
            Box::new(MaxPool::new(input, kernel, stride, padding)?)
        }
        LayerSpec::AveragePool2d { kernel, stride, padding } => {
            axes(input, 3)?;
            Box::new(AveragePool::new(input, kernel, stride, padding)?)
        }
        LayerSpec::MaxPool1d { kernel, stride, padding } => {
            axes(input, 2)?;
            Box::new(MaxPool::new(input, [1, kernel], [1, stride], [0, padding])?)
        }
        LayerSpec::AveragePool1d { kernel, stride, padding } => {
            axes(input, 2)?;
            Box::new(AveragePool::new(input, [1, kernel], [1, stride], [0, padding])?)
        }
        LayerSpec::GlobalAveragePool => Box::new(GlobalAveragePool::new(input)?),
        LayerSpec::Activation(phi) => Box::new(Elementwise::new(input, phi)?),
        LayerSpec::Softmax => Box::new(Softmax::new(input)?),
        LayerSpec::Dropout { rate } => Box::new(Dropout::new(input, rate, index)?),
        LayerSpec::Flatten => Box::new(Flatten::new(input)),
        LayerSpec::BatchNorm => Box::new(BatchNorm::new(input, max_batch)?),
    })
}

/// 3 axes for an image, 2 for a signal.
fn axes(input: &[usize], wanted: usize) -> Result<(), String> {
    match (input.len(), wanted) {
        (got, wanted) if got == wanted => Ok(()),
        (_, 3) => Err("expects an image, [channels, height, width]".to_owned()),
        _ => Err("expects a signal, [channels, length]".to_owned()),
    }
}

/// Why `loss` cannot follow the last layer.
fn loss_refuses(loss: Loss, last: Option<&LayerSpec>, output: &[usize]) -> Option<String> {
    let flat = output.len() == 1;
    match (loss, last) {
        _ if !flat => Some("expects a flat output, put a flatten at the end".to_owned()),
        (Loss::SoftmaxCrossEntropy, Some(LayerSpec::Softmax)) => {
            Some("softmax cross-entropy takes logits, leave the softmax layer out".to_owned())
        }
        (Loss::BinaryCrossEntropy, Some(LayerSpec::Activation(Activation::Sigmoid))) => {
            Some("binary cross-entropy takes logits, leave the last sigmoid out".to_owned())
        }
        (Loss::SoftmaxCrossEntropy, _) if volume(output) < 2 => Some(
            "softmax cross-entropy needs at least 2 outputs; for one, take binary cross-entropy".to_owned(),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(input: &[usize], specs: &[LayerSpec], loss: Loss) -> String {
        infer::<f32>(input, specs, loss, 4).unwrap_err().to_string()
    }

    #[test]
    fn the_error_shows_the_chain_of_shapes() {
        let specs = [LayerSpec::conv2d(6, 5), LayerSpec::dense(10)];
        assert_eq!(
            refused(&[1, 28, 28], &specs, Loss::SoftmaxCrossEntropy),
            "[1, 28, 28] -> conv2d -> [6, 24, 24] -> dense: expects a flat input, put a flatten before it"
        );
    }

    #[test]
    fn a_kernel_larger_than_its_input_is_refused_with_its_index() {
        let specs = [LayerSpec::max_pool2d(4), LayerSpec::conv2d(6, 5)];
        let error = infer::<f32>(&[1, 12, 12], &specs, Loss::Quadratic, 1).unwrap_err();
        assert_eq!(error.layer, Some(1));
        assert!(error.to_string().contains("-> [1, 3, 3] -> conv2d: "), "{error}");
    }

    #[test]
    fn a_loss_on_logits_refuses_the_layer_that_it_contains() {
        let specs = [LayerSpec::dense(10), LayerSpec::Softmax];
        assert!(refused(&[4], &specs, Loss::SoftmaxCrossEntropy).contains("leave the softmax layer out"));
        let specs = [LayerSpec::dense(1), LayerSpec::Activation(Activation::Sigmoid)];
        assert!(refused(&[4], &specs, Loss::BinaryCrossEntropy).contains("leave the last sigmoid out"));
    }

    #[test]
    fn images_and_signals_are_told_apart() {
        let specs = [LayerSpec::conv2d(6, 3)];
        assert!(refused(&[1, 40], &specs, Loss::Quadratic).contains("[channels, height, width]"));
    }
}
