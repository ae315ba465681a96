//! The course's activation functions and their derivatives.
//!
//! | phi | phi(z) | phi'(z) | grad_z |
//! |---|---|---|---|
//! | identity | z | 1 | `grad_a` |
//! | step | 1 if z >= 0, else 0 | 0 | +0.0 |
//! | sign | 1 if z >= 0, else -1 | 0 | +0.0 |
//! | sigmoid | 1 / (1 + e^-z) | a (1 - a) | `grad_a * (a * (1 - a))` |
//! | tanh | tanh z | 1 - a^2 | `grad_a * fma(-a, a, 1)` |
//! | ReLU | 0 if z < 0, else z | 0 if z <= 0, else 1 | +0.0 if z <= 0, else `grad_a` |
//! | leaky ReLU | s z if z < 0, else z | s if z <= 0, else 1 | `grad_a * s` if z <= 0, else `grad_a` |
//! | ELU | alpha (e^z - 1) if z < 0, else z | a + alpha if z <= 0, else 1 | `grad_a * (a + alpha)` if z <= 0, else `grad_a` |
//! | softplus | ln(1 + e^z) | sigmoid(z) | `grad_a * sigmoid(z)` |
//!
//! Each is a written sequence (N1, N16): e^z - 1 is `expm1`, softplus is
//! `(if z > 0 { z } else { 0 }) + ln1p(exp(-|z|))`, which neither overflows nor cancels. At a kink the
//! derivative is the one from the left, as PyTorch's. A NaN passes through every phi, so that a
//! divergence is never hidden, and comes out as the one NaN of the contract (N8).
//!
//! Source: Rosenblatt 1958 (step); Widrow and Hoff 1960 (sign); Glorot, Bordes and Bengio 2011
//! (ReLU, softplus); Maas, Hannun and Ng 2013 (leaky ReLU); Clevert, Unterthiner and Hochreiter 2016
//! (ELU).

#![forbid(unsafe_code)]

use crate::math::Function;
use crate::simd::vectorized;
use crate::tuning::L1_BLOCK;
use crate::{Element, Error, Exec, Level};

/// An elementwise activation phi, a = phi(z).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// z
    Identity,
    /// 1 if z >= 0, else 0 (Rosenblatt's threshold unit)
    Step,
    /// 1 if z >= 0, else -1 (the Adaline's output)
    Sign,
    /// 1 / (1 + e^-z)
    Sigmoid,
    /// tanh z
    Tanh,
    /// 0 if z < 0, else z
    Relu,
    /// `slope` z if z < 0, else z
    LeakyRelu {
        /// The slope on the left, as 0.01.
        slope: f64,
    },
    /// `alpha` (e^z - 1) if z < 0, else z
    Elu {
        /// Minus the limit on the left, as 1.
        alpha: f64,
    },
    /// ln(1 + e^z)
    Softplus,
}

impl Activation {
    /// phi(z).
    ///
    /// ```
    /// use kernels::activation::Activation;
    /// assert_eq!(Activation::Sigmoid.phi(0.0_f32), 0.5);
    /// assert_eq!(Activation::LeakyRelu { slope: 0.5 }.phi(-3.0_f64), -1.5);
    /// assert_eq!(Activation::Softplus.phi(0.0_f64), std::f64::consts::LN_2);
    /// ```
    #[inline(always)]
    pub fn phi<T: Element>(self, z: T) -> T {
        let a = match self {
            Self::Identity => z,
            Self::Step => threshold(z, T::ZERO),
            Self::Sign => threshold(z, -T::ONE),
            Self::Sigmoid => z.sigmoid(),
            Self::Tanh => z.tanh(),
            Self::Relu => relu(z),
            Self::LeakyRelu { slope } => on_the_left(z, T::from_f64(slope) * z),
            Self::Elu { alpha } => on_the_left(z, T::from_f64(alpha) * z.expm1()),
            Self::Softplus => relu(z) + (-z.abs()).exp().ln1p(),
        };
        a.canonical()
    }

    /// phi'(z), with the derivative from the left at a kink.
    ///
    /// ```
    /// use kernels::activation::Activation;
    /// assert_eq!(Activation::Sigmoid.phi_prime(0.0_f32), 0.25);
    /// assert_eq!(Activation::Relu.phi_prime(0.0_f32), 0.0);
    /// assert_eq!(Activation::Tanh.phi_prime(0.0_f64), 1.0);
    /// ```
    #[inline(always)]
    pub fn phi_prime<T: Element>(self, z: T) -> T {
        self.grad_z(z, self.phi(z), T::ONE)
    }

    /// `grad_a` phi'(z) for a = phi(z), the sequence of the table above.
    ///
    /// ```
    /// use kernels::activation::Activation;
    /// assert_eq!(Activation::Sigmoid.grad_z(0.0_f64, 0.5, 8.0), 2.0);
    /// ```
    #[inline(always)]
    pub fn grad_z<T: Element>(self, z: T, a: T, grad_a: T) -> T {
        let grad_z = match self {
            Self::Identity => grad_a,
            Self::Step | Self::Sign => T::ZERO,
            Self::Sigmoid => grad_a * (a * (T::ONE - a)),
            Self::Tanh => grad_a * (-a).mul_add(a, T::ONE),
            Self::Relu => from_left(z, T::ZERO, grad_a),
            Self::LeakyRelu { slope } => grad_a * from_left(z, T::from_f64(slope), T::ONE),
            Self::Elu { alpha } => grad_a * from_left(z, a + T::from_f64(alpha), T::ONE),
            Self::Softplus => grad_a * z.sigmoid(),
        };
        grad_z.canonical()
    }
}

/// `left` if z <= 0, else `right`. A factor of one changes no bit, and a product after the select keeps
/// the loop free of branches.
#[inline(always)]
fn from_left<T: Element>(z: T, left: T, right: T) -> T {
    if z <= T::ZERO { left } else { right }
}

/// 1 if z >= 0, `low` if z < 0, NaN for NaN.
#[inline(always)]
fn threshold<T: Element>(z: T, low: T) -> T {
    let a = if z < T::ZERO { low } else { T::ONE };
    if z.is_nan() { z } else { a }
}

/// `left` if z < 0, else z (N7: a NaN passes).
#[inline(always)]
fn on_the_left<T: Element>(z: T, left: T) -> T {
    if z < T::ZERO { left } else { z }
}

/// 0 if z < 0, else z.
#[inline(always)]
fn relu<T: Element>(z: T) -> T {
    on_the_left(z, T::ZERO)
}

/// a = phi(z), element by element.
///
/// # Shapes
/// `z` and `a` of one length.
///
/// # Errors
/// If the lengths differ.
///
/// ```
/// use kernels::{Exec, Level, activation};
/// let mut a = [0.0_f32; 3];
/// activation::forward(Exec::serial(Level::best()), activation::Activation::Relu, &[-1.0, 0.5, 2.0], &mut a)?;
/// assert_eq!(a, [0.0, 0.5, 2.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn forward<T: Element>(exec: Exec, phi: Activation, z: &[T], a: &mut [T]) -> Result<(), Error> {
    Error::same_length("activation forward", &[("z", z.len()), ("a", a.len())])?;
    T::activation_forward(exec.level, phi, z, a);
    Ok(())
}

/// `to` = f(`from`, `to`), canonical.
macro_rules! combine {
    ($level:expr, $from:expr, $to:expr, |$x:ident, $y:ident| $f:expr) => {
        vectorized!($level, {
            for (&$x, to) in $from.iter().zip($to.iter_mut()) {
                let $y = *to;
                *to = $f.canonical();
            }
        })
    };
}
pub(crate) use combine;

/// One loop for each phi of a list, so that the choice stays outside of it; the others have arms of their own.
macro_rules! each {
    (
        $level:ident, $phi:ident in [$($variant:ident $({ $field:ident })?),*] $loop:expr,
        $($pattern:pat => $arm:expr),*
    ) => {
        match $phi {
            $(Activation::$variant $({ $field })? => vectorized!($level, {
                let $phi = Activation::$variant $({ $field })?;
                $loop
            }),)*
            $($pattern => $arm),*
        }
    };
}

/// Every phi's loop.
pub(crate) fn values<T: Element>(level: Level, phi: Activation, z: &[T], a: &mut [T]) {
    each!(
        level, phi in [Identity, Step, Sign, Relu, LeakyRelu { slope }]
        for (a, &z) in a.iter_mut().zip(z) {
            *a = phi.phi(z);
        },
        Activation::Sigmoid => T::evaluate(level, Function::Sigmoid, z, a),
        Activation::Tanh => T::evaluate(level, Function::Tanh, z, a),
        Activation::Elu { alpha } => {
            let alpha = T::from_f64(alpha);
            for (z, a) in z.chunks(L1_BLOCK).zip(a.chunks_mut(L1_BLOCK)) {
                T::evaluate(level, Function::Expm1, z, a);
                combine!(level, z, a, |z, expm1| on_the_left(z, alpha * expm1));
            }
        },
        Activation::Softplus => {
            let mut scratch = [T::ZERO; L1_BLOCK];
            for (z, a) in z.chunks(L1_BLOCK).zip(a.chunks_mut(L1_BLOCK)) {
                softplus_tail(level, z, a, &mut scratch[..z.len()]);
                combine!(level, z, a, |z, tail| relu(z) + tail);
            }
        }
    )
}

/// grad_z = grad_a (.) phi'(z), element by element: the course's BP1 and BP2 end in it.
///
/// # Shapes
/// All of one length; `a` is what [`forward`] made of `z`, so that sigmoid, tanh and ELU
/// evaluate nothing again.
///
/// # Errors
/// If the lengths differ.
///
/// ```
/// use kernels::{Exec, Level, activation};
/// let exec = Exec::serial(Level::best());
/// let mut grad_z = [9.0_f32; 3];
/// let phi = activation::Activation::Relu;
/// activation::backward(exec, phi, &[-1.0, 0.0, 2.0], &[0.0, 0.0, 2.0], &[5.0, 6.0, 7.0], &mut grad_z)?;
/// assert_eq!(grad_z, [0.0, 0.0, 7.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn backward<T: Element>(
    exec: Exec,
    phi: Activation,
    z: &[T],
    a: &[T],
    grad_a: &[T],
    grad_z: &mut [T],
) -> Result<(), Error> {
    Error::same_length(
        "activation backward",
        &[("z", z.len()), ("a", a.len()), ("grad_a", grad_a.len()), ("grad_z", grad_z.len())],
    )?;
    T::activation_backward(exec.level, phi, z, a, grad_a, grad_z);
    Ok(())
}

pub(crate) fn gradients<T: Element>(
    level: Level,
    phi: Activation,
    z: &[T],
    a: &[T],
    grad_a: &[T],
    grad_z: &mut [T],
) {
    each!(
        level, phi in [Identity, Step, Sign, Sigmoid, Tanh, Relu, LeakyRelu { slope }, Elu { alpha }]
        for (((&z, &a), &grad_a), grad_z) in z.iter().zip(a).zip(grad_a).zip(grad_z) {
            *grad_z = phi.grad_z(z, a, grad_a);
        },
        Activation::Softplus => {
            T::evaluate(level, Function::Sigmoid, z, grad_z);
            combine!(level, grad_a, grad_z, |grad_a, sigmoid| grad_a * sigmoid);
        }
    )
}

/// t = ln1p(exp(-|z|)), what softplus adds to the rectified z.
pub(crate) fn softplus_tail<T: Element>(level: Level, z: &[T], t: &mut [T], scratch: &mut [T]) {
    vectorized!(level, {
        for (t, &z) in t.iter_mut().zip(z) {
            *t = -z.abs();
        }
    });
    T::evaluate(level, Function::Exp, t, scratch);
    T::evaluate(level, Function::Ln1p, scratch, t);
}
