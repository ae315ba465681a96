//! Means and deviations of the training part, in the order of the contract's sums.

use kernels::Level;

use super::Part;
use crate::data::Data;
use crate::spec::Per;

/// Virtual lanes of a sum (N4).
const LANES: usize = 32;

/// Positions of a sample that share statistics: `size` in a row.
#[derive(Clone, Copy)]
pub(super) struct Group {
    pub(super) size: usize,
    count: usize,
}

impl Group {
    pub(super) fn of(data: &Data, per: Per) -> Self {
        let width = data.width();
        let count = match per {
            Per::Feature => width,
            Per::Channel => data.shape.first().copied().unwrap_or(width),
        };
        Self { size: width / count, count }
    }
}

/// Mean and divisor of each group.
pub(super) struct Statistics {
    pub(super) mean: Vec<f64>,
    pub(super) divisor: Vec<f64>,
    constant: Vec<bool>,
}

impl Statistics {
    /// Those of `train`, computed at `level`.
    pub(super) fn measure(level: Level, train: &Part<f64>, group: Group) -> Self {
        let n = (train.len() * group.size) as f64;
        let only = only_values(level, train, group);
        let sums_of_x = sums(
            level,
            train,
            group,
            #[inline(always)]
            |sum, x, _| sum + x,
        );
        let mean: Vec<f64> = only.iter().zip(sums_of_x).map(|(only, sum)| only.unwrap_or(sum / n)).collect();
        let squares = sums(
            level,
            train,
            group,
            #[inline(always)]
            |sum, x, at| {
                let distance = x - mean[at];
                distance.mul_add(distance, sum)
            },
        );
        let deviation: Vec<f64> = squares.iter().map(|sum| (sum / n).sqrt()).collect();
        // Zero also where the squares of tiny distances underflow.
        let constant: Vec<bool> = deviation.iter().map(|&sd| sd == 0.0).collect();
        let divisor = deviation.iter().map(|&sd| if sd > 0.0 { sd } else { 1.0 }).collect();
        Self { mean, divisor, constant }
    }

    /// The groups whose values are all the same.
    pub(super) fn constant(&self) -> Vec<usize> {
        (0..self.constant.len()).filter(|&at| self.constant[at]).collect()
    }
}

/// For each group the value that all its samples share, if they do.
fn only_values(level: Level, train: &Part<f64>, group: Group) -> Vec<Option<f64>> {
    let mut only: Vec<Option<f64>> = Vec::new();
    for_each(level, train, |sample, x| {
        if sample == 0 {
            only = x.chunks_exact(group.size).map(|x| Some(x[0])).collect();
        }
        for (only, x) in only.iter_mut().zip(x.chunks_exact(group.size)) {
            *only = only.filter(|only| x.iter().all(|x| x == only));
        }
        only.iter().any(Option::is_some)
    });
    only.resize(group.count, None);
    only
}

/// Calls `visit` with each sample and its number, for as long as it says so.
fn for_each(level: Level, train: &Part<f64>, mut visit: impl FnMut(usize, &[f64]) -> bool) {
    let gather = train.gather(level, |i| i);
    let mut x = vec![0.0; train.width];
    for sample in 0..train.len() {
        gather(sample..sample + 1, &mut x);
        if !visit(sample, &x) {
            return;
        }
    }
}

/// For each group the N4 sum over the samples: `add` gives the lane's new value from its old one, a value
/// and the group. It must be `#[inline(always)]`.
fn sums(level: Level, train: &Part<f64>, group: Group, add: impl Fn(f64, f64, usize) -> f64) -> Vec<f64> {
    let mut lanes = vec![[0.0; LANES]; group.count];
    for_each(level, train, |sample, x| {
        let first = sample * group.size % LANES;
        level.vectorize(
            #[inline(always)]
            || {
                for (at, (lanes, x)) in lanes.iter_mut().zip(x.chunks_exact(group.size)).enumerate() {
                    add_to_lanes(
                        lanes,
                        first,
                        x,
                        #[inline(always)]
                        |sum, x| add(sum, x, at),
                    );
                }
            },
        );
        true
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

/// Adds the values of `x` to the lanes from lane `first` on, around and around.
#[inline(always)]
fn add_to_lanes(lanes: &mut [f64; LANES], first: usize, x: &[f64], add: impl Fn(f64, f64) -> f64) {
    let (head, x) = x.split_at(x.len().min((LANES - first) % LANES));
    let (rounds, tail) = x.as_chunks::<LANES>();
    lanes[first..].iter_mut().zip(head).for_each(|(lane, &x)| *lane = add(*lane, x));
    for x in rounds {
        lanes.iter_mut().zip(x).for_each(|(lane, &x)| *lane = add(*lane, x));
    }
    lanes.iter_mut().zip(tail).for_each(|(lane, &x)| *lane = add(*lane, x));
}
