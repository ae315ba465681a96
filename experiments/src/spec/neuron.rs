//! Single neurons: the perceptron's rule and Adaline.

use super::DatasetSpec;
use super::network::Step;

/// Rosenblatt's rule on two classes.
#[derive(Clone, Debug, PartialEq)]
pub struct PerceptronTrial {
    /// The data: two classes.
    pub dataset: DatasetSpec,
    /// Steps of preprocessing.
    pub preprocess: Vec<Step>,
    /// The activation, and with it the values of the two classes.
    pub unit: Unit,
    /// Learning rate.
    pub eta: f64,
    /// Passes over the data.
    pub epochs: usize,
    /// Whether a constant coordinate 1 is put before the features.
    pub bias: bool,
    /// The first weights.
    pub start: Start,
    /// Whether each epoch has an order of its own.
    pub shuffle: bool,
    /// End with the first epoch without an update.
    pub stop_when_separated: bool,
    /// Compare the number of updates with Novikoff's bound.
    pub novikoff: bool,
}

/// The threshold unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// -1 or +1 (+1 if z >= 0)
    Sign,
    /// 0 or 1 (1 if z >= 0)
    Step,
}

/// First weights of a neuron.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// All zero.
    Zeros,
    /// N(0, sd^2), from the seed's init stream.
    Normal {
        /// Standard deviation.
        sd: f64,
    },
    /// Given, the bias first.
    Given(Vec<f64>),
}

/// Adaline: a linear unit with the quadratic cost.
#[derive(Clone, Debug, PartialEq)]
pub struct AdalineTrial {
    /// The data: two classes, as -1 and +1, or values.
    pub dataset: DatasetSpec,
    /// Steps of preprocessing.
    pub preprocess: Vec<Step>,
    /// How the weights are found.
    pub rule: Rule,
    /// Learning rate.
    pub eta: f64,
    /// Passes over the data.
    pub epochs: usize,
    /// Whether a constant coordinate 1 is put before the features.
    pub bias: bool,
    /// The first weights.
    pub start: Start,
    /// Whether each epoch has an order of its own.
    pub shuffle: bool,
}

/// How Adaline's weights are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The slide's rule: an update after every sample.
    PerSample,
    /// Gradient descent on the cost (1).
    FullBatch,
    /// An update after every `batch` samples.
    MiniBatch {
        /// Samples per update.
        batch: usize,
    },
    /// The closed form.
    NormalEquations,
}
