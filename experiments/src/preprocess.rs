//! Preprocessing: dividing and standardising, with statistics of the training part only.

use kernels::Element;

use crate::data::Data;
use crate::spec::Step;

/// The three parts of a data set, ready for a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared<T> {
    /// The training part.
    pub train: Part<T>,
    /// The validation part; may be empty.
    pub validation: Part<T>,
    /// The test part; may be empty.
    pub test: Part<T>,
    /// Columns (or channels) that are constant in the training part: centred and divided by 1.
    pub constant: Vec<usize>,
}

/// One part of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<T> {
    /// Samples, row-major: `[n, width]`.
    pub x: Vec<T>,
    /// Labels; empty for regression.
    pub labels: Vec<u32>,
    /// Values `[n, 1]`; empty for classification.
    pub values: Vec<T>,
    /// The samples' indices in [`Data`].
    pub rows: Vec<u32>,
}

/// Applies `steps` to the three parts of `data`.
pub fn prepare<T: Element>(data: &Data, steps: &[Step]) -> Prepared<T> {
    let _ = (data, steps);
    let empty = || Part { x: Vec::new(), labels: Vec::new(), values: Vec::new(), rows: Vec::new() };
    Prepared { train: empty(), validation: empty(), test: empty(), constant: Vec::new() }
}
