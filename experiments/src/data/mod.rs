//! Data sets: embedded, on disk, synthetic; their digests and their splits.

pub mod catalogue;
pub mod embedded;
mod error;
pub mod full;
pub mod idx;
mod load;
pub mod picture;
mod split;
mod synthetic;
mod table;

use std::path::Path;
use std::sync::Arc;

pub use error::DataError;
pub use load::load;

/// A data set as stored, with its split.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// The set's name for tables.
    pub name: String,
    /// Shape of one sample, as `[1, 28, 28]` or `[4]`.
    pub shape: Vec<usize>,
    /// All samples, row-major, unprocessed.
    pub features: Features,
    /// Names of the columns; empty for images and signals.
    pub feature_names: Vec<String>,
    /// What is to be predicted.
    pub targets: Targets,
    /// Indices of the training samples, in the split's order.
    pub train: Vec<u32>,
    /// Indices of the validation samples.
    pub validation: Vec<u32>,
    /// Indices of the test samples.
    pub test: Vec<u32>,
    /// (file, SHA-256 of its decompressed content), in the catalogue's order.
    pub digests: Vec<(String, String)>,
}

/// Samples as stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Features {
    /// Pixels, shared with whoever makes values of them.
    U8(Arc<Vec<u8>>),
    /// Signals.
    I16(Vec<i16>),
    /// Columns of a table.
    F64(Vec<f64>),
}

/// What is to be predicted.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// A class each.
    Classes {
        /// Labels from 0.
        labels: Vec<u32>,
        /// The classes' names, by label.
        names: Vec<String>,
    },
    /// A value each.
    Values {
        /// The values.
        values: Vec<f64>,
        /// The column's name.
        name: String,
    },
}

impl Data {
    /// The number of samples.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// True without samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of values in one sample.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Targets {
    /// The number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Values { values, .. } => values.len(),
        }
    }

    /// True without samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Features {
    /// The value at `index` of the row-major samples.
    #[inline]
    pub fn get(&self, index: usize) -> f64 {
        match self {
            Self::U8(values) => f64::from(values[index]),
            Self::I16(values) => f64::from(values[index]),
            Self::F64(values) => values[index],
        }
    }

    /// Both, one after the other; `None` if their types differ.
    fn append(self, more: Self) -> Option<Self> {
        match (self, more) {
            (Self::U8(mut all), Self::U8(more)) => {
                Arc::make_mut(&mut all).extend_from_slice(&more);
                Some(Self::U8(all))
            }
            (Self::I16(mut all), Self::I16(more)) => {
                all.extend(more);
                Some(Self::I16(all))
            }
            _ => None,
        }
    }
}

/// The bytes of a file.
fn read_file(path: &Path) -> Result<Vec<u8>, DataError> {
    std::fs::read(path).map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => "does not exist".to_owned(),
            _ => format!("cannot be read: {error}"),
        };
        DataError::new(
            path.display().to_string(),
            reason,
            "check the path; it counts from the folder the program runs in",
        )
    })
}

#[cfg(test)]
mod tests;
