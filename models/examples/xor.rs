//! XOR, the problem that no single neuron solves, by a network of two hidden neurons.
//!
//! `cargo run --release -p models --example xor` prints the cost as it falls, and the four answers.

use kernels::Exec;
use kernels::activation::Activation;
use models::init::Init;
use models::loss::{Loss, Targets};
use models::network::{LayerSpec, Network, Position};
use models::optimizer::{Optimizer, OptimizerSpec};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let y = [0, 1, 1, 0];

    // 2 inputs, 2 hidden neurons with tanh, 2 outputs: the logits of "0" and "1".
    let layers = [LayerSpec::dense(2), LayerSpec::Activation(Activation::Tanh), LayerSpec::dense(2)];
    let mut network = Network::<f64>::new(&[2], &layers, Loss::SoftmaxCrossEntropy, 4)?;
    network.initialise(Init::XavierNormal, 1);
    let mut optimizer = Optimizer::new(OptimizerSpec::sgd(0.5), network.parameters().len())?;

    // KERNELS_LEVEL=scalar gives the same digits.
    let exec = Exec::from_env()?;
    for epoch in 0..2000 {
        let at = Position { seed: 1, epoch, first: 0 };
        let loss = network.train_step(exec, &x, Targets::Labels(&y), &mut optimizer, at)?;
        if epoch % 400 == 0 {
            println!("epoch {epoch:4}  J = {:.6}", loss / 4.0);
        }
    }

    let evaluation = network.evaluate(exec, &x, Targets::Labels(&y))?;
    println!("at the end  J = {:.6}", evaluation.loss);
    for (x, answer) in x.chunks_exact(2).zip(&evaluation.predictions) {
        println!("{} XOR {} = {answer}", x[0], x[1]);
    }
    assert_eq!(evaluation.accuracy(&y), 1.0, "XOR is learnt");
    Ok(())
}
