//! Why pictures could not be drawn.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::spec::keys::suggestion;

/// What to do about a damaged file.
const AGAIN: &str = "\n   = fix: run the experiment again: it writes the file anew";

/// Why pictures could not be drawn.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlotError {
    /// A file cannot be read or written; the message names it.
    Io(io::Error),
    /// A file of the results folder is no CSV file.
    Csv {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: csv::Error,
    },
    /// `lock.toml` cannot be read.
    Toml {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: toml::de::Error,
    },
    /// A file of the results folder is empty or lacks the columns that the program writes.
    Columns {
        /// The file.
        path: PathBuf,
    },
    /// No figure of the results has this name.
    Metric {
        /// The name asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// A drawing library failed.
    Drawing(String),
}

impl fmt::Display for PlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::Csv { path, source } => write!(f, "{}: {source}{AGAIN}", path.display()),
            Self::Toml { path, source } => {
                write!(f, "{}: {}{AGAIN}", path.display(), source.to_string().trim_end())
            }
            Self::Columns { path } => {
                write!(f, "{}: its columns are not those of results{AGAIN}", path.display())
            }
            Self::Metric { name, known } => {
                let fix = suggestion(name, &known.iter().map(String::as_str).collect::<Vec<_>>());
                write!(f, "the results hold no `{name}`\n   = fix: {fix}")
            }
            Self::Drawing(reason) => write!(f, "drawing failed: {reason}"),
        }
    }
}

impl std::error::Error for PlotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Csv { source, .. } => Some(source),
            Self::Toml { source, .. } => Some(source),
            Self::Columns { .. } | Self::Metric { .. } | Self::Drawing(_) => None,
        }
    }
}

impl From<io::Error> for PlotError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
