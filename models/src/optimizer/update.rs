//! The loops of the rules: one step of some parameters.

use kernels::{Element, Level, vectorized};

/// What is remembered of some parameters: as many values, or none where the rule needs none.
#[derive(Debug, Default)]
pub(crate) struct Moments<'a, T> {
    pub(super) first: &'a mut [T],
    pub(super) second: &'a mut [T],
}

impl<T> Moments<'_, T> {
    /// Of the first `len` parameters, and of the others.
    pub(crate) fn split(self, len: usize) -> (Self, Self) {
        let (first, first_rest) = self.first.split_at_mut(len.min(self.first.len()));
        let (second, second_rest) = self.second.split_at_mut(len.min(self.second.len()));
        (Self { first, second }, Self { first: first_rest, second: second_rest })
    }
}

/// One step of a rule with all its numbers: what becomes of a parameter depends on nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) enum UpdateRule<T> {
    /// w <- fma(-eta, g, w)
    Descent { minus_eta: T, decay: T },
    /// v <- fma(momentum, v, g); w <- fma(-eta, v or fma(momentum, v, g), w)
    Momentum { minus_eta: T, momentum: T, nesterov: bool, decay: T },
    /// `minus_eta` = -eta / (1 - beta1^t), `rest1` = 1 - beta1, `rest2` = 1 - beta2, `root` = sqrt(1 - beta2^t).
    Adam { minus_eta: T, rest1: T, beta2: T, rest2: T, root: T, epsilon: T, decay: T },
}

impl<T: Element> UpdateRule<T> {
    /// Moves some parameters.
    pub(crate) fn apply(&self, level: Level, parameters: &mut [T], gradients: &[T], moments: Moments<'_, T>) {
        let weights = parameters.iter_mut().zip(gradients);
        match *self {
            Self::Descent { minus_eta, decay } => vectorized!(level, {
                for (w, &g) in weights {
                    *w = minus_eta.mul_add(decayed(decay, *w, g), *w);
                }
            }),
            Self::Momentum { minus_eta, momentum, nesterov, decay } => vectorized!(level, {
                for ((w, &g), v) in weights.zip(moments.first) {
                    let g = decayed(decay, *w, g);
                    *v = momentum.mul_add(*v, g);
                    let d = if nesterov { momentum.mul_add(*v, g) } else { *v };
                    *w = minus_eta.mul_add(d, *w);
                }
            }),
            Self::Adam { minus_eta, rest1, beta2, rest2, root, epsilon, decay } => vectorized!(level, {
                for ((w, &g), (m, v)) in weights.zip(moments.first.iter_mut().zip(moments.second)) {
                    let g = decayed(decay, *w, g);
                    *m = rest1.mul_add(g - *m, *m);
                    *v = (rest2 * g).mul_add(g, beta2 * *v);
                    let denominator = v.sqrt() / root + epsilon;
                    *w = minus_eta.mul_add(*m / denominator, *w);
                }
            }),
        }
    }
}

/// g + decay w, left alone without decay.
#[inline(always)]
fn decayed<T: Element>(decay: T, w: T, g: T) -> T {
    if decay == T::ZERO { g } else { decay.mul_add(w, g) }
}
