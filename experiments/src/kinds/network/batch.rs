//! A batch: what is to be predicted of some rows; and pictures that are shifted on their way into one.

use std::ops::Range;

use kernels::Element;
use models::loss::Targets;
use models::rng::{Purpose, Stream};

use crate::preprocess::Part;

/// The targets of one batch, filled again and again.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    labels: Vec<u32>,
    values: Vec<T>,
}

/// Random shifts of one epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Augmentation {
    /// Up to so many pixels in each direction.
    pub(super) pixels: usize,
    pub(super) seed: u64,
    /// From 0.
    pub(super) epoch: u32,
}

impl<T: Element> Batch<T> {
    /// Room for `size` samples.
    pub(crate) fn new(size: usize) -> Self {
        Self { labels: Vec::with_capacity(size), values: Vec::with_capacity(size) }
    }

    /// Takes the targets of the samples `rows` of `part`.
    pub(crate) fn take(&mut self, part: &Part<T>, rows: &[u32]) {
        self.labels.clear();
        self.values.clear();
        if part.values.is_empty() {
            self.labels.extend(rows.iter().map(|&row| part.labels[row as usize]));
        } else {
            self.values.extend(rows.iter().map(|&row| part.values[row as usize]));
        }
    }

    pub(crate) fn targets(&self) -> Targets<'_, T> {
        if self.values.is_empty() { Targets::Labels(&self.labels) } else { Targets::Values(&self.values) }
    }

    pub(super) fn labels(&self) -> &[u32] {
        &self.labels
    }
}

impl Augmentation {
    /// How many rows and columns the sample at `position` of the shuffled epoch is shifted by (N16).
    pub(super) fn shift(self, [_, rows, _]: [usize; 3], position: usize) -> [i64; 2] {
        let Self { pixels, seed, epoch } = self;
        let mut stream = Stream::for_sample(Purpose::Augmentation, seed, 0, epoch, position as u64);
        let mut draw = || stream.below(2 * pixels as u64 + 1) as i64 - pixels as i64;
        // A signal has a single row, which stays where it is.
        if rows > 1 { [draw(), draw()] } else { [0, draw()] }
    }
}

/// What `gather` writes, with each picture shifted by its own `by(i)`.
pub(super) fn shifted<'a, T: Element>(
    image: [usize; 3],
    gather: impl Fn(Range<usize>, &mut [T]) + Sync + 'a,
    by: impl Fn(usize) -> [i64; 2] + Sync + 'a,
) -> impl Fn(Range<usize>, &mut [T]) + Sync + 'a {
    let width: usize = image.iter().product();
    move |batch, x| {
        gather(batch.clone(), x);
        let mut original = vec![T::ZERO; width];
        for (i, sample) in batch.zip(x.chunks_exact_mut(width)) {
            original.copy_from_slice(sample);
            shift(image, by(i), &original, sample);
        }
    }
}

/// What is to be predicted for all samples of a part.
pub(super) fn targets<T>(part: &Part<T>) -> Targets<'_, T> {
    if part.values.is_empty() { Targets::Labels(&part.labels) } else { Targets::Values(&part.values) }
}

/// A sample's shape as channels, rows and columns: a signal has one row, a list of features one of each.
pub(super) fn image_of(shape: &[usize]) -> [usize; 3] {
    match *shape {
        [c, h, w] => [c, h, w],
        [c, length] => [c, 1, length],
        _ => [1, 1, shape.iter().product()],
    }
}

/// `shifted` is `sample` moved down and to the right by `by` (negative: up, left); what comes in is +0.0.
pub(in crate::kinds) fn shift<T: Element>(
    [c, h, w]: [usize; 3],
    by: [i64; 2],
    sample: &[T],
    shifted: &mut [T],
) {
    shifted.fill(T::ZERO);
    let source = |to: usize, by: i64, len: usize| {
        let from = to as i64 - by;
        (0..len as i64).contains(&from).then_some(from as usize)
    };
    for channel in 0..c {
        for row in 0..h {
            let Some(from_row) = source(row, by[0], h) else { continue };
            let (to, from) = ((channel * h + row) * w, (channel * h + from_row) * w);
            for column in 0..w {
                if let Some(from_column) = source(column, by[1], w) {
                    shifted[to + column] = sample[from + from_column];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_brings_zeros_in() {
        let image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut shifted = [9.0; 6];
        shift([1, 2, 3], [0, 1], &image, &mut shifted);
        assert_eq!(shifted, [0.0, 1.0, 2.0, 0.0, 4.0, 5.0]);
        shift([1, 2, 3], [-1, 0], &image, &mut shifted);
        assert_eq!(shifted, [4.0, 5.0, 6.0, 0.0, 0.0, 0.0]);
        shift([2, 1, 3], [0, -7], &image, &mut shifted);
        assert_eq!(shifted, [0.0; 6]);
    }

    #[test]
    fn a_samples_shift_does_not_depend_on_its_batch() {
        let image = [1, 3, 3];
        let numbers = |batch: Range<usize>, x: &mut [f32]| {
            (9 * batch.start..).zip(x).for_each(|(i, x)| *x = (i + 1) as f32);
        };
        let augmentation = Augmentation { pixels: 2, seed: 1, epoch: 3 };
        let gather = shifted(image, numbers, |i| augmentation.shift(image, i));
        let (mut whole, mut end) = ([0.0; 36], [0.0; 18]);
        gather(0..4, &mut whole);
        gather(2..4, &mut end);
        assert_eq!(whole[18..], end);
        let mut unmoved = [0.0; 36];
        numbers(0..4, &mut unmoved);
        assert_ne!(whole, unmoved);
    }
}
