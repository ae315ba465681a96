//! Slide "Adaline": the same neuron, but it learns from z itself instead of phi(z).
//!
//! ```text
//! (1)  J(w)      = 1/2 sum_i (y_i - x_i'w)^2
//! (2)  grad J_i  = -x_i (y_i - x_i'w)
//! ```
//!
//! The slide's rule takes one step down the gradient of each observation's own cost, one after the
//! other: delta = eta (y_i - x_i'w), w = w + delta x_i. Summing the gradient over a mini-batch or
//! over all observations before the step gives two more rules. The slide asks which model this is:
//! linear regression, and [`crate::least_squares`] finds its minimum without any steps.
//!
//! A full-batch step multiplies the error of w along each eigenvector of X'X by 1 - eta lambda, so
//! the descent is stable only for eta < 2 / lambda_max: [`largest_stable_rate`].

use crate::chain::over_samples;
use crate::eigenvalues::eigenvalues;
use crate::error::{Error, misfit};
use crate::least_squares::gram;
use crate::observations::{Observations, Order};
use crate::perceptron::net_input;

/// Eq. (1): J(w) = 1/2 sum (y_i - x_i'w)^2, the squares summed over samples (N3).
///
/// # Shapes
/// `w [p]`.
///
/// # Panics
/// If `w` has more weights than the data has variables.
///
/// ```
/// use models::{adaline::cost, observations::Observations};
/// let data = Observations::new(1, &[1.0, 2.0], &[1.0, 4.0])?;
/// assert_eq!(cost(&data, &[1.0]), 2.0); // errors 0 and 2
/// # Ok::<(), models::Error>(())
/// ```
pub fn cost(data: &Observations, w: &[f64]) -> f64 {
    let all: Vec<u32> = Order::File.of_epoch(data.n(), 1);
    half_sum_of_squares(&errors(data, &all, w))
}

/// Eq. (2) summed over all observations: grad J = -sum x_i (y_i - x_i'w).
///
/// # Shapes
/// `w [p]`, the result `[p]`. The sums are sums over samples (N3).
///
/// # Panics
/// If `w` has more weights than the data has variables.
///
/// ```
/// use models::{adaline::gradient, observations::Observations};
/// let data = Observations::new(1, &[1.0, 2.0], &[1.0, 4.0])?;
/// assert_eq!(gradient(&data, &[1.0]), [-4.0]); // -(1 * 0 + 2 * 2)
/// # Ok::<(), models::Error>(())
/// ```
pub fn gradient(data: &Observations, w: &[f64]) -> Vec<f64> {
    let all = Order::File.of_epoch(data.n(), 1);
    batch_gradient(data, &all, &errors(data, &all, w))
}

/// 2 / lambda_max(X'X): full-batch gradient descent converges for a smaller learning rate and
/// diverges for a larger one.
///
/// # Source
/// Widrow and Stearns, *Adaptive Signal Processing* (1985), ch. 4.
///
/// ```
/// use models::{adaline::largest_stable_rate, observations::Observations};
/// let data = Observations::new(1, &[1.0, 2.0], &[1.0, 4.0])?;
/// assert_eq!(largest_stable_rate(&data), 0.4); // X'X = 5
/// # Ok::<(), models::Error>(())
/// ```
pub fn largest_stable_rate(data: &Observations) -> f64 {
    2.0 / eigenvalues(&gram(data)).last().copied().unwrap_or(0.0)
}

/// How many observations one step takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batching {
    /// One: the slide's rule.
    PerSample,
    /// All of them: gradient descent on eq. (1).
    FullBatch,
    /// `size` of them, the last batch of an epoch may be smaller.
    MiniBatch {
        /// Observations per batch, at least 1.
        size: usize,
    },
}

/// Adaline with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adaline {
    /// The learning rate eta.
    pub learning_rate: f64,
    /// How many times to go through the observations.
    pub epochs: usize,
    /// Observations per step.
    pub batching: Batching,
    /// The order in which they come.
    pub order: Order,
}

/// What a run of Adaline did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdalineRun {
    /// w at the end.
    pub weights: Vec<f64>,
    /// For each epoch 1/2 sum (y_i - x_i'w)^2, every error taken with the w just before
    /// the update it led to. In full batch that is J at the epoch's start.
    pub costs: Vec<f64>,
    /// w after each epoch.
    pub trace: Vec<Vec<f64>>,
    /// Set if the cost stopped being a finite number; the training ended there.
    pub diverged: Option<Diverged>,
}

/// Where a cost stopped being a finite number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diverged {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The step within the epoch, counted from 1.
    pub step: usize,
}

impl Adaline {
    /// Trains from the weights `start`.
    ///
    /// # Shapes
    /// `start [p]`.
    ///
    /// # Errors
    /// If there is not one start weight per variable, or a mini-batch has size 0.
    ///
    /// # Source
    /// Widrow and Hoff 1960; slide "Adaline".
    ///
    /// ```
    /// use models::adaline::{Adaline, Batching};
    /// use models::observations::{Observations, Order};
    /// let data = Observations::new(1, &[1.0, 2.0], &[1.0, 4.0])?;
    /// let rule = Adaline { learning_rate: 0.5, epochs: 1, batching: Batching::PerSample, order: Order::File };
    /// // Errors 1 and 4 - 2 * 0.5 = 3: w = 0 + 0.5 * 1 * 1 + 0.5 * 3 * 2, cost (1 + 9) / 2.
    /// let run = rule.train(&data, &[0.0])?;
    /// assert_eq!((run.weights[0], run.costs[0]), (3.5, 5.0));
    /// # Ok::<(), models::Error>(())
    /// ```
    pub fn train(&self, data: &Observations, start: &[f64]) -> Result<AdalineRun, Error> {
        data.check_weights("adaline", start)?;
        let size = match self.batching {
            Batching::PerSample => 1,
            Batching::FullBatch => data.n(),
            Batching::MiniBatch { size } => size,
        };
        if size == 0 && data.n() > 0 {
            return Err(misfit("adaline", "mini-batches of at least 1 observation", "size 0").into());
        }
        let mut run = AdalineRun { weights: start.to_vec(), ..AdalineRun::default() };
        for epoch in 1..=self.epochs {
            let order = self.order.of_epoch(data.n(), epoch);
            let mut cost = 0.0;
            for (step, batch) in order.chunks(size.max(1)).enumerate() {
                cost += self.step(data, batch, &mut run.weights);
                if !cost.is_finite() {
                    run.diverged = Some(Diverged { epoch, step: step + 1 });
                    return Ok(run);
                }
            }
            run.costs.push(cost);
            run.trace.push(run.weights.clone());
        }
        // Each cost is taken before its update: only this one sees the last update.
        if self.epochs > 0 && !cost(data, &run.weights).is_finite() {
            run.diverged = Some(Diverged { epoch: self.epochs, step: data.n().div_ceil(size.max(1)) });
        }
        Ok(run)
    }

    /// One step; returns the batch's cost before it.
    fn step(&self, data: &Observations, batch: &[u32], w: &mut [f64]) -> f64 {
        let errors = errors(data, batch, w);
        if self.batching == Batching::PerSample {
            // delta = eta (y_i - x_i'w), w = w + delta x_i, with one rounding per weight.
            let delta = self.learning_rate * errors[0];
            for (w, &x) in w.iter_mut().zip(data.x(batch[0] as usize)) {
                *w = delta.mul_add(x, *w);
            }
        } else {
            // w = w - eta grad J
            for (w, gradient) in w.iter_mut().zip(batch_gradient(data, batch, &errors)) {
                *w = (-self.learning_rate).mul_add(gradient, *w);
            }
        }
        half_sum_of_squares(&errors)
    }
}

/// y_i - x_i'w for each observation of the batch.
fn errors(data: &Observations, batch: &[u32], w: &[f64]) -> Vec<f64> {
    batch.iter().map(|&i| data.y(i as usize) - net_input(data.x(i as usize), w)).collect()
}

/// -sum x_i error_i over the batch.
fn batch_gradient(data: &Observations, batch: &[u32], errors: &[f64]) -> Vec<f64> {
    let gradient = |k: usize| -over_samples(batch.len(), |i| (data.x(batch[i] as usize)[k], errors[i]));
    (0..data.p()).map(gradient).collect()
}

fn half_sum_of_squares(errors: &[f64]) -> f64 {
    0.5 * over_samples(errors.len(), |i| (errors[i], errors[i]))
}
