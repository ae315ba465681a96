//! Preprocessing: dividing and standardising, with statistics of the training part only.
//!
//! Everything is computed in f64 and rounded once to the model's type (N16). A mean is a sum over 32
//! virtual lanes (N4) of the values in the order (sample, position), divided once by their number; the
//! standard deviation is the population's, from a second pass over the distances d to the mean, each lane
//! by s = fma(d, d, s). A column or channel that is constant in the training part is centred and divided by 1:
//! its mean is the value itself, because a rounded one would leave a distance to divide by.

use kernels::Element;

use crate::data::{Data, Targets};
use crate::spec::{Per, Step};

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

impl<T> Part<T> {
    /// The number of samples.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True without samples.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Applies `steps` to the three parts of `data`.
///
/// **Shapes**: `x` of each part is `[n, width]`, row-major.
pub fn prepare<T: Element>(data: &Data, steps: &[Step]) -> Prepared<T> {
    let (fitted, constant) = fit(data, steps);
    let part = |rows: &[u32]| Part {
        x: values(data, &fitted, rows),
        labels: match &data.targets {
            Targets::Classes { labels, .. } => rows.iter().map(|&row| labels[row as usize]).collect(),
            Targets::Values { .. } => Vec::new(),
        },
        values: match &data.targets {
            Targets::Classes { .. } => Vec::new(),
            Targets::Values { values, .. } => {
                rows.iter().map(|&row| T::from_f64(values[row as usize])).collect()
            }
        },
        rows: rows.to_vec(),
    };
    Prepared {
        train: part(&data.train),
        validation: part(&data.validation),
        test: part(&data.test),
        constant,
    }
}

/// The columns (or channels) that `steps` find constant in the training part.
pub fn constant(data: &Data, steps: &[Step]) -> Vec<usize> {
    fit(data, steps).1
}

/// Measures what the steps need, each on what the steps before it leave.
fn fit(data: &Data, steps: &[Step]) -> (Vec<Fitted>, Vec<usize>) {
    let mut fitted: Vec<Fitted> = Vec::new();
    let mut constant = Vec::new();
    for step in steps {
        match step {
            Step::Divide { by } => fitted.push(Fitted::Divide(*by)),
            Step::Standardise { per } => {
                let group = Group::of(data, *per);
                let statistics = Statistics::measure(data, &fitted, group);
                constant = statistics.constant();
                fitted.push(Fitted::Standardise(group, statistics));
            }
        }
    }
    (fitted, constant)
}

/// A step with what it learned from the training part.
enum Fitted {
    Divide(f64),
    Standardise(Group, Statistics),
}

impl Fitted {
    #[inline]
    fn apply(&self, x: f64, position: usize) -> f64 {
        match self {
            Self::Divide(by) => x / by,
            Self::Standardise(group, statistics) => {
                let at = position / group.size;
                (x - statistics.mean[at]) / statistics.divisor[at]
            }
        }
    }
}

/// Positions of a sample that share statistics: `size` in a row.
#[derive(Clone, Copy)]
struct Group {
    size: usize,
    count: usize,
}

impl Group {
    fn of(data: &Data, per: Per) -> Self {
        let width = data.width();
        let count = match per {
            Per::Feature => width,
            Per::Channel => data.shape.first().copied().unwrap_or(width),
        };
        Self { size: width / count, count }
    }
}

/// Mean and divisor of each group.
struct Statistics {
    mean: Vec<f64>,
    divisor: Vec<f64>,
    constant: Vec<bool>,
}

impl Statistics {
    fn measure(data: &Data, before: &[Fitted], group: Group) -> Self {
        let n = (data.train.len() * group.size) as f64;
        let only = only_values(data, before, group);
        let sums_of_x = sums(data, before, group, |sum, x, _| sum + x);
        let mean: Vec<f64> = only.iter().zip(sums_of_x).map(|(only, sum)| only.unwrap_or(sum / n)).collect();
        let squares = sums(data, before, group, |sum, x, at| {
            let distance = x - mean[at];
            distance.mul_add(distance, sum)
        });
        let deviation: Vec<f64> = squares.iter().map(|sum| (sum / n).sqrt()).collect();
        // Zero also where the squares of tiny distances underflow.
        let constant: Vec<bool> = deviation.iter().map(|&sd| sd == 0.0).collect();
        let divisor = deviation.iter().map(|&sd| if sd > 0.0 { sd } else { 1.0 }).collect();
        Self { mean, divisor, constant }
    }

    fn constant(&self) -> Vec<usize> {
        (0..self.constant.len()).filter(|&at| self.constant[at]).collect()
    }
}

/// For each group the value that all its training samples share, if they do.
fn only_values(data: &Data, before: &[Fitted], group: Group) -> Vec<Option<f64>> {
    let mut first: Vec<Option<f64>> = vec![None; group.count];
    let mut same = vec![true; group.count];
    for_each(data, before, group, |_, at, x| same[at] &= *first[at].get_or_insert(x) == x);
    first.into_iter().zip(same).map(|(first, same)| first.filter(|_| same)).collect()
}

/// Calls `visit` with (index within the group, group, value) over the training part, in the order (sample,
/// position).
fn for_each(data: &Data, before: &[Fitted], group: Group, mut visit: impl FnMut(usize, usize, f64)) {
    let width = data.width();
    for (sample, &row) in data.train.iter().enumerate() {
        for position in 0..width {
            let raw = data.features.get(row as usize * width + position);
            let x = before.iter().fold(raw, |x, step| step.apply(x, position));
            visit(sample * group.size + position % group.size, position / group.size, x);
        }
    }
}

/// For each group the N4 sum over the training part: `add` gives the lane's new value from its old one, a value
/// and the group.
fn sums(data: &Data, before: &[Fitted], group: Group, add: impl Fn(f64, f64, usize) -> f64) -> Vec<f64> {
    const LANES: usize = 32;
    let mut lanes = vec![[0.0; LANES]; group.count];
    for_each(data, before, group, |index, at, x| {
        let lane = &mut lanes[at][index % LANES];
        *lane = add(*lane, x, at);
    });
    lanes
        .into_iter()
        .map(|mut lane| {
            let mut half = LANES / 2;
            while half > 0 {
                for l in 0..half {
                    lane[l] += lane[l + half];
                }
                half /= 2;
            }
            lane[0]
        })
        .collect()
}

/// The samples `rows` after all steps, rounded once.
fn values<T: Element>(data: &Data, steps: &[Fitted], rows: &[u32]) -> Vec<T> {
    let width = data.width();
    let mut out = Vec::with_capacity(rows.len() * width);
    for &row in rows {
        let start = row as usize * width;
        out.extend((0..width).map(|position| {
            let raw = data.features.get(start + position);
            T::from_f64(steps.iter().fold(raw, |x, step| step.apply(x, position)))
        }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Features;

    fn data(values: Vec<f64>, shape: Vec<usize>, train: Vec<u32>, test: Vec<u32>) -> Data {
        let samples = values.len() / shape.iter().product::<usize>();
        Data {
            name: "x".to_owned(),
            shape,
            features: Features::F64(values),
            feature_names: Vec::new(),
            targets: Targets::Classes { labels: vec![0; samples], names: vec!["a".to_owned()] },
            train,
            validation: Vec::new(),
            test,
            digests: Vec::new(),
        }
    }

    #[test]
    fn statistics_come_from_the_training_part_only() {
        let data = data(vec![1.0, 3.0, 100.0], vec![1], vec![0, 1], vec![2]);
        let prepared = prepare::<f64>(&data, &[Step::Standardise { per: Per::Feature }]);
        assert_eq!((prepared.train.x, prepared.test.x), (vec![-1.0, 1.0], vec![98.0]));
    }

    #[test]
    fn channels_share_their_statistics_over_positions() {
        let data = data(vec![0.0, 2.0, 5.0, 5.0, 4.0, 6.0, 5.0, 5.0], vec![2, 2], vec![0, 1], vec![]);
        let prepared = prepare::<f64>(&data, &[Step::Standardise { per: Per::Channel }]);
        // Channel 0 holds 0 2 4 6: mean 3, variance 5. Channel 1 is constant.
        let sd = 5f64.sqrt();
        assert_eq!(prepared.train.x, [-3.0 / sd, -1.0 / sd, 0.0, 0.0, 1.0 / sd, 3.0 / sd, 0.0, 0.0]);
        assert_eq!(prepared.constant, [1]);
    }

    #[test]
    fn the_statistics_are_those_of_the_kernels_sums() {
        // With d * d rounded before it is added, this column's deviation ends in another bit.
        let column: Vec<f64> = (0..1000).map(|i| f64::from(i * i % 37) / 7.0).collect();
        let exec = kernels::Exec::serial(kernels::Level::best());
        let mean = kernels::reduce::mean(exec, &column);
        let sd = (kernels::reduce::sum_of_squares_about(exec, &column, mean) / 1000.0).sqrt();
        let data = data(column.clone(), vec![1], (0..1000).collect(), vec![]);
        let prepared = prepare::<f64>(&data, &[Step::Standardise { per: Per::Feature }]);
        for (ours, x) in prepared.train.x.iter().zip(&column) {
            assert_eq!(ours.to_bits(), ((x - mean) / sd).to_bits());
        }
    }

    #[test]
    fn a_constant_whose_mean_is_rounded_is_constant() {
        // 0.1 + 0.1 + 0.1 = 0.30000000000000004: the rounded mean is not 0.1.
        let data = data(vec![0.1, 0.1, 0.1, 0.5], vec![1], vec![0, 1, 2], vec![3]);
        let steps = [Step::Standardise { per: Per::Feature }];
        let prepared = prepare::<f64>(&data, &steps);
        assert_eq!((prepared.train.x, prepared.test.x), (vec![0.0; 3], vec![0.4]));
        assert_eq!((prepared.constant, constant(&data, &steps)), (vec![0], vec![0]));
    }

    #[test]
    fn a_division_before_standardising_leaves_only_rounding() {
        let data = data(vec![10.0, 20.0, 40.0], vec![1], vec![0, 1, 2], vec![]);
        let standardise = Step::Standardise { per: Per::Feature };
        let plain = prepare::<f32>(&data, &[standardise]);
        let divided = prepare::<f32>(&data, &[Step::Divide { by: 255.0 }, standardise]);
        // Both round a f64 value once; they differ by at most one unit in the last place of f32.
        for (a, b) in plain.train.x.iter().zip(&divided.train.x) {
            assert!((a - b).abs() <= f32::EPSILON * 2.0);
        }
    }
}
