//! LeNet-5 (LeCun et al. 1998) with ReLU and max pooling on 5000 pictures of clothes, Fashion-MNIST's first.
//!
//! `cargo run --release -p models --example lenet5` takes some seconds and prints the accuracy on 1000 other pictures
//! after each epoch.

use std::io::Read;

use kernels::Exec;
use kernels::activation::Activation;
use models::init::Init;
use models::loss::{Loss, Targets};
use models::network::{ConvSpec, LayerSpec, Network, Position};
use models::optimizer::{Optimizer, OptimizerSpec};
use models::rng::{Purpose, Stream};

const PIXELS: usize = 28 * 28;
const BATCH: usize = 50;
const EPOCHS: u32 = 4;

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x: Vec<f32> = pixels(include_bytes!("../../experiments/data/fashion-5k-train-images.idx3.gz"))?;
    let y = labels(include_bytes!("../../experiments/data/fashion-5k-train-labels.idx1.gz"))?;
    let test_x = pixels(include_bytes!("../../experiments/data/fashion-5k-test-images.idx3.gz"))?;
    let test_y = labels(include_bytes!("../../experiments/data/fashion-5k-test-labels.idx1.gz"))?;

    let relu = || LayerSpec::Activation(Activation::Relu);
    let layers = [
        LayerSpec::Conv2d(ConvSpec { padding: [2, 2], ..ConvSpec::new(6, [5, 5]) }), // 6 x 28 x 28
        relu(),
        LayerSpec::max_pool2d(2), // 6 x 14 x 14
        LayerSpec::conv2d(16, 5), // 16 x 10 x 10
        relu(),
        LayerSpec::max_pool2d(2), // 16 x 5 x 5
        LayerSpec::Flatten,
        LayerSpec::dense(120),
        relu(),
        LayerSpec::dense(84),
        relu(),
        LayerSpec::dense(10),
    ];
    let mut network = Network::<f32>::new(&[1, 28, 28], &layers, Loss::SoftmaxCrossEntropy, BATCH)?;
    network.initialise(Init::HeNormal, 1);
    let mut optimizer = Optimizer::new(OptimizerSpec::adam(2e-3), network.parameters().len())?;

    let exec = Exec::from_env()?;
    let mut accuracy = 0.0;
    for epoch in 0..EPOCHS {
        let order = Stream::new(Purpose::Shuffle, 1, u64::from(epoch)).permutation(y.len() as u32);
        let mut loss = 0.0;
        for (step, rows) in order.chunks_exact(BATCH).enumerate() {
            let batch: Vec<f32> =
                rows.iter().flat_map(|&i| &x[i as usize * PIXELS..][..PIXELS]).copied().collect();
            let targets: Vec<u32> = rows.iter().map(|&i| y[i as usize]).collect();
            let at = Position { seed: 1, epoch, first: (step * BATCH) as u64 };
            loss += network.train_step(exec, &batch, Targets::Labels(&targets), &mut optimizer, at)?;
        }
        accuracy = network.evaluate(exec, &test_x, Targets::Labels(&test_y))?.accuracy(&test_y);
        println!("epoch {epoch}  J = {:.4}  accuracy on other pictures {accuracy:.3}", loss / y.len() as f64);
    }
    assert!(accuracy > 0.75, "clothes are learnt");
    Ok(())
}

/// What is behind the `header` bytes of an IDX file.
fn values(gz: &[u8], header: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(gz).read_to_end(&mut bytes)?;
    Ok(bytes.split_off(header))
}

/// Bytes become values from 0 to 1.
fn pixels(gz: &[u8]) -> std::io::Result<Vec<f32>> {
    Ok(values(gz, 16)?.into_iter().map(|byte| f32::from(byte) / 255.0).collect())
}

fn labels(gz: &[u8]) -> std::io::Result<Vec<u32>> {
    Ok(values(gz, 8)?.into_iter().map(u32::from).collect())
}
