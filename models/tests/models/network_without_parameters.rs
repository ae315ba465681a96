//! A network in which nothing learns still answers and measures.

use kernels::{Exec, Level};
use models::loss::{Loss, Targets};
use models::network::{LayerSpec, Network, Position};
use models::optimizer::{Optimizer, OptimizerSpec};

#[test]
fn pooling_alone_has_outputs_and_losses() {
    let layers = [LayerSpec::max_pool2d(2), LayerSpec::Flatten];
    let mut network = Network::<f64>::new(&[1, 2, 4], &layers, Loss::Quadratic, 2).unwrap();
    let exec = Exec::serial(Level::best());
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let targets = Targets::Values(&[6.0, 10.0]);
    let evaluation = network.evaluate(exec, &x, targets).unwrap();
    assert_eq!((evaluation.loss, evaluation.outputs), (2.0, vec![6.0, 8.0]));
    let mut optimizer = Optimizer::new(OptimizerSpec::sgd(0.1), 0).unwrap();
    let loss = network.train_step(exec, &x, targets, &mut optimizer, Position::default()).unwrap();
    assert_eq!(loss, 2.0);
}

#[test]
fn a_network_without_layers_is_refused() {
    let error = Network::<f64>::new(&[2], &[], Loss::Quadratic, 1).unwrap_err();
    assert_eq!(error.to_string(), "[2]: a network needs at least one layer");
}
