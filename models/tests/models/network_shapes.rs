//! Shapes and parameter counts that can be checked by hand.

use kernels::activation::Activation;
use models::loss::Loss;
use models::network::{ConvSpec, LayerSpec, Network, ShapeError, Window};

/// LeNet-5 as the course has it: 28 x 28 padded by 2, ReLU, max pooling.
fn lenet5() -> Vec<LayerSpec> {
    let relu = || LayerSpec::Activation(Activation::Relu);
    vec![
        LayerSpec::Conv2d(ConvSpec { padding: [2, 2], ..ConvSpec::new(6, [5, 5]) }),
        relu(),
        LayerSpec::max_pool2d(2),
        LayerSpec::conv2d(16, 5),
        relu(),
        LayerSpec::max_pool2d(2),
        LayerSpec::Flatten,
        LayerSpec::dense(120),
        relu(),
        LayerSpec::dense(84),
        relu(),
        LayerSpec::dense(10),
    ]
}

fn network(input: &[usize], layers: &[LayerSpec]) -> Network<f32> {
    Network::new(input, layers, Loss::SoftmaxCrossEntropy, 2).unwrap()
}

#[test]
fn lenet5_has_61706_parameters() {
    let network = network(&[1, 28, 28], &lenet5());
    // 6 (25 + 1) = 156; 16 (6 25 + 1) = 2416; 120 (400 + 1) = 48120; 84 (120 + 1) = 10164; 10 (84 + 1) = 850.
    let counts: Vec<_> = network.layers().iter().map(|layer| layer.parameters).filter(|&n| n > 0).collect();
    assert_eq!(counts, [156, 2416, 48120, 10164, 850]);
    assert_eq!(network.parameters().len(), 61_706);
    let shapes: Vec<_> = network.layers().iter().map(|layer| layer.output.clone()).collect();
    assert_eq!(shapes[0], [6, 28, 28]);
    assert_eq!(shapes[2], [6, 14, 14]);
    assert_eq!(shapes[3], [16, 10, 10]);
    assert_eq!(shapes[6], [400]);
}

#[test]
fn the_complete_network_of_the_course_has_85670_parameters() {
    let layers = [
        LayerSpec::conv2d(20, 5),
        LayerSpec::max_pool2d(2),
        LayerSpec::conv2d(40, 5),
        LayerSpec::max_pool2d(2),
        LayerSpec::Flatten,
        LayerSpec::dense(100),
        LayerSpec::dense(10),
    ];
    let network = network(&[1, 28, 28], &layers);
    // 20 (25 + 1) = 520; 40 (20 25 + 1) = 20040; 12 x 12 -> 8 x 8 -> 4 x 4, so 100 (40 16 + 1) = 64100;
    // 10 (100 + 1) = 1010.
    assert_eq!(network.parameters().len(), 85_670);
    let shapes: Vec<_> = network.layers().iter().map(|layer| layer.output.clone()).collect();
    assert_eq!(
        shapes,
        [vec![20, 24, 24], vec![20, 12, 12], vec![40, 8, 8], vec![40, 4, 4], vec![640], vec![100], vec![10]]
    );
}

#[test]
fn flops_count_the_products_of_one_sample() {
    let network = network(&[1, 28, 28], &lenet5());
    // Two per tap: 6 28 28 25, 16 10 10 150, 400 120, 120 84, 84 10.
    let want = 2 * (117_600 + 240_000 + 48_000 + 10_080 + 840);
    assert_eq!(network.layers().iter().map(|layer| layer.flops).sum::<u64>(), want);
}

#[test]
fn signals_keep_two_axes() {
    let conv = ConvSpec { stride: [1, 2], padding: [0, 2], bias: false, ..ConvSpec::new(4, [1, 5]) };
    let layers = [
        LayerSpec::Conv1d(conv),
        LayerSpec::MaxPool1d(Window::new([1, 2])),
        LayerSpec::GlobalAveragePool,
        LayerSpec::Flatten,
        LayerSpec::dense(3),
    ];
    let network = network(&[2, 100], &layers);
    let shapes: Vec<_> = network.layers().iter().map(|layer| layer.output.clone()).collect();
    assert_eq!(shapes, [vec![4, 50], vec![4, 25], vec![4, 1], vec![4], vec![3]]);
    let names: Vec<_> = network.tensors().map(|tensor| (tensor.name, tensor.shape)).collect();
    assert_eq!(names[0], ("0.weight".to_owned(), vec![4, 2, 5]));
    assert_eq!(names[1], ("4.weight".to_owned(), vec![3, 4]));
}

fn refused(input: &[usize], specs: &[LayerSpec], loss: Loss) -> ShapeError {
    Network::<f32>::new(input, specs, loss, 4).unwrap_err()
}

#[test]
fn the_error_shows_the_chain_of_shapes() {
    let specs = [LayerSpec::conv2d(6, 5), LayerSpec::dense(10)];
    assert_eq!(
        refused(&[1, 28, 28], &specs, Loss::SoftmaxCrossEntropy).to_string(),
        "[1, 28, 28] -> conv2d -> [6, 24, 24] -> dense: expects a flat input, put a flatten before it"
    );
}

#[test]
fn a_kernel_larger_than_its_input_is_refused_with_its_index() {
    let specs = [LayerSpec::max_pool2d(4), LayerSpec::conv2d(6, 5)];
    let error = refused(&[1, 12, 12], &specs, Loss::Quadratic);
    assert_eq!(error.layer, Some(1));
    assert!(error.to_string().contains("-> [1, 3, 3] -> conv2d: "), "{error}");
}

#[test]
fn a_loss_on_logits_refuses_the_layer_that_it_contains() {
    let refused = |specs: &[LayerSpec], loss| refused(&[4], specs, loss).to_string();
    let specs = [LayerSpec::dense(10), LayerSpec::Softmax];
    assert!(refused(&specs, Loss::SoftmaxCrossEntropy).contains("leave the softmax layer out"));
    let specs = [LayerSpec::dense(1), LayerSpec::Activation(Activation::Sigmoid)];
    assert!(refused(&specs, Loss::BinaryCrossEntropy).contains("leave the last sigmoid out"));
}

#[test]
fn images_and_signals_are_not_mixed_up() {
    let refused = |input: &[usize], spec| refused(input, &[spec], Loss::Quadratic).to_string();
    assert!(refused(&[1, 40], LayerSpec::conv2d(6, 3)).contains("[channels, height, width]"));
    assert!(refused(&[1, 40, 40], LayerSpec::MaxPool1d(Window::new([1, 2]))).contains("[channels, length]"));
    assert!(refused(&[1, 40], LayerSpec::MaxPool1d(Window::new([2, 2]))).contains("height 1"));
}
