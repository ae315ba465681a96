//! The multi-layer perceptron as on the slides: three ways to the same bits, and what each claims.

use kernels::activation::Activation::{self, Elu, Identity, LeakyRelu, Relu, Sigmoid, Softplus, Tanh};
use kernels::{Exec, Level};
use models::NetworkElement;
use models::adaline;
use models::backprop::{Mlp, MlpGradients, Nudge, Signals, quadratic_cost};
use models::gradcheck::{STEPS, best, scan};
use models::init::Init;
use models::least_squares;
use models::loss::{Loss, Targets};
use models::matrix::Matrix;
use models::network::{LayerSpec, Network, Position};
use models::observations::Observations;
use models::optimizer::{Optimizer, OptimizerSpec};
use models::rng::{Purpose, Stream};

const SMOOTH: [Activation; 4] = [Sigmoid, Tanh, Softplus, Elu { alpha: 1.0 }];

fn random<T: NetworkElement>(rows: usize, cols: usize, seed: u64) -> Matrix<T> {
    let mut stream = Stream::new(Purpose::Data, seed, 0);
    Matrix::from_fn(rows, cols, |_, _| T::from_f64(stream.normal()))
}

fn bits<'a, T: NetworkElement>(values: impl IntoIterator<Item = &'a T>) -> Vec<u64> {
    values.into_iter().map(|value| value.bits()).collect()
}

fn signal_bits<T: NetworkElement>(signals: &Signals<T>) -> Vec<u64> {
    bits(signals.z.iter().chain(&signals.a).flat_map(Matrix::data))
}

fn gradient_bits<T: NetworkElement>(gradients: &MlpGradients<T>) -> Vec<u64> {
    let matrices = gradients.delta.iter().chain(&gradients.w).flat_map(Matrix::data);
    bits(matrices.chain(gradients.b.iter().flatten()))
}

/// dJ/dw and dJ/db in the order of [`Mlp::parameters`].
fn flat<T: NetworkElement>(gradients: &MlpGradients<T>) -> Vec<T> {
    let layers = gradients.w.iter().zip(&gradients.b);
    layers.flat_map(|(w, b)| w.data().iter().chain(b).copied()).collect()
}

/// The network with the same layers and weights as `mlp`.
fn network_of<T: NetworkElement>(neurons: &[usize], phis: &[Activation], seed: u64, n: usize) -> Network<T> {
    let dense_and_phi = |(&units, &phi)| [LayerSpec::dense(units), LayerSpec::Activation(phi)];
    let layers: Vec<LayerSpec> = neurons[1..].iter().zip(phis).flat_map(dense_and_phi).collect();
    let mut network = Network::new(&neurons[..1], &layers, Loss::Quadratic, n).expect("shapes fit");
    network.initialise(Init::Nielsen, seed);
    network
}

#[test]
fn neurons_and_matrices_give_the_same_bits_at_every_level() {
    let phis = [Tanh, Relu, Sigmoid];
    // 2 x 65 x 129 x 131 = 2.2 million operations: above the 2^21 from which a product is shared out.
    let mlp = Mlp::<f32>::new(&[129, 131, 5, 3], &phis, Init::Nielsen, 1).unwrap();
    let (x, y) = (random(65, 129, 2), random(65, 3, 3));
    let signals = mlp.forward(&x);
    let gradients = mlp.backward(&signals, &y);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    for level in Level::available() {
        for exec in [Exec::serial(level), Exec::parallel(level)] {
            let fast = pool.install(|| mlp.forward_by_matrices(exec, &x)).unwrap();
            assert_eq!(signal_bits(&signals), signal_bits(&fast), "{exec:?}");
            let fast = pool.install(|| mlp.backward_by_matrices(exec, &fast, &y)).unwrap();
            assert_eq!(gradient_bits(&gradients), gradient_bits(&fast), "{exec:?}");
        }
    }
}

fn exec() -> Exec {
    Exec::serial(Level::best())
}

fn the_four_equations_equal_the_network<T: NetworkElement>(phi: Activation, n: usize) {
    let (neurons, phis) = ([6, 9, 4, 2], [phi, phi, Sigmoid]);
    let mut mlp = Mlp::<T>::new(&neurons, &phis, Init::Nielsen, 7).unwrap();
    let mut network = network_of::<T>(&neurons, &phis, 7, n);
    let label = format!("{phi:?} {} {n}", T::NAME);
    let weights: Vec<T> = network.tensors().flat_map(|tensor| tensor.data).collect();
    assert_eq!(bits(&mlp.parameters()), bits(&weights), "{label}: start weights");

    let (x, y) = (random(n, 6, 8), random(n, 2, 9));
    let at = Position { seed: 1, epoch: 0, first: 0 };
    let exec = exec();
    let loss = network.forward_backward(exec, x.data(), Targets::Values(y.data()), at).unwrap();
    let signals = mlp.forward(&x);
    let gradients = mlp.backward(&signals, &y);
    assert_eq!((loss / n as f64).to_bits(), quadratic_cost(exec, &signals.a[3], &y).to_bits(), "{label}: J");
    for l in 0..3 {
        // Entry 2 l of the network's list is the dense layer that makes z, 2 l + 1 makes a.
        assert_eq!(bits(signals.z[l].data()), bits(network.activations(2 * l)), "{label}: z {l}");
        assert_eq!(bits(signals.a[l + 1].data()), bits(network.activations(2 * l + 1)), "{label}: a {l}");
        assert_eq!(bits(gradients.delta[l].data()), bits(network.deltas(2 * l)), "{label}: delta {l}");
        let (w, b) = (&gradients.w[l], &gradients.b[l]);
        // The network keeps W as [inputs, neurons].
        let transposed: Vec<T> = (0..w.cols()).flat_map(|k| (0..w.rows()).map(move |j| w.at(j, k))).collect();
        let before: usize = (0..l).map(|l| (neurons[l] + 1) * neurons[l + 1]).sum();
        let theirs = &network.gradients()[before..before + transposed.len() + b.len()];
        assert_eq!(bits(transposed.iter().chain(b)), bits(theirs), "{label}: gradients {l}");
    }

    mlp.step(&gradients, T::from_f64(0.1));
    let mut sgd = Optimizer::new(OptimizerSpec::sgd(0.1), network.parameters().len()).unwrap();
    network.train_step(exec, x.data(), Targets::Values(y.data()), &mut sgd, at).unwrap();
    let weights: Vec<T> = network.tensors().flat_map(|tensor| tensor.data).collect();
    assert_eq!(bits(&mlp.parameters()), bits(&weights), "{label}: weights after a step");
}

#[test]
fn bp1_to_bp4_equal_the_network_by_bits() {
    for phi in [Identity, Sigmoid, Tanh, Relu, LeakyRelu { slope: 0.01 }, Elu { alpha: 1.0 }, Softplus] {
        the_four_equations_equal_the_network::<f32>(phi, 10);
        the_four_equations_equal_the_network::<f64>(phi, 10);
    }
    // More samples than one chunk of N3 holds.
    the_four_equations_equal_the_network::<f32>(Tanh, 2500);
}

#[test]
fn the_gradient_check_finds_the_v_and_passes() {
    for phi in SMOOTH {
        let mut mlp = Mlp::<f64>::new(&[4, 6, 5, 3], &[phi, phi, phi], Init::XavierNormal, 3).unwrap();
        let (x, y) = (random(8, 4, 4), random(8, 3, 5));
        let analytic = flat(&mlp.backward(&mlp.forward(&x), &y));
        let start = mlp.parameters();
        let mut cost = |parameters: &[f64]| {
            mlp.set_parameters(parameters);
            mlp.cost(exec(), &x, &y)
        };
        let curve = scan(&mut cost, &start, &analytic, &STEPS);
        let lowest = best(&curve).unwrap();
        assert!(lowest.worst <= 1e-6, "{phi:?}: {lowest:?}");
        // Both ends of the V are far above its lowest point.
        let (left, right) = (curve[0], curve[STEPS.len() - 1]);
        assert!(left.worst > 1e3 * lowest.worst && right.worst > 1e3 * lowest.worst, "{phi:?}: {curve:?}");
    }
}

#[test]
fn a_nudge_of_z_changes_the_cost_by_delta_times_dz() {
    let mlp = Mlp::<f64>::new(&[3, 5, 4, 2], &[Tanh, Sigmoid, Identity], Init::Nielsen, 1).unwrap();
    let (x, y) = (random(3, 3, 2), random(3, 2, 3));
    let delta = mlp.backward(&mlp.forward(&x), &y).delta;
    let cost = mlp.cost(exec(), &x, &y);
    for (layer, neurons) in [(0, 5), (1, 4), (2, 2)] {
        for (observation, neuron) in (0..3).flat_map(|i| (0..neurons).map(move |j| (i, j))) {
            let off = |dz: f64| {
                let after = mlp.cost_after(exec(), Nudge { layer, observation, neuron, dz }, &x, &y);
                (after - (cost + delta[layer].at(observation, neuron) * dz)).abs()
            };
            // Eq. (4) leaves out the curvature: what is left is J'' dz^2 / 2, a hundredth for a tenth.
            let (wide, narrow) = (off(1e-2), off(1e-3));
            assert!(narrow < wide / 50.0 || wide < 1e-9, "{layer} {observation} {neuron}: {wide} {narrow}");
        }
    }
}

#[test]
fn a_step_against_the_gradient_lowers_the_cost() {
    let mut mlp = Mlp::<f64>::new(&[3, 5, 2], &[Tanh, Identity], Init::XavierNormal, 1).unwrap();
    let (x, y) = (random(20, 3, 2), random(20, 2, 3));
    for _ in 0..50 {
        let before = mlp.cost(exec(), &x, &y);
        let gradients = mlp.backward(&mlp.forward(&x), &y);
        mlp.step(&gradients, 0.1);
        assert!(mlp.cost(exec(), &x, &y) < before);
    }
}

#[test]
fn first_hypothesis_the_cost_is_a_mean_over_samples() {
    // J of all is the mean of the J of each: the sums have the same terms in the same order, and
    // n = 8 divides exactly, so equal by bits.
    let mlp = Mlp::<f64>::new(&[3, 4, 2], &[Sigmoid, Sigmoid], Init::Nielsen, 1).unwrap();
    let (x, y) = (random::<f64>(8, 3, 2), random::<f64>(8, 2, 3));
    let row = |m: &Matrix<f64>, i| Matrix::new(1, m.cols(), m.row(i).to_vec()).unwrap();
    let each = (0..8).fold(0.0, |sum, i| sum + mlp.cost(exec(), &row(&x, i), &row(&y, i)));
    assert_eq!(mlp.cost(exec(), &x, &y).to_bits(), (each / 8.0).to_bits());
    // So the gradient is the mean of theirs, which is what lets mini-batches stand for all.
    let gradient = |x: &Matrix<f64>, y: &Matrix<f64>| flat(&mlp.backward(&mlp.forward(x), y));
    let mut sum = vec![0.0; mlp.parameters().len()];
    for i in 0..8 {
        for (s, g) in sum.iter_mut().zip(gradient(&row(&x, i), &row(&y, i))) {
            *s += g / 8.0;
        }
    }
    // Eight terms below 1, each rounded a few times.
    let whole = gradient(&x, &y);
    assert!(sum.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 32.0 * f64::EPSILON), "{sum:?} {whole:?}");
}

#[test]
fn second_hypothesis_the_cost_is_a_function_of_the_output_alone() {
    // tanh is odd: turning the sign of all that enters and leaves a hidden neuron changes every z
    // inside and no output. Then J is the same too.
    let mlp = Mlp::<f64>::new(&[3, 4, 2], &[Tanh, Sigmoid], Init::Nielsen, 1).unwrap();
    let mut turned = mlp.clone();
    let (hidden, output) = (&mlp.layers[0], &mlp.layers[1]);
    turned.layers[0].w = Matrix::from_fn(4, 3, |j, k| -hidden.w.at(j, k));
    turned.layers[0].b = hidden.b.iter().map(|b| -b).collect();
    turned.layers[1].w = Matrix::from_fn(2, 4, |j, k| -output.w.at(j, k));
    let (x, y) = (random(6, 3, 2), random(6, 2, 3));
    assert_ne!(mlp.forward(&x).z[0], turned.forward(&x).z[0]);
    assert_eq!(bits(mlp.predict(&x).data()), bits(turned.predict(&x).data()));
    assert_eq!(mlp.cost(exec(), &x, &y).to_bits(), turned.cost(exec(), &x, &y).to_bits());
}

#[test]
fn without_activation_depth_collapses_to_one_linear_map() {
    let mlp = Mlp::<f64>::new(&[4, 7, 5, 2], &[Identity; 3], Init::Nielsen, 1).unwrap();
    let one = Mlp { layers: vec![mlp.collapse().expect("all identity")] };
    let x = random(30, 4, 2);
    for (deep, flat) in mlp.predict(&x).data().iter().zip(one.predict(&x).data()) {
        // Sums of 4, 7 and 5 terms of size 10 at most, rounded in another order.
        assert!((deep - flat).abs() < 16.0 * 10.0 * f64::EPSILON, "{deep} {flat}");
    }
    assert_eq!(Mlp::<f64>::new(&[2, 2], &[Tanh], Init::Zeros, 1).unwrap().collapse(), None);
}

#[test]
fn a_trained_linear_network_is_the_least_squares_solution() {
    let n = 60;
    let x = random::<f64>(n, 2, 1);
    let mut noise = Stream::new(Purpose::Data, 2, 0);
    let y = Matrix::from_fn(n, 1, |i, _| 1.0 + 2.0 * x.at(i, 0) - x.at(i, 1) + 0.1 * noise.normal());
    let mut mlp = Mlp::new(&[2, 3, 1], &[Identity; 2], Init::XavierNormal, 3).unwrap();
    for _ in 0..3000 {
        let gradients = mlp.backward(&mlp.forward(&x), &y);
        mlp.step(&gradients, 0.1);
    }
    let data = Observations::new(2, x.data(), y.data()).unwrap().with_constant();
    let closed = least_squares::fit(&data).unwrap();
    let layer = mlp.collapse().expect("all identity");
    let trained = [layer.b[0], layer.w.at(0, 0), layer.w.at(0, 1)];
    for (trained, closed) in trained.iter().zip(&closed) {
        assert!((trained - closed).abs() < 1e-12, "{trained} {closed}");
    }
    // J here is the mean, Adaline's eq. (1) the sum.
    let (mean, sum) = (mlp.cost(exec(), &x, &y), adaline::cost(&data, &closed));
    assert!((mean * n as f64 - sum).abs() < 1e-13 * sum, "{mean} {sum}");
}
