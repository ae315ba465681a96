//! The same equations as matrix products: what a fast implementation computes.
//!
//! With the n observations as rows, each sum of the slides over k, j or i is one product:
//!
//! ```text
//! (3)  Z = A W' + 1 b'
//! BP2  Delta = (Delta_above W_above) (.) phi'(Z)
//! BP4  dJ/dW = Delta' A
//! ```
//!
//! A transpose is a view with its strides exchanged and copies nothing.

use kernels::gemm::{gemm, gemm_over_samples};
use kernels::{Element, Exec, MatMut, MatRef, activation};

use super::equations::bp3_bias_gradient;
use super::{Mlp, MlpGradients, MlpLayer, Signals, quadratic_gradient};
use crate::Error;
use crate::chain::SAMPLES;
use crate::matrix::Matrix;

impl<T: Element> Mlp<T> {
    /// [`Mlp::forward`] with one matrix product per layer; the same bits.
    ///
    /// # Shapes
    /// `x` [n, inputs].
    ///
    /// # Errors
    /// If `x` does not have as many columns as the first layer has inputs.
    pub fn forward_by_matrices(&self, exec: Exec, x: &Matrix<T>) -> Result<Signals<T>, Error> {
        let mut signals = Signals { z: Vec::new(), a: vec![x.clone()] };
        for (l, layer) in self.layers.iter().enumerate() {
            let z = affine(exec, &signals.a[l], layer)?;
            let mut a = z.clone();
            activation::forward(exec, layer.phi, z.data(), a.data_mut())?;
            signals.z.push(z);
            signals.a.push(a);
        }
        Ok(signals)
    }

    /// [`Mlp::backward`] with one or two matrix products per layer; the same bits.
    ///
    /// # Shapes
    /// `signals` as [`Mlp::forward_by_matrices`] makes them, `y` [n, outputs].
    ///
    /// # Errors
    /// If the shapes of the signals are not those of the network.
    ///
    /// # Panics
    /// If `y` is smaller than the output.
    pub fn backward_by_matrices(
        &self,
        exec: Exec,
        signals: &Signals<T>,
        y: &Matrix<T>,
    ) -> Result<MlpGradients<T>, Error> {
        let mut deltas: Vec<Matrix<T>> = Vec::new();
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let (z, a) = (&signals.z[l], &signals.a[l + 1]);
            let grad_a = match deltas.last() {
                None => quadratic_gradient(a, y),
                Some(above) => matrix_product(exec, view(above)?, view(&self.layers[l + 1].w)?)?,
            };
            let mut delta = grad_a.clone();
            activation::backward(exec, layer.phi, z.data(), a.data(), grad_a.data(), delta.data_mut())?;
            deltas.push(delta);
        }
        deltas.reverse();
        let w = deltas.iter().zip(&signals.a).map(|(delta, a)| weight_gradient(exec, delta, a));
        let b = deltas.iter().map(bp3_bias_gradient).collect();
        Ok(MlpGradients { w: w.collect::<Result<_, _>>()?, b, delta: deltas })
    }
}

/// dJ/dW = Delta' A, summed over the observations (N3).
fn weight_gradient<T: Element>(exec: Exec, delta: &Matrix<T>, a: &Matrix<T>) -> Result<Matrix<T>, Error> {
    let (rows, cols) = (delta.cols(), a.cols());
    let mut gradient = Matrix::from_fn(rows, cols, |_, _| T::ZERO);
    let target = MatMut::row_major(gradient.data_mut(), rows, cols)?;
    gemm_over_samples(exec, SAMPLES, view(delta)?.t(), view(a)?, target)?;
    Ok(gradient)
}

/// Z = A W' + 1 b'.
fn affine<T: Element>(exec: Exec, a: &Matrix<T>, layer: &MlpLayer<T>) -> Result<Matrix<T>, Error> {
    let z = matrix_product(exec, view(a)?, view(&layer.w)?.t())?;
    Ok(Matrix::from_fn(z.rows(), z.cols(), |i, j| z.at(i, j) + layer.b[j]))
}

/// C = A B by the fast kernel.
fn matrix_product<T: Element>(exec: Exec, a: MatRef<'_, T>, b: MatRef<'_, T>) -> Result<Matrix<T>, Error> {
    let mut c = Matrix::from_fn(a.rows(), b.cols(), |_, _| T::ZERO);
    gemm(exec, a, b, MatMut::row_major(c.data_mut(), a.rows(), b.cols())?)?;
    Ok(c)
}

fn view<T: Element>(matrix: &Matrix<T>) -> Result<MatRef<'_, T>, Error> {
    Ok(MatRef::row_major(matrix.data(), matrix.rows(), matrix.cols())?)
}
