//! The cost of a batch and its gradient. Slide "La fonction de coût".
//!
//! Both of the slide's hypotheses hold for each: J is a mean over samples, and a function of the
//! last layer's output alone.

use kernels::softmax::{self, CrossEntropy};
use kernels::{Element, Error, Exec, reduce, vectorized};

use crate::error::misfit;

/// The cost J of a batch of n samples, a function of the last layer's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// J = 1/(2n) sum_i |y_i - a_i|^2 on the output a, the slide's cost.
    Quadratic,
    /// J = -1/n sum_i sum_j (y_ij ln p_ij + (1 - y_ij) ln(1 - p_ij)) with p = sigmoid(z): the last
    /// layer gives the logits z, without a sigmoid of its own. The sum runs over the outputs, as in
    /// Nielsen's chapter 3; PyTorch divides by their number.
    BinaryCrossEntropy,
    /// J = -1/n sum_i ln `p_i[label_i]` with p = softmax(z): the last layer gives the logits z, without
    /// a softmax of its own.
    SoftmaxCrossEntropy,
}

/// What the outputs should be.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a, T> {
    /// One class per sample. Where a loss needs values, the target is 1 at the class and 0 elsewhere;
    /// with a single output it is the label itself, 0 or 1.
    Labels(&'a [u32]),
    /// [batch, outputs], row-major.
    Values(&'a [T]),
}

impl<'a, T> Targets<'a, T> {
    /// The targets of the samples from `first` on, `batch` of them.
    pub(crate) fn rows(self, first: usize, batch: usize, outputs: usize) -> Self {
        match self {
            Self::Labels(labels) => Self::Labels(&labels[first..first + batch]),
            Self::Values(values) => Self::Values(&values[first * outputs..(first + batch) * outputs]),
        }
    }

    /// Checks that there is one target for each of `batch` samples, and that labels name a class. Parts of a batch
    /// do not know a sample's row in it.
    pub(crate) fn check(self, batch: usize, outputs: usize) -> Result<(), Error> {
        let (expected, got) = match self {
            Self::Labels(labels) => (batch, labels.len()),
            Self::Values(values) => (batch * outputs, values.len()),
        };
        if expected == got {
            return self.check_labels(outputs);
        }
        let expected = format!("{expected} targets for {batch} samples of {outputs} outputs");
        Err(misfit("loss", expected, got.to_string()))
    }

    fn check_labels(self, outputs: usize) -> Result<(), Error> {
        let Self::Labels(labels) = self else { return Ok(()) };
        let classes = if outputs == 1 { 2 } else { outputs };
        let Some(row) = labels.iter().position(|&label| label as usize >= classes) else { return Ok(()) };
        Err(misfit("loss", format!("labels below {classes}"), format!("label {} in row {row}", labels[row])))
    }
}

/// Where a loss finds and leaves its values.
#[derive(Debug)]
pub(crate) struct Operands<'a, T> {
    pub(crate) outputs: usize,
    /// Samples of the whole batch, of which these may be some: J is the mean over all.
    pub(crate) batch: usize,
    /// The last layer's output, [samples, outputs].
    pub(crate) a: &'a [T],
    pub(crate) targets: Targets<'a, T>,
    /// The loss of each sample, [samples].
    pub(crate) losses: &'a mut [T],
    /// dJ/da, [samples, outputs].
    pub(crate) grad_a: &'a mut [T],
    /// At least [`Loss::scratch_len`] elements.
    pub(crate) scratch: &'a mut [T],
}

impl Loss {
    /// Elements of scratch for `batch` samples.
    pub(crate) fn scratch_len(self, batch: usize, outputs: usize) -> usize {
        match self {
            Self::Quadratic => batch * outputs,
            Self::BinaryCrossEntropy => 2 * batch * outputs,
            Self::SoftmaxCrossEntropy => 0,
        }
    }

    /// Writes the loss of each sample and dJ/da for J their mean.
    pub(crate) fn forward_backward<T: Element>(self, exec: Exec, o: Operands<'_, T>) -> Result<(), Error> {
        let r = T::ONE / T::from_f64(o.batch as f64);
        match self {
            Self::SoftmaxCrossEntropy => {
                let Targets::Labels(labels) = o.targets else {
                    return Err(misfit("softmax cross-entropy", "one label per sample", "values"));
                };
                let rows = CrossEntropy { x: o.a, labels, r, losses: o.losses, grad: o.grad_a };
                softmax::cross_entropy(exec, o.outputs, rows)
            }
            Self::BinaryCrossEntropy => {
                let (one_hot, element_losses) = o.scratch.split_at_mut(o.a.len());
                let element_losses = &mut element_losses[..o.a.len()];
                let y = as_values(o.targets, o.outputs, one_hot);
                softmax::binary_cross_entropy(exec, o.a, y, r, element_losses, o.grad_a)?;
                for (loss, row) in o.losses.iter_mut().zip(element_losses.chunks_exact(o.outputs)) {
                    *loss = reduce::sum(exec, row);
                }
                Ok(())
            }
            Self::Quadratic => {
                let y = as_values(o.targets, o.outputs, o.scratch);
                // J = r/2 sum (a - y)^2, so dJ/da = r (a - y); the difference is measured in between.
                let terms = o.grad_a.iter_mut().zip(o.a.iter().zip(y));
                vectorized!(exec.level, terms.for_each(|(d, (&a, &y))| *d = a - y));
                let half = T::from_f64(0.5);
                for (loss, row) in o.losses.iter_mut().zip(o.grad_a.chunks_exact(o.outputs)) {
                    *loss = half * reduce::sum_of_squares(exec, row);
                }
                vectorized!(exec.level, o.grad_a.iter_mut().for_each(|value| *value = r * *value));
                Ok(())
            }
        }
    }
}

/// The targets as values: labels, checked before, become rows with a single 1.
fn as_values<'a, T: Element>(targets: Targets<'a, T>, outputs: usize, one_hot: &'a mut [T]) -> &'a [T] {
    let labels = match targets {
        Targets::Values(values) => return values,
        Targets::Labels(labels) => labels,
    };
    let one_hot = &mut one_hot[..labels.len() * outputs];
    one_hot.fill(T::ZERO);
    for (sample, &label) in labels.iter().enumerate() {
        match outputs {
            1 => one_hot[sample] = T::from_f64(f64::from(label)),
            _ => one_hot[sample * outputs + label as usize] = T::ONE,
        }
    }
    one_hot
}
