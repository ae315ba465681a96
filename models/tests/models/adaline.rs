//! Adaline's three rules, the closed form, and the eigenvalues behind the stability threshold.

use models::adaline::{Adaline, Batching, cost, gradient};
use models::eigenvalues::eigenvalues;
use models::least_squares::{Minimum, cholesky, fit, gram, minimise};
use models::matrix::Matrix;
use models::observations::{Observations, Order};
use models::rng::{Purpose, Stream};

/// Random inputs with targets on a plane plus noise.
fn noisy_plane(n: usize, p: usize, seed: u64) -> Observations {
    let mut stream = Stream::new(Purpose::Data, seed, 0);
    let x: Vec<f64> = (0..n * p).map(|_| stream.normal()).collect();
    let y: Vec<f64> = x.chunks(p).map(|x| x.iter().fold(0.5, |s, x| s + x) + 0.1 * stream.normal()).collect();
    Observations::new(p, &x, &y).unwrap().with_constant()
}

fn adaline(batching: Batching, epochs: usize) -> Adaline {
    Adaline { learning_rate: 1.0 / 1024.0, epochs, batching, order: Order::File }
}

#[test]
fn all_three_rules_approach_the_closed_form() {
    let data = noisy_plane(200, 3, 1);
    let closed = fit(&data).unwrap();
    let minimum = cost(&data, &closed);
    for batching in [Batching::PerSample, Batching::MiniBatch { size: 16 }, Batching::FullBatch] {
        let run = adaline(batching, 500).train(&data, &[0.0; 4]).unwrap();
        let excess = cost(&data, &run.weights) / minimum - 1.0;
        // Below the minimum only by the roundings of a sum of 200 squares.
        assert!((-200.0 * f64::EPSILON..1e-3).contains(&excess), "{batching:?}: {excess}");
    }
    let run = adaline(Batching::FullBatch, 2000).train(&data, &[0.0; 4]).unwrap();
    assert!(run.weights.iter().zip(&closed).all(|(a, b)| (a - b).abs() < 1e-13), "{closed:?}");
}

#[test]
fn a_batch_of_all_is_full_batch_by_bits() {
    let data = noisy_plane(50, 2, 2);
    let full = adaline(Batching::FullBatch, 20).train(&data, &[0.1; 3]).unwrap();
    let batch = adaline(Batching::MiniBatch { size: 50 }, 20).train(&data, &[0.1; 3]).unwrap();
    assert_eq!(full, batch);
}

#[test]
fn a_batch_of_one_agrees_with_the_slides_rule() {
    // The slide rounds eta e and fuses the product with x; a batch rounds x e and fuses the product
    // with eta: equal to a few roundings, not by bits.
    let data = noisy_plane(50, 2, 3);
    let slide = adaline(Batching::PerSample, 20).train(&data, &[0.0; 3]).unwrap();
    let batch = adaline(Batching::MiniBatch { size: 1 }, 20).train(&data, &[0.0; 3]).unwrap();
    for (a, b) in slide.weights.iter().zip(&batch.weights) {
        // 1000 steps, each off by at most two roundings of a weight near 1.
        assert!((a - b).abs() < 1000.0 * 2.0 * f64::EPSILON, "{a} {b}");
    }
}

#[test]
fn the_last_batch_may_be_smaller() {
    let data = Observations::new(1, &[1.0, 1.0, 1.0], &[1.0, 3.0, 8.0]).unwrap();
    let rule = Adaline {
        learning_rate: 0.5,
        epochs: 1,
        batching: Batching::MiniBatch { size: 2 },
        order: Order::File,
    };
    // Batch 1: w = 0 + 0.5 (1 + 3) = 2; batch 2: w = 2 + 0.5 (8 - 2) = 5.
    let run = rule.train(&data, &[0.0]).unwrap();
    assert_eq!((run.weights[0], run.costs[0]), (5.0, 0.5 * (1.0 + 9.0) + 0.5 * 36.0));
}

#[test]
fn the_gradient_is_the_slope_of_the_cost() {
    let data = noisy_plane(40, 3, 4);
    let w = [0.3, -0.7, 0.1, 2.0];
    let slope = gradient(&data, &w);
    for k in 0..4 {
        // J is quadratic: central differences are exact but for rounding, about
        // J eps / h = 100 * 2.2e-16 * 1024.
        let (mut up, mut down) = (w, w);
        up[k] += 1.0 / 1024.0;
        down[k] -= 1.0 / 1024.0;
        let numeric = (cost(&data, &up) - cost(&data, &down)) * 512.0;
        assert!((numeric - slope[k]).abs() < 1e-9, "{k}: {numeric} {}", slope[k]);
    }
}

#[test]
fn shuffling_is_repeatable_and_differs_by_seed() {
    let data = noisy_plane(50, 2, 5);
    let train = |seed| {
        let rule = Adaline { order: Order::Shuffled { seed }, ..adaline(Batching::PerSample, 3) };
        rule.train(&data, &[0.0; 3]).unwrap().weights
    };
    assert_eq!(train(1), train(1));
    assert_ne!(train(1), train(2));
    // Epoch 1 takes the stream of index 1, whose golden permutation stands in tests/rng.rs.
    let order = Order::Shuffled { seed: 1 };
    assert_eq!(order.of_epoch(10, 1), [2, 3, 4, 1, 9, 5, 6, 8, 0, 7]);
    assert_ne!(order.of_epoch(10, 2), order.of_epoch(10, 1));
}

#[test]
fn a_dependent_variable_is_named_in_the_error() {
    let data = Observations::new(3, &[1.0, 2.0, 3.0, 4.0, 1.0, 5.0, 0.0, 7.0, 7.0], &[0.0; 3]).unwrap();
    assert_eq!(
        fit(&data).unwrap_err().to_string(),
        "normal equations: column 2 is a combination of the columns before it, so there is no single \
         solution: leave that variable out"
    );
}

#[test]
fn a_dependent_variable_is_found_behind_its_roundings() {
    for seed in 0..50 {
        let mut stream = Stream::new(Purpose::Data, seed, 1);
        let (mut x, n) = (Vec::new(), 200);
        for _ in 0..n {
            let (a, b) = (stream.normal(), stream.normal() / 3.0);
            x.extend([a, b, a + 0.1 * b]);
        }
        let data = Observations::new(3, &x, &vec![1.0; n]).unwrap();
        assert!(fit(&data).is_err(), "seed {seed}: {:?}", fit(&data));
    }
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let data = noisy_plane(5, 2, 6);
    assert!(adaline(Batching::FullBatch, 1).train(&data, &[0.0; 2]).is_err());
    assert!(adaline(Batching::MiniBatch { size: 0 }, 1).train(&data, &[0.0; 3]).is_err());
    let nothing = Observations::new(1, &[], &[]).unwrap();
    assert_eq!(adaline(Batching::FullBatch, 2).train(&nothing, &[0.0]).unwrap().costs, [0.0, 0.0]);
}

#[test]
fn the_cholesky_factor_multiplies_back() {
    let a = gram(&noisy_plane(30, 5, 7));
    let l = cholesky("test", &a).unwrap();
    for i in 0..6 {
        for j in 0..=i {
            let back = (0..6).fold(0.0, |s, k| s + l.at(i, k) * l.at(j, k));
            // Backward error of Cholesky: (p + 1) roundings of the diagonal (Higham, thm. 10.3).
            let bound = 14.0 * f64::EPSILON * (a.at(i, i) * a.at(j, j)).sqrt();
            assert!((back - a.at(i, j)).abs() <= bound, "({i}, {j})");
        }
    }
}

#[test]
fn eigenvalues_have_the_trace_and_the_known_values() {
    // -u'' on n points: 2 - 2 cos(pi k / (n + 1)); for n = 5 the cosines are known roots.
    let a = Matrix::from_fn(5, 5, |i, j| [2.0, -1.0, 0.0, 0.0, 0.0][i.abs_diff(j)]);
    let root3 = 3.0_f64.sqrt();
    let known = [2.0 - root3, 1.0, 2.0, 3.0, 2.0 + root3];
    for (found, known) in eigenvalues(&a).iter().zip(known) {
        assert!((found - known).abs() < 16.0 * f64::EPSILON, "{found} {known}");
    }
    let a = gram(&noisy_plane(30, 5, 8));
    let trace = (0..6).fold(0.0, |s, i| s + a.at(i, i));
    let sum = eigenvalues(&a).iter().fold(0.0, |s, value| s + value);
    assert!((sum - trace).abs() < 100.0 * f64::EPSILON * trace);
    assert!(eigenvalues(&Matrix::from_fn(0, 0, |_, _| 0.0)).is_empty());
}

#[test]
fn reflections_and_normal_equations_find_the_same_minimum() {
    let data = noisy_plane(100, 4, 9);
    let x = Matrix::from_fn(data.n(), data.p(), |i, k| data.x(i)[k]);
    let y: Vec<f64> = (0..data.n()).map(|i| data.y(i)).collect();
    let Minimum { v, residual } = minimise("test", &x, &y).unwrap();
    // Independent normals, so X'X is near n I: a few dozen roundings of weights near 1.
    for (v, w) in v.iter().zip(fit(&data).unwrap()) {
        assert!((v - w).abs() < 64.0 * f64::EPSILON, "{v} {w}");
    }
    // The residual is y - Xv and orthogonal to X.
    for (i, residual) in residual.iter().enumerate() {
        let error = (0..data.p()).fold(y[i], |e, k| e - x.at(i, k) * v[k]);
        assert!((residual - error).abs() < 64.0 * f64::EPSILON, "{i}");
    }
    for k in 0..data.p() {
        let product = (0..data.n()).fold(0.0, |s, i| s + residual[i] * x.at(i, k));
        assert!(product.abs() < 100.0 * f64::EPSILON, "{k}: {product}");
    }
    assert!(minimise("wide", &Matrix::from_fn(1, 2, |_, _| 1.0), &[1.0]).is_err());
}

#[test]
fn an_overflow_in_the_last_update_is_a_divergence() {
    let data = noisy_plane(10, 2, 4);
    for (batching, step) in
        [(Batching::PerSample, 10), (Batching::MiniBatch { size: 4 }, 3), (Batching::FullBatch, 1)]
    {
        let calm = Adaline { learning_rate: 1e-3, epochs: 1, batching, order: Order::File };
        assert_eq!(calm.train(&data, &[0.0; 3]).unwrap().diverged, None, "{batching:?}");
        // The first update that overflows is the last one in full batch; the others are caught on the way or here.
        let wild = Adaline { learning_rate: 1e200, ..calm }.train(&data, &[0.0; 3]).unwrap();
        let diverged = wild.diverged.expect("it diverges");
        assert_eq!(diverged.epoch, 1, "{batching:?}");
        assert!(diverged.step <= step, "{batching:?}: {diverged:?}");
    }
    let last = Adaline { learning_rate: 1e200, epochs: 1, batching: Batching::FullBatch, order: Order::File };
    let run = last.train(&data, &[0.0; 3]).unwrap();
    assert!(run.costs[0].is_finite() && !cost(&data, &run.weights).is_finite());
}
