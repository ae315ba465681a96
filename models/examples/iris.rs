//! Three kinds of iris by four lengths of their leaves: a network of 4 inputs, 8 hidden neurons and 3 outputs.
//!
//! `cargo run --release -p models --example iris` prints how many of 50 flowers that it never saw it gets right.

use kernels::Exec;
use kernels::activation::Activation;
use models::init::Init;
use models::loss::{Loss, Targets};
use models::network::{LayerSpec, Network, Position};
use models::optimizer::{Optimizer, OptimizerSpec};

const TABLE: &str = include_str!("../../experiments/data/iris-uci.csv");
const KINDS: [&str; 3] = ["setosa", "versicolor", "virginica"];

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Every third flower is for the test.
    let (mut train, mut test) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for (row, line) in TABLE.lines().skip(1).enumerate() {
        let (x, labels) = if row % 3 == 2 { &mut test } else { &mut train };
        let mut cells = line.split(',');
        for cell in cells.by_ref().take(4) {
            x.push(cell.parse::<f32>()?);
        }
        let kind = cells.next().and_then(|name| KINDS.iter().position(|kind| *kind == name));
        labels.push(kind.ok_or("an unknown kind of iris")? as u32);
    }
    centre(&mut train.0);
    centre(&mut test.0);

    let layers = [LayerSpec::dense(8), LayerSpec::Activation(Activation::Relu), LayerSpec::dense(3)];
    let mut network = Network::<f32>::new(&[4], &layers, Loss::SoftmaxCrossEntropy, 100)?;
    network.initialise(Init::HeNormal, 1);
    let mut optimizer = Optimizer::new(OptimizerSpec::adam(0.02), network.parameters().len())?;

    let exec = Exec::from_env()?;
    for epoch in 0..200 {
        let at = Position { seed: 1, epoch, first: 0 };
        let loss = network.train_step(exec, &train.0, Targets::Labels(&train.1), &mut optimizer, at)?;
        if epoch % 50 == 0 {
            println!("epoch {epoch:3}  J = {:.4}", loss / 100.0);
        }
    }

    let accuracy = network.evaluate(exec, &test.0, Targets::Labels(&test.1))?.accuracy(&test.1);
    println!("accuracy on 50 other flowers: {accuracy}");
    assert!(accuracy >= 0.9, "the kinds are learnt");
    Ok(())
}

/// Subtracts the centimetres of a middling flower, the same from the training and the test part.
fn centre(x: &mut [f32]) {
    for flower in x.chunks_exact_mut(4) {
        flower.iter_mut().zip([5.8, 3.0, 3.8, 1.2]).for_each(|(x, middle)| *x -= middle);
    }
}
