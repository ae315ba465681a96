//! The masks of dropout.

use kernels::{Exec, Level};
use models::loss::{Loss, Targets};
use models::network::{LayerSpec, Network, Position};

/// The mask of each sample from position `first` on: whether each of its 50 values is kept.
fn masks(first: u64, batch: usize) -> Vec<bool> {
    let layers = [LayerSpec::Dropout { rate: 0.25 }, LayerSpec::dense(2)];
    let mut network = Network::<f32>::new(&[50], &layers, Loss::SoftmaxCrossEntropy, batch).unwrap();
    let (x, labels, at) = (vec![1.0; batch * 50], vec![0; batch], Position { seed: 7, epoch: 2, first });
    network.forward_backward(Exec::serial(Level::best()), &x, Targets::Labels(&labels), at).unwrap();
    let y = network.activations(0);
    // What is kept is scaled by 1 / (1 - rate).
    assert!(y.iter().all(|&y| y == 0.0 || y == 4.0 / 3.0));
    y.iter().map(|&y| y != 0.0).collect()
}

#[test]
fn a_mask_depends_on_the_position_and_not_on_the_batch() {
    let whole = masks(16, 8);
    assert_eq!([masks(16, 3), masks(19, 5)].concat(), whole);
    assert_ne!(whole[..50], whole[50..100]);
}

#[test]
fn one_value_in_four_is_dropped() {
    let dropped: usize = (0..100).flat_map(|i| masks(8 * i, 8)).filter(|kept| !kept).count();
    // Binomial with n = 40,000 and p = 1/4: mean 10,000, s.d. 87; six of them.
    assert!(dropped.abs_diff(10_000) < 520, "{dropped} of 40000");
}

#[test]
fn a_rate_of_one_is_refused() {
    let layers = [LayerSpec::Dropout { rate: 1.0 }];
    let error = Network::<f32>::new(&[4], &layers, Loss::Quadratic, 1).unwrap_err();
    assert!(error.to_string().contains("below 1, not 1.0"), "{error}");
}
