//! Training, validation and test parts.
//!
//! A random part is the beginning of a random order of the samples, drawn from the split's own
//! seed; both sides keep the order of the data, so that "no shuffle" has a meaning.

use models::rng::{Purpose, Stream};

use super::DataError;
use crate::spec::{DatasetSpec, Share, Split};

/// The streams of one split seed.
const TEST: u64 = 0;
const VALIDATION: u64 = 1;
const FEWER: u64 = 2;

/// Training, validation and test samples.
pub(super) struct Parts {
    pub(super) train: Vec<u32>,
    pub(super) validation: Vec<u32>,
    pub(super) test: Vec<u32>,
}

/// Splits `samples` (indices in order); `given_test` are those of the set's own test part.
pub(super) fn split(
    spec: &DatasetSpec,
    name: &str,
    samples: &[u32],
    given_test: &[u32],
) -> Result<Parts, DataError> {
    let total = samples.len();
    let (train, test) = match spec.split {
        Split::Given => samples.iter().partition(|sample| given_test.binary_search(sample).is_err()),
        Split::First(first) => {
            check(name, "dataset.split.first", first, total, false)?;
            some(name, "dataset.split.first", total - first)?;
            (samples[..first].to_vec(), samples[first..].to_vec())
        }
        Split::Test(share) => {
            let count = counted(name, "dataset.split.test", share, total)?;
            some(name, "dataset.split.test", count)?;
            draw(samples, spec.split_seed, TEST, 0..count)
        }
        Split::Fold { folds, fold } => {
            check(name, "dataset.split.folds", folds, total, false)?;
            draw(samples, spec.split_seed, TEST, total * fold / folds..total * (fold + 1) / folds)
        }
    };
    let count = counted(name, "dataset.validation", spec.validation, train.len())?;
    if spec.validation != Share::Count(0) {
        some(name, "dataset.validation", count)?;
    }
    let (mut train, validation) = draw(&train, spec.split_seed, VALIDATION, 0..count);
    if let Some(fewer) = spec.train {
        check(name, "dataset.train", fewer, train.len(), false)?;
        (_, train) = draw(&train, spec.split_seed, FEWER, 0..fewer);
    }
    if train.is_empty() {
        return Err(DataError::new(
            name,
            "the split leaves no sample for training",
            "make the other parts smaller",
        ));
    }
    Ok(Parts { train, validation, test })
}

fn counted(name: &str, key: &str, share: Share, total: usize) -> Result<usize, DataError> {
    let count = share.of(total);
    check(name, key, count, total, true)?;
    Ok(count)
}

/// A part that was asked for has a sample.
fn some(name: &str, key: &str, count: usize) -> Result<(), DataError> {
    if count > 0 {
        return Ok(());
    }
    let reason = format!("`{key}` asks for a part of the samples, but none is left for it");
    Err(DataError::new(name, reason, "make the part larger, or remove the key"))
}

/// A `part` is put aside: it may be written as a share, and has to leave samples for training.
fn check(name: &str, key: &str, count: usize, total: usize, part: bool) -> Result<(), DataError> {
    if count <= total {
        return Ok(());
    }
    let reason = format!("`{key}` asks for {count} samples, but only {total} are there to split");
    let fix = match part {
        true => format!("write a number below {total}, or a part as 0.2"),
        false => format!("write a number up to {total}"),
    };
    Err(DataError::new(name, reason, fix))
}

/// The samples outside and inside the places `range` of a random order, each in the order of the data.
fn draw(samples: &[u32], seed: u64, stream: u64, range: std::ops::Range<usize>) -> (Vec<u32>, Vec<u32>) {
    let order = Stream::new(Purpose::Split, seed, stream).permutation(samples.len() as u32);
    let mut inside = vec![false; samples.len()];
    for &at in &order[range] {
        inside[at as usize] = true;
    }
    let side = |wanted: bool| {
        samples.iter().zip(&inside).filter(|(_, is)| **is == wanted).map(|(sample, _)| *sample).collect()
    };
    (side(false), side(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_disjoint_and_cover_everything() {
        let samples: Vec<u32> = (0..208).collect();
        let mut seen = Vec::new();
        for fold in 0..13 {
            let (outside, inside) = draw(&samples, 0, TEST, 208 * fold / 13..208 * (fold + 1) / 13);
            assert_eq!((outside.len(), inside.len()), (192, 16));
            seen.extend(inside);
        }
        seen.sort_unstable();
        assert_eq!(seen, samples);
    }

    #[test]
    fn fewer_training_samples_are_nested() {
        let samples: Vec<u32> = (0..100).collect();
        let (_, ten) = draw(&samples, 3, FEWER, 0..10);
        let (_, twenty) = draw(&samples, 3, FEWER, 0..20);
        assert!(ten.iter().all(|sample| twenty.contains(sample)));
    }
}
