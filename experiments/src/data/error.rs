//! Why data could not be used.

use std::fmt;

/// Why data could not be used: what, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataError {
    /// The file, folder or set.
    pub subject: String,
    /// What is wrong with it.
    pub reason: String,
    /// What to do about it; may be empty.
    pub fix: String,
}

impl DataError {
    /// An error about `subject`.
    pub fn new(subject: impl Into<String>, reason: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { subject: subject.into(), reason: reason.into(), fix: fix.into() }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.reason)?;
        if self.fix.is_empty() { Ok(()) } else { write!(f, "\n   = fix: {}", self.fix) }
    }
}

impl std::error::Error for DataError {}
