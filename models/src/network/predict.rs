//! Evaluation: the network as it answers, without dropout and with the running statistics.

use std::ops::Range;

use kernels::{Error, Exec, reduce};

use super::Network;
use super::step::{Gather, Purpose, rows_of};
use crate::Element;
use crate::layers::Mode;
use crate::loss::{Loss, Targets};

/// What a network makes of samples whose targets are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation<T> {
    /// The mean of the sample losses, summed in f64 in sample order.
    pub loss: f64,
    /// The last layer's output, [samples, outputs].
    pub outputs: Vec<T>,
    /// The class of each sample: the index of the largest output, the first if several. With a single
    /// output, 1 where it reaches the threshold, 0 below: a logit of 0 for cross-entropy, else 0.5.
    pub predictions: Vec<u32>,
}

impl<T: Element> Network<T> {
    /// The last layer's output for any number of samples, in evaluation mode. They are taken in
    /// pieces of the largest planned batch; the bits do not depend on it.
    ///
    /// **Shapes** `x` [samples, inputs], `outputs` [samples, outputs].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn predict(&mut self, exec: Exec, x: &[T], outputs: &mut [T]) -> Result<(), Error> {
        T::predict(self, exec, x, outputs)
    }

    /// Outputs, predictions and mean loss for any number of samples, in evaluation mode.
    ///
    /// **Shapes** `x` [samples, inputs], one target per sample.
    ///
    /// # Errors
    /// If the shapes do not fit or a label is out of range.
    pub fn evaluate(&mut self, exec: Exec, x: &[T], targets: Targets<'_, T>) -> Result<Evaluation<T>, Error> {
        let (samples, gather) = (self.samples_of(x)?, rows_of(x, self.input));
        self.evaluate_from(exec, samples, &gather, targets)
    }

    /// As [`Network::evaluate`], on `samples` samples that `gather` writes where and when they are wanted,
    /// as in [`Network::train_step_from`].
    ///
    /// # Errors
    /// As [`Network::evaluate`].
    pub fn evaluate_from(
        &mut self,
        exec: Exec,
        samples: usize,
        gather: Gather<'_, T>,
        targets: Targets<'_, T>,
    ) -> Result<Evaluation<T>, Error> {
        T::evaluate_from(self, exec, samples, gather, targets)
    }
}

impl<T: kernels::Element> Network<T> {
    pub(super) fn predict_body(&mut self, exec: Exec, x: &[T], outputs: &mut [T]) -> Result<(), Error> {
        let samples = self.samples_of(x)?;
        if outputs.len() != samples * self.outputs() {
            return Err(self.wrong_samples(format!("{} values and {} outputs", x.len(), outputs.len())));
        }
        let gather = rows_of(x, self.input);
        for batch in batches(samples, self.max_batch) {
            self.answer(exec, batch, &gather, Purpose::Answer, outputs)?;
        }
        Ok(())
    }

    pub(super) fn evaluate_body(
        &mut self,
        exec: Exec,
        samples: usize,
        gather: Gather<'_, T>,
        targets: Targets<'_, T>,
    ) -> Result<Evaluation<T>, Error> {
        if samples == 0 {
            return Err(self.wrong_samples("0 samples".to_owned()));
        }
        let width = self.outputs();
        targets.check(samples, width)?;
        let mut outputs = vec![T::ZERO; samples * width];
        let mut loss = 0.0;
        for batch in batches(samples, self.max_batch) {
            let purpose = Purpose::Measure(targets.rows(batch.start, batch.len(), width));
            self.answer(exec, batch, gather, purpose, &mut outputs)?;
            loss = self.losses().iter().fold(loss, |sum, loss| sum + loss.to_f64());
        }
        let predictions = outputs.chunks_exact(width).map(|row| self.class(row)).collect();
        Ok(Evaluation { loss: loss / samples as f64, outputs, predictions })
    }

    /// The class of each sample of the last forward pass, in training too: as in
    /// [`Evaluation::predictions`], but of the outputs as they were, dropout included.
    pub fn answers(&self) -> impl Iterator<Item = u32> {
        let last = self.layers.len().wrapping_sub(1);
        self.activations(last).chunks_exact(self.outputs().max(1)).map(|row| self.class(row))
    }

    /// The class that one sample's outputs stand for, as in [`Evaluation::predictions`].
    fn class(&self, outputs: &[T]) -> u32 {
        if let [output] = *outputs {
            let threshold = if self.loss == Loss::BinaryCrossEntropy { 0.0 } else { 0.5 };
            return u32::from(output >= T::from_f64(threshold));
        }
        reduce::argmax(outputs).unwrap_or(0) as u32
    }

    /// Runs the samples `batch` and copies their outputs.
    fn answer(
        &mut self,
        exec: Exec,
        batch: Range<usize>,
        gather: Gather<'_, T>,
        purpose: Purpose<'_, T>,
        outputs: &mut [T],
    ) -> Result<(), Error> {
        let (first, width) = (batch.start, self.outputs());
        let gather = |part: Range<usize>, x: &mut [T]| gather(first + part.start..first + part.end, x);
        self.pass(exec, batch.len(), &gather, Mode::Evaluation, purpose)?;
        let answer = self.activations(self.layers.len() - 1);
        outputs[batch.start * width..batch.end * width].copy_from_slice(answer);
        Ok(())
    }

    /// The number of samples in `x`, at least 1.
    fn samples_of(&self, x: &[T]) -> Result<usize, Error> {
        if !x.is_empty() && x.len().is_multiple_of(self.input) {
            return Ok(x.len() / self.input);
        }
        Err(self.wrong_samples(format!("{} values", x.len())))
    }

    fn wrong_samples(&self, got: String) -> Error {
        Error::Shape {
            operation: "predict",
            expected: format!(
                "at least 1 sample of {} values, and {} outputs each",
                self.input,
                self.outputs()
            ),
            got,
        }
    }
}

/// The samples in pieces of the largest batch.
fn batches(samples: usize, largest: usize) -> impl Iterator<Item = Range<usize>> {
    (0..samples).step_by(largest).map(move |first| first..samples.min(first + largest))
}
