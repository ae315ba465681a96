//! Forward, backward, and the step that learns. Nothing here allocates.

use kernels::{Element, Error, Exec};

use super::memory::Place;
use super::{Network, Position};
use crate::layers::{Backward, Forward, Mode, Pass};
use crate::loss::{Operands, Targets};
use crate::optimizer::Optimizer;

impl<T: Element> Network<T> {
    /// One step of learning on a batch: forward, backward, update. Returns the sum of the sample
    /// losses, in f64 and in sample order. It allocates nothing.
    ///
    /// A sum that is not finite is the trial's end (N8): the parameters stay as they were.
    ///
    /// **Shapes** `x` [batch, inputs], 1 <= batch <= the largest planned.
    ///
    /// # Errors
    /// If the shapes do not fit, a label is out of range, or batch normalisation gets one value.
    pub fn train_step(
        &mut self,
        exec: Exec,
        x: &[T],
        targets: Targets<'_, T>,
        optimizer: &mut Optimizer<T>,
        at: Position,
    ) -> Result<f64, Error> {
        let loss = self.forward_backward(exec, x, targets, at)?;
        if loss.is_finite() {
            let gradients = self.gradients.as_slice();
            optimizer.step(exec.level, at.epoch, self.parameters.as_mut_slice(), gradients);
        }
        Ok(loss)
    }

    /// Forward and backward in training mode, without the update: leaves [`Network::gradients`],
    /// [`Network::activations`] and [`Network::deltas`]. Returns the sum of the sample losses, n J.
    ///
    /// # Errors
    /// As [`Network::train_step`].
    pub fn forward_backward(
        &mut self,
        exec: Exec,
        x: &[T],
        targets: Targets<'_, T>,
        at: Position,
    ) -> Result<f64, Error> {
        let batch = self.batch_of(x)?;
        let pass = Pass { exec, batch, mode: Mode::Training(at) };
        self.forward(&pass, x)?;
        let loss = self.measure(&pass, targets)?;
        if loss.is_finite() {
            self.backward(&pass, x)?;
        }
        Ok(loss)
    }

    /// The number of samples in `x`.
    fn batch_of(&self, x: &[T]) -> Result<usize, Error> {
        let batch = x.len() / self.input;
        if x.len().is_multiple_of(self.input) && (1..=self.max_batch).contains(&batch) {
            return Ok(batch);
        }
        Err(Error::Shape {
            operation: "network",
            expected: format!("1 to {} samples of {} values", self.max_batch, self.input),
            got: format!("{} values", x.len()),
        })
    }

    /// Layer after layer, from the input to the last output.
    pub(super) fn forward(&mut self, pass: &Pass, x: &[T]) -> Result<(), Error> {
        self.rows = pass.batch;
        let parameters = self.parameters.as_slice();
        let scratch = self.scratch.as_mut_slice();
        for (layer, block) in self.layers.iter_mut().zip(&self.plan.blocks) {
            let Place::Arena(to) = block.to else { continue };
            if block.from == block.to {
                continue;
            }
            let (below, above) = self.activations.as_mut_slice().split_at_mut(to);
            let x = match block.from {
                Place::Input => x,
                Place::Arena(from) => &below[from..from + pass.batch * block.inputs],
            };
            layer.forward(
                pass,
                Forward {
                    x,
                    parameters: &parameters[block.parameters.clone()],
                    statistics: &mut self.statistics[block.statistics.clone()],
                    y: &mut above[..pass.batch * block.outputs],
                    scratch,
                },
            )?;
        }
        Ok(())
    }

    /// The loss of the last output, and its gradient into the last block of the deltas.
    pub(super) fn measure(&mut self, pass: &Pass, targets: Targets<'_, T>) -> Result<f64, Error> {
        let outputs = self.outputs();
        targets.check(pass.batch, outputs)?;
        let Some(Place::Arena(start)) = self.plan.blocks.last().map(|block| block.to) else {
            return Ok(0.0);
        };
        let last = start..start + pass.batch * outputs;
        let losses = &mut self.losses[..pass.batch];
        let operands = Operands {
            outputs,
            a: &self.activations.as_slice()[last.clone()],
            targets,
            losses: &mut *losses,
            grad_a: &mut self.deltas.as_mut_slice()[last],
            scratch: self.scratch.as_mut_slice(),
        };
        self.loss.forward_backward(pass.exec, operands)?;
        Ok(losses.iter().fold(0.0, |sum, loss| sum + loss.to_f64()))
    }

    /// Layer after layer, from the last delta down to the first layer that learns.
    fn backward(&mut self, pass: &Pass, x: &[T]) -> Result<(), Error> {
        let first = self.plan.first_learning;
        let parameters = self.parameters.as_slice();
        let gradients = self.gradients.as_mut_slice();
        let activations = self.activations.as_slice();
        let scratch = self.scratch.as_mut_slice();
        let layers = self.layers.iter_mut().zip(&self.plan.blocks).enumerate();
        for (index, (layer, block)) in layers.skip(first).rev() {
            let Place::Arena(to) = block.to else { continue };
            if block.from == block.to {
                continue;
            }
            let (below, above) = self.deltas.as_mut_slice().split_at_mut(to);
            let (inputs, outputs) = (pass.batch * block.inputs, pass.batch * block.outputs);
            let (x, grad_x) = match block.from {
                Place::Input => (x, None),
                Place::Arena(from) => {
                    let grad_x = (index > first).then(|| &mut below[from..from + inputs]);
                    (&activations[from..from + inputs], grad_x)
                }
            };
            layer.backward(
                pass,
                Backward {
                    x,
                    y: &activations[to..to + outputs],
                    parameters: &parameters[block.parameters.clone()],
                    grad_y: &above[..outputs],
                    grad_parameters: &mut gradients[block.parameters.clone()],
                    grad_x,
                    scratch,
                },
            )?;
        }
        Ok(())
    }
}
