//! Preprocessing: dividing and standardising, with statistics of the training part only.
//!
//! Everything is computed in f64 and rounded once to the model's type (N16). A mean is a sum over 32
//! virtual lanes (N4) of the values in the order (sample, position), divided once by their number; the
//! standard deviation is the population's, from a second pass over the distances d to the mean, each lane
//! by s = fma(d, d, s). A column or channel that is constant in the training part is centred and divided by 1:
//! its mean is the value itself, because a rounded one would leave a distance to divide by.
//!
//! Bytes stay as they are stored: what the steps make of each of the 256, in each group of positions with
//! statistics of its own, is computed once, and a batch looks it up.

mod part;
mod statistics;

use std::sync::Arc;

use kernels::lookup::Lookup;
use kernels::{Element, Level};

pub use part::{Part, Samples};

use crate::data::{Data, Features, Targets};
use crate::spec::Step;
use statistics::{Group, Statistics};

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

/// Applies `steps` to the three parts of `data`, with statistics computed at `level`.
pub fn prepare<T: Element>(level: Level, data: &Data, steps: &[Step]) -> Prepared<T> {
    let (fitted, constant) = fit(level, data, steps);
    let lookup = lookup(data, &fitted).map(Arc::new);
    let part = |rows: &[u32]| part(data, &fitted, lookup.as_ref(), rows);
    Prepared {
        train: part(&data.train),
        validation: part(&data.validation),
        test: part(&data.test),
        constant,
    }
}

/// The columns (or channels) that `steps` find constant in the training part, computed at `level`.
pub fn constant(level: Level, data: &Data, steps: &[Step]) -> Vec<usize> {
    fit(level, data, steps).1
}

/// Measures what the steps need, each on what the steps before it leave.
fn fit(level: Level, data: &Data, steps: &[Step]) -> (Vec<Fitted>, Vec<usize>) {
    let mut fitted: Vec<Fitted> = Vec::new();
    let mut constant = Vec::new();
    for step in steps {
        match step {
            Step::Divide { by } => fitted.push(Fitted::Divide(*by)),
            Step::Standardise { per } => {
                let group = Group::of(data, *per);
                let lookup = lookup(data, &fitted).map(Arc::new);
                let train = part::<f64>(data, &fitted, lookup.as_ref(), &data.train);
                let statistics = Statistics::measure(level, &train, group);
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

/// What a stored value at `position` becomes, before it is rounded.
fn value(steps: &[Fitted], stored: f64, position: usize) -> f64 {
    steps.iter().fold(stored, |x, step| step.apply(x, position))
}

/// What stored bytes become; `None` for other data, and where the values of all samples take less memory.
fn lookup<T: Element>(data: &Data, steps: &[Fitted]) -> Option<Lookup<T>> {
    let Features::U8(_) = data.features else { return None };
    // The sizes of groups divide each other: one position, a channel, the whole sample.
    let sizes = steps.iter().filter_map(|step| match step {
        Fitted::Divide(_) => None,
        Fitted::Standardise(group, _) => Some(group.size),
    });
    let size = sizes.min().unwrap_or(data.width());
    if data.len() * size < 256 {
        return None;
    }
    let bytes = |group: usize, byte: u8| value(steps, f64::from(byte), group * size);
    Lookup::new(data.width(), data.width() / size, bytes).ok()
}

/// The samples `rows` after all steps, rounded once, with what is to be predicted of them.
fn part<T: Element>(data: &Data, steps: &[Fitted], lookup: Option<&Arc<Lookup<T>>>, rows: &[u32]) -> Part<T> {
    let x = match (&data.features, lookup) {
        (Features::U8(bytes), Some(lookup)) => Samples::Stored(Arc::clone(bytes), Arc::clone(lookup)),
        _ => Samples::Values(values(data, steps, rows)),
    };
    let (mut labels_of_rows, mut values_of_rows) = (Vec::new(), Vec::new());
    match &data.targets {
        Targets::Classes { labels, .. } => {
            labels_of_rows.extend(rows.iter().map(|&row| labels[row as usize]))
        }
        Targets::Values { values, .. } => {
            values_of_rows.extend(rows.iter().map(|&row| T::from_f64(values[row as usize])));
        }
    }
    Part { x, width: data.width(), labels: labels_of_rows, values: values_of_rows, rows: rows.to_vec() }
}

/// The samples `rows` after all steps, rounded once.
fn values<T: Element>(data: &Data, steps: &[Fitted], rows: &[u32]) -> Vec<T> {
    let width = data.width();
    let mut out = Vec::with_capacity(rows.len() * width);
    for &row in rows {
        let start = row as usize * width;
        out.extend(
            (0..width)
                .map(|position| T::from_f64(value(steps, data.features.get(start + position), position))),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Per;

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
        let prepared = prepare::<f64>(Level::best(), &data, &[Step::Standardise { per: Per::Feature }]);
        assert_eq!(
            (prepared.train.to_values(Level::best()), prepared.test.to_values(Level::best())),
            ([-1.0, 1.0][..].into(), [98.0][..].into())
        );
    }

    #[test]
    fn channels_share_their_statistics_over_positions() {
        let data = data(vec![0.0, 2.0, 5.0, 5.0, 4.0, 6.0, 5.0, 5.0], vec![2, 2], vec![0, 1], vec![]);
        let prepared = prepare::<f64>(Level::best(), &data, &[Step::Standardise { per: Per::Channel }]);
        // Channel 0 holds 0 2 4 6: mean 3, variance 5. Channel 1 is constant.
        let sd = 5f64.sqrt();
        assert_eq!(
            *prepared.train.to_values(Level::best()),
            [-3.0 / sd, -1.0 / sd, 0.0, 0.0, 1.0 / sd, 3.0 / sd, 0.0, 0.0]
        );
        assert_eq!(prepared.constant, [1]);
    }

    #[test]
    fn the_statistics_are_those_of_the_kernels_sums() {
        // With d * d rounded before it is added, this column's deviation ends in another bit.
        let column: Vec<f64> = (0..1000).map(|i| f64::from(i * i % 37) / 7.0).collect();
        let exec = kernels::Exec::serial(Level::best());
        let mean = kernels::reduce::mean(exec, &column);
        let sd = (kernels::reduce::sum_of_squares_about(exec, &column, mean) / 1000.0).sqrt();
        let data = data(column.clone(), vec![1], (0..1000).collect(), vec![]);
        let prepared = prepare::<f64>(Level::best(), &data, &[Step::Standardise { per: Per::Feature }]);
        for (ours, x) in prepared.train.to_values(Level::best()).iter().zip(&column) {
            assert_eq!(ours.to_bits(), ((x - mean) / sd).to_bits());
        }
    }

    #[test]
    fn a_constant_whose_mean_is_rounded_is_constant() {
        // 0.1 + 0.1 + 0.1 = 0.30000000000000004: the rounded mean is not 0.1.
        let data = data(vec![0.1, 0.1, 0.1, 0.5], vec![1], vec![0, 1, 2], vec![3]);
        let steps = [Step::Standardise { per: Per::Feature }];
        let prepared = prepare::<f64>(Level::best(), &data, &steps);
        assert_eq!(
            (prepared.train.to_values(Level::best()), prepared.test.to_values(Level::best())),
            ([0.0; 3][..].into(), [0.4][..].into())
        );
        assert_eq!((prepared.constant, constant(Level::best(), &data, &steps)), (vec![0], vec![0]));
    }

    #[test]
    fn a_division_before_standardising_leaves_only_rounding() {
        let data = data(vec![10.0, 20.0, 40.0], vec![1], vec![0, 1, 2], vec![]);
        let standardise = Step::Standardise { per: Per::Feature };
        let plain = prepare::<f32>(Level::best(), &data, &[standardise]);
        let divided = prepare::<f32>(Level::best(), &data, &[Step::Divide { by: 255.0 }, standardise]);
        // Both round a f64 value once; they differ by at most one unit in the last place of f32.
        for (a, b) in
            plain.train.to_values(Level::best()).iter().zip(&*divided.train.to_values(Level::best()))
        {
            assert!((a - b).abs() <= f32::EPSILON * 2.0);
        }
    }

    /// 300 samples of two channels of three bytes, some of them constant, split in no order.
    fn bytes() -> Data {
        let stored: Vec<u8> = (0..1800).map(|i| if i % 6 == 4 { 7 } else { (i * i % 251) as u8 }).collect();
        let rows = |part: u32| (0..100).map(move |i| (i * 37 % 100) * 3 + part).collect();
        let data = data(vec![0.0; 1800], vec![2, 1, 3], rows(0), rows(1));
        Data { features: Features::U8(Arc::new(stored)), validation: rows(2), ..data }
    }

    fn step_lists() -> Vec<Vec<Step>> {
        let divide = Step::Divide { by: 255.0 };
        let [channel, feature] = [Per::Channel, Per::Feature].map(|per| Step::Standardise { per });
        vec![
            vec![],
            vec![divide],
            vec![channel],
            vec![feature],
            vec![divide, channel],
            vec![channel, divide, feature],
            vec![divide, feature, channel],
        ]
    }

    fn stored_samples_have_the_bits_of_values<T: Element>() {
        let stored = bytes();
        // The same numbers, of a type that is not looked up.
        let numbers = (0..1800).map(|i| stored.features.get(i)).collect();
        let numbers = Data { features: Features::F64(numbers), ..stored.clone() };
        let level = Level::best();
        for steps in step_lists() {
            let (got, want) = (prepare::<T>(level, &stored, &steps), prepare::<T>(level, &numbers, &steps));
            assert_eq!(got.constant, want.constant, "{steps:?}");
            for (got, want) in
                [(got.train, want.train), (got.validation, want.validation), (got.test, want.test)]
            {
                assert!(matches!(got.x, Samples::Stored(..)) && matches!(want.x, Samples::Values(_)));
                let bits =
                    |part: &Part<T>| part.to_values(level).iter().map(|x| x.bits()).collect::<Vec<_>>();
                assert_eq!(bits(&got), bits(&want), "{steps:?}");
                // Two samples of a shuffled batch, gathered apart from those before them.
                let order = [5, 0, 99, 42];
                let mut pairs = [[T::ZERO; 12]; 2];
                for (part, x) in [&got, &want].into_iter().zip(&mut pairs) {
                    part.gather(level, |i| order[i])(2..4, x);
                }
                assert_eq!(pairs[0].map(T::bits), pairs[1].map(T::bits), "{steps:?}");
                let values = want.to_values(level);
                assert_eq!(pairs[0][6..], values[42 * 6..43 * 6]);
            }
        }
    }

    #[test]
    fn stored_bytes_have_the_bits_of_values() {
        stored_samples_have_the_bits_of_values::<f32>();
        stored_samples_have_the_bits_of_values::<f64>();
    }

    #[test]
    fn stored_bytes_are_not_copied() {
        let data = bytes();
        let Features::U8(stored) = &data.features else { panic!("bytes") };
        let prepared = prepare::<f32>(Level::best(), &data, &[Step::Standardise { per: Per::Channel }]);
        for part in [&prepared.train, &prepared.validation, &prepared.test] {
            assert!(matches!(&part.x, Samples::Stored(bytes, _) if Arc::ptr_eq(bytes, stored)));
            // Two channels of 256 values, with the four numbers of a line and whether there is one.
            assert_eq!(part.memory(), 2 * (256 * 4 + 4 * 4 + 4));
        }
    }

    #[test]
    fn a_table_larger_than_the_values_is_not_made() {
        let data = Data {
            features: Features::U8(Arc::new(vec![1; 200])),
            ..data(vec![0.0; 200], vec![1], vec![0, 199], vec![])
        };
        let prepared = prepare::<f32>(Level::best(), &data, &[]);
        assert_eq!(
            (prepared.train.x, prepared.test.x),
            (Samples::Values(vec![1.0; 2]), Samples::Values(vec![]))
        );
    }
}
