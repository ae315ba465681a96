//! The networks whose training is timed, and the operations that a step of each needs.

use kernels::activation::Activation;
use models::init::Init;
use models::loss::Loss;
use models::network::{ConvSpec, LayerSpec, Network};

/// Samples of a step.
pub const BATCH: usize = 64;
/// Shape of a sample: Fashion-MNIST's.
pub const IMAGE: [usize; 3] = [1, 28, 28];
/// Values of a sample.
pub const PIXELS: usize = 28 * 28;

const RELU: LayerSpec = LayerSpec::Activation(Activation::Relu);

/// P = 784-10; M1 = 784-128-10; M2 = 784-512-256-10; L5 = LeNet-5 with ReLU and max pooling; C2 = two
/// 3 x 3 convolutions of 32 and 64 filters, pooling, 128 units.
pub fn networks() -> [(&'static str, Vec<LayerSpec>); 5] {
    let pool = || LayerSpec::max_pool2d(2);
    let l5 = [padded(6, 5, 2), RELU, pool(), padded(16, 5, 0), RELU, pool()];
    let c2 = [padded(32, 3, 1), RELU, padded(64, 3, 1), RELU, pool()];
    [
        ("P", perceptron(&[10])),
        ("M1", perceptron(&[128, 10])),
        ("M2", perceptron(&[512, 256, 10])),
        ("L5", [l5.to_vec(), perceptron(&[120, 84, 10])].concat()),
        ("C2", [c2.to_vec(), perceptron(&[128, 10])].concat()),
    ]
}

fn padded(filters: usize, kernel: usize, padding: usize) -> LayerSpec {
    LayerSpec::Conv2d(ConvSpec { padding: [padding; 2], ..ConvSpec::new(filters, [kernel; 2]) })
}

/// Dense layers of so many units with ReLU between them, after whatever comes before.
pub fn perceptron(units: &[usize]) -> Vec<LayerSpec> {
    let mut layers = vec![LayerSpec::Flatten];
    for (index, &units) in units.iter().enumerate() {
        if index > 0 {
            layers.push(RELU);
        }
        layers.push(LayerSpec::dense(units));
    }
    layers
}

/// A network for batches of [`BATCH`] with the start weights of seed 1.
///
/// # Panics
/// If the layers do not fit each other.
pub fn network(layers: &[LayerSpec]) -> Network<f32> {
    network_for(layers, BATCH)
}

/// As [`network`], for batches of up to `batch`.
///
/// # Panics
/// If the layers do not fit each other.
pub fn network_for(layers: &[LayerSpec], batch: usize) -> Network<f32> {
    let mut network = Network::new(&IMAGE, layers, Loss::SoftmaxCrossEntropy, batch).expect("the layers fit");
    network.initialise(Init::HeNormal, 1);
    network
}

/// Multiplications and additions of a training step, per sample: for each layer with weights its output,
/// its weight gradient and, but for the first, its input gradient, at two operations per weight and place
/// of the output. What is small beside them (bias, ReLU, pooling, loss, update) is not counted.
///
/// ```
/// let [(_, p), (_, m1), ..] = benches::networks();
/// assert_eq!(benches::flop_per_sample(&p), 2 * 2 * 784 * 10);
/// assert_eq!(benches::flop_per_sample(&m1), 2 * 2 * 784 * 128 + 3 * 2 * 128 * 10);
/// ```
pub fn flop_per_sample(layers: &[LayerSpec]) -> usize {
    let network = network(layers);
    let weights = network.tensors().filter(|tensor| tensor.name.ends_with(".weight"));
    let products = weights.map(|tensor| {
        let layer = tensor.name.split('.').next().and_then(|index| index.parse::<usize>().ok());
        let output: usize = layer.map_or(0, |index| network.layers()[index].output.iter().product());
        // The output has one value per filter and place; the tensor's first axis counts the filters.
        2 * tensor.data.len() * (output / tensor.shape[0])
    });
    products.enumerate().map(|(layer, product)| if layer == 0 { 2 * product } else { 3 * product }).sum()
}
