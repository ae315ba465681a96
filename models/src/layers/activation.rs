//! An elementwise activation: a = phi(z). Slide "Autres fonctions d'activation".

use kernels::activation::{self, Activation};
use kernels::{Element, Error};

use super::{Backward, Forward, Layer, Pass, volume};

#[derive(Debug)]
pub(crate) struct Elementwise {
    phi: Activation,
    output: Vec<usize>,
}

impl Elementwise {
    pub(crate) fn new(input: &[usize], phi: Activation) -> Result<Self, String> {
        let parameter = match phi {
            Activation::LeakyRelu { slope } => slope,
            Activation::Elu { alpha } => alpha,
            _ => 0.0,
        };
        if !parameter.is_finite() {
            return Err(format!("needs a finite parameter, not {parameter:?}"));
        }
        Ok(Self { phi, output: input.to_vec() })
    }
}

impl<T: Element> Layer<T> for Elementwise {
    fn output(&self) -> &[usize] {
        &self.output
    }

    /// z or a, whichever phi'(z) is computed from; ELU's from both.
    fn recalled(&self) -> usize {
        let each = match self.phi {
            Activation::Identity | Activation::Step | Activation::Sign => 0,
            Activation::Elu { .. } => 2,
            _ => 1,
        };
        each * volume(&self.output)
    }

    fn is_relu(&self) -> bool {
        self.phi == Activation::Relu
    }

    /// a = phi(z), both [batch, ...]
    fn forward(&self, pass: &Pass, f: Forward<'_, T>) -> Result<(), Error> {
        activation::forward(pass.exec, self.phi, f.x, f.y)
    }

    /// a = phi(z), so dJ/dz = dJ/da (.) phi'(z), the product in BP1 and BP2.
    fn backward(&self, pass: &Pass, b: Backward<'_, T>) -> Result<(), Error> {
        match b.grad_x {
            Some(grad_z) => activation::backward(pass.exec, self.phi, b.x, b.y, b.grad_y, grad_z),
            None => Ok(()),
        }
    }
}
