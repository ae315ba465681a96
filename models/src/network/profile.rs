//! A training step taken apart: each pass of each layer by itself, for a caller who has a clock.
//!
//! The step goes through several layers with a micro-batch before the next one; here every layer takes the whole batch
//! before the next layer, in the same micro-batches and by the step's own functions.

use kernels::{Element, Error, Exec, Level};

use super::examples::Examples;
use super::part::{Batch, SamplePart, layer_of};
use super::{Network, NetworkElement, Position};
use crate::layers::{Layer, Pass};
use crate::loss::Targets;
use crate::optimizer::{Moments, Optimizer};

/// The step to be taken apart, on one thread.
#[derive(Clone, Copy)]
pub struct ProfiledStep<'a, T> {
    /// The instruction set.
    pub level: Level,
    /// The samples of the batch.
    pub examples: Examples<'a, T>,
    /// The rule of the update, which stays as it is.
    pub optimizer: &'a Optimizer<T>,
    /// Where the step is in the run: what dropout depends on.
    pub at: Position,
}

/// A stage of a training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The samples, written into the network's memory.
    Gather,
    /// y of a layer.
    Forward,
    /// The losses, and dJ/da of the last output.
    Loss,
    /// dJ/dx of a layer.
    InputGradient,
    /// dJ/dw of a layer.
    WeightGradient,
    /// dJ/dx and dJ/dw together, of a layer that needs the whole batch for both.
    Gradients,
    /// The update of all parameters.
    Update,
}

impl Stage {
    /// The name in tables, as `input-gradient`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gather => "gather",
            Self::Forward => "forward",
            Self::Loss => "loss",
            Self::InputGradient => "input-gradient",
            Self::WeightGradient => "weight-gradient",
            Self::Gradients => "gradients",
            Self::Update => "update",
        }
    }
}

/// What a stage of a step amounts to, for the whole batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// The layer's index; none for what belongs to the network as a whole.
    pub layer: Option<usize>,
    /// Which stage.
    pub stage: Stage,
    /// Multiplications and additions of the products: batch times [`super::LayerSummary::flops`] for each of the three
    /// passes of a layer. Where there are no products, one operation for each value written; for the gather 0.
    pub flops: u64,
    /// Bytes that are read or written at least, each array once:
    ///
    /// | stage | read | written |
    /// |---|---|---|
    /// | gather | what the caller's function reads, not counted | x |
    /// | forward | x, parameters | y, what is kept (masks, places of maxima) |
    /// | loss | the last output, targets | losses, dJ/da |
    /// | input gradient | dJ/dy, parameters, what is kept; x or y where the derivative depends on it | dJ/dx |
    /// | weight gradient | x, dJ/dy | dJ/dw |
    /// | gradients | dJ/dy, x, parameters | dJ/dw; dJ/dx where a layer below learns |
    /// | update | dJ/dw, parameters, what the rule remembers | parameters, what the rule remembers |
    pub bytes: u64,
}

/// Called once per stage with a function that runs it; call it at least once, because later stages need its result.
pub type Observe<'a> = &'a mut dyn FnMut(&Work, &mut dyn FnMut() -> Result<(), Error>) -> Result<(), Error>;

impl<T: NetworkElement> Network<T> {
    /// Takes a training step apart: gather, every layer forward, loss, every layer's gradients from the last to the
    /// first that learns, update. Layers that only reshape do nothing and are left out, and so is a ReLU that the
    /// max-pooling above it does with its own work.
    ///
    /// Parameters, running statistics and the optimiser are afterwards what they were;
    /// [`Network::gradients`] holds dJ/dparameters.
    ///
    /// # Errors
    /// As [`Network::train_step`], and whatever `observe` returns.
    ///
    /// # Panics
    /// If the optimiser was made for another number of parameters.
    ///
    /// ```
    /// use kernels::Level;
    /// use models::loss::{Loss, Targets};
    /// use models::network::{Examples, LayerSpec, Network, Position, ProfiledStep};
    /// use models::optimizer::{Optimizer, OptimizerSpec};
    ///
    /// let mut network = Network::<f32>::new(&[3], &[LayerSpec::dense(2)], Loss::Quadratic, 4)?;
    /// let optimizer = Optimizer::new(OptimizerSpec::sgd(1.0), network.parameters().len())?;
    /// let (gather, targets) = (|_, x: &mut [f32]| x.fill(1.0), Targets::Labels(&[0, 1, 0, 1]));
    /// let (level, at) = (Level::best(), Position::default());
    /// let examples = Examples { samples: 4, gather: &gather, targets };
    /// let step = ProfiledStep { level, examples, optimizer: &optimizer, at };
    /// let mut stages = Vec::new();
    /// network.profile(step, &mut |work, run| {
    ///     stages.push((work.stage.name(), work.flops));
    ///     run()
    /// })?;
    /// // 2 x 4 samples x 3 inputs x 2 units; one operation for each of 4 x 2 outputs and 8 parameters.
    /// let by_hand = [("gather", 0), ("forward", 48), ("loss", 8), ("weight-gradient", 48), ("update", 8)];
    /// assert_eq!(stages, by_hand);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn profile(&mut self, step: ProfiledStep<'_, T>, observe: Observe<'_>) -> Result<(), Error> {
        self.check(step.examples.samples, Some(step.examples.targets))?;
        let (parameters, statistics) = (self.parameters().to_vec(), self.statistics().to_vec());
        let profiled = T::stages(self, &step, observe);
        self.parameters_mut().copy_from_slice(&parameters);
        self.statistics_mut().copy_from_slice(&statistics);
        profiled
    }
}

impl<T: Element> Network<T> {
    pub(super) fn stages(&mut self, step: &ProfiledStep<'_, T>, observe: Observe<'_>) -> Result<(), Error> {
        let (exec, batch) = (Exec::serial(step.level), step.examples.samples);
        let pass = Pass { exec, batch, training: Some(step.at) };
        self.rows = batch;
        let mut optimizer = step.optimizer.clone();
        let runs = |&layer: &usize| layer_of(&self.layers, &self.fused, layer).is_some();
        let layers: Vec<usize> = (0..self.layers.len()).filter(runs).collect();
        let first_learning = self.plan.first_learning;

        observe(&self.of_network(Stage::Gather, step), &mut || {
            let (_, mut part) = self.as_one_part(pass, true, false);
            (step.examples.gather)(part.samples(), part.input());
            Ok(())
        })?;
        for &layer in &layers {
            observe(&self.of_layer(layer, Stage::Forward, batch), &mut || {
                self.barrier_forward(pass, layer)?;
                self.layer_alone(pass, layer, |batch, part| batch.layer_forward(layer, part))
            })?;
        }
        observe(&self.of_network(Stage::Loss, step), &mut || {
            let (batch, mut part) = self.as_one_part(pass, true, false);
            batch.measure(&mut part, step.examples.targets)
        })?;
        for &layer in layers.iter().rev().take_while(|&&layer| layer >= first_learning) {
            self.gradient_stages(pass, layer, observe)?;
        }
        if self.plan.parameters == 0 {
            return Ok(());
        }
        observe(&self.of_network(Stage::Update, step), &mut || {
            let (parameters, gradients) = (self.parameters.as_mut_slice(), self.gradients.as_slice());
            optimizer.step(step.level, step.at.epoch, parameters, gradients);
            Ok(())
        })
    }

    /// The stages of a layer on the way down.
    fn gradient_stages(&mut self, pass: Pass, layer: usize, observe: Observe<'_>) -> Result<(), Error> {
        if self.layers[layer].is_barrier() {
            return observe(&self.of_layer(layer, Stage::Gradients, pass.batch), &mut || {
                self.barrier_backward(pass, layer);
                Ok(())
            });
        }
        if !self.plan.layouts[layer].parameters.is_empty() {
            observe(&self.of_layer(layer, Stage::WeightGradient, pass.batch), &mut || {
                let needs = [false, true];
                self.layer_alone(pass, layer, |batch, part| batch.layer_backward(layer, part, needs))?;
                self.learn(pass, layer..layer + 1, None, Moments::default())
            })?;
        }
        if layer == self.plan.first_learning {
            return Ok(());
        }
        observe(&self.of_layer(layer, Stage::InputGradient, pass.batch), &mut || {
            let needs = [true, false];
            self.layer_alone(pass, layer, |batch, part| batch.layer_backward(layer, part, needs))
        })
    }

    /// One pass of a layer by itself, in the micro-batches that it has in a step. Of a barrier: nothing.
    fn layer_alone(
        &mut self,
        pass: Pass,
        layer: usize,
        body: impl Fn(&Batch<'_, T>, &mut SamplePart<'_, T>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (batch, mut part) = self.as_one_part(pass, true, false);
        let mut groups = batch.plan.segments.iter().flat_map(|segment| &segment.groups);
        let Some(group) = groups.find(|group| group.layers.contains(&layer)) else { return Ok(()) };
        group
            .micro_batches(part.samples())
            .try_for_each(|samples| body(&batch, &mut part.micro_batch(samples)))
    }

    /// The work of a stage of the network as a whole.
    fn of_network(&self, stage: Stage, step: &ProfiledStep<'_, T>) -> Work {
        let (batch, outputs, parameters) = (step.examples.samples, self.outputs(), self.plan.parameters);
        let remembered = step.optimizer.first.len() + step.optimizer.second.len();
        let (flops, values) = match stage {
            Stage::Loss => (batch * outputs, batch * (2 * outputs + 1)),
            Stage::Update => (parameters + remembered, 3 * parameters + 2 * remembered),
            _ => (0, batch * self.input),
        };
        let targets = match step.examples.targets {
            Targets::Labels(labels) => size_of_val(labels),
            Targets::Values(values) => size_of_val(values),
        };
        let bytes = values * size_of::<T>() + if stage == Stage::Loss { targets } else { 0 };
        Work { layer: None, stage, flops: flops as u64, bytes: bytes as u64 }
    }

    /// The work of a layer's stage.
    fn of_layer(&self, index: usize, stage: Stage, batch: usize) -> Work {
        let runs = layer_of(&self.layers, &self.fused, index);
        let layer = runs.map_or(&self.layers[index], |(layer, _)| layer);
        let properties = &layer.properties;
        let x = index.checked_sub(1).map_or(self.input, |below| Layer::outputs(&self.layers[below]));
        let (y, parameters) = (layer.outputs(), self.plan.layouts[index].parameters.len());
        let Traffic { of_sample, once, kept } = match stage {
            Stage::WeightGradient => Traffic { of_sample: x + y, once: parameters, kept: 0 },
            Stage::InputGradient => Traffic {
                of_sample: y + properties.read_for_grad_x + x,
                once: parameters,
                kept: properties.kept,
            },
            Stage::Gradients => {
                let grad_x = if index > self.plan.first_learning { x } else { 0 };
                Traffic { of_sample: y + properties.read_for_grad_x + grad_x, once: 2 * parameters, kept: 0 }
            }
            _ => Traffic { of_sample: x + y, once: parameters, kept: properties.kept },
        };
        // Without products one operation for each value that is written for a sample.
        let written = if stage == Stage::Forward { y } else { x };
        let flops = if properties.flops > 0 { properties.flops } else { written as u64 };
        let bytes = (batch * of_sample + once) * size_of::<T>() + batch * kept * size_of::<u16>();
        Work { layer: Some(index), stage, flops: batch as u64 * flops, bytes: bytes as u64 }
    }
}

/// What a layer's stage reads and writes.
struct Traffic {
    /// Values of each sample.
    of_sample: usize,
    /// Parameters and their gradients.
    once: usize,
    /// What is kept of each sample, in 16 bits.
    kept: usize,
}
