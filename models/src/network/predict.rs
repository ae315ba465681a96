//! Evaluation: the network as it answers, without dropout and with the running statistics.

use std::ops::Range;

use kernels::{Element, Error, Exec, reduce};

use super::Network;
use super::step::{Purpose, rows_of};
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
        let samples = self.check_samples(x, outputs.len())?;
        for first in (0..samples).step_by(self.max_batch) {
            let batch = self.max_batch.min(samples - first);
            self.answer(exec, x, first..first + batch, Purpose::Answer, outputs)?;
        }
        Ok(())
    }

    /// Outputs, predictions and mean loss for any number of samples, in evaluation mode.
    ///
    /// **Shapes** `x` [samples, inputs], one target per sample.
    ///
    /// # Errors
    /// If the shapes do not fit or a label is out of range.
    pub fn evaluate(&mut self, exec: Exec, x: &[T], targets: Targets<'_, T>) -> Result<Evaluation<T>, Error> {
        let width = self.outputs();
        let mut outputs = vec![T::ZERO; x.len() / self.input * width];
        let samples = self.check_samples(x, outputs.len())?;
        targets.check(samples, width)?;
        let mut loss = 0.0;
        for first in (0..samples).step_by(self.max_batch) {
            let batch = self.max_batch.min(samples - first);
            let purpose = Purpose::Measure(targets.rows(first, batch, width));
            self.answer(exec, x, first..first + batch, purpose, &mut outputs)?;
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

    /// Runs the samples `samples` and copies their outputs.
    fn answer(
        &mut self,
        exec: Exec,
        x: &[T],
        samples: Range<usize>,
        purpose: Purpose<'_, T>,
        outputs: &mut [T],
    ) -> Result<(), Error> {
        let (inputs, width) = (self.input, self.outputs());
        let gather = rows_of(&x[samples.start * inputs..samples.end * inputs], inputs);
        self.pass(exec, samples.len(), &gather, Mode::Evaluation, purpose)?;
        let answer = self.activations(self.layers.len() - 1);
        outputs[samples.start * width..samples.end * width].copy_from_slice(answer);
        Ok(())
    }

    fn check_samples(&self, x: &[T], outputs: usize) -> Result<usize, Error> {
        let samples = x.len() / self.input;
        if samples > 0 && samples * self.input == x.len() && samples * self.outputs() == outputs {
            return Ok(samples);
        }
        Err(Error::Shape {
            operation: "predict",
            expected: format!(
                "at least 1 sample of {} values, and {} outputs each",
                self.input,
                self.outputs()
            ),
            got: format!("{} values and {outputs} outputs", x.len()),
        })
    }
}
