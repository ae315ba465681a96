//! Mean, spread and order statistics of one metric over the seeds.

use kernels::{Exec, Level, reduce};

/// What the seeds of one cell say about one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    /// Number of values.
    pub n: usize,
    /// Sum by the contract's lanes (N4), divided by n.
    pub mean: f64,
    /// Sample standard deviation, sqrt(sum (x - mean)^2 / (n - 1)); `None` for one value.
    pub sd: Option<f64>,
    /// The middle value, or the mean of the two middle ones.
    pub median: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl Statistics {
    /// The statistics of `values`, computed at `level`; `None` for no value.
    ///
    /// Equal values have themselves as mean and +0.0 as deviation, whatever rounding would make of their sum.
    ///
    /// ```
    /// # use experiments::results::Statistics;
    /// let s = Statistics::of(kernels::Level::from_env()?, &[1.0, 2.0, 6.0]).unwrap();
    /// assert_eq!((s.mean, s.sd, s.median), (3.0, Some(7.0_f64.sqrt()), 2.0));
    /// # Ok::<(), kernels::Error>(())
    /// ```
    pub fn of(level: Level, values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let n = sorted.len();
        let exec = Exec::serial(level);
        let equal = min.to_bits() == max.to_bits();
        let mean = if equal { min } else { reduce::mean(exec, values) };
        let sd = (n > 1).then(|| {
            if equal {
                return 0.0;
            }
            let deviations: Vec<f64> = values.iter().map(|x| x - mean).collect();
            (reduce::sum_of_squares(exec, &deviations) / (n - 1) as f64).sqrt()
        });
        let median = if n % 2 == 1 { sorted[n / 2] } else { middle(sorted[n / 2 - 1], sorted[n / 2]) };
        Some(Self { n, mean, sd, median, min, max })
    }
}

fn middle(a: f64, b: f64) -> f64 {
    if a.to_bits() == b.to_bits() { a } else { a / 2.0 + b / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Option<Statistics> {
        Statistics::of(Level::best(), values)
    }

    #[test]
    fn one_value_has_no_deviation_and_equal_values_have_none_to_speak_of() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[0.1]).unwrap().sd, None);
        let equal = of(&[0.1; 3]).unwrap();
        assert_eq!((equal.mean, equal.sd, equal.median), (0.1, Some(0.0), 0.1));
    }

    #[test]
    fn an_even_number_of_values_has_a_median_between_the_middle_ones() {
        let s = of(&[4.0, 1.0, 3.0, 100.0]).unwrap();
        assert_eq!((s.median, s.min, s.max, s.mean), (3.5, 1.0, 100.0, 27.0));
    }
}
