//! The network against plain loops: the same weights after a few steps, whatever the seed, the level and the threads.

use std::process::Command;

use crate::common::{assert_same_bits, levels};
use kernels::activation::Activation::{self, Elu, LeakyRelu, Relu, Sigmoid, Softplus, Tanh};
use kernels::{Exec, Tuning};
use models::NetworkElement;
use models::init::Init;
use models::loss::{Loss, Targets};
use models::network::{ConvSpec, LayerSpec, Network, Position, Window};
use models::optimizer::{Optimizer, OptimizerSpec};
use models::reference::Reference;
use models::rng::{Purpose, Stream};

const STEPS: u64 = 3;
const CLASSES: usize = 3;
/// Every step is cut for all threads, however small it is.
static CUT_SMALL: Tuning = Tuning { step_flops: 1, serial_samples: 0, ..Tuning::ZEN4 };

struct Case {
    name: &'static str,
    input: &'static [usize],
    layers: Vec<LayerSpec>,
    batch: usize,
}

fn multi_layer(batch: usize) -> Case {
    let phi = LayerSpec::Activation;
    let layers = vec![
        LayerSpec::dense(9),
        phi(Relu),
        LayerSpec::dense(8),
        phi(Tanh),
        LayerSpec::dense(7),
        phi(Sigmoid),
        LayerSpec::dense(6),
        phi(Softplus),
        LayerSpec::dense(CLASSES),
    ];
    Case { name: "multi-layer", input: &[10], layers, batch }
}

/// LeNet's order of layers; windows that overlap, padding, strides, groups.
fn convolutional() -> Case {
    let phi = |phi: Activation| LayerSpec::Activation(phi);
    let layers = vec![
        LayerSpec::Conv2d(ConvSpec { padding: [1, 1], ..ConvSpec::new(4, [3, 3]) }),
        phi(Relu),
        LayerSpec::max_pool2d(2),
        LayerSpec::Conv2d(ConvSpec { stride: [2, 1], groups: 2, ..ConvSpec::new(6, [2, 3]) }),
        phi(LeakyRelu { slope: 0.1 }),
        LayerSpec::MaxPool2d(Window { kernel: [3, 2], stride: [1, 1], padding: [1, 0] }),
        LayerSpec::Flatten,
        LayerSpec::dense(8),
        phi(Elu { alpha: 1.0 }),
        LayerSpec::dense(CLASSES),
    ];
    Case { name: "convolutional", input: &[2, 13, 12], layers, batch: 14 }
}

/// Normal inputs and uniform labels of batch `step`.
fn batch<T: NetworkElement>(case: &Case, seed: u64, step: u64) -> (Vec<T>, Vec<u32>) {
    let mut stream = Stream::new(Purpose::Data, seed, step);
    let values = case.batch * case.input.iter().product::<usize>();
    let x = (0..values).map(|_| T::from_f64(stream.normal())).collect();
    (x, (0..case.batch).map(|_| stream.below(CLASSES as u64) as u32).collect())
}

fn network<T: NetworkElement>(case: &Case, seed: u64) -> Network<T> {
    let mut network = Network::new(case.input, &case.layers, Loss::SoftmaxCrossEntropy, case.batch).unwrap();
    network.initialise(Init::HeNormal, seed);
    network
}

/// The losses of a few steps in plain loops, and the parameters after them.
fn in_plain_loops<T: NetworkElement>(case: &Case, seed: u64, eta: f64) -> (Vec<f64>, Vec<T>) {
    let mut reference = Reference::new(case.input, &case.layers).unwrap();
    reference.set_parameters(network::<T>(case, seed).parameters());
    let losses = (0..STEPS).map(|step| {
        let (x, labels) = batch::<T>(case, seed, step);
        reference.step(&x, &labels, eta)
    });
    (losses.collect(), reference.parameters())
}

fn by_the_network<T: NetworkElement>(case: &Case, seed: u64, eta: f64, exec: Exec) -> (Vec<f64>, Vec<T>) {
    let mut network = network::<T>(case, seed);
    let mut optimizer = Optimizer::new(OptimizerSpec::sgd(eta), network.parameters().len()).unwrap();
    let losses = (0..STEPS).map(|step| {
        let (x, labels) = batch::<T>(case, seed, step);
        let at = Position { seed, epoch: 0, first: step };
        network.train_step(exec, &x, Targets::Labels(&labels), &mut optimizer, at).unwrap()
    });
    (losses.collect(), network.parameters().to_vec())
}

fn check<T: NetworkElement>(case: &Case, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let eta = 0.05 * (seed + 1) as f64;
        let want = in_plain_loops::<T>(case, seed, eta);
        assert!(want.0.iter().all(|loss| loss.is_finite()), "{:?}", want.0);
        for level in levels() {
            for threads in [1, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let exec = Exec { tuning: &CUT_SMALL, ..Exec::parallel(level) };
                let got = pool.install(|| by_the_network::<T>(case, seed, eta, exec));
                let label = format!("{}, seed {seed}, {}, {threads} threads", case.name, level.name());
                assert_same_bits(format!("{label}: losses"), &got.0, &want.0);
                assert_same_bits(format!("{label}: parameters"), &got.1, &want.1);
            }
        }
    }
}

#[test]
fn a_multi_layer_network_is_trained_as_by_plain_loops() {
    check::<f32>(&multi_layer(33), 0..3);
    check::<f64>(&multi_layer(33), 0..2);
}

#[test]
fn gradients_of_more_than_1024_samples_are_added_chunk_by_chunk() {
    check::<f32>(&multi_layer(1030), 0..1);
}

#[test]
fn a_convolutional_network_is_trained_as_by_plain_loops() {
    check::<f32>(&convolutional(), 0..3);
    check::<f64>(&convolutional(), 0..2);
}

#[test]
fn a_loss_that_is_not_finite_leaves_the_parameters() {
    let mut reference = Reference::<f32>::new(&[1], &[LayerSpec::dense(2)]).unwrap();
    assert!(reference.step(&[f32::NAN], &[0], 1.0).is_nan());
    assert_eq!(reference.parameters(), [0.0; 4]);
}

#[test]
fn a_layer_without_plain_loops_is_refused() {
    let refused = |specs: &[LayerSpec]| Reference::<f32>::new(&[4], specs).unwrap_err().to_string();
    assert!(refused(&[LayerSpec::BatchNorm]).contains("got batch-norm on [4]"));
    assert!(refused(&[LayerSpec::conv2d(1, 3)]).contains("got conv2d on [4]"));
}

/// What memory is planned with is chosen once in a process, so other choices run the tests above in other processes.
#[test]
#[cfg_attr(target_arch = "aarch64", ignore = "an emulator cannot start a program of its own kind")]
fn the_bits_do_not_depend_on_the_sizes_that_memory_is_planned_with() {
    let network = "reference::a_convolutional_network_is_trained_as_by_plain_loops";
    for forced in [
        "machine.l2_bytes=1,micro_batch_bytes=1,bucket_parameters=5,bucket_rows=1,conv_block=1,conv_gradients=1",
        "machine.l2_bytes=100000000,bucket_parameters=1000000,bucket_rows=1000,conv_gradients=100000000",
    ] {
        let mut tests = Command::new(std::env::current_exe().unwrap());
        tests.args(["reference::", "--skip", "planned_with"]).env(kernels::tuning::VARIABLE, forced);
        let output = tests.output().unwrap();
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && report.contains(&format!("{network} ... ok")),
            "{forced}: {report}"
        );
    }
}
