//! Saving and loading: the interrupted run has the bits of the uninterrupted one, and the weights'
//! file is PyTorch's.

use crate::nets::{Example, Run, convolutional, multi_layer};
use kernels::{Exec, Level};
use models::checkpoint::{self, Best, Progress};
use models::init::Init;
use models::loss::Loss;
use models::network::{LayerSpec, Network};
use models::{Error, NetworkElement};
use safetensors::SafeTensors;

const BELONGS: &str = "checkpoint: expected experiment other, got 9f2c; it belongs to another trial";

fn bits<T: NetworkElement>(values: &[T]) -> Vec<u64> {
    values.iter().map(|value| value.bits()).collect()
}

fn progress<T: NetworkElement>(run: &Run<T>) -> Progress<T> {
    Progress {
        experiment: "9f2c".to_owned(),
        epoch: 2,
        step: 3,
        position: 18,
        sums: vec![0.1, -2.5],
        best: Some(Best {
            epoch: 1,
            value: 0.75,
            parameters: run.network.parameters().to_vec(),
            statistics: run.network.statistics().to_vec(),
        }),
    }
}

fn interrupted_equals_uninterrupted<T: NetworkElement>(example: &Example) {
    let exec = Exec::serial(Level::best());
    let mut whole = Run::<T>::new(example);
    whole.steps(exec, 0..3);

    let saved_progress = progress(&whole);
    let bytes = checkpoint::save_state(&whole.network, &whole.optimizer, &saved_progress).unwrap();
    let mut resumed = Run::<T>::new(example);
    let (network, optimizer) = (&mut resumed.network, &mut resumed.optimizer);
    let loaded = checkpoint::load_state(network, optimizer, "9f2c", &bytes).unwrap();
    assert_eq!(loaded, saved_progress);

    let losses = whole.steps(exec, 3..7);
    assert_eq!(bits(&resumed.steps(exec, 3..7)), bits(&losses));
    assert_eq!(bits(resumed.network.parameters()), bits(whole.network.parameters()));
    assert_eq!(bits(resumed.network.statistics()), bits(whole.network.statistics()));
}

#[test]
fn a_resumed_run_has_the_bits_of_the_uninterrupted_one() {
    for example in [multi_layer(), convolutional()] {
        interrupted_equals_uninterrupted::<f32>(&example);
        interrupted_equals_uninterrupted::<f64>(&example);
    }
}

#[test]
fn reading_where_a_run_stood_takes_none_of_its_state() {
    let mut run = Run::<f32>::new(&multi_layer());
    let at_start = bits(run.network.parameters());
    run.steps(Exec::serial(Level::best()), 0..2);
    let state = checkpoint::save_state(&run.network, &run.optimizer, &progress(&run)).unwrap();
    let other = Run::<f32>::new(&multi_layer());
    assert_eq!(checkpoint::read_progress(&other.network, "9f2c", &state).unwrap(), progress(&run));
    assert_eq!(bits(other.network.parameters()), at_start);
    let error = checkpoint::read_progress(&other.network, "other", &state).unwrap_err();
    assert_eq!(error.to_string(), BELONGS);
}

#[test]
fn the_same_state_is_the_same_bytes() {
    let run = Run::<f32>::new(&convolutional());
    let save = || checkpoint::save_state(&run.network, &run.optimizer, &progress(&run)).unwrap();
    let first = save();
    assert!((0..20).all(|_| save() == first));
}

#[test]
fn weights_carry_the_names_shapes_and_order_of_pytorch() {
    let layers = [LayerSpec::conv2d(2, 3), LayerSpec::BatchNorm, LayerSpec::Flatten, LayerSpec::dense(2)];
    let mut network = Network::<f32>::new(&[1, 4, 3], &layers, Loss::SoftmaxCrossEntropy, 1).unwrap();
    network.initialise(Init::Nielsen, 1);
    let bytes = checkpoint::save_weights(&network).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut names: Vec<_> =
        file.iter().map(|(name, view)| (name.to_owned(), view.shape().to_vec())).collect();
    names.sort();
    let want: [(&str, &[usize]); 8] = [
        ("0.bias", &[2]),
        ("0.weight", &[2, 1, 3, 3]),
        ("1.bias", &[2]),
        ("1.running_mean", &[2]),
        ("1.running_var", &[2]),
        ("1.weight", &[2]),
        ("3.bias", &[2]),
        ("3.weight", &[2, 4]),
    ];
    assert_eq!(names, want.map(|(name, shape)| (name.to_owned(), shape.to_vec())));

    // Row 1 of PyTorch's [units, inputs] is column 1 of the matrix [inputs, units] in memory.
    let weight = file.tensor("3.weight").unwrap();
    let row: Vec<_> =
        weight.data()[16..].chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    let start = 2 * 9 + 2 + 4;
    let column: Vec<_> = network.parameters()[start..start + 8].iter().skip(1).step_by(2).copied().collect();
    assert_eq!(row, column);
}

#[test]
fn weights_survive_the_round_trip_by_bits() {
    let mut run = Run::<f32>::new(&convolutional());
    run.steps(Exec::serial(Level::best()), 0..2);
    let bytes = checkpoint::save_weights(&run.network).unwrap();
    let mut other = Run::<f32>::new(&convolutional());
    checkpoint::load_weights(&mut other.network, &bytes).unwrap();
    assert_eq!(bits(other.network.parameters()), bits(run.network.parameters()));
    assert_eq!(bits(other.network.statistics()), bits(run.network.statistics()));
    let canonical = |network: &Network<f32>| {
        let mut bytes = Vec::new();
        network.canonical_bytes(|piece| bytes.extend_from_slice(piece));
        bytes
    };
    assert_eq!(canonical(&other.network), canonical(&run.network));
    let values = run.network.parameters().len() + run.network.statistics().len();
    assert_eq!(canonical(&run.network).len(), 4 * values);
}

#[test]
fn what_does_not_fit_is_refused_with_its_name() {
    let mut run = Run::<f32>::new(&multi_layer());
    let state = checkpoint::save_state(&run.network, &run.optimizer, &progress(&run)).unwrap();
    let mut load = |experiment: &str, bytes: &[u8]| {
        checkpoint::load_state(&mut run.network, &mut run.optimizer, experiment, bytes).unwrap_err()
    };
    assert_eq!(load("other", &state).to_string(), BELONGS);
    let error = load("9f2c", b"no file").to_string();
    assert!(error.starts_with("checkpoint: not a safetensors file: "), "{error}");

    let text = |from: &str, to: &str| {
        let start = state.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        [&state[..start], to.as_bytes(), &state[start + from.len()..]].concat()
    };
    let other_contract = load("9f2c", &text("contract 1", "contract 2"));
    let reason = "written under numeric contract 2, this program keeps 1; train again or use the program that wrote it";
    assert_eq!(other_contract, Error::Checkpoint(reason.to_owned()));

    let layers = [LayerSpec::dense(120)];
    let mut network = Network::<f32>::new(&[150], &layers, Loss::SoftmaxCrossEntropy, 1).unwrap();
    let weights = checkpoint::save_weights(&Run::<f32>::new(&multi_layer()).network).unwrap();
    let error = checkpoint::load_weights(&mut network, &weights).unwrap_err();
    assert_eq!(error.to_string(), "checkpoint: tensor 0.weight: expected f32 [120, 150], got f32 [240, 150]");
    let layers = [LayerSpec::dense(240)];
    let mut narrow = Network::<f64>::new(&[150], &layers, Loss::SoftmaxCrossEntropy, 1).unwrap();
    let error = checkpoint::load_weights(&mut narrow, &weights).unwrap_err();
    assert_eq!(error.to_string(), "checkpoint: tensor 0.weight: expected f64 [240, 150], got f32 [240, 150]");
}
