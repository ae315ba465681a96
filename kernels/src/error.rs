//! The one error type of this crate.

use std::fmt;

/// Why a kernel refused to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A shape does not fit: which operation, what it expected, what it got.
    Shape {
        /// The operation, as `conv2d forward`.
        operation: &'static str,
        /// What the operation expected, as `weights of 6 x 1 x 5 x 5 = 150 values`.
        expected: String,
        /// What it was given, as `149 values`.
        got: String,
    },
    /// `KERNELS_LEVEL` or a caller names a level that does not exist.
    UnknownLevel {
        /// The name that was asked for.
        name: String,
    },
    /// The level exists, but this CPU lacks it.
    MissingLevel {
        /// The name that was asked for.
        name: String,
        /// The levels that this CPU has, best last.
        available: Vec<&'static str>,
    },
    /// `KERNELS_TUNING` is not a list of choices.
    Tuning {
        /// The word that is not one, as `gemm.kc=0`.
        word: String,
    },
    /// The floating-point environment is not the one that the contract asks for (N10).
    Environment {
        /// What is wrong, as `flush-to-zero is on`.
        found: &'static str,
    },
}

impl Error {
    /// The error of a shape, with what is expected and what is there, unless it fits.
    pub(crate) fn unless(
        fits: bool,
        operation: &'static str,
        shapes: impl FnOnce() -> (String, String),
    ) -> Result<(), Self> {
        if fits {
            return Ok(());
        }
        let (expected, got) = shapes();
        Err(Self::Shape { operation, expected, got })
    }

    /// Checks that all buffers have the first one's length.
    pub(crate) fn same_length(operation: &'static str, lengths: &[(&str, usize)]) -> Result<(), Self> {
        let Some(&(first, expected)) = lengths.first() else { return Ok(()) };
        match lengths.iter().find(|&&(_, length)| length != expected) {
            None => Ok(()),
            Some((name, length)) => Err(Self::Shape {
                operation,
                expected: format!("`{name}` of {expected} values, as many as `{first}`"),
                got: format!("{length} values"),
            }),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { operation, expected, got } => {
                write!(f, "{operation}: expected {expected}, got {got}")
            }
            Self::UnknownLevel { name } => write!(
                f,
                "no instruction level is called `{name}`: use emulated, scalar, avx2, avx512 or neon, or unset KERNELS_LEVEL"
            ),
            Self::MissingLevel { name, available } => {
                write!(f, "this CPU lacks the instruction level `{name}`: it has {}", available.join(", "))
            }
            Self::Tuning { word } => write!(
                f,
                "KERNELS_TUNING: `{word}` does not set a choice: write as gemm.kc=512,machine.l2_bytes=262144, with names that `doctor --tuning` lists and whole numbers from 1"
            ),
            Self::Environment { found } => write!(
                f,
                "floating-point environment: {found}; results would differ from every other machine's, so nothing is computed"
            ),
        }
    }
}

impl std::error::Error for Error {}
