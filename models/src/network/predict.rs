//! Evaluation: the network as it predicts, without dropout and with the running statistics.

use std::ops::Range;

use kernels::{Element, Error, Exec, reduce};

use super::examples::{Examples, Gather, copied_from};
use super::{Network, NetworkElement};
use crate::layers::Pass;
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

impl<T> Evaluation<T> {
    /// The fraction of the predictions that are the label; NaN of no labels.
    ///
    /// ```
    /// use models::network::Evaluation;
    /// let evaluation = Evaluation { loss: 0.0, outputs: vec![0.0; 4], predictions: vec![0, 1, 1, 0] };
    /// assert_eq!(evaluation.accuracy(&[0, 1, 0, 0]), 0.75);
    /// ```
    pub fn accuracy(&self, labels: &[u32]) -> f64 {
        let right = self.predictions.iter().zip(labels).filter(|(prediction, label)| prediction == label);
        right.count() as f64 / labels.len() as f64
    }
}

impl<T: NetworkElement> Network<T> {
    /// The last layer's output for any number of samples, in evaluation mode. They are taken in
    /// batches of the largest planned size; the bits do not depend on it.
    ///
    /// # Shapes
    /// `x` [samples, inputs], `outputs` [samples, outputs].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn predict(&mut self, exec: Exec, x: &[T], outputs: &mut [T]) -> Result<(), Error> {
        let samples = self.samples_of(x)?;
        if outputs.len() != samples * self.outputs() {
            return Err(self.wrong_samples(format!("{} values and {} outputs", x.len(), outputs.len())));
        }
        self.predict_batches(exec, samples, &copied_from(x, self.input), None, outputs).map(drop)
    }

    /// Outputs, predictions and mean loss for any number of samples, in evaluation mode.
    ///
    /// # Shapes
    /// `x` [samples, inputs], one target per sample.
    ///
    /// # Errors
    /// If the shapes do not fit or a label is out of range.
    pub fn evaluate(&mut self, exec: Exec, x: &[T], targets: Targets<'_, T>) -> Result<Evaluation<T>, Error> {
        let (samples, gather) = (self.samples_of(x)?, copied_from(x, self.input));
        self.evaluate_from(exec, Examples { samples, gather: &gather, targets })
    }

    /// As [`Network::evaluate`], on samples that are written where and when they are needed.
    ///
    /// # Errors
    /// As [`Network::evaluate`].
    pub fn evaluate_from(&mut self, exec: Exec, examples: Examples<'_, T>) -> Result<Evaluation<T>, Error> {
        let Examples { samples, gather, targets } = examples;
        if samples == 0 {
            return Err(self.wrong_samples("0 samples".to_owned()));
        }
        let width = self.outputs();
        targets.check(samples, width)?;
        let mut outputs = vec![T::ZERO; samples * width];
        let loss = self.predict_batches(exec, samples, gather, Some(targets), &mut outputs)?;
        let predictions = outputs.chunks_exact(width).map(|row| self.class(row)).collect();
        Ok(Evaluation { loss: loss / samples as f64, outputs, predictions })
    }

    /// Writes the outputs of all samples, in batches of the largest size. Returns the sum of their losses, where there
    /// are targets.
    fn predict_batches(
        &mut self,
        exec: Exec,
        samples: usize,
        gather: Gather<'_, T>,
        targets: Option<Targets<'_, T>>,
        outputs: &mut [T],
    ) -> Result<f64, Error> {
        let (width, mut sum) = (self.outputs(), 0.0);
        for first in (0..samples).step_by(self.max_batch) {
            let batch = self.max_batch.min(samples - first);
            let targets = targets.map(|targets| targets.rows(first, batch, width));
            let gather = |part: Range<usize>, x: &mut [T]| gather(first + part.start..first + part.end, x);
            T::pass(self, Pass { exec, batch, training: None }, &gather, targets, false)?;
            let predicted = self.activations(self.layers.len() - 1);
            outputs[first * width..][..predicted.len()].copy_from_slice(predicted);
            sum = self.losses().iter().fold(sum, |sum, loss| sum + loss.to_f64());
        }
        Ok(sum)
    }
}

impl<T: Element> Network<T> {
    /// The class of each sample of the last forward pass, in training too: as in
    /// [`Evaluation::predictions`], but of the outputs as they were, dropout included.
    pub fn answers(&self) -> impl Iterator<Item = u32> {
        let last = self.layers.len().wrapping_sub(1);
        self.activations(last).chunks_exact(self.outputs().max(1)).map(|row| self.class(row))
    }

    /// The class that one sample's outputs mean, as in [`Evaluation::predictions`].
    fn class(&self, outputs: &[T]) -> u32 {
        if let [output] = *outputs {
            let threshold = if self.loss == Loss::BinaryCrossEntropy { 0.0 } else { 0.5 };
            return u32::from(output >= T::from_f64(threshold));
        }
        reduce::argmax(outputs).unwrap_or(0) as u32
    }
}
