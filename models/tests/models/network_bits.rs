//! What a network computes depends neither on the instruction level, nor on the threads, nor on how
//! samples are cut into batches for prediction.

use crate::common::{assert_same_bits, levels};
use crate::nets::{Example, Run, batch, convolutional, multi_layer};
use kernels::{Exec, Level};
use models::NetworkElement;
use models::init::Init;
use models::loss::{Loss, Targets};
use models::network::{Examples, LayerSpec, Network};

const STEPS: u64 = 5;

/// Losses, parameters and running statistics after a few steps.
fn train<T: NetworkElement>(example: &Example, exec: Exec) -> (Vec<f64>, Vec<T>, Vec<T>) {
    let mut run = Run::new(example);
    let losses = run.steps(exec, 0..STEPS);
    assert!(losses.iter().all(|loss| loss.is_finite()), "{}: {losses:?}", example.name);
    (losses, run.network.parameters().to_vec(), run.network.statistics().to_vec())
}

fn check<T: NetworkElement>(example: &Example) {
    let name = example.name;
    let want = train::<T>(example, Exec::serial(Level::best()));
    let compare = |label: String, got: (Vec<f64>, Vec<T>, Vec<T>)| {
        assert_same_bits(format!("{name}, losses, {label}"), &got.0, &want.0);
        assert_same_bits(format!("{name}, parameters, {label}"), &got.1, &want.1);
        assert_same_bits(format!("{name}, statistics, {label}"), &got.2, &want.2);
    };
    for level in levels() {
        compare(level.name().to_owned(), train(example, Exec::serial(level)));
        for threads in 1..=3 {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let got = pool.install(|| train(example, Exec::parallel(level)));
            compare(format!("{}, {threads} threads", level.name()), got);
        }
    }
}

#[test]
fn bits_depend_neither_on_the_level_nor_on_the_threads() {
    for example in [multi_layer(), convolutional()] {
        check::<f32>(&example);
        check::<f64>(&example);
    }
}

#[test]
fn convolutions_with_chunks_of_different_sizes_share_a_batch() {
    // 576 weights have chunks of 4 samples, 36,864 of 16.
    let layers = vec![
        LayerSpec::conv2d(64, 3),
        LayerSpec::conv2d(64, 3),
        LayerSpec::Flatten,
        LayerSpec::dense(crate::nets::CLASSES),
    ];
    let example = Example { name: "two chunks", input: vec![1, 6, 6], layers, rule: multi_layer().rule };
    let want = train::<f32>(&example, Exec::serial(Level::best()));
    for threads in [2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let got = pool.install(|| train::<f32>(&example, Exec::parallel(Level::best())));
        assert_same_bits(format!("{threads} threads"), &got.1, &want.1);
    }
}

#[test]
fn a_label_out_of_range_is_named_by_its_row_in_the_batch() {
    for threads in [1, 3] {
        let mut run = Run::<f32>::new(&multi_layer());
        let (x, mut y) = batch(150, 0);
        y[30] = 9;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let exec = Exec::parallel(Level::best());
        let error = pool.install(|| {
            run.network.train_step(exec, &x, Targets::Labels(&y), &mut run.optimizer, Default::default())
        });
        assert!(error.unwrap_err().to_string().contains("label 9 in row 30"));
    }
}

#[test]
fn a_step_does_not_depend_on_the_largest_batch() {
    let exec = Exec::serial(Level::best());
    for example in [multi_layer(), convolutional()] {
        let mut exact = Run::<f32>::new(&example);
        let mut roomy = Run::<f32>::with_memory_for(1100, &example);
        let (want, got) = (exact.steps(exec, 0..STEPS), roomy.steps(exec, 0..STEPS));
        assert_same_bits(format!("{}, losses", example.name), &got, &want);
        let (want, got) = (exact.network.parameters(), roomy.network.parameters());
        assert_same_bits(format!("{}, parameters", example.name), got, want);
    }
}

#[test]
fn predictions_do_not_depend_on_the_batch() {
    let example = convolutional();
    let exec = Exec::serial(Level::best());
    let (x, _) = batch::<f32>(2 * 17 * 17, 0);
    let answers = [1, 2, 8, 33, 100].map(|max_batch| {
        let (input, layers) = (&example.input, &example.layers);
        let mut network = Network::new(input, layers, Loss::SoftmaxCrossEntropy, max_batch).unwrap();
        network.initialise(Init::HeNormal, 3);
        let mut outputs = vec![0.0; crate::nets::BATCH * crate::nets::CLASSES];
        network.predict(exec, &x, &mut outputs).unwrap();
        outputs
    });
    for answer in &answers[1..] {
        assert_same_bits("outputs", answer, &answers[0]);
    }
}

#[test]
fn evaluation_sums_the_losses_over_all_batches() {
    let mut network =
        Network::<f64>::new(&[1], &[LayerSpec::dense(1)], Loss::Quadratic, 2).expect("a network");
    network.parameters_mut().copy_from_slice(&[2.0, 1.0]);
    // a = 2 x + 1 = 1, 3, 5 against 1, 1, 1: losses 0, 2, 8.
    let exec = Exec::serial(Level::best());
    let evaluation = network.evaluate(exec, &[0.0, 1.0, 2.0], Targets::Values(&[1.0; 3])).unwrap();
    assert_eq!(evaluation.loss, 10.0 / 3.0);
    assert_eq!(evaluation.outputs, [1.0, 3.0, 5.0]);
    assert_eq!(evaluation.predictions, [1, 1, 1]);
    let gather = |samples: std::ops::Range<usize>, x: &mut [f64]| {
        samples.zip(x).for_each(|(sample, x)| *x = sample as f64);
    };
    let mut evaluate = |samples, targets: &[f64]| {
        let examples = Examples { samples, gather: &gather, targets: Targets::Values(targets) };
        network.evaluate_from(exec, examples)
    };
    assert_eq!(evaluate(3, &[1.0; 3]).unwrap(), evaluation);
    assert!(evaluate(0, &[]).is_err());
    assert!(evaluate(3, &[1.0; 2]).is_err());
}

#[test]
fn a_loss_that_is_not_finite_leaves_the_parameters() {
    let mut run = Run::<f32>::new(&multi_layer());
    let (mut x, y) = batch(150, 0);
    x[5] = f32::NAN;
    let before = run.network.parameters().to_vec();
    let at = Default::default();
    let exec = Exec::serial(Level::best());
    let loss = run.network.train_step(exec, &x, Targets::Labels(&y), &mut run.optimizer, at).unwrap();
    assert!(loss.is_nan());
    assert_same_bits("parameters", run.network.parameters(), &before);
}

#[test]
fn the_losses_of_a_step_are_those_of_its_samples() {
    let mut run = Run::<f32>::new(&multi_layer());
    let exec = Exec::serial(Level::best());
    for step in 0..2 {
        let sum = run.steps(exec, step..step + 1)[0];
        let losses = run.network.losses();
        assert_eq!(losses.len(), crate::nets::BATCH);
        let chain = losses.iter().fold(0.0, |sum, &loss| sum + f64::from(loss));
        assert_eq!(chain.to_bits(), sum.to_bits());
    }
}
