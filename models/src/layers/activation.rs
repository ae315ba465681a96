//! An elementwise activation: a = phi(z). Slide "Autres fonctions d'activation".

use kernels::activation::{self, Activation};
use kernels::{Element, Error};

use super::{Layer, LayerBackward, LayerForward, Pass, PerSample, Properties, volume};

#[derive(Debug)]
pub(crate) struct Elementwise {
    phi: Activation,
}

impl Elementwise {
    pub(crate) fn layer<T: Element>(input: &[usize], phi: Activation) -> Result<Layer<T>, String> {
        let parameter = match phi {
            Activation::LeakyRelu { slope } => slope,
            Activation::Elu { alpha } => alpha,
            _ => 0.0,
        };
        if !parameter.is_finite() {
            return Err(format!("needs a finite parameter, not {parameter:?}"));
        }
        // z or a, whichever phi'(z) is computed from; ELU's from both.
        let each = match phi {
            Activation::Identity | Activation::Step | Activation::Sign => 0,
            Activation::Elu { .. } => 2,
            _ => 1,
        };
        let read_for_grad_x = each * volume(input);
        let properties = Properties { output: input.to_vec(), read_for_grad_x, ..Properties::default() };
        Ok(Layer::per_sample(Self { phi }, properties))
    }
}

impl<T: Element> PerSample<T> for Elementwise {
    /// a = phi(z), both [batch, ...]
    fn forward(&self, pass: &Pass, f: LayerForward<'_, T>) -> Result<(), Error> {
        activation::forward(pass.exec, self.phi, f.x, f.y)
    }

    /// a = phi(z), so dJ/dz = dJ/da (.) phi'(z), the product in BP1 and BP2.
    fn backward(&self, pass: &Pass, b: LayerBackward<'_, T>) -> Result<(), Error> {
        activation::backward(pass.exec, self.phi, b.x, b.y, b.grad_y, b.grad_x)
    }
}
