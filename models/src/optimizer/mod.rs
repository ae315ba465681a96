//! From gradients to new weights: gradient descent, momentum, Nesterov, Adam, and learning-rate
//! schedules. PyTorch's formulas, each as a written sequence, so that every bit is defined (N16). `update.rs` has the loops.

mod update;

use std::fmt::Debug;

use kernels::math::f64::cos;
use kernels::{Element, Level};

use crate::Error;
pub(crate) use update::{Moments, UpdateRule};

/// A rule that turns gradients into steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Gradient descent on the batch:
    /// g <- fma(weight_decay, w, g); v <- fma(momentum, v, g) from v = 0; d = v, with Nesterov
    /// d = fma(momentum, v, g); w <- fma(-eta, d, w). Without momentum d = g.
    Sgd {
        /// The learning rate eta.
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
        /// The learning rate eta.
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

    /// Checks that every setting has a meaning.
    fn check(&self) -> Result<(), Error> {
        let (Rule::Sgd { learning_rate, weight_decay, .. } | Rule::Adam { learning_rate, weight_decay, .. }) =
            self.rule;
        not_negative("learning_rate", learning_rate)?;
        not_negative("weight_decay", weight_decay)?;
        match self.rule {
            Rule::Sgd { momentum, nesterov, .. } => {
                fraction("momentum", momentum)?;
                setting(!nesterov || momentum != 0.0, "momentum", momentum, "above 0 for Nesterov's step")?;
            }
            Rule::Adam { beta1, beta2, epsilon, .. } => {
                fraction("beta1", beta1)?;
                fraction("beta2", beta2)?;
                setting(epsilon > 0.0 && epsilon.is_finite(), "epsilon", epsilon, "finite and above 0")?;
            }
        }
        let at_least_1 = |name, epochs| setting(epochs > 0, name, epochs, "at least 1 epoch");
        match self.schedule {
            Schedule::Constant => Ok(()),
            Schedule::Step { every, factor } => {
                at_least_1("every, of the step schedule,", every)?;
                not_negative("factor, of the step schedule,", factor)
            }
            Schedule::Cosine { epochs } => at_least_1("epochs, of the cosine schedule,", epochs),
            Schedule::Linear { epochs, end } => {
                at_least_1("epochs, of the linear schedule,", epochs)?;
                not_negative("end, of the linear schedule,", end)
            }
        }
    }
}

fn setting(fits: bool, name: &'static str, value: impl Debug, expected: &'static str) -> Result<(), Error> {
    if fits { Ok(()) } else { Err(Error::Setting { name, value: format!("{value:?}"), expected }) }
}

fn not_negative(name: &'static str, value: f64) -> Result<(), Error> {
    setting(value >= 0.0 && value.is_finite(), name, value, "finite and at least 0")
}

fn fraction(name: &'static str, value: f64) -> Result<(), Error> {
    setting((0.0..1.0).contains(&value), name, value, "at least 0 and below 1")
}

/// A rule with the memory that it keeps between steps.
#[derive(Clone, Debug)]
pub struct Optimizer<T> {
    spec: OptimizerSpec,
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
    /// If a setting has no meaning, as a momentum of 1 or a schedule of 0 epochs.
    ///
    /// ```
    /// use models::optimizer::{Optimizer, OptimizerSpec};
    /// let mut optimizer = Optimizer::new(OptimizerSpec::sgd(0.5), 2)?;
    /// let mut w = [1.0_f32, 2.0];
    /// optimizer.step(kernels::Level::best(), 0, &mut w, &[1.0, -2.0]);
    /// assert_eq!(w, [0.5, 3.0]);
    /// # Ok::<(), models::Error>(())
    /// ```
    pub fn new(spec: OptimizerSpec, parameters: usize) -> Result<Self, Error> {
        spec.check()?;
        let (first, second) = match spec.rule {
            Rule::Sgd { momentum: 0.0, .. } => (0, 0),
            Rule::Sgd { .. } => (parameters, 0),
            Rule::Adam { .. } => (parameters, parameters),
        };
        Ok(Self { spec, first: vec![T::ZERO; first], second: vec![T::ZERO; second], powers: [1.0, 1.0] })
    }

    /// The rule and its schedule.
    pub fn spec(&self) -> &OptimizerSpec {
        &self.spec
    }

    /// Moves `parameters` once, with the learning rate of `epoch`.
    ///
    /// # Shapes
    /// both of the length that the optimiser was made for.
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
        Moments { first: &mut self.first, second: &mut self.second }
    }

    /// The next step's update, to be applied to every parameter once. `parameters` is their number.
    ///
    /// # Panics
    /// If the optimiser was made for another number.
    pub(crate) fn begin(&mut self, epoch: u32, parameters: usize) -> UpdateRule<T> {
        let kept = self.first.len();
        assert!(kept == 0 || kept == parameters, "optimizer: made for {kept} parameters");
        let eta = self.spec.learning_rate(epoch);
        match self.spec.rule {
            Rule::Sgd { momentum: 0.0, weight_decay, .. } => {
                let [minus_eta, decay] = [-eta, weight_decay].map(T::from_f64);
                UpdateRule::Descent { minus_eta, decay }
            }
            Rule::Sgd { momentum, nesterov, weight_decay, .. } => {
                let [minus_eta, momentum, decay] = [-eta, momentum, weight_decay].map(T::from_f64);
                UpdateRule::Momentum { minus_eta, momentum, nesterov, decay }
            }
            Rule::Adam { beta1, beta2, epsilon, weight_decay, .. } => {
                let [power1, power2] = [self.powers[0] * beta1, self.powers[1] * beta2];
                self.powers = [power1, power2];
                let [minus_eta, root] = [-(eta / (1.0 - power1)), (1.0 - power2).sqrt()].map(T::from_f64);
                let [rest1, beta2, rest2] = [1.0 - beta1, beta2, 1.0 - beta2].map(T::from_f64);
                let [epsilon, decay] = [epsilon, weight_decay].map(T::from_f64);
                UpdateRule::Adam { minus_eta, rest1, beta2, rest2, root, epsilon, decay }
            }
        }
    }
}
