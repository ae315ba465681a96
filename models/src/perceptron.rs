//! Slides "Le neurone artificiel" and "La règle perceptron".
//!
//! A neuron adds its inputs up, each times a weight, z = x'w, and answers phi(z). Rosenblatt's
//! threshold unit answers +1 if z >= 0, else -1 (or 1 and 0). Its learning rule looks at one
//! observation after the other and moves w only after a mistake:
//!
//! ```text
//! for i = 1 ... n:
//!     yhat  = phi(x_i'w)
//!     delta = eta (y_i - yhat)
//!     w     = w + delta x_i
//! ```
//!
//! If a hyperplane separates the two classes the rule finds one after finitely many mistakes (see
//! [`crate::margin`]); if none does, as for XOR, it goes on for ever.

use std::collections::BTreeMap;

use kernels::activation::Activation;

use crate::chain::product;
use crate::error::{Error, misfit};
use crate::observations::{Observations, Order};

/// z = x'w, one chain over the variables (N2).
///
/// # Shapes
/// `x [p]`, `w [p]`.
///
/// # Panics
/// If `x` has fewer values than `w`.
///
/// # Source
/// Slide "Le neurone artificiel".
///
/// ```
/// use models::perceptron::net_input;
/// assert_eq!(net_input(&[1.0, 0.0, 1.0], &[-1.5, 1.0, 1.0]), -0.5);
/// ```
pub fn net_input(x: &[f64], w: &[f64]) -> f64 {
    product(w.len(), |k| (x[k], w[k]))
}

/// How the two classes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// -1 and +1, as on the slides.
    MinusOneOne,
    /// 0 and 1, as in truth tables.
    ZeroOne,
}

impl Labels {
    /// The threshold unit that answers in these labels.
    pub fn phi(self) -> Activation {
        match self {
            Self::MinusOneOne => Activation::Sign,
            Self::ZeroOne => Activation::Step,
        }
    }

    /// phi(z): the upper label if z >= 0, else the lower one.
    pub fn threshold(self, z: f64) -> f64 {
        self.phi().phi(z)
    }

    /// The lower label and the upper one.
    pub fn values(self) -> [f64; 2] {
        [-1.0, 1.0].map(|z| self.threshold(z))
    }
}

/// Weights for AND over inputs 0 and 1: only 1 + 1 reaches 1.5. The constant's weight comes first.
///
/// ```
/// use models::perceptron::{AND, Labels, net_input};
/// let and = |a, b| Labels::ZeroOne.threshold(net_input(&[1.0, a, b], &AND));
/// assert_eq!([and(0.0, 0.0), and(0.0, 1.0), and(1.0, 0.0), and(1.0, 1.0)], [0.0, 0.0, 0.0, 1.0]);
/// ```
pub const AND: [f64; 3] = [-1.5, 1.0, 1.0];

/// Weights for OR: a single 1 reaches 0.5.
pub const OR: [f64; 3] = [-0.5, 1.0, 1.0];

/// Weights for NAND: those of AND with their signs reversed.
pub const NAND: [f64; 3] = [1.5, -1.0, -1.0];

/// The perceptron rule with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Perceptron {
    /// The learning rate eta.
    pub learning_rate: f64,
    /// How many times to go through the observations.
    pub epochs: usize,
    /// In which order.
    pub order: Order,
    /// How the classes are written.
    pub labels: Labels,
}

/// One mistake and what it changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The observation, counted from 0.
    pub observation: usize,
    /// delta = eta (y_i - yhat).
    pub delta: f64,
    /// w after the update.
    pub weights: Vec<f64>,
}

/// What a run of the perceptron rule did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PerceptronRun {
    /// w at the end.
    pub weights: Vec<f64>,
    /// The number of updates in each epoch.
    pub updates: Vec<usize>,
    /// The number of observations that the w at the end of each epoch gets wrong.
    pub errors: Vec<usize>,
    /// The first epoch without an update, counted from 1: from then on nothing changes.
    pub converged: Option<usize>,
    /// Set if the rule is bound to repeat itself for ever.
    pub cycle: Option<Cycle>,
    /// Every update in order.
    pub trace: Vec<Update>,
}

/// Two ends of epochs with the same w, though updates were made in between.
///
/// In file order an epoch is a function of the w that it starts from, so from here on the same
/// updates come back again and again, and the rule never converges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// The epoch (0: the start) after which w had this value for the first time.
    pub first: usize,
    /// The epoch after which w had it again.
    pub again: usize,
}

impl Perceptron {
    /// Trains from the weights `start`, and records every step.
    ///
    /// `delta x_i` is added with one rounding per weight: w_k = fma(delta, x_ik, w_k).
    ///
    /// # Shapes
    /// `start [p]`.
    ///
    /// # Errors
    /// If there is not one start weight per variable, or a target is not one of the labels.
    ///
    /// # Source
    /// Rosenblatt 1957; slide "La règle perceptron".
    ///
    /// ```
    /// use models::observations::{Observations, Order};
    /// use models::perceptron::{Labels, Perceptron};
    /// // OR from zero: z = 0 answers 1, so the first mistake is on (0, 0): w = (-1, 0, 0).
    /// let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    /// let data = Observations::new(2, &x, &[0.0, 1.0, 1.0, 1.0])?.with_constant();
    /// let rule =
    ///     Perceptron { learning_rate: 1.0, epochs: 9, order: Order::File, labels: Labels::ZeroOne };
    /// let run = rule.train(&data, &[0.0; 3])?;
    /// assert_eq!(run.trace[0].weights, [-1.0, 0.0, 0.0]);
    /// assert_eq!((run.weights, run.converged), (vec![-1.0, 1.0, 1.0], Some(4)));
    /// # Ok::<(), models::Error>(())
    /// ```
    pub fn train(&self, data: &Observations, start: &[f64]) -> Result<PerceptronRun, Error> {
        data.check_weights("perceptron", start)?;
        self.check_labels(data)?;
        let mut w = start.to_vec();
        let mut run = PerceptronRun::default();
        let mut ends = BTreeMap::from([(identity(&w), 0)]);
        for epoch in 1..=self.epochs {
            let before = run.trace.len();
            self.epoch(data, epoch, &mut w, &mut run.trace);
            let updates = run.trace.len() - before;
            run.updates.push(updates);
            run.errors.push(self.errors(data, &w));
            if updates == 0 {
                // All answers are right and w stays as it is: so it does in the epochs that are left.
                run.converged = Some(epoch);
                run.updates.resize(self.epochs, 0);
                run.errors.resize(self.epochs, 0);
                break;
            }
            if self.order == Order::File && run.cycle.is_none() {
                run.cycle = ends.insert(identity(&w), epoch).map(|first| Cycle { first, again: epoch });
            }
        }
        run.weights = w;
        Ok(run)
    }

    /// The slide's loop.
    fn epoch(&self, data: &Observations, epoch: usize, w: &mut [f64], trace: &mut Vec<Update>) {
        for i in self.order.of_epoch(data.n(), epoch) {
            let (x, y) = (data.x(i as usize), data.y(i as usize));
            let yhat = self.labels.threshold(net_input(x, w));
            let delta = self.learning_rate * (y - yhat);
            if yhat == y {
                continue;
            }
            for (w, &x) in w.iter_mut().zip(x) {
                *w = delta.mul_add(x, *w);
            }
            trace.push(Update { epoch, observation: i as usize, delta, weights: w.to_vec() });
        }
    }

    /// The number of observations that `w` gets wrong.
    ///
    /// # Panics
    /// If `w` has more weights than the data has variables.
    pub fn errors(&self, data: &Observations, w: &[f64]) -> usize {
        (0..data.n()).filter(|&i| self.labels.threshold(net_input(data.x(i), w)) != data.y(i)).count()
    }

    fn check_labels(&self, data: &Observations) -> Result<(), Error> {
        let values = self.labels.values();
        let other = (0..data.n()).map(|i| data.y(i)).find(|y| !values.contains(y));
        let Some(other) = other else { return Ok(()) };
        let expected = format!("targets {} and {}", values[0], values[1]);
        Err(misfit("perceptron", expected, format!("a target {other}")).into())
    }
}

/// What makes two weight vectors the same value: the bits, with -0.0 counted as +0.0.
fn identity(w: &[f64]) -> Vec<u64> {
    w.iter().map(|w| (w + 0.0).to_bits()).collect()
}
