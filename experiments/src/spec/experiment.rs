//! An experiment: one question, its grid of cells and what to show of the answer.

use super::{
    ActivationsTrial, AdalineTrial, ConvolveTrial, GradientCheckTrial, KernelsTrial, NetworkTrial,
    PerceptronTrial,
};
use crate::diagnostics::Diagnostic;

/// A whole experiment file, resolved and valid.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// The file's stem, and the name of the results folder.
    pub name: String,
    /// One line for headings.
    pub title: String,
    /// The question that the experiment answers.
    pub question: String,
    /// The French title of the course's slide, or empty.
    pub course: String,
    /// Which keys are scientific, nuisance or fixed, as the file says.
    pub roles: Vec<(String, Role)>,
    /// Whether the experiment belongs to the quick suite.
    pub quick: bool,
    /// The kind's name in the file: `network`, `perceptron`, ...
    pub kind: &'static str,
    /// The training seeds, each once, in file order.
    pub seeds: Vec<u64>,
    /// The swept columns in file order: `case` where the file has cases, then the grid's dotted keys.
    pub swept: Vec<String>,
    /// The resolved grid in file order, the first key slowest; one cell without a sweep.
    pub cells: Vec<Cell>,
    /// Figures of others, to stand beside ours.
    pub published: Vec<Published>,
    /// Results that a run must meet.
    pub expect: Vec<Expect>,
    /// What the table shows.
    pub table: TableSpec,
    /// What the plots show.
    pub plots: Vec<PlotSpec>,
    /// What is allowed but worth saying.
    pub warnings: Vec<Diagnostic>,
    /// The file's name for messages.
    pub file: String,
    /// The file's text as read; what `--set` changed stands in [`Self::overrides`].
    pub text: String,
    /// The `--set` arguments, as given.
    pub overrides: Vec<String>,
}

/// The role of a key in the experiment's design (Google's tuning playbook).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What the question is about.
    Scientific,
    /// Tuned so that the comparison is fair.
    Nuisance,
    /// Kept constant.
    Fixed,
}

impl Role {
    /// The role's name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scientific => "scientific",
            Self::Nuisance => "nuisance",
            Self::Fixed => "fixed",
        }
    }
}

/// One point of the grid.
#[derive(Clone, Debug)]
pub struct Cell {
    /// (dotted key, value as text), in the order of [`Experiment::swept`].
    pub settings: Vec<(String, String)>,
    /// The trial with the cell's values put in.
    pub kind: Kind,
    /// Every key that the trial reads with its resolved value, defaults included, one
    /// `key = value` line each: a trial's identity is the digest of this text, the data digests,
    /// the contract number and the seed.
    pub resolved: String,
}

/// What a trial is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A network trained on data.
    Network(Box<NetworkTrial>),
    /// Rosenblatt's rule.
    Perceptron(PerceptronTrial),
    /// The delta rule.
    Adaline(AdalineTrial),
    /// Analytic against numeric gradients.
    GradientCheck(GradientCheckTrial),
    /// Kernels applied to an image.
    Convolve(ConvolveTrial),
    /// Timed rungs of the matrix product.
    Kernels(KernelsTrial),
    /// Values of phi and phi'.
    Activations(ActivationsTrial),
}

impl Kind {
    /// The kind's name in the file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Network(_) => "network",
            Self::Perceptron(_) => "perceptron",
            Self::Adaline(_) => "adaline",
            Self::GradientCheck(_) => "gradient-check",
            Self::Convolve(_) => "convolve",
            Self::Kernels(_) => "kernels",
            Self::Activations(_) => "activations",
        }
    }
}

/// A figure that others published.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The cell it belongs to: (swept key, value as text); empty for all cells.
    pub cell: Vec<(String, String)>,
    /// The metric's or the curve column's name.
    pub metric: String,
    /// One value, or a series along the curve's x axis.
    pub values: Vec<f64>,
    /// Which point of the curve each value of a series stands at, counted from 1.
    pub at: Vec<usize>,
    /// Author, year and place in the source.
    pub source: String,
    /// Every difference of set-up; empty if there is none.
    pub note: String,
}

/// A result that a run must meet.
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// The cell: (swept key, value as text); empty for all cells.
    pub cell: Vec<(String, String)>,
    /// The metric's name.
    pub metric: String,
    /// The mean over the seeds, compared after rounding to its own number of decimals.
    pub mean: Option<f64>,
    /// Bounds on every seed's value.
    pub at_least: Option<f64>,
    /// Bounds on every seed's value.
    pub at_most: Option<f64>,
    /// SHA-256 of the final weights by seed.
    pub weights_sha256: Vec<(u64, String)>,
}

/// What the table shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableSpec {
    /// The metrics to show, in order; empty: the kind's own choice.
    pub columns: Vec<String>,
    /// The statistic over seeds.
    pub statistic: Statistic,
    /// The caption; empty: the title.
    pub caption: String,
    /// Swept keys whose cells count as one, as the folds of a cross-validation.
    pub pool: Vec<String>,
    /// A metric and a bound: the table counts the trials that reach it.
    pub reached: Option<(String, f64)>,
}

/// What a table cell says of several seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Statistic {
    /// Mean and sample standard deviation.
    #[default]
    Mean,
    /// Median, with minimum and maximum.
    Median,
}

/// One picture of the results.
#[derive(Clone, Debug, PartialEq)]
pub struct PlotSpec {
    /// The picture's kind: `curve`, `bars`, `confusion`, `boundary`, `filters`, `mistakes`.
    pub kind: String,
    /// The column on the x axis; empty: the kind's own choice.
    pub x: String,
    /// The metrics or curve columns on the y axis.
    pub y: Vec<String>,
    /// Logarithmic axes.
    pub log: Vec<String>,
    /// The title; empty: the experiment's.
    pub title: String,
}
