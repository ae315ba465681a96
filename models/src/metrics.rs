//! What tables report: accuracy, confusion, precision and recall; mean, spread and median.

use kernels::{Exec, Level, reduce};

/// The part of the predictions that equal the labels, in 0 ..= 1; NaN for nothing.
///
/// **Shapes** one prediction per label.
///
/// ```
/// use models::metrics::accuracy;
/// assert_eq!(accuracy(&[0, 1, 1, 2], &[0, 1, 2, 2]), 0.75);
/// ```
pub fn accuracy(labels: &[u32], predictions: &[u32]) -> f64 {
    let right = labels.iter().zip(predictions).filter(|(label, prediction)| label == prediction).count();
    right as f64 / labels.len() as f64
}

/// Counts of predictions by true class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u64>,
}

impl Confusion {
    /// The confusion matrix of `predictions` against `labels`.
    ///
    /// **Shapes** one prediction per label.
    ///
    /// # Panics
    /// If a label or prediction is not below `classes`.
    ///
    /// ```
    /// use models::metrics::Confusion;
    /// let confusion = Confusion::new(2, &[0, 0, 0, 1], &[0, 0, 1, 1]);
    /// assert_eq!([confusion.count(0, 0), confusion.count(0, 1)], [2, 1]);
    /// assert_eq!(confusion.recall(0), 2.0 / 3.0);
    /// assert_eq!(confusion.precision(1), 0.5);
    /// ```
    pub fn new(classes: usize, labels: &[u32], predictions: &[u32]) -> Self {
        let mut counts = vec![0; classes * classes];
        for (&label, &prediction) in labels.iter().zip(predictions) {
            let (label, prediction) = (label as usize, prediction as usize);
            assert!(label < classes && prediction < classes, "class {label} or {prediction} of {classes}");
            counts[label * classes + prediction] += 1;
        }
        Self { classes, counts }
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many observations of class `label` were taken for `prediction`.
    ///
    /// # Panics
    /// If one of them is no class.
    pub fn count(&self, label: usize, prediction: usize) -> u64 {
        self.counts[label * self.classes..(label + 1) * self.classes][prediction]
    }

    /// The part of all observations on the diagonal; NaN for nothing.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.classes).map(|class| self.count(class, class)).sum();
        right as f64 / self.counts.iter().sum::<u64>() as f64
    }

    /// Of the observations taken for `class`, the part that belongs to it; NaN if there is none.
    ///
    /// # Panics
    /// If it is no class.
    pub fn precision(&self, class: usize) -> f64 {
        let taken: u64 = (0..self.classes).map(|label| self.count(label, class)).sum();
        self.count(class, class) as f64 / taken as f64
    }

    /// Of the observations that belong to `class`, the part taken for it; NaN if there is none.
    ///
    /// # Panics
    /// If it is no class.
    pub fn recall(&self, class: usize) -> f64 {
        let belonging: u64 = (0..self.classes).map(|prediction| self.count(class, prediction)).sum();
        self.count(class, class) as f64 / belonging as f64
    }

    /// F1 = 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall; NaN for a class that
    /// is neither there nor predicted.
    ///
    /// # Panics
    /// If it is no class.
    ///
    /// ```
    /// use models::metrics::Confusion;
    /// // Class 0: TP = 2, FN = 1, FP = 0.
    /// assert_eq!(Confusion::new(2, &[0, 0, 0, 1], &[0, 0, 1, 1]).f1(0), 0.8);
    /// ```
    pub fn f1(&self, class: usize) -> f64 {
        let right = self.count(class, class);
        let taken: u64 = (0..self.classes).map(|label| self.count(label, class)).sum();
        let belonging: u64 = (0..self.classes).map(|prediction| self.count(class, prediction)).sum();
        2.0 * right as f64 / (taken + belonging) as f64
    }

    /// The mean of F1 over the classes, each counting the same.
    pub fn macro_f1(&self) -> f64 {
        let all: Vec<f64> = (0..self.classes).map(|class| self.f1(class)).collect();
        mean(&all)
    }
}

/// The mean, over 32 virtual lanes (N4); NaN for nothing.
///
/// ```
/// assert_eq!(models::metrics::mean(&[1.0, 2.0, 6.0]), 3.0);
/// ```
pub fn mean(x: &[f64]) -> f64 {
    reduce::mean(Exec::serial(Level::best()), x)
}

/// The sample standard deviation sqrt(sum (x - mean)^2 / (n - 1)), in two passes; NaN for fewer than
/// two values.
///
/// ```
/// assert_eq!(models::metrics::standard_deviation(&[1.0, 3.0, 5.0]), 2.0);
/// ```
pub fn standard_deviation(x: &[f64]) -> f64 {
    let squares = reduce::sum_of_squares_about(Exec::serial(Level::best()), x, mean(x));
    if x.len() < 2 { f64::NAN } else { (squares / (x.len() - 1) as f64).sqrt() }
}

/// The middle value in IEEE 754's total order, or the mean of the two middle ones; NaN for nothing.
///
/// ```
/// assert_eq!(models::metrics::median(&[9.0, 1.0, 2.0]), 2.0);
/// assert_eq!(models::metrics::median(&[4.0, 1.0, 2.0, 9.0]), 3.0);
/// ```
pub fn median(x: &[f64]) -> f64 {
    let mut sorted = x.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[upper],
        _ => 0.5 * sorted[upper - 1] + 0.5 * sorted[upper],
    }
}
