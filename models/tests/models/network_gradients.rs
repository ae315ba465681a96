//! Backward against central differences, in f64, for every layer and every loss.
//!
//! The relative error of `models::gradcheck` must not pass 1e-6 for any parameter at the best step.
//! Where h^2 J''' / 6 (truncation) meets 2^-53 J / h (rounding), h = 1e-5 gives both about 1e-10 of J,
//! so that gradients down to 1e-4 of the largest pass with room.

use kernels::activation::Activation;
use kernels::{Exec, Level};
use models::gradcheck::{best, scan};
use models::init::Init;
use models::loss::{Loss, Targets};
use models::network::{ConvSpec, LayerSpec, Network, Position, Window};
use models::rng::{Purpose, Stream};

const BATCH: usize = 5;
const STEPS: [f64; 4] = [1e-3, 1e-4, 1e-5, 1e-6];

/// The largest relative error over all parameters at the best step; on values instead of labels if asked.
fn error(input: &[usize], layers: &[LayerSpec], loss: Loss, values: bool) -> f64 {
    let exec = Exec::serial(Level::best());
    let mut network = Network::<f64>::new(input, layers, loss, BATCH).unwrap();
    network.initialise(Init::Nielsen, 2);
    let mut stream = Stream::new(Purpose::Data, 1, 0);
    let x: Vec<f64> = (0..BATCH * network.inputs()).map(|_| stream.normal()).collect();
    let outputs = network.outputs();
    let labels: Vec<u32> = (0..BATCH).map(|_| stream.below(outputs.max(2) as u64) as u32).collect();
    let wanted: Vec<f64> = (0..BATCH * outputs).map(|_| stream.uniform()).collect();
    let targets = if values { Targets::Values(&wanted) } else { Targets::Labels(&labels) };
    let at = Position { seed: 4, epoch: 1, first: 20 };
    network.forward_backward(exec, &x, targets, at).unwrap();
    let (analytic, start) = (network.gradients().to_vec(), network.parameters().to_vec());
    assert!(analytic.iter().any(|&a| a != 0.0), "the gradient is zero");
    let mut cost = |parameters: &[f64]| {
        network.parameters_mut().copy_from_slice(parameters);
        network.forward_backward(exec, &x, targets, at).unwrap() / BATCH as f64
    };
    best(&scan(&mut cost, &start, &analytic, &STEPS)).unwrap().worst
}

#[track_caller]
fn check(input: &[usize], layers: &[LayerSpec], loss: Loss) {
    let error = error(input, layers, loss, false);
    assert!(error <= 1e-6, "relative error {error:e}");
}

/// The layer under test between two that learn, so that both its own gradient and the one that it
/// passes down count.
#[track_caller]
fn check_image_layer(layer: LayerSpec) {
    let layers = [
        LayerSpec::conv2d(4, 3),
        LayerSpec::Activation(Activation::Tanh),
        layer,
        LayerSpec::Flatten,
        LayerSpec::dense(3),
    ];
    check(&[2, 8, 7], &layers, Loss::SoftmaxCrossEntropy);
}

#[track_caller]
fn check_signal_layer(layer: LayerSpec) {
    let first = LayerSpec::Conv1d(ConvSpec { padding: [0, 1], ..ConvSpec::new(4, [1, 3]) });
    let layers =
        [first, LayerSpec::Activation(Activation::Tanh), layer, LayerSpec::Flatten, LayerSpec::dense(3)];
    check(&[2, 13], &layers, Loss::SoftmaxCrossEntropy);
}

#[track_caller]
fn check_flat_layer(layer: LayerSpec) {
    check(&[4], &[LayerSpec::dense(6), layer, LayerSpec::dense(3)], Loss::SoftmaxCrossEntropy);
}

#[test]
fn dense_with_and_without_bias() {
    for bias in [true, false] {
        check_flat_layer(LayerSpec::Dense { units: 5, bias });
    }
}

#[test]
fn every_activation_with_a_derivative() {
    for phi in [
        Activation::Identity,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.01 },
        Activation::Elu { alpha: 1.0 },
        Activation::Softplus,
    ] {
        check_flat_layer(LayerSpec::Activation(phi));
    }
}

#[test]
fn convolution_with_stride_padding_dilation_and_groups() {
    for (stride, padding, dilation, groups, true_convolution) in [
        ([1, 1], [0, 0], [1, 1], 1, false),
        ([2, 1], [1, 2], [1, 1], 2, false),
        ([1, 2], [2, 0], [2, 1], 1, true),
    ] {
        let bias = groups == 1;
        let spec = ConvSpec { stride, padding, dilation, groups, bias, ..ConvSpec::new(4, [3, 2]) };
        check_image_layer(LayerSpec::Conv2d(ConvSpec { true_convolution, ..spec }));
    }
}

#[test]
fn convolution_of_signals() {
    let (stride, padding, dilation) = ([1, 2], [0, 3], [1, 2]);
    let spec = ConvSpec { stride, padding, dilation, groups: 2, ..ConvSpec::new(6, [1, 4]) };
    check_signal_layer(LayerSpec::Conv1d(spec));
}

#[test]
fn pooling_of_images() {
    let window = Window { kernel: [3, 2], stride: [2, 1], padding: [1, 1] };
    check_image_layer(LayerSpec::max_pool2d(2));
    check_image_layer(LayerSpec::MaxPool2d(window));
    check_image_layer(LayerSpec::AveragePool2d(window));
    check_image_layer(LayerSpec::GlobalAveragePool);
}

#[test]
fn pooling_of_signals() {
    let window = Window { kernel: [1, 3], stride: [1, 2], padding: [0, 1] };
    check_signal_layer(LayerSpec::MaxPool1d(window));
    check_signal_layer(LayerSpec::AveragePool1d(window));
    check_signal_layer(LayerSpec::GlobalAveragePool);
}

#[test]
fn batch_normalisation_of_values_signals_and_images() {
    check_flat_layer(LayerSpec::BatchNorm);
    check_signal_layer(LayerSpec::BatchNorm);
    check_image_layer(LayerSpec::BatchNorm);
}

#[test]
fn dropout_with_its_mask_held() {
    check_flat_layer(LayerSpec::Dropout { rate: 0.4 });
    check_image_layer(LayerSpec::Dropout { rate: 0.4 });
}

#[test]
fn softmax_with_its_whole_jacobian() {
    check_flat_layer(LayerSpec::Softmax);
    check(&[4], &[LayerSpec::dense(3), LayerSpec::Softmax], Loss::Quadratic);
}

#[test]
fn every_loss_on_labels_and_on_values() {
    let layers = [LayerSpec::dense(5), LayerSpec::Activation(Activation::Sigmoid), LayerSpec::dense(3)];
    let single = [LayerSpec::dense(5), LayerSpec::Activation(Activation::Tanh), LayerSpec::dense(1)];
    check(&[4], &layers, Loss::SoftmaxCrossEntropy);
    for loss in [Loss::Quadratic, Loss::BinaryCrossEntropy] {
        for layers in [&layers, &single] {
            for values in [true, false] {
                let error = error(&[4], layers, loss, values);
                assert!(error <= 1e-6, "{loss:?}, values {values}: relative error {error:e}");
            }
        }
    }
}

#[test]
fn a_bias_gradient_adds_chunks_of_1024_samples() {
    // All weights and x are 0, so dJ/db = -sum y_i / n, and 1/n is a power of two. 1 + 2^-24 rounds to 1: a single
    // chain over a 1 and two 2^-24 loses what chunks keep.
    let tiny = f32::from_bits(0x3380_0000);
    let mut y = vec![0.0; 2048];
    (y[0], y[1024], y[1025]) = (-1.0, -tiny, -tiny);
    let mut network = Network::<f32>::new(&[1], &[LayerSpec::dense(1)], Loss::Quadratic, 2048).unwrap();
    let exec = Exec::serial(Level::best());
    network.forward_backward(exec, &[0.0; 2048], Targets::Values(&y), Position::default()).unwrap();
    assert_eq!(network.gradients(), [0.0, (1.0 + 2.0 * tiny) / 2048.0]);
}
