//! Samples on their way into a network: where they come from, and whether they fit.

use std::ops::Range;

use kernels::{Element, Error};

use super::Network;
use crate::error::misfit;
use crate::loss::Targets;

/// The samples of a batch, when the network needs them: writes samples `range` as [range.len(), inputs].
pub type Gather<'a, T> = &'a (dyn Fn(Range<usize>, &mut [T]) + Sync);

/// Samples with what their outputs should be.
#[derive(Clone, Copy)]
pub struct Examples<'a, T> {
    /// The number of samples.
    pub samples: usize,
    /// Writes them where and when they are needed: on the thread that goes on with them, and into the network's own
    /// memory.
    pub gather: Gather<'a, T>,
    /// One target per sample.
    pub targets: Targets<'a, T>,
}

/// The samples of `x`, [samples, inputs].
pub(super) fn copied_from<T: Element>(x: &[T], inputs: usize) -> impl Fn(Range<usize>, &mut [T]) + Sync {
    move |samples, to| to.copy_from_slice(&x[samples.start * inputs..samples.end * inputs])
}

impl<T: Element> Network<T> {
    /// The number of samples in `x`, if no values are left over; a pass checks whether they are too many.
    pub(super) fn batch_of(&self, x: &[T]) -> Result<usize, Error> {
        self.samples_in(x).ok_or_else(|| self.wrong_batch(format!("{} values", x.len())))
    }

    /// The number of samples in `x`; none if there are values left over.
    fn samples_in(&self, x: &[T]) -> Option<usize> {
        x.len().is_multiple_of(self.input).then(|| x.len() / self.input)
    }

    fn wrong_batch(&self, got: String) -> Error {
        misfit("network", format!("1 to {} samples of {} values", self.max_batch, self.input), got)
    }

    /// Checks that there is memory for the batch, and a target for each of its samples.
    pub(super) fn check(&self, batch: usize, targets: Option<Targets<'_, T>>) -> Result<(), Error> {
        if !(1..=self.max_batch).contains(&batch) {
            return Err(self.wrong_batch(format!("{batch} samples")));
        }
        targets.map_or(Ok(()), |targets| targets.check(batch, self.outputs()))
    }

    /// The number of samples in `x`, at least 1.
    pub(super) fn samples_of(&self, x: &[T]) -> Result<usize, Error> {
        let samples = self.samples_in(x).filter(|&samples| samples > 0);
        samples.ok_or_else(|| self.wrong_samples(format!("{} values", x.len())))
    }

    pub(super) fn wrong_samples(&self, got: String) -> Error {
        let (inputs, outputs) = (self.input, self.outputs());
        let expected = format!("at least 1 sample of {inputs} values, and {outputs} outputs each");
        misfit("predict", expected, got)
    }
}
