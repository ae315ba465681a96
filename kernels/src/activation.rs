//! The course's activation functions and their derivatives.
use crate::{Element, Error, Exec};

/// An elementwise activation phi.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// z
    Identity,
    /// 1 if z >= 0, else 0 (Rosenblatt's threshold unit)
    Step,
    /// 1 if z >= 0, else -1
    Sign,
    /// 1 / (1 + e^-z)
    Sigmoid,
    /// tanh z
    Tanh,
    /// z < 0 ? 0 : z
    Relu,
    /// z < 0 ? slope z : z
    LeakyRelu {
        /// slope
        slope: f64,
    },
    /// z < 0 ? alpha (e^z - 1) : z
    Elu {
        /// alpha
        alpha: f64,
    },
    /// ln(1 + e^z)
    Softplus,
}
impl Activation {
    /// phi(z)
    pub fn phi<T: Element>(self, z: T) -> T {
        todo!("{z}")
    }
    /// phi'(z)
    pub fn phi_prime<T: Element>(self, z: T) -> T {
        todo!("{z}")
    }
}
/// a = phi(z)
pub fn forward<T: Element>(exec: Exec, phi: Activation, z: &[T], a: &mut [T]) -> Result<(), Error> {
    todo!("{exec:?}{phi:?}{z:?}{a:?}")
}
/// grad_z = grad_a (.) phi'(z)
pub fn backward<T: Element>(
    exec: Exec,
    phi: Activation,
    z: &[T],
    grad_a: &[T],
    grad_z: &mut [T],
) -> Result<(), Error> {
    todo!("{exec:?}{phi:?}{z:?}{grad_a:?}{grad_z:?}")
}
