//! Training in plain loops, by SGD on the cross-entropy: what [`crate::network`] computes, bit by bit. The loops of a
//! convolution and of pooling are in [`kernels::reference`].
//!
//! To be read between [`crate::backprop`], which has BP1 to BP4 for dense layers, and [`crate::network`], which is
//! fast. One step, for a batch of n samples:
//!
//! ```text
//! a[0] = x                                     every layer forward, the whole batch at once
//! a[l + 1] = layer l of a[l]
//! J = 1/n sum_i -ln softmax(z_i)[label_i]      the loss; delta = dJ/dz = (p - y) / n
//! for l from the last layer down to the first:
//!     dJ/dw = ... delta, a[l]                  BP3 and BP4: a sum over the samples, in chunks (N3)
//!     delta = dJ/da[l] = ... delta, w          BP1 and BP2: one chain for each value (N2)
//!     w = w - eta dJ/dw
//! ```
//!
//! | layer | x | parameters | y |
//! |---|---|---|---|
//! | dense | [n, inputs] | W [inputs, units], `b [units]` | x W + b, [n, units] |
//! | convolution | [n, c_in, h_in, w_in] | w [c_out, c_in, kernel_h, kernel_w], `b [c_out]` | w * x + b, [n, c_out, ...] |
//! | max pooling | [n, channels, h_in, w_in] | | [n, channels, h_out, w_out] |
//! | activation | [n, ...] | | phi(x), [n, ...] |
//!
//! The loops of a convolution and a pooling are in [`kernels::reference`]. Nothing here is fast, and everything is
//! allocated again in every step.

use kernels::Element;
use kernels::activation::Activation;
use kernels::conv::Conv2d;
use kernels::pool::Pool2d;
use kernels::reference::{conv, pool, softmax};

use crate::chain::{over_samples, product};
use crate::error::{Error, misfit};
use crate::network::{ConvSpec, LayerSpec, Window};

/// A network that learns in plain loops.
#[derive(Clone, Debug)]
pub struct Reference<T> {
    layers: Vec<PlainLayer<T>>,
}

#[derive(Clone, Debug)]
struct PlainLayer<T> {
    kind: Operation,
    w: Vec<T>,
    b: Vec<T>,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Dense { inputs: usize, units: usize },
    Conv(Conv2d),
    MaxPool(Pool2d),
    Activation(Activation),
}

impl<T: Element> Reference<T> {
    /// A network for samples of shape `input` with all parameters zero.
    ///
    /// # Errors
    /// If there is another layer than dense and convolution with a bias, max pooling, activation and flatten, or one
    /// that does not fit the one before it.
    ///
    /// ```
    /// use models::network::LayerSpec;
    /// use models::reference::Reference;
    /// let mut network = Reference::<f64>::new(&[2], &[LayerSpec::dense(2)])?;
    /// // All weights 0: p = (1/2, 1/2), so dJ/dz = (-1/2, 1/2) for label 0, and dJ/dw = x dJ/dz.
    /// let loss = network.step(&[1.0, 10.0], &[0], 2.0);
    /// assert_eq!(loss, std::f64::consts::LN_2);
    /// assert_eq!(network.parameters(), [1.0, -1.0, 10.0, -10.0, 1.0, -1.0]);
    /// # Ok::<(), models::Error>(())
    /// ```
    pub fn new(input: &[usize], specs: &[LayerSpec]) -> Result<Self, Error> {
        let mut shape = input.to_vec();
        let mut layers = Vec::new();
        for spec in specs {
            let (kind, weights, biases) = match (spec, &shape[..]) {
                (LayerSpec::Flatten, _) => {
                    shape = vec![shape.iter().product()];
                    continue;
                }
                (&LayerSpec::Activation(phi), _) => (Operation::Activation(phi), 0, 0),
                (&LayerSpec::Dense { units, bias: true }, &[inputs]) => {
                    shape = vec![units];
                    (Operation::Dense { inputs, units }, inputs * units, units)
                }
                (&LayerSpec::Conv2d(spec), &[c_in, h_in, w_in]) if spec.bias && !spec.true_convolution => {
                    let ConvSpec { filters: c_out, kernel, stride, padding, dilation, groups, .. } = spec;
                    let sizes = Conv2d { c_in, h_in, w_in, c_out, kernel, stride, padding, dilation, groups };
                    sizes.validate()?;
                    shape = vec![c_out, sizes.h_out(), sizes.w_out()];
                    (Operation::Conv(sizes), sizes.weight_len(), c_out)
                }
                (&LayerSpec::MaxPool2d(Window { kernel, stride, padding }), &[channels, h_in, w_in]) => {
                    let sizes = Pool2d { channels, h_in, w_in, kernel, stride, padding };
                    sizes.validate()?;
                    shape = vec![channels, sizes.h_out(), sizes.w_out()];
                    (Operation::MaxPool(sizes), 0, 0)
                }
                _ => {
                    let expected = "dense on flat, convolution or max pooling on images, activation, flatten";
                    return Err(misfit("reference", expected, format!("{} on {shape:?}", spec.kind())).into());
                }
            };
            layers.push(PlainLayer { kind, w: vec![T::ZERO; weights], b: vec![T::ZERO; biases] });
        }
        Ok(Self { layers })
    }

    /// All parameters, in the order of [`crate::network::Network::parameters`].
    pub fn parameters(&self) -> Vec<T> {
        self.layers.iter().flat_map(|layer| layer.w.iter().chain(&layer.b).copied()).collect()
    }

    /// Sets all parameters, in the order of [`Reference::parameters`].
    ///
    /// # Panics
    /// If there are fewer values than parameters.
    pub fn set_parameters(&mut self, values: &[T]) {
        let parameters = self.layers.iter_mut().flat_map(|layer| layer.w.iter_mut().chain(&mut layer.b));
        parameters.enumerate().for_each(|(i, parameter)| *parameter = values[i]);
    }

    /// One step of gradient descent on softmax cross-entropy. Returns the sum of the sample losses, in f64 and in
    /// sample order; where it is not finite the parameters stay as they were (N8).
    ///
    /// # Shapes
    /// `x` [n, inputs], `labels [n]`.
    ///
    /// # Units
    /// `learning_rate` is eta.
    ///
    /// # Panics
    /// If there are fewer values than `labels` needs, or a label is no class.
    pub fn step(&mut self, x: &[T], labels: &[u32], learning_rate: f64) -> f64 {
        let n = labels.len();
        let mut a = vec![x.to_vec()];
        for (l, layer) in self.layers.iter().enumerate() {
            a.push(layer.forward(n, &a[l]));
        }
        let (loss, mut delta) = cross_entropy(&a[self.layers.len()], labels);
        if !loss.is_finite() {
            return loss;
        }
        let minus_eta = T::from_f64(-learning_rate);
        for (l, layer) in self.layers.iter_mut().enumerate().rev() {
            let (x, y) = (&a[l], &a[l + 1]);
            let gradient = layer.gradient(n, x, &delta);
            delta = layer.backward(n, x, y, &delta);
            for (w, g) in layer.w.iter_mut().chain(&mut layer.b).zip(gradient) {
                *w = minus_eta.mul_add(g, *w);
            }
        }
        loss
    }
}

impl<T: Element> PlainLayer<T> {
    /// y from x.
    fn forward(&self, n: usize, x: &[T]) -> Vec<T> {
        match &self.kind {
            // z_ij = sum_k x_ik w_kj + b_j, k ascending (N2).
            &Operation::Dense { inputs, units } => each(n, units, |i, j| {
                product(inputs, |k| (x[i * inputs + k], self.w[k * units + j])) + self.b[j]
            }),
            Operation::Conv(sizes) => conv::forward(sizes, n, x, &self.w, Some(&self.b)),
            Operation::MaxPool(sizes) => pool::max_forward(sizes, n, x).0,
            Operation::Activation(phi) => x.iter().map(|&z| phi.phi(z)).collect(),
        }
    }

    /// dJ/dx from delta = dJ/dy.
    fn backward(&self, n: usize, x: &[T], y: &[T], delta: &[T]) -> Vec<T> {
        match &self.kind {
            // dJ/dx_ik = sum_j delta_ij w_kj, j ascending (N2): the sum in BP2.
            &Operation::Dense { inputs, units } => {
                each(n, inputs, |i, k| product(units, |j| (delta[i * units + j], self.w[k * units + j])))
            }
            Operation::Conv(sizes) => conv::backward_input(sizes, n, &self.w, delta),
            Operation::MaxPool(sizes) => {
                pool::max_backward(sizes, n, &pool::max_forward(sizes, n, x).1, delta)
            }
            // dJ/dz = dJ/da phi'(z): the product in BP1 and BP2.
            Operation::Activation(phi) => (0..x.len()).map(|i| phi.grad_z(x[i], y[i], delta[i])).collect(),
        }
    }

    /// dJ/dw, then dJ/db.
    fn gradient(&self, n: usize, x: &[T], delta: &[T]) -> Vec<T> {
        match &self.kind {
            // BP4: dJ/dw_kj = sum_i x_ik delta_ij; BP3: dJ/db_j = sum_i delta_ij; both over the samples (N3).
            &Operation::Dense { inputs, units } => {
                let of_w = |k, j| over_samples(n, |i| (x[i * inputs + k], delta[i * units + j]));
                let of_b = |_, j| over_samples(n, |i| (delta[i * units + j], T::ONE));
                [each(inputs, units, of_w), each(1, units, of_b)].concat()
            }
            Operation::Conv(sizes) => {
                let of_w = conv::backward_weight(sizes, n, x, delta);
                [of_w, conv::backward_bias(sizes, n, delta)].concat()
            }
            Operation::MaxPool(_) | Operation::Activation(_) => Vec::new(),
        }
    }
}

/// The matrix whose element (i, j) is `element(i, j)`.
fn each<T>(rows: usize, columns: usize, element: impl Fn(usize, usize) -> T) -> Vec<T> {
    (0..rows * columns).map(|at| element(at / columns, at % columns)).collect()
}

/// The sum of the sample losses, and dJ/dz for J their mean: (p - y) r with r = 1/n rounded once (N16).
fn cross_entropy<T: Element>(z: &[T], labels: &[u32]) -> (f64, Vec<T>) {
    let r = T::ONE / T::from_f64(labels.len() as f64);
    let (mut sum, mut delta) = (0.0, Vec::new());
    for (z, &label) in z.chunks_exact(z.len() / labels.len()).zip(labels) {
        let (loss, grad_z) = softmax::cross_entropy(z, label as usize, r);
        sum += loss.to_f64();
        delta.extend(grad_z);
    }
    (sum, delta)
}
