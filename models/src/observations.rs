//! Slide "Notations": n observations of p variables, and the order in which a rule visits them.

use crate::error::{Error, misfit};
use crate::rng::{Purpose, Stream};

/// n observations x_1 ... x_n of p variables, each with its target y_i.
///
/// # Shapes
/// x [n, p] row-major: one row per observation.
#[derive(Clone, Debug, PartialEq)]
pub struct Observations {
    x: Vec<f64>,
    y: Vec<f64>,
    p: usize,
}

impl Observations {
    /// The observations whose values are `x`, `p` per row, with targets `y`.
    ///
    /// # Errors
    /// If `x` does not have `p` values for each target.
    ///
    /// ```
    /// use models::observations::Observations;
    /// let data = Observations::new(2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[-1.0, 1.0, 1.0])?;
    /// assert_eq!((data.n(), data.p()), (3, 2));
    /// assert_eq!(data.x(1), [3.0, 4.0]);
    /// # Ok::<(), models::Error>(())
    /// ```
    pub fn new(p: usize, x: &[f64], y: &[f64]) -> Result<Self, Error> {
        if p.checked_mul(y.len()) != Some(x.len()) {
            let expected = format!("{} rows of {p} values, one row per target", y.len());
            return Err(misfit("observations", expected, format!("{} values", x.len())).into());
        }
        Ok(Self { x: x.to_vec(), y: y.to_vec(), p })
    }

    /// The same observations with the constant x_0 = 1 put before each row, so p grows by one.
    ///
    /// The slides write z = x'w without a bias. With the constant coordinate that is enough:
    /// x'w = w_0 + x_1 w_1 + ..., so w_0 is the bias and is learnt as any other weight.
    ///
    /// ```
    /// use models::observations::Observations;
    /// let data = Observations::new(2, &[5.1, 1.4, 7.0, 4.7], &[-1.0, 1.0])?.with_constant();
    /// assert_eq!(data.x(0), [1.0, 5.1, 1.4]);
    /// # Ok::<(), models::Error>(())
    /// ```
    #[must_use]
    pub fn with_constant(&self) -> Self {
        let x = (0..self.n()).flat_map(|i| std::iter::once(1.0).chain(self.x(i).iter().copied())).collect();
        Self { x, y: self.y.clone(), p: self.p + 1 }
    }

    /// The number of observations.
    pub fn n(&self) -> usize {
        self.y.len()
    }

    /// The number of variables, the constant included.
    pub fn p(&self) -> usize {
        self.p
    }

    /// x_i, the values of observation `i`, counted from 0.
    ///
    /// # Panics
    /// If there is no such observation.
    pub fn x(&self, i: usize) -> &[f64] {
        &self.x[i * self.p..(i + 1) * self.p]
    }

    /// y_i, the target of observation `i`, counted from 0.
    ///
    /// # Panics
    /// If there is no such observation.
    pub fn y(&self, i: usize) -> f64 {
        self.y[i]
    }

    /// Checks that there is one weight per variable.
    pub(crate) fn check_weights(&self, operation: &'static str, w: &[f64]) -> Result<(), Error> {
        if w.len() == self.p {
            return Ok(());
        }
        let expected = format!("{} weights, one per variable (the constant included)", self.p);
        Err(misfit(operation, expected, format!("{} weights", w.len())).into())
    }
}

/// The order in which an epoch visits the observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// i = 1 ... n, as the slide's loop.
    File,
    /// A new random order in each epoch.
    Shuffled {
        /// The seed of the orders.
        seed: u64,
    },
}

impl Order {
    /// The observations in the order in which `epoch`, counted from 1, visits them.
    ///
    /// # Panics
    /// If `n` exceeds 2^32 - 1.
    pub fn of_epoch(self, n: usize, epoch: usize) -> Vec<u32> {
        let n = u32::try_from(n).expect("at most 2^32 - 1 observations");
        match self {
            Self::File => (0..n).collect(),
            Self::Shuffled { seed } => Stream::new(Purpose::Shuffle, seed, epoch as u64).permutation(n),
        }
    }
}
