//! A batch: the samples of some rows gathered side by side, shifted at random where asked.

use kernels::Element;
use models::loss::Targets;
use models::rng::{Purpose, Stream};

use crate::preprocess::Part;

/// The buffers of one batch, filled again and again.
#[derive(Debug)]
pub(super) struct Batch<T> {
    pub(super) x: Vec<T>,
    labels: Vec<u32>,
    values: Vec<T>,
    /// Channels, rows and columns of a sample.
    image: [usize; 3],
    scratch: Vec<T>,
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
    /// Buffers for `size` samples of `shape`.
    pub(super) fn new(shape: &[usize], size: usize) -> Self {
        let image = image_of(shape);
        let width: usize = image.iter().product();
        Self {
            x: Vec::with_capacity(width * size),
            labels: Vec::with_capacity(size),
            values: Vec::with_capacity(size),
            image,
            scratch: vec![T::ZERO; width],
        }
    }

    /// Takes the samples `rows` of `part`.
    pub(super) fn gather(&mut self, part: &Part<T>, rows: &[u32]) {
        let width: usize = self.image.iter().product();
        self.x.clear();
        self.labels.clear();
        self.values.clear();
        for &row in rows {
            let row = row as usize;
            self.x.extend_from_slice(&part.x[row * width..(row + 1) * width]);
            if part.values.is_empty() {
                self.labels.push(part.labels[row]);
            } else {
                self.values.push(part.values[row]);
            }
        }
    }

    /// Shifts each sample by its own random number of rows and columns; the first sample of the batch
    /// stands at position `first` of the shuffled epoch (N16).
    pub(super) fn shift_at_random(&mut self, augmentation: Augmentation, first: usize) {
        let Augmentation { pixels, seed, epoch } = augmentation;
        let width = self.scratch.len();
        for (i, sample) in self.x.chunks_exact_mut(width).enumerate() {
            let position = (first + i) as u64;
            let mut stream = Stream::for_sample(Purpose::Augmentation, seed, 0, epoch, position);
            let mut draw = || stream.below(2 * pixels as u64 + 1) as i64 - pixels as i64;
            // A signal has a single row, which stays where it is.
            let by = if self.image[1] > 1 { [draw(), draw()] } else { [0, draw()] };
            shift(self.image, by, sample, &mut self.scratch);
            sample.copy_from_slice(&self.scratch);
        }
    }

    pub(super) fn targets(&self) -> Targets<'_, T> {
        if self.values.is_empty() { Targets::Labels(&self.labels) } else { Targets::Values(&self.values) }
    }

    pub(super) fn labels(&self) -> &[u32] {
        &self.labels
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
        let x: Vec<f32> = (1..=36).map(|i| i as f32).collect();
        let part = Part { x, labels: vec![0; 4], values: Vec::new(), rows: vec![0, 1, 2, 3] };
        let augmentation = Augmentation { pixels: 2, seed: 1, epoch: 3 };
        let shifted = |rows: &[u32], first| {
            let mut batch = Batch::new(&[1, 3, 3], 4);
            batch.gather(&part, rows);
            batch.shift_at_random(augmentation, first);
            batch.x
        };
        let whole = shifted(&[0, 1, 2, 3], 0);
        assert_eq!(whole[18..], shifted(&[2, 3], 2));
    }
}
