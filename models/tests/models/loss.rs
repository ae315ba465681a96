//! Losses and their gradients against numbers worked out by hand, through a layer that leaves its input as it is.

use kernels::{Exec, Level};
use models::loss::{Loss, Targets};
use models::network::{LayerSpec, Network, Position};

/// The losses of the samples `a`, and dJ/da.
fn evaluate(loss: Loss, outputs: usize, a: &[f64], targets: Targets<'_, f64>) -> (Vec<f64>, Vec<f64>) {
    let identity = LayerSpec::Dense { units: outputs, bias: false };
    let mut network = Network::new(&[outputs], &[identity], loss, a.len() / outputs).unwrap();
    let weights = network.parameters_mut();
    (0..outputs).for_each(|unit| weights[unit * outputs + unit] = 1.0);
    network.forward_backward(Exec::serial(Level::best()), a, targets, Position::default()).unwrap();
    (network.losses().to_vec(), network.deltas(0).to_vec())
}

#[test]
fn the_quadratic_loss_is_half_the_squared_distance_to_the_one_hot_label() {
    // (1 - 0)^2 + (0.5 - 1)^2 = 1.25 and (0 - 1)^2 + 2^2 = 5; r = 1/2.
    let (losses, grad) = evaluate(Loss::Quadratic, 2, &[1.0, 0.5, 0.0, 2.0], Targets::Labels(&[1, 0]));
    assert_eq!(losses, [0.625, 2.5]);
    assert_eq!(grad, [0.5, -0.25, -0.5, 1.0]);
}

#[test]
fn a_single_output_takes_the_label_as_its_value() {
    let (losses, grad) = evaluate(Loss::Quadratic, 1, &[0.5, 0.5], Targets::Labels(&[0, 1]));
    assert_eq!(losses, [0.125, 0.125]);
    assert_eq!(grad, [0.25, -0.25]);
}

#[test]
fn binary_cross_entropy_sums_over_the_outputs() {
    let (losses, grad) = evaluate(Loss::BinaryCrossEntropy, 2, &[0.0, 0.0], Targets::Labels(&[1]));
    assert_eq!(losses, [2.0 * std::f64::consts::LN_2]);
    assert_eq!(grad, [0.5, -0.5]);
}

#[test]
fn a_label_beyond_the_outputs_is_refused() {
    let mut network = Network::<f32>::new(&[3], &[LayerSpec::dense(3)], Loss::Quadratic, 2).unwrap();
    let error =
        network.evaluate(Exec::serial(Level::best()), &[0.0; 6], Targets::Labels(&[0, 3])).unwrap_err();
    assert!(error.to_string().contains("label 3 in row 1"), "{error}");
}
