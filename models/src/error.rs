//! The one error type of this crate.

use std::fmt;

/// Why a model could not be made or trained, or could not predict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A matrix has no Cholesky factor, because a column depends on those before it.
    NotPositiveDefinite {
        /// The operation, as `normal equations`.
        operation: &'static str,
        /// The column, counted from 0.
        column: usize,
    },
    /// A setting of the optimiser has no meaning.
    Setting {
        /// The setting, as `momentum`.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Bytes are no checkpoint of this network or this run: what does not fit.
    Checkpoint(String),
    /// Sizes or values do not fit, or a kernel refused for another reason.
    Kernel(kernels::Error),
}

/// Sizes or values do not fit: which operation, what it expected, what it got.
pub(crate) fn misfit(
    operation: &'static str,
    expected: impl Into<String>,
    got: impl Into<String>,
) -> kernels::Error {
    kernels::Error::Shape { operation, expected: expected.into(), got: got.into() }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPositiveDefinite { operation, column } => write!(
                f,
                "{operation}: column {column} is a combination of the columns before it, so there is no \
                 single solution: leave that variable out"
            ),
            Self::Setting { name, value, expected } => {
                write!(f, "optimizer: {name} must be {expected}, not {value}")
            }
            Self::Checkpoint(reason) => write!(f, "checkpoint: {reason}"),
            Self::Kernel(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<kernels::Error> for Error {
    fn from(error: kernels::Error) -> Self {
        Self::Kernel(error)
    }
}
