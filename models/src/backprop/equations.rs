//! The four equations of backpropagation, one function each.
//!
//! All of them take n observations at once, one per row. phi acts on each neuron alone here; softmax
//! does not (each of its outputs depends on all z), so BP1 has no phi' for it and the softmax loss
//! brings its own delta, p - y.

use kernels::Element;
use kernels::activation::Activation;

use crate::chain::{over_samples, product};
use crate::matrix::Matrix;

/// BP1: delta^L = grad_a J (.) phi'(z^L).
///
/// The output neuron's z acts on J through its own a alone: dJ/dz_j = dJ/da_j phi'(z_j).
///
/// # Shapes
/// `grad_a`, `z` and the result [n, outputs].
///
/// # Panics
/// If `grad_a` is smaller than `z`.
///
/// # Source
/// Slide "La rétropropagation"; Nielsen, ch. 2, (BP1).
///
/// ```
/// use kernels::activation::Activation;
/// use models::{backprop::equations::bp1_output_delta, matrix::Matrix};
/// // phi'(0) = 1/4 for the sigmoid.
/// let (grad_a, z) = (Matrix::new(1, 1, vec![8.0])?, Matrix::new(1, 1, vec![0.0])?);
/// let delta = bp1_output_delta(&grad_a, &z, Activation::Sigmoid);
/// assert_eq!(delta.data(), [2.0]);
/// # Ok::<(), models::Error>(())
/// ```
pub fn bp1_output_delta<T: Element>(grad_a: &Matrix<T>, z: &Matrix<T>, phi: Activation) -> Matrix<T> {
    Matrix::from_fn(z.rows(), z.cols(), |i, j| times_phi_prime(grad_a.at(i, j), phi, z.at(i, j)))
}

/// BP2: delta^l = ((W^{l+1})' delta^{l+1}) (.) phi'(z^l).
///
/// The neuron k acts on J through every neuron j above it, in proportion to w_jk:
/// dJ/dz_k = (sum_j w_jk delta_j) phi'(z_k).
///
/// # Shapes
/// `w_above` [neurons above, neurons], `delta_above` [n, neurons above], `z` and the
/// result [n, neurons].
///
/// # Panics
/// If the shapes do not fit.
///
/// # Source
/// Slide "La rétropropagation"; Nielsen, ch. 2, (BP2).
///
/// ```
/// use kernels::activation::Activation;
/// use models::{backprop::equations::bp2_hidden_delta, matrix::Matrix};
/// // Two neurons above: 3 * 10 + 4 * 100, times phi'(1) = 1.
/// let (w, delta) = (Matrix::new(2, 1, vec![3.0, 4.0])?, Matrix::new(1, 2, vec![10.0, 100.0])?);
/// let below = bp2_hidden_delta(&w, &delta, &Matrix::new(1, 1, vec![1.0])?, Activation::Relu);
/// assert_eq!(below.data(), [430.0]);
/// # Ok::<(), models::Error>(())
/// ```
pub fn bp2_hidden_delta<T: Element>(
    w_above: &Matrix<T>,
    delta_above: &Matrix<T>,
    z: &Matrix<T>,
    phi: Activation,
) -> Matrix<T> {
    Matrix::from_fn(z.rows(), z.cols(), |i, k| {
        let blame = product(w_above.rows(), |j| (w_above.at(j, k), delta_above.at(i, j)));
        times_phi_prime(blame, phi, z.at(i, k))
    })
}

/// BP3: dJ/db_j = delta_j, summed over the observations (N3).
///
/// z_j = ... + b_j, so dz_j/db_j = 1.
///
/// # Shapes
/// `delta` [n, neurons], the result `[neurons]`.
///
/// # Source
/// Slide "La rétropropagation"; Nielsen, ch. 2, (BP3).
///
/// ```
/// use models::{backprop::equations::bp3_bias_gradient, matrix::Matrix};
/// assert_eq!(bp3_bias_gradient(&Matrix::new(2, 2, vec![1.0, 2.0, 10.0, 20.0])?), [11.0, 22.0]);
/// # Ok::<(), models::Error>(())
/// ```
pub fn bp3_bias_gradient<T: Element>(delta: &Matrix<T>) -> Vec<T> {
    (0..delta.cols()).map(|j| over_samples(delta.rows(), |i| (delta.at(i, j), T::ONE))).collect()
}

/// BP4: dJ/dw_jk = a_k delta_j, summed over the observations (N3).
///
/// z_j = ... + w_jk a_k + ..., so dz_j/dw_jk = a_k.
///
/// # Shapes
/// `a_below` [n, inputs], `delta` [n, neurons], the result [neurons, inputs].
///
/// # Panics
/// If `a_below` has fewer rows than `delta`.
///
/// # Source
/// Slide "La rétropropagation"; Nielsen, ch. 2, (BP4).
///
/// ```
/// use models::{backprop::equations::bp4_weight_gradient, matrix::Matrix};
/// let (a, delta) = (Matrix::new(1, 2, vec![5.0, 7.0])?, Matrix::new(1, 1, vec![2.0])?);
/// assert_eq!(bp4_weight_gradient(&a, &delta).data(), [10.0, 14.0]);
/// # Ok::<(), models::Error>(())
/// ```
pub fn bp4_weight_gradient<T: Element>(a_below: &Matrix<T>, delta: &Matrix<T>) -> Matrix<T> {
    Matrix::from_fn(delta.cols(), a_below.cols(), |j, k| {
        over_samples(delta.rows(), |i| (a_below.at(i, k), delta.at(i, j)))
    })
}

/// grad_a phi'(z), in the kernels' written sequence: where phi'(z) is 0 the result is +0.0.
fn times_phi_prime<T: Element>(grad_a: T, phi: Activation, z: T) -> T {
    phi.grad_z(z, phi.phi(z), grad_a)
}
