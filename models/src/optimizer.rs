//! From gradients to new weights: gradient descent, momentum, Nesterov, Adam, and learning-rate
//! schedules. PyTorch's formulas, each as a written sequence, so that every bit is defined (N16).

use std::fmt;

use kernels::math::f64::cos;
use kernels::{Element, Level};

/// A rule that turns gradients into steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Gradient descent on the batch:
    /// g <- fma(weight_decay, w, g); v <- fma(momentum, v, g) from v = 0; d = v, with Nesterov
    /// d = fma(momentum, v, g); w <- fma(-eta, d, w). Without momentum d = g.
    Sgd {
        /// eta
        learning_rate: f64,
        /// How much of the last step is kept, at least 0 and below 1. Polyak 1964.
        momentum: f64,
        /// Looks ahead along the momentum. Nesterov 1983; Sutskever et al. 2013.
        nesterov: bool,
        /// Pulls the weights to zero, coupled: added to the gradient.
        weight_decay: f64,
    },
    /// Kingma and Ba 2015, algorithm 1:
    /// g <- fma(weight_decay, w, g); m <- fma(1 - beta1, g - m, m); v <- fma((1 - beta2) g, g, beta2 v);
    /// w <- fma(-eta / (1 - beta1^t), m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon), w).
    /// The powers are running products in f64 (N6).
    Adam {
        /// eta
        learning_rate: f64,
        /// How much of the gradient's mean is kept, at least 0 and below 1.
        beta1: f64,
        /// How much of the squared gradient's mean is kept, at least 0 and below 1.
        beta2: f64,
        /// Keeps the division away from zero.
        epsilon: f64,
        /// Pulls the weights to zero, coupled: added to the gradient.
        weight_decay: f64,
    },
}

/// How the learning rate changes from epoch to epoch: the factor on eta in epoch t = 0, 1, ...
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// 1
    Constant,
    /// factor^floor(t / every), multiplied out.
    Step {
        /// Epochs between two changes.
        every: u32,
        /// What the learning rate is multiplied by.
        factor: f64,
    },
    /// (1 + cos(pi t / epochs)) / 2, and 0 from t = epochs on. Loshchilov and Hutter 2017, eq. 5.
    Cosine {
        /// Epochs from the full learning rate to zero.
        epochs: u32,
    },
    /// 1 - t (1 - end) / epochs, and `end` from t = epochs on.
    Linear {
        /// Epochs from the full learning rate to the last.
        epochs: u32,
        /// The last factor.
        end: f64,
    },
}

impl Schedule {
    /// The factor on the learning rate in `epoch`.
    ///
    /// ```
    /// use models::optimizer::Schedule;
    /// let schedule = Schedule::Step { every: 10, factor: 0.5 };
    /// assert_eq!([0, 9, 10, 25].map(|epoch| schedule.factor(epoch)), [1.0, 1.0, 0.5, 0.25]);
    /// ```
    pub fn factor(self, epoch: u32) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Step { every, factor } => {
                let changes = epoch.checked_div(every).unwrap_or(0);
                (0..changes).fold(1.0, |product, _| product * factor)
            }
            Self::Cosine { epochs } if epoch < epochs => {
                let angle = std::f64::consts::PI * f64::from(epoch) / f64::from(epochs);
                0.5 * (1.0 + cos(angle))
            }
            Self::Cosine { .. } => 0.0,
            Self::Linear { epochs, end } if epoch < epochs => {
                1.0 - f64::from(epoch) * (1.0 - end) / f64::from(epochs)
            }
            Self::Linear { end, .. } => end,
        }
    }
}

/// A rule with its schedule: all that an experiment says about the optimiser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimizerSpec {
    /// The rule.
    pub rule: Rule,
    /// How its learning rate changes.
    pub schedule: Schedule,
    /// Epochs of linear warm-up before the schedule starts: the factor is (t + 1) / (warm_up + 1) in
    /// epochs t < warm_up. Goyal et al. 2017, section 2.2.
    pub warm_up: u32,
}

impl OptimizerSpec {
    /// `rule` at a constant learning rate.
    pub fn constant(rule: Rule) -> Self {
        Self { rule, schedule: Schedule::Constant, warm_up: 0 }
    }

    /// Plain gradient descent: w <- w - eta g.
    pub fn sgd(learning_rate: f64) -> Self {
        Self::constant(Rule::Sgd { learning_rate, momentum: 0.0, nesterov: false, weight_decay: 0.0 })
    }

    /// Adam with the paper's beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8.
    pub fn adam(learning_rate: f64) -> Self {
        let (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8);
        Self::constant(Rule::Adam { learning_rate, beta1, beta2, epsilon, weight_decay: 0.0 })
    }

    /// The learning rate eta in `epoch`.
    ///
    /// ```
    /// use models::optimizer::{OptimizerSpec, Schedule};
    /// let spec = OptimizerSpec { schedule: Schedule::Cosine { epochs: 10 }, warm_up: 1, ..OptimizerSpec::sgd(0.5) };
    /// assert_eq!([0, 1, 11].map(|epoch| spec.learning_rate(epoch)), [0.25, 0.5, 0.0]);
    /// ```
    pub fn learning_rate(&self, epoch: u32) -> f64 {
        let (Rule::Sgd { learning_rate, .. } | Rule::Adam { learning_rate, .. }) = self.rule;
        let factor = match epoch.checked_sub(self.warm_up) {
            Some(t) => self.schedule.factor(t),
            None => f64::from(epoch + 1) / (f64::from(self.warm_up) + 1.0),
        };
        learning_rate * factor
    }

    fn check(&self) -> Result<(), OptimizerError> {
        let fraction = |x: f64| (0.0..1.0).contains(&x);
        let not_negative = |x: f64| x >= 0.0 && x.is_finite();
        let wrong = |name, value, expected| Err(OptimizerError { name, value, expected });
        let (Rule::Sgd { learning_rate, weight_decay, .. } | Rule::Adam { learning_rate, weight_decay, .. }) =
            self.rule;
        if !not_negative(learning_rate) {
            return wrong("learning_rate", learning_rate, "finite and at least 0");
        }
        if !not_negative(weight_decay) {
            return wrong("weight_decay", weight_decay, "finite and at least 0");
        }
        match self.rule {
            Rule::Sgd { momentum, .. } if !fraction(momentum) => {
                wrong("momentum", momentum, "at least 0 and below 1")
            }
            Rule::Sgd { momentum, nesterov, .. } if nesterov && momentum == 0.0 => {
                wrong("momentum", momentum, "above 0 for Nesterov's step")
            }
            Rule::Adam { beta1, .. } if !fraction(beta1) => wrong("beta1", beta1, "at least 0 and below 1"),
            Rule::Adam { beta2, .. } if !fraction(beta2) => wrong("beta2", beta2, "at least 0 and below 1"),
            Rule::Adam { epsilon, .. } if !(not_negative(epsilon) && epsilon > 0.0) => {
                wrong("epsilon", epsilon, "finite and above 0")
            }
            _ => Ok(()),
        }
    }
}

/// A setting of the optimiser that has no meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerError {
    /// The setting, as `momentum`.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// What it should be.
    pub expected: &'static str,
}

impl fmt::Display for OptimizerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "optimizer: {} must be {}, not {:?}", self.name, self.expected, self.value)
    }
}

impl std::error::Error for OptimizerError {}

/// A rule with the memory that it keeps between steps.
#[derive(Clone, Debug)]
pub struct Optimizer<T> {
    spec: OptimizerSpec,
    pub(crate) memory: Memory<T>,
}

/// What an optimiser remembers, and what a checkpoint holds of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Memory<T> {
    /// The velocity of momentum, or Adam's mean of the gradients; else empty.
    pub(crate) first: Vec<T>,
    /// Adam's mean of the squared gradients; else empty.
    pub(crate) second: Vec<T>,
    /// beta1^t and beta2^t as running products (N6); 1 at the start.
    pub(crate) powers: [f64; 2],
}

impl<T: Element> Optimizer<T> {
    /// An optimiser for `parameters` values, which has made no step yet.
    ///
    /// # Errors
    /// If a setting has no meaning, as a momentum of 1.
    ///
    /// ```
    /// use models::optimizer::{Optimizer, OptimizerSpec};
    /// let mut optimizer = Optimizer::new(OptimizerSpec::sgd(0.5), 2)?;
    /// let mut w = [1.0_f32, 2.0];
    /// optimizer.step(kernels::Level::best(), 0, &mut w, &[1.0, -2.0]);
    /// assert_eq!(w, [0.5, 3.0]);
    /// # Ok::<(), models::optimizer::OptimizerError>(())
    /// ```
    pub fn new(spec: OptimizerSpec, parameters: usize) -> Result<Self, OptimizerError> {
        spec.check()?;
        let (first, second) = match spec.rule {
            Rule::Sgd { momentum: 0.0, .. } => (0, 0),
            Rule::Sgd { .. } => (parameters, 0),
            Rule::Adam { .. } => (parameters, parameters),
        };
        let memory =
            Memory { first: vec![T::ZERO; first], second: vec![T::ZERO; second], powers: [1.0, 1.0] };
        Ok(Self { spec, memory })
    }

    /// The rule and its schedule.
    pub fn spec(&self) -> &OptimizerSpec {
        &self.spec
    }

    /// Moves `parameters` once, with the learning rate of `epoch`.
    ///
    /// **Shapes** both of the length that the optimiser was made for.
    ///
    /// # Panics
    /// If a length differs.
    pub fn step(&mut self, level: Level, epoch: u32, parameters: &mut [T], gradients: &[T]) {
        assert_eq!(parameters.len(), gradients.len(), "optimizer: one gradient per parameter");
        let update = self.begin(epoch, parameters.len());
        update.apply(level, parameters, gradients, self.moments());
    }

    /// What is remembered of all parameters.
    pub(crate) fn moments(&mut self) -> Moments<'_, T> {
        Moments { first: &mut self.memory.first, second: &mut self.memory.second }
    }

    /// The next step's update, to be applied to every parameter once. `parameters` is their number.
    ///
    /// # Panics
    /// If the optimiser was made for another number.
    pub(crate) fn begin(&mut self, epoch: u32, parameters: usize) -> Update<T> {
        let kept = self.memory.first.len();
        assert!(kept == 0 || kept == parameters, "optimizer: made for {kept} parameters");
        let eta = self.spec.learning_rate(epoch);
        match self.spec.rule {
            Rule::Sgd { momentum: 0.0, weight_decay, .. } => {
                Update::Descent(Descent { minus_eta: T::from_f64(-eta), decay: T::from_f64(weight_decay) })
            }
            Rule::Sgd { momentum, nesterov, weight_decay, .. } => {
                let [minus_eta, momentum, decay] = [-eta, momentum, weight_decay].map(T::from_f64);
                Update::Momentum(Momentum { minus_eta, momentum, nesterov, decay })
            }
            Rule::Adam { beta1, beta2, epsilon, weight_decay, .. } => {
                let powers = &mut self.memory.powers;
                *powers = [powers[0] * beta1, powers[1] * beta2];
                Update::Adam(Adam {
                    minus_eta: T::from_f64(-(eta / (1.0 - powers[0]))),
                    rest1: T::from_f64(1.0 - beta1),
                    beta2: T::from_f64(beta2),
                    rest2: T::from_f64(1.0 - beta2),
                    root: T::from_f64((1.0 - powers[1]).sqrt()),
                    epsilon: T::from_f64(epsilon),
                    decay: T::from_f64(weight_decay),
                })
            }
        }
    }
}

/// What is remembered of some parameters: as many values, or none where the rule needs none.
#[derive(Debug)]
pub(crate) struct Moments<'a, T> {
    first: &'a mut [T],
    second: &'a mut [T],
}

impl<T> Default for Moments<'_, T> {
    /// Nothing.
    fn default() -> Self {
        Self { first: &mut [], second: &mut [] }
    }
}

impl<'a, T> Moments<'a, T> {
    /// Of the first `len` parameters, and of the others.
    pub(crate) fn split(self, len: usize) -> (Self, Self) {
        let (first, first_rest) = self.first.split_at_mut(len.min(self.first.len()));
        let (second, second_rest) = self.second.split_at_mut(len.min(self.second.len()));
        (Self { first, second }, Self { first: first_rest, second: second_rest })
    }
}

/// One step of a rule with all its numbers: what becomes of a parameter depends on nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Update<T> {
    Descent(Descent<T>),
    Momentum(Momentum<T>),
    Adam(Adam<T>),
}

impl<T: Element> Update<T> {
    /// Moves some parameters.
    pub(crate) fn apply(&self, level: Level, parameters: &mut [T], gradients: &[T], moments: Moments<'_, T>) {
        match self {
            Self::Descent(rule) => rule.step(level, parameters, gradients),
            Self::Momentum(rule) => rule.step(level, parameters, gradients, moments.first),
            Self::Adam(rule) => rule.step(level, parameters, gradients, moments),
        }
    }
}

/// g + decay w, left alone without decay.
#[inline(always)]
fn decayed<T: Element>(decay: T, w: T, g: T) -> T {
    if decay == T::ZERO { g } else { decay.mul_add(w, g) }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Descent<T> {
    minus_eta: T,
    decay: T,
}

impl<T: Element> Descent<T> {
    /// w <- fma(-eta, g, w)
    fn step(&self, level: Level, parameters: &mut [T], gradients: &[T]) {
        level.vectorize(
            #[inline(always)]
            || {
                for (w, &g) in parameters.iter_mut().zip(gradients) {
                    *w = self.minus_eta.mul_add(decayed(self.decay, *w, g), *w);
                }
            },
        );
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Momentum<T> {
    minus_eta: T,
    momentum: T,
    nesterov: bool,
    decay: T,
}

impl<T: Element> Momentum<T> {
    /// v <- fma(momentum, v, g); w <- fma(-eta, v or fma(momentum, v, g), w)
    fn step(&self, level: Level, parameters: &mut [T], gradients: &[T], velocity: &mut [T]) {
        level.vectorize(
            #[inline(always)]
            || {
                for ((w, &g), v) in parameters.iter_mut().zip(gradients).zip(velocity) {
                    let g = decayed(self.decay, *w, g);
                    *v = self.momentum.mul_add(*v, g);
                    let d = if self.nesterov { self.momentum.mul_add(*v, g) } else { *v };
                    *w = self.minus_eta.mul_add(d, *w);
                }
            },
        );
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Adam<T> {
    /// -eta / (1 - beta1^t)
    minus_eta: T,
    /// 1 - beta1
    rest1: T,
    beta2: T,
    /// 1 - beta2
    rest2: T,
    /// sqrt(1 - beta2^t)
    root: T,
    epsilon: T,
    decay: T,
}

impl<T: Element> Adam<T> {
    fn step(&self, level: Level, parameters: &mut [T], gradients: &[T], moments: Moments<'_, T>) {
        let moments = moments.first.iter_mut().zip(moments.second);
        level.vectorize(
            #[inline(always)]
            || {
                for ((w, &g), (m, v)) in parameters.iter_mut().zip(gradients).zip(moments) {
                    let g = decayed(self.decay, *w, g);
                    *m = self.rest1.mul_add(g - *m, *m);
                    *v = (self.rest2 * g).mul_add(g, self.beta2 * *v);
                    let denominator = v.sqrt() / self.root + self.epsilon;
                    *w = self.minus_eta.mul_add(*m / denominator, *w);
                }
            },
        );
    }
}
