//! What a trial of any kind hands back: the one type that records, tables and plots know.

use std::fmt;
use std::str::FromStr;

use kernels::Element;

/// The result of one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Whether it went to its end.
    pub status: Status,
    /// Named figures in the order in which the table shows them.
    pub metrics: Vec<(String, Value)>,
    /// Figures over epochs, or over another axis for kinds that are no training.
    pub curve: Curve,
    /// SHA-256 of things too large for a table, as the weights.
    pub digests: Vec<(String, String)>,
    /// Further files of the trial, by name; they stay local.
    pub files: Vec<(String, Vec<u8>)>,
}

/// How a trial ended. `Diverged` is a result like any other: it keeps its row and is never averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// To its end.
    Ok,
    /// At the first loss that was not finite (N8).
    Diverged {
        /// Counted from 1.
        epoch: u64,
        /// The update within the epoch, counted from 1.
        step: u64,
    },
}

/// Figures over an axis: `rows[i]` holds the axis' value, then one value per further column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// The axis' name, as `epoch`, then the names of the columns. Empty if there is no curve.
    pub columns: Vec<String>,
    /// As long as `columns`; `None` where a figure does not exist.
    pub rows: Vec<Vec<Option<Value>>>,
}

/// A number of the results: a count, or a real that prints with every digit needed to read it back (N13).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A whole number that counts something.
    Count(u64),
    /// Any other figure.
    Real(f64),
}

impl Outcome {
    /// An outcome that went to its end, with nothing in it yet.
    pub fn ok() -> Self {
        Self {
            status: Status::Ok,
            metrics: Vec::new(),
            curve: Curve::default(),
            digests: Vec::new(),
            files: Vec::new(),
        }
    }

    /// True if the trial ended at a loss that was not finite.
    pub fn has_diverged(&self) -> bool {
        self.status != Status::Ok
    }

    /// Adds a figure.
    pub fn metric(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.metrics.push((name.into(), value.into()));
    }
}

impl Curve {
    /// An empty curve over `axis` with the given columns.
    pub fn over<S: Into<String>>(axis: &str, columns: impl IntoIterator<Item = S>) -> Self {
        let mut names = vec![axis.to_owned()];
        names.extend(columns.into_iter().map(Into::into));
        Self { columns: names, rows: Vec::new() }
    }

    /// Adds the row at `x`; `values` follow the columns' order.
    pub fn push(&mut self, x: impl Into<Value>, values: impl IntoIterator<Item = Option<Value>>) {
        let mut row = vec![Some(x.into())];
        row.extend(values);
        debug_assert_eq!(row.len(), self.columns.len(), "a value for every column");
        self.rows.push(row);
    }
}

impl Value {
    /// The value as a real.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Count(n) => n as f64,
            Self::Real(x) => x,
        }
    }
}

impl From<f64> for Value {
    fn from(x: f64) -> Self {
        Self::Real(x)
    }
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Self::Count(n)
    }
}

impl From<usize> for Value {
    fn from(n: usize) -> Self {
        Self::Count(n as u64)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(n) => write!(f, "{n}"),
            Self::Real(x) => write!(f, "{:?}", x.canonical()),
        }
    }
}

impl FromStr for Value {
    type Err = std::num::ParseFloatError;

    /// Digits alone are a count; everything else is a real.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(n) = text.parse() {
            return Ok(Self::Count(n));
        }
        text.parse::<f64>().map(|x| Self::Real(x.canonical()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reads_back_as_it_was_written() {
        let reals = [0.1, -0.0, 0.0, 5.0, 1e-310, 1e300, f64::INFINITY, f64::MIN_POSITIVE, 1.0 / 3.0];
        for x in reals {
            let Ok(Value::Real(back)) = Value::Real(x).to_string().parse() else {
                panic!("{x:?} came back as no real")
            };
            assert_eq!(back.to_bits(), x.to_bits());
        }
        assert_eq!("17".parse(), Ok(Value::Count(17)));
        assert_eq!(Value::Count(17).to_string(), "17");
    }

    #[test]
    fn every_nan_prints_the_same() {
        let payload = f64::from_bits(0xfff8_0000_0000_0001);
        assert_eq!(Value::Real(payload).to_string(), "NaN");
    }
}
