//! The figures that Raschka publishes for the perceptron and Adaline on the iris data, digit by digit.
//!
//! S. Raschka, *Python Machine Learning*, ch. 2: rows 1 to 100 of UCI's file, sepal and petal
//! length, setosa = -1, versicolor = +1, the bias trained as a weight, no shuffle. "Seed 1" start
//! weights are numpy's RandomState(1).normal(0, 0.01, 3), bias first.

use models::adaline::{Adaline, Batching, Diverged, cost, gradient, largest_stable_rate};
use models::least_squares::fit;
use models::margin::novikoff;
use models::observations::{Observations, Order};
use models::perceptron::{Labels, Perceptron};

const SEED_1: [f64; 3] = [0.01624345363663242, -0.00611756413650075, -0.00528171752263456];
const ZERO: [f64; 3] = [0.0; 3];

/// The hundred flowers, without the constant coordinate.
fn flowers() -> Observations {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../experiments/data/iris-uci.csv");
    let text = std::fs::read_to_string(path).expect("the iris data are part of the project");
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for line in text.lines().skip(1).take(100) {
        let cells: Vec<&str> = line.split(',').collect();
        x.extend([cells[0], cells[2]].map(|cell| cell.parse::<f64>().expect("a length in cm")));
        y.push(if cells[4] == "setosa" { -1.0 } else { 1.0 });
    }
    Observations::new(2, &x, &y).expect("two values per flower")
}

/// Each variable minus its mean, divided by its population standard deviation.
fn standardised(data: &Observations) -> Observations {
    let n = data.n() as f64;
    let mut x: Vec<f64> = (0..data.n()).flat_map(|i| data.x(i).to_vec()).collect();
    let y: Vec<f64> = (0..data.n()).map(|i| data.y(i)).collect();
    for k in 0..data.p() {
        let mean = (0..data.n()).fold(0.0, |s, i| s + data.x(i)[k]) / n;
        let variance = (0..data.n()).fold(0.0, |s, i| s + (data.x(i)[k] - mean) * (data.x(i)[k] - mean)) / n;
        for row in x.chunks_mut(data.p()) {
            row[k] = (row[k] - mean) / variance.sqrt();
        }
    }
    Observations::new(data.p(), &x, &y).expect("the same sizes")
}

fn perceptron(learning_rate: f64) -> Perceptron {
    Perceptron { learning_rate, epochs: 10, order: Order::File, labels: Labels::MinusOneOne }
}

fn adaline(batching: Batching, learning_rate: f64, epochs: usize) -> Adaline {
    Adaline { learning_rate, epochs, batching, order: Order::File }
}

/// Fails unless `ours` is within half a unit of the last digit of each published figure.
#[track_caller]
fn assert_published(ours: &[f64], published: &str) {
    let published: Vec<&str> = published.split_whitespace().collect();
    assert_eq!(ours.len(), published.len());
    for (i, (&ours, text)) in ours.iter().zip(&published).enumerate() {
        let decimals = text.len() - 1 - text.find('.').expect("a figure with decimals");
        assert_eq!(format!("{ours:.decimals$}"), *text, "figure {i}: {ours:?}");
    }
}

#[test]
fn the_perceptron_makes_the_published_updates_per_epoch() {
    let data = flowers().with_constant();
    let run = perceptron(0.1).train(&data, &SEED_1).unwrap();
    assert_eq!(run.updates, [1, 3, 3, 2, 1, 0, 0, 0, 0, 0]);
    assert_eq!((run.converged, run.cycle), (Some(6), None));
    assert_eq!(run.errors[5..], [0; 5]);
    for learning_rate in [1e-4, 0.1, 0.3, 1.0, 7.5] {
        let run = perceptron(learning_rate).train(&data, &ZERO).unwrap();
        assert_eq!(run.updates, [2, 2, 3, 2, 1, 0, 0, 0, 0, 0], "eta {learning_rate}");
    }
}

#[test]
fn novikoffs_bound_is_the_published_one() {
    let data = flowers().with_constant();
    let found = novikoff(&data).unwrap().expect("setosa and versicolor are separable");
    assert_published(&[found.radius, found.margin], "8.521737 0.431685");
    assert_published(&[found.bound], "389.69");
    assert!((found.margin_at_most - found.margin) / found.margin < 1e-12, "{found:?}");
    let updates: usize = perceptron(0.1).train(&data, &ZERO).unwrap().updates.iter().sum();
    assert_eq!(updates, 10);
}

#[test]
fn adaline_in_full_batch_has_the_published_costs() {
    let data = flowers().with_constant();
    let run = adaline(Batching::FullBatch, 1e-4, 10).train(&data, &SEED_1).unwrap();
    assert_published(
        &run.costs,
        "51.081227 48.734405 47.268122 46.127493 45.115772 44.163005 43.244136 42.350009 41.477104 40.623900",
    );
}

#[test]
fn adaline_diverges_with_the_published_costs_when_eta_is_too_large() {
    let data = flowers().with_constant();
    let run = adaline(Batching::FullBatch, 0.01, 10).train(&data, &SEED_1).unwrap();
    let log10: Vec<f64> = run.costs.iter().map(|&cost| kernels::math::f64::log10(cost)).collect();
    assert_published(&[log10[0], log10[1], log10[2], log10[9]], "1.7083 3.5068 6.6996 29.0519");
    let run = adaline(Batching::FullBatch, 0.01, 200).train(&data, &SEED_1).unwrap();
    let Some(Diverged { epoch, step: 1 }) = run.diverged else { panic!("{:?}", run.diverged) };
    assert_eq!((run.costs.len(), run.trace.len()), (epoch - 1, epoch - 1));
}

#[test]
fn adaline_on_standardised_data_has_the_published_costs() {
    let data = standardised(&flowers()).with_constant();
    let run = adaline(Batching::FullBatch, 0.01, 15).train(&data, &SEED_1).unwrap();
    assert_published(
        &[run.costs[0], run.costs[1], run.costs[2], run.costs[14]],
        "50.976923 34.462945 23.572819 2.579743",
    );
}

#[test]
fn the_slides_rule_has_the_published_mean_costs() {
    let data = standardised(&flowers()).with_constant();
    let run = adaline(Batching::PerSample, 0.01, 15).train(&data, &ZERO).unwrap();
    let mean: Vec<f64> = run.costs.iter().map(|cost| cost / 100.0).collect();
    assert_published(
        &[mean[0], mean[1], mean[2], mean[14]],
        "0.2013503562 0.0713784038 0.0552748224 0.0250131747",
    );
}

#[test]
fn least_squares_reaches_the_published_minimum() {
    for data in [flowers().with_constant(), standardised(&flowers()).with_constant()] {
        let w = fit(&data).unwrap();
        assert_published(&[cost(&data, &w)], "2.4354015477");
        // The gradient is a sum of 100 terms x e below 7 in size: 100 roundings of 7 at most.
        assert!(gradient(&data, &w).iter().all(|g| g.abs() < 100.0 * 7.0 * 100.0 * f64::EPSILON));
    }
}

#[test]
fn full_batch_descent_is_stable_exactly_below_two_over_the_largest_eigenvalue() {
    let data = flowers().with_constant();
    let limit = largest_stable_rate(&data);
    let last_two = |rate: f64| {
        let costs = adaline(Batching::FullBatch, rate, 4000).train(&data, &ZERO).unwrap().costs;
        (costs[3998], costs[3999])
    };
    let (before, after) = last_two(0.99 * limit);
    assert!(after <= before, "{before} -> {after}");
    let (before, after) = last_two(1.01 * limit);
    assert!(after > before, "{before} -> {after}");
}

#[test]
fn the_slides_rule_with_a_constant_eta_stays_off_the_minimum_in_proportion_to_eta() {
    let data = standardised(&flowers()).with_constant();
    let minimum = cost(&data, &fit(&data).unwrap());
    let distance = |eta: f64| {
        let run = adaline(Batching::PerSample, eta, 4000).train(&data, &ZERO).unwrap();
        // J is quadratic around the minimum: its excess goes with the square of the distance.
        (cost(&data, &run.weights) - minimum).sqrt()
    };
    let ratio = distance(0.002) / distance(0.001);
    assert!((ratio - 2.0).abs() < 0.05, "{ratio}");
}

#[test]
fn weights_keep_their_bits() {
    // From the first run of this code: a change here is a change of the numeric contract.
    let raw = flowers().with_constant();
    let scaled = standardised(&flowers()).with_constant();
    let perceptron = perceptron(0.1).train(&raw, &SEED_1).unwrap().weights;
    let per_sample = adaline(Batching::PerSample, 0.01, 15).train(&scaled, &ZERO).unwrap().weights;
    let full_batch = adaline(Batching::FullBatch, 0.01, 15).train(&scaled, &SEED_1).unwrap().weights;
    let mini_batch =
        adaline(Batching::MiniBatch { size: 7 }, 0.01, 15).train(&scaled, &ZERO).unwrap().weights;
    let direction = novikoff(&raw).unwrap().expect("separable").direction;
    let found = [perceptron, per_sample, full_batch, mini_batch, fit(&raw).unwrap(), direction];
    let golden: [[f64; 3]; 6] = [
        [-0.3837565463633676, -0.7061175641365007, 1.8347182824773658],
        [0.022073067579349, -0.15736149763597057, 1.0689989989793025],
        [-3.217477004332359e-16, -0.12602214732841205, 1.105063057124571],
        [0.019219885251343587, -0.1611165902685604, 1.0719843004850045],
        [-0.7049892158397002, -0.2749485553226352, 0.771919204056547],
        [-0.15367371110599462, -0.4132094918602477, 0.8975757942098858],
    ];
    // None is a zero or a NaN, so equal numbers are equal bits.
    assert_eq!(found, golden);
}
