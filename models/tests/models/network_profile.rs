//! A step taken apart: the parts are the step's, their sizes are those of a calculation by hand, and nothing is left
//! changed.

use crate::nets::{BATCH, Example, Run, batch, convolutional, multi_layer};
use kernels::activation::Activation;
use kernels::{Exec, Level};
use models::loss::{Loss, Targets};
use models::network::{Examples, LayerSpec, Network, Position, ProfiledStep, Stage, Work};
use models::optimizer::{Optimizer, OptimizerSpec};

const AT: Position = Position { seed: 3, epoch: 0, first: 7 };

/// Profiles a step on the labelled samples `x`, every part `times` times; returns the parts.
fn profile(
    network: &mut Network<f32>,
    optimizer: &Optimizer<f32>,
    (x, labels): (&[f32], &[u32]),
    times: usize,
) -> Vec<Work> {
    let inputs = network.inputs();
    let gather = |samples: std::ops::Range<usize>, to: &mut [f32]| {
        to.copy_from_slice(&x[samples.start * inputs..samples.end * inputs]);
    };
    let (level, targets) = (Level::best(), Targets::Labels(labels));
    let examples = Examples { samples: labels.len(), gather: &gather, targets };
    let step = ProfiledStep { level, examples, optimizer, at: AT };
    let mut works = Vec::new();
    let observed = network.profile(step, &mut |work, run| {
        works.push(*work);
        (0..times).try_for_each(|_| run())
    });
    observed.unwrap();
    works
}

#[test]
fn the_sizes_are_those_of_a_calculation_by_hand() {
    let layers = [
        LayerSpec::conv2d(3, 3),
        LayerSpec::Activation(Activation::Relu),
        LayerSpec::max_pool2d(2),
        LayerSpec::Flatten,
        LayerSpec::dense(2),
    ];
    let mut network = Network::<f32>::new(&[1, 6, 6], &layers, Loss::SoftmaxCrossEntropy, 8).unwrap();
    let parameters = (3 * 9 + 3) + (12 * 2 + 2);
    assert_eq!(network.parameters().len(), parameters);
    let optimizer = Optimizer::new(OptimizerSpec::adam(0.1), parameters).unwrap();
    let x: Vec<f32> = (0..5 * 36).map(|i| i as f32 / 180.0).collect();
    let works = profile(&mut network, &optimizer, (&x, &[0, 1, 0, 1, 0]), 1);
    // Five samples: 36 -> conv 3 x 4 x 4 = 48 -> relu 48 -> pool 3 x 2 x 2 = 12 -> dense 2, in f32.
    let (conv, dense) = (5 * 2 * 48 * 9, 5 * 2 * 12 * 2);
    let by_hand = [
        (None, Stage::Gather, 0, 4 * 5 * 36),
        (Some(0), Stage::Forward, conv, 4 * (5 * (36 + 48) + 30)),
        // The pooling does the ReLU's work too, and keeps 12 places in two bytes each.
        (Some(2), Stage::Forward, 5 * 12, 4 * 5 * (48 + 12) + 2 * 5 * 12),
        (Some(4), Stage::Forward, dense, 4 * (5 * (12 + 2) + 26)),
        (None, Stage::Loss, 5 * 2, 4 * (5 * (2 + 2 + 1) + 5)),
        (Some(4), Stage::WeightGradient, dense, 4 * (5 * (12 + 2) + 26)),
        (Some(4), Stage::InputGradient, dense, 4 * (5 * (2 + 12) + 26)),
        (Some(2), Stage::InputGradient, 5 * 48, 4 * 5 * (12 + 12 + 48) + 2 * 5 * 12),
        // Nothing learns below the first layer: it has no input gradient.
        (Some(0), Stage::WeightGradient, conv, 4 * (5 * (36 + 48) + 30)),
        // Adam remembers two values for each parameter.
        (None, Stage::Update, 3 * 56, 4 * (3 * 56 + 2 * 2 * 56)),
    ];
    let by_hand = by_hand.map(|(layer, stage, flops, bytes)| Work { layer, stage, flops, bytes });
    assert_eq!(works, by_hand);
}

fn the_parts_are_the_step(example: &Example) {
    let mut run = Run::<f32>::new(example);
    run.steps(Exec::serial(Level::best()), 0..2);
    let Run { mut network, optimizer, .. } = run;
    let (x, labels) = batch::<f32>(network.inputs(), 2);
    let (parameters, statistics) = (network.parameters().to_vec(), network.statistics().to_vec());
    for times in [1, 3] {
        profile(&mut network, &optimizer, (&x, &labels), times);
        assert_eq!(network.parameters(), parameters, "{}: parameters", example.name);
        assert_eq!(network.statistics(), statistics, "{}: statistics", example.name);
        let (losses, gradients) = (network.losses().to_vec(), network.gradients().to_vec());
        network.forward_backward(Exec::serial(Level::best()), &x, Targets::Labels(&labels), AT).unwrap();
        assert_eq!(losses, network.losses(), "{}: losses", example.name);
        assert_eq!(gradients, network.gradients(), "{}: gradients", example.name);
        network.statistics_mut().copy_from_slice(&statistics);
    }
}

#[test]
fn the_parts_of_a_multi_layer_network_are_its_step() {
    the_parts_are_the_step(&multi_layer());
}

#[test]
fn the_parts_of_a_convolutional_network_are_its_step() {
    the_parts_are_the_step(&convolutional());
}

#[test]
fn batch_normalisation_has_both_gradients_in_one_part() {
    let Run { mut network, optimizer, .. } = Run::<f32>::new(&multi_layer());
    let (x, labels) = batch::<f32>(network.inputs(), 0);
    let works = profile(&mut network, &optimizer, (&x, &labels), 1);
    let of_layer_1: Vec<_> = works.iter().filter(|work| work.layer == Some(1)).collect();
    let values = 4 * BATCH as u64 * 240;
    // x, y; then dJ/dy, x_hat, dJ/dx; the parameters are a scale and a shift for each of the 240 units.
    let forward = Work {
        layer: Some(1),
        stage: Stage::Forward,
        flops: BATCH as u64 * 240,
        bytes: 2 * values + 4 * 480,
    };
    let gradients = Work { stage: Stage::Gradients, bytes: 3 * values + 2 * 4 * 480, ..forward };
    assert_eq!(of_layer_1, [&forward, &gradients]);
}

#[test]
fn a_batch_or_targets_that_do_not_fit_are_refused() {
    let Run { mut network, optimizer, .. } = Run::<f32>::new(&multi_layer());
    let gather = |_: std::ops::Range<usize>, x: &mut [f32]| x.fill(0.5);
    let mut refused = |batch, labels: &[u32]| {
        let (level, targets) = (Level::best(), Targets::Labels(labels));
        let examples = Examples { samples: batch, gather: &gather, targets };
        let step = ProfiledStep { level, examples, optimizer: &optimizer, at: AT };
        network.profile(step, &mut |_, run| run()).unwrap_err().to_string()
    };
    assert!(refused(0, &[]).contains("1 to 33 samples"));
    assert!(refused(BATCH + 1, &[0; BATCH + 1]).contains("34 samples"));
    assert!(refused(2, &[0]).contains("2 targets"));
    assert!(refused(1, &[9]).contains("labels below 4"));
}

#[test]
fn what_the_observer_returns_ends_the_profile_and_leaves_nothing_changed() {
    let Run { mut network, optimizer, .. } = Run::<f32>::new(&multi_layer());
    let (parameters, statistics) = (network.parameters().to_vec(), network.statistics().to_vec());
    let gather = |_: std::ops::Range<usize>, x: &mut [f32]| x.fill(0.5);
    let targets = Targets::Labels(&[0, 1]);
    let examples = Examples { samples: 2, gather: &gather, targets };
    let step = ProfiledStep { level: Level::best(), examples, optimizer: &optimizer, at: AT };
    let enough = kernels::Error::UnknownLevel { name: "enough".to_owned() };
    let stopped = network.profile(step, &mut |work, run| {
        run()?;
        if work.stage == Stage::Update { Err(enough.clone()) } else { Ok(()) }
    });
    assert_eq!(stopped, Err(enough));
    assert_eq!(network.parameters(), parameters);
    assert_eq!(network.statistics(), statistics);
}
