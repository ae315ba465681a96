//! Slides "De l'entrée à la sortie", "La fonction de coût" and "La rétropropagation", line by line.
//!
//! A multi-layer perceptron with layers 1 to L; layer 1 is the input.
//!
//! ```text
//! (3)  a^1 = x,   z^l_j = sum_k w^l_jk a^{l-1}_k + b^l_j,   a^l = phi(z^l)     l = 2 ... L
//!      J(W) = 1/(2n) sum_i |y_i - a^L(x_i)|^2
//! (4)  J <- J + dJ/dz dz            what a small change of one z does to the cost
//! (5)  delta^l_j = dJ/dz^l_j        so delta says how much the neuron is to blame
//! BP1  delta^L = grad_a J (.) phi'(z^L)
//! BP2  delta^l = ((W^{l+1})' delta^{l+1}) (.) phi'(z^l)                        l = L-1 ... 2
//! BP3  dJ/db^l_j = delta^l_j
//! BP4  dJ/dw^l_jk = a^{l-1}_k delta^l_j
//! ```
//!
//! # Which W^l
//! Here, as in Nielsen's book, W^l and b^l lead *into* layer l, from l - 1. The slides write eq. (3)
//! with the W^l that leads *out of* layer l, to l + 1, and BP2 to BP4 with Nielsen's; so the W^l of
//! their eq. (3) is our W^{l+1}. In both, the first index of w_jk is the neuron that receives.
//!
//! More slips of the slides are in `docs/slips.md`.
//!
//! # Where to look
//! [`equations`] has BP1 to BP4, one function each; [`matrices`] the same as matrix products, which is
//! how [`crate::network`] computes. All three give the same bits, because every sum has one order:
//! over neurons as one chain (N2), over samples in chunks of 1024 (N3).

pub mod equations;
pub mod matrices;

use kernels::activation::Activation;
use kernels::{Element, Exec, reduce};

use crate::chain::product;
use crate::error::{Error, misfit};
use crate::init::Init;
use crate::matrix::Matrix;
use crate::rng::{Purpose, Stream};
use equations::{bp1_output_delta, bp2_hidden_delta, bp3_bias_gradient, bp4_weight_gradient};

/// The weights, biases and activation of one layer of neurons.
#[derive(Clone, Debug, PartialEq)]
pub struct MlpLayer<T> {
    /// The weights W [neurons, inputs]: w_jk leads from input k to neuron j.
    pub w: Matrix<T>,
    /// The biases b `[neurons]`.
    pub b: Vec<T>,
    /// The activation phi.
    pub phi: Activation,
}

/// A multi-layer perceptron.
///
/// Indices from 0: `layers[l]` is the slides' layer l + 2; it takes `a[l]` to `z[l]` and `a[l + 1]`, and
/// `delta[l]` belongs to `z[l]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp<T> {
    /// Layers 2 to L.
    pub layers: Vec<MlpLayer<T>>,
}

/// Everything that eq. (3) computes on the way from the input to the output.
#[derive(Clone, Debug, PartialEq)]
pub struct Signals<T> {
    /// `z[l]` [n, neurons of the layer].
    pub z: Vec<Matrix<T>>,
    /// `a[0]` = x, and `a[l + 1]` = phi(`z[l]`).
    pub a: Vec<Matrix<T>>,
}

/// What the four equations compute on the way back.
#[derive(Clone, Debug, PartialEq)]
pub struct MlpGradients<T> {
    /// `delta[l] = dJ/dz[l]` [n, neurons].
    pub delta: Vec<Matrix<T>>,
    /// dJ/dW [neurons, inputs] of each layer.
    pub w: Vec<Matrix<T>>,
    /// dJ/db `[neurons]` of each layer.
    pub b: Vec<Vec<T>>,
}

/// A small change dz of one neuron's z for one observation, as in eq. (4).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nudge<T> {
    /// Index into [`Mlp::layers`].
    pub layer: usize,
    /// The observation.
    pub observation: usize,
    /// The neuron.
    pub neuron: usize,
    /// The change dz.
    pub dz: T,
}

impl<T: Element> Mlp<T> {
    /// A network with `neurons[0]` inputs and layers of `neurons[1]`, `neurons[2]` ... neurons, each
    /// with its activation, at random start weights.
    ///
    /// The weights are those of a [`crate::network::Network`] whose list of layers is dense,
    /// activation, dense, activation ...
    ///
    /// # Errors
    /// If there is not one activation for each layer after the input.
    pub fn new(neurons: &[usize], phis: &[Activation], init: Init, seed: u64) -> Result<Self, Error> {
        if neurons.len() != phis.len() + 1 {
            let expected = format!("{} numbers of neurons, the inputs first", phis.len() + 1);
            return Err(misfit("multi-layer perceptron", expected, neurons.len().to_string()).into());
        }
        let layers = neurons.windows(2).zip(phis).enumerate().map(|(l, (sizes, &phi))| {
            let (inputs, outputs) = (sizes[0], sizes[1]);
            // The dense layers are the even entries of the network's list.
            let mut stream = Stream::new(Purpose::Init, seed, 2 * l as u64);
            let mut w = Matrix::from_fn(outputs, inputs, |_, _| T::ZERO);
            init.fill_weights(&mut stream, inputs, outputs, w.data_mut());
            let mut b = vec![T::ZERO; outputs];
            init.fill_biases(&mut stream, &mut b);
            MlpLayer { w, b, phi }
        });
        Ok(Self { layers: layers.collect() })
    }

    /// Eq. (3), neuron by neuron, for each observation.
    ///
    /// # Shapes
    /// `x` [n, inputs].
    ///
    /// # Panics
    /// If `x` has fewer columns than the first layer has inputs.
    pub fn forward(&self, x: &Matrix<T>) -> Signals<T> {
        self.forward_nudged(x, None)
    }

    /// The prediction a^L [n, outputs].
    ///
    /// # Panics
    /// As [`Mlp::forward`].
    ///
    /// ```
    /// use kernels::activation::Activation;
    /// use models::backprop::{MlpLayer, Mlp};
    /// use models::matrix::Matrix;
    /// // XOR = OR and not AND: two hidden threshold units and one that subtracts.
    /// let phi = Activation::Step;
    /// let hidden = MlpLayer { w: Matrix::new(2, 2, vec![1.0; 4])?, b: vec![-0.5, -1.5], phi };
    /// let output = MlpLayer { w: Matrix::new(1, 2, vec![1.0, -1.0])?, b: vec![-0.5], phi };
    /// let xor = Mlp { layers: vec![hidden, output] };
    /// let x = Matrix::new(4, 2, vec![0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0])?;
    /// assert_eq!(xor.predict(&x).data(), [0.0, 1.0, 1.0, 0.0]);
    /// # Ok::<(), models::Error>(())
    /// ```
    pub fn predict(&self, x: &Matrix<T>) -> Matrix<T> {
        self.forward(x).a.pop().unwrap_or_else(|| x.clone())
    }

    fn forward_nudged(&self, x: &Matrix<T>, nudge: Option<Nudge<T>>) -> Signals<T> {
        let mut signals = Signals { z: Vec::new(), a: vec![x.clone()] };
        for (l, layer) in self.layers.iter().enumerate() {
            let a = &signals.a[l];
            let z = Matrix::from_fn(a.rows(), layer.b.len(), |i, j| {
                let z = neuron(layer.w.row(j), a.row(i), layer.b[j]);
                match nudge {
                    Some(n) if (n.layer, n.observation, n.neuron) == (l, i, j) => z + n.dz,
                    _ => z,
                }
            });
            let next = Matrix::from_fn(z.rows(), z.cols(), |i, j| layer.phi.phi(z.at(i, j)));
            signals.z.push(z);
            signals.a.push(next);
        }
        signals
    }

    /// J(W) = 1/(2n) sum_i |y_i - a^L(x_i)|^2, in f64 over the samples in order.
    ///
    /// # Shapes
    /// `x` [n, inputs], `y` [n, outputs].
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn cost(&self, exec: Exec, x: &Matrix<T>, y: &Matrix<T>) -> f64 {
        quadratic_cost(exec, &self.predict(x), y)
    }

    /// J after one z has been nudged by dz: by eq. (4) about J + delta dz, the better the smaller dz.
    ///
    /// # Shapes and panics
    /// As [`Mlp::cost`].
    pub fn cost_after(&self, exec: Exec, nudge: Nudge<T>, x: &Matrix<T>, y: &Matrix<T>) -> f64 {
        let mut signals = self.forward_nudged(x, Some(nudge));
        quadratic_cost(exec, &signals.a.pop().unwrap_or_else(|| x.clone()), y)
    }

    /// BP1 at the output, BP2 layer by layer back to the first, BP3 and BP4 in each.
    ///
    /// # Shapes
    /// `signals` as [`Mlp::forward`] makes them, `y` [n, outputs].
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn backward(&self, signals: &Signals<T>, y: &Matrix<T>) -> MlpGradients<T> {
        let mut deltas: Vec<Matrix<T>> = Vec::new();
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let z = &signals.z[l];
            let delta = match deltas.last() {
                None => bp1_output_delta(&quadratic_gradient(&signals.a[l + 1], y), z, layer.phi),
                Some(above) => bp2_hidden_delta(&self.layers[l + 1].w, above, z, layer.phi),
            };
            deltas.push(delta);
        }
        deltas.reverse();
        MlpGradients {
            w: deltas.iter().zip(&signals.a).map(|(delta, a)| bp4_weight_gradient(a, delta)).collect(),
            b: deltas.iter().map(bp3_bias_gradient).collect(),
            delta: deltas,
        }
    }

    /// One step of gradient descent: w = w - eta dJ/dw, with one rounding for each weight.
    ///
    /// # Units
    /// `learning_rate` is eta, any positive number.
    pub fn step(&mut self, gradients: &MlpGradients<T>, learning_rate: T) {
        for (l, layer) in self.layers.iter_mut().enumerate() {
            let parameters = layer.w.data_mut().iter_mut().chain(&mut layer.b);
            for (w, &gradient) in parameters.zip(gradients.w[l].data().iter().chain(&gradients.b[l])) {
                *w = (-learning_rate).mul_add(gradient, *w);
            }
        }
    }

    /// All weights and biases, layer by layer: W row by row, then b.
    pub fn parameters(&self) -> Vec<T> {
        self.layers.iter().flat_map(|layer| layer.w.data().iter().chain(&layer.b).copied()).collect()
    }

    /// Sets all weights and biases, in the order of [`Mlp::parameters`].
    ///
    /// # Panics
    /// If there are fewer values than parameters.
    pub fn set_parameters(&mut self, values: &[T]) {
        let layers = self.layers.iter_mut();
        let parameters = layers.flat_map(|layer| layer.w.data_mut().iter_mut().chain(&mut layer.b));
        parameters.enumerate().for_each(|(i, parameter)| *parameter = values[i]);
    }

    /// The single layer that computes what layers without activation (phi = identity) compute
    /// together: W = W^L ... W^2, and b likewise. So depth without phi gives nothing but linear
    /// regression. `None` if some phi is another function or there is no layer.
    ///
    /// # Source
    /// Slide "Modèles multi-couches", exercise.
    ///
    /// ```
    /// use kernels::activation::Activation::Identity;
    /// use models::backprop::{MlpLayer, Mlp};
    /// use models::matrix::Matrix;
    /// let layer = |w, b| MlpLayer { w: Matrix::from_fn(1, 1, |_, _| w), b: vec![b], phi: Identity };
    /// // 5 (2 x + 3) + 1 = 10 x + 16.
    /// let both = Mlp { layers: vec![layer(2.0, 3.0), layer(5.0, 1.0)] };
    /// assert_eq!(both.collapse(), Some(layer(10.0, 16.0)));
    /// ```
    pub fn collapse(&self) -> Option<MlpLayer<T>> {
        let (first, rest) = self.layers.split_first()?;
        if self.layers.iter().any(|layer| layer.phi != Activation::Identity) {
            return None;
        }
        Some(rest.iter().fold(first.clone(), |below, layer| {
            let (inputs, middle) = (below.w.cols(), below.b.len());
            let w = Matrix::from_fn(layer.b.len(), inputs, |j, k| {
                product(middle, |m| (layer.w.at(j, m), below.w.at(m, k)))
            });
            let b = (0..layer.b.len()).map(|j| neuron(layer.w.row(j), &below.b, layer.b[j])).collect();
            MlpLayer { w, b, phi: Activation::Identity }
        }))
    }
}

/// Eq. (3) for one neuron: z_j = sum_k w_jk a_k + b_j, one chain over k (N2), then the bias.
///
/// # Shapes
/// `w [inputs]`, `a [inputs]`.
///
/// # Panics
/// If `a` has fewer values than `w`.
///
/// ```
/// use models::backprop::neuron;
/// assert_eq!(neuron(&[1.0, -2.0], &[3.0, 0.5], 0.25), 2.25);
/// ```
pub fn neuron<T: Element>(w: &[T], a: &[T], b: T) -> T {
    product(w.len(), |k| (w[k], a[k])) + b
}

/// J = 1/(2n) sum_i |y_i - a_i|^2: half a squared norm for each sample (N4), their mean in f64.
///
/// # Shapes
/// `a` and `y` [n, outputs].
///
/// # Panics
/// If `y` is smaller than `a`.
///
/// ```
/// use models::{backprop::quadratic_cost, matrix::Matrix};
/// let (a, y) = (Matrix::new(2, 1, vec![1.0, 5.0])?, Matrix::new(2, 1, vec![3.0, 1.0])?);
/// assert_eq!(quadratic_cost(kernels::Exec::from_env()?, &a, &y), 5.0); // (4 + 16) / (2 * 2)
/// # Ok::<(), models::Error>(())
/// ```
pub fn quadratic_cost<T: Element>(exec: Exec, a: &Matrix<T>, y: &Matrix<T>) -> f64 {
    let sum = (0..a.rows()).fold(0.0, |sum, i| {
        let errors: Vec<T> = (0..a.cols()).map(|j| a.at(i, j) - y.at(i, j)).collect();
        sum + (T::from_f64(0.5) * reduce::sum_of_squares(exec, &errors)).to_f64()
    });
    sum / a.rows() as f64
}

/// grad_a J = (a - y) / n, the first factor of BP1 for the quadratic cost; 1/n is rounded once (N16).
///
/// # Shapes and panics
/// As [`quadratic_cost`].
pub fn quadratic_gradient<T: Element>(a: &Matrix<T>, y: &Matrix<T>) -> Matrix<T> {
    let r = T::ONE / T::from_f64(a.rows() as f64);
    Matrix::from_fn(a.rows(), a.cols(), |i, j| r * (a.at(i, j) - y.at(i, j)))
}
