//! The step that learns. Nothing here allocates, once there is scratch for as many threads as compute parts.
//!
//! ```text
//! samples, in parts           gather | segment: forward, micro-batch by micro-batch         a part on each thread
//! all samples                 barrier: forward (batch normalisation needs the whole batch)
//! samples, in parts           the last segment: forward, loss, backward                     a part on each thread
//! all samples                 barrier: backward
//! samples, in parts           segment: backward, the last micro-batch first                 a part on each thread
//! parameters, in buckets      gradient of the whole batch, update (learn.rs)                a part on each thread
//! ```
//!
//! A part goes through all layers of a segment without waiting for the other parts. Without a barrier the threads of a
//! step meet twice, after the samples and after the parameters. A sample's values depend on that sample alone and a
//! parameter's gradient is one written sum (N3), so the bits do not depend on how the work is cut.

use std::ops::Range;

use kernels::parallel::for_each_part;
use kernels::samples::Samples;
use kernels::{Element, Error, Exec};

use super::part::{Batch, SamplePart, parts_of};
use super::{Network, NetworkElement, Position};
use crate::error::misfit;
use crate::layers::{Kind, LayerBackward, LayerForward, Pass};
use crate::loss::Targets;
use crate::optimizer::{Moments, Optimizer};

/// The samples of a batch, for a network that asks: writes samples `range` as [range.len(), inputs].
pub type Gather<'a, T> = &'a (dyn Fn(Range<usize>, &mut [T]) + Sync);

/// Samples with what their outputs should be.
#[derive(Clone, Copy)]
pub struct Examples<'a, T> {
    /// How many.
    pub samples: usize,
    /// Writes them where and when they are needed: on the thread that goes on with them, and into the network's own
    /// memory.
    pub gather: Gather<'a, T>,
    /// One target per sample.
    pub targets: Targets<'a, T>,
}

/// The samples of `x`, [samples, inputs].
pub(super) fn rows_of<T: Element>(x: &[T], inputs: usize) -> impl Fn(Range<usize>, &mut [T]) + Sync {
    move |samples, to| to.copy_from_slice(&x[samples.start * inputs..samples.end * inputs])
}

impl<T: NetworkElement> Network<T> {
    /// One step of learning on a batch: forward, backward, update. Returns the sum of the sample
    /// losses, in f64 and in sample order.
    ///
    /// A sum that is not finite is the trial's end (N8): the parameters stay as they were. The
    /// gradients are used as they come and are not left in [`Network::gradients`].
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
        let (samples, gather) = (self.batch_of(x)?, rows_of(x, self.input));
        self.train_step_from(exec, Examples { samples, gather: &gather, targets }, optimizer, at)
    }

    /// As [`Network::train_step`], on samples that are written where and when they are needed.
    ///
    /// # Errors
    /// As [`Network::train_step`].
    ///
    /// ```
    /// use models::loss::{Loss, Targets};
    /// use models::network::{Examples, LayerSpec, Network, Position};
    /// use models::optimizer::{Optimizer, OptimizerSpec};
    ///
    /// let mut network = Network::<f32>::new(&[2], &[LayerSpec::dense(1)], Loss::Quadratic, 2)?;
    /// let mut optimizer = Optimizer::new(OptimizerSpec::sgd(1.0), network.parameters().len())?;
    /// // Pixels as bytes become values between 0 and 1 on their way.
    /// let (pixels, order) = ([[0_u8, 255], [255, 0], [0, 0]], [2, 1]);
    /// let gather = |samples: std::ops::Range<usize>, x: &mut [f32]| {
    ///     for (&row, x) in order[samples].iter().zip(x.chunks_exact_mut(2)) {
    ///         x.iter_mut().zip(pixels[row]).for_each(|(x, pixel)| *x = f32::from(pixel) / 255.0);
    ///     }
    /// };
    /// let examples = Examples { samples: 2, gather: &gather, targets: Targets::Values(&[0.0, 1.0]) };
    /// network.train_step_from(kernels::Exec::from_env()?, examples, &mut optimizer, Position::default())?;
    /// assert_eq!(network.parameters(), [0.5, 0.0, 0.5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn train_step_from(
        &mut self,
        exec: Exec,
        examples: Examples<'_, T>,
        optimizer: &mut Optimizer<T>,
        at: Position,
    ) -> Result<f64, Error> {
        let Examples { samples: batch, gather, targets } = examples;
        self.check_batch(batch)?;
        // The parameters of a short step cost more to hand to another thread than that thread brings.
        let few = batch < exec.tuning.serial_samples && batch * self.plan.flops < exec.tuning.serial_flops;
        let exec = if few { exec.on_one_thread() } else { exec };
        let pass = Pass { exec, batch, training: Some(at) };
        let loss = T::pass(self, pass, gather, Some(targets), false)?;
        if loss.is_finite() {
            let update = optimizer.begin(at.epoch, self.plan.parameters);
            let layers = 0..self.layers.len();
            T::learn(self, pass, layers, Some(update), optimizer.moments())?;
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
        let pass = Pass { exec, batch: self.batch_of(x)?, training: Some(at) };
        let loss = T::pass(self, pass, &rows_of(x, self.input), Some(targets), true)?;
        if loss.is_finite() {
            let layers = 0..self.layers.len();
            T::learn(self, pass, layers, None, Moments::default())?;
        }
        Ok(loss)
    }
}

impl<T: Element> Network<T> {
    /// The number of samples in `x`, at least one and no more than planned.
    fn batch_of(&self, x: &[T]) -> Result<usize, Error> {
        let batch = self.samples_in(x).ok_or_else(|| self.wrong_batch(format!("{} values", x.len())))?;
        self.check_batch(batch).map(|()| batch)
    }

    /// The number of samples in `x`; none if there are values left over.
    pub(super) fn samples_in(&self, x: &[T]) -> Option<usize> {
        x.len().is_multiple_of(self.input).then(|| x.len() / self.input)
    }

    pub(super) fn check_batch(&self, batch: usize) -> Result<(), Error> {
        let planned = (1..=self.max_batch).contains(&batch);
        planned.then_some(()).ok_or_else(|| self.wrong_batch(format!("{batch} samples")))
    }

    fn wrong_batch(&self, got: String) -> Error {
        misfit("network", format!("1 to {} samples of {} values", self.max_batch, self.input), got)
    }

    /// All that is done with samples: outputs; with `targets` losses; in training mode what gradients are computed
    /// from, and where it `shows` all that is between the layers. Returns the sum of the losses, in sample order; 0
    /// without targets.
    pub(super) fn pass(
        &mut self,
        pass: Pass,
        gather: Gather<'_, T>,
        targets: Option<Targets<'_, T>>,
        shows: bool,
    ) -> Result<f64, Error> {
        let learns = pass.training.is_some();
        if let Some(targets) = targets {
            targets.check(pass.batch, self.outputs())?;
        }
        // Not written without need: other threads read the line of memory that it is in (false sharing).
        if self.rows != pass.batch {
            self.rows = pass.batch;
        }
        // Parts begin a chunk.
        let most = pass.batch.div_ceil(self.plan.longest_chunk);
        let (parts, exec) = parts_of(pass.exec, most, pass.batch * self.plan.flops);
        self.scratch.grow(parts * self.plan.scratch);
        let (of_part, lean) = (Pass { exec, ..pass }, learns && !shows);
        let last = self.plan.segments.len() - 1;
        // Upwards; a part turns round at the top by itself.
        for segment in 0..=last {
            self.each_part(parts, of_part, lean, |batch, part| {
                if segment == 0 {
                    gather(part.samples(), part.input());
                }
                batch.forward(segment, part)?;
                if segment < last {
                    return Ok(());
                }
                targets.map_or(Ok(()), |targets| batch.measure(part, targets))?;
                if learns { batch.backward(segment, part) } else { Ok(()) }
            })?;
            if segment < last {
                self.barrier_forward(pass, self.plan.segments[segment].layers.end)?;
            }
        }
        let loss = targets.map_or(0.0, |_| self.losses().iter().fold(0.0, |sum, loss| sum + loss.to_f64()));
        if learns && loss.is_finite() {
            // Downwards, from the barrier below the last segment on.
            for segment in (0..last).rev() {
                let barrier = self.plan.segments[segment].layers.end;
                if barrier < self.plan.first_learning {
                    break;
                }
                self.barrier_backward(pass, barrier);
                self.each_part(parts, of_part, lean, |batch, part| batch.backward(segment, part))?;
            }
        }
        Ok(loss)
    }

    /// Calls `body` on every part of the batch; `lean` writes no more between the layers than learning needs.
    fn each_part(
        &mut self,
        parts: usize,
        pass: Pass,
        lean: bool,
        body: impl Fn(&Batch<'_, T>, &mut SamplePart<'_, T>) -> Result<(), Error> + Sync,
    ) -> Result<(), Error> {
        let (batch, part) = self.as_one_part(pass, lean, lean);
        for_each_part(part, parts, &|mut part| body(&batch, &mut part))
    }

    /// What all parts of a batch read, and the batch as one part, where layers that can run as one may and a
    /// micro-batch may reuse the place of gradients that only the one before it needed.
    pub(super) fn as_one_part(
        &mut self,
        pass: Pass,
        fuses: bool,
        reuses: bool,
    ) -> (Batch<'_, T>, SamplePart<'_, T>) {
        let batch = Batch {
            layers: &self.layers,
            fused: fuses.then_some(&self.fused),
            reuses,
            plan: &self.plan,
            parameters: self.parameters.as_slice(),
            loss: self.loss,
            pass,
        };
        let part = SamplePart {
            values: Samples::new(self.values.as_mut_slice(), &self.plan.values.list, pass.batch),
            kept: Samples::new(&mut self.kept, &self.plan.kept.list, pass.batch),
            scratch: self.scratch.as_mut_slice(),
            chunk: self.plan.longest_chunk,
        };
        (batch, part)
    }

    pub(super) fn barrier_forward(&mut self, pass: Pass, index: usize) -> Result<(), Error> {
        let Kind::WholeBatch(layer) = &mut self.layers[index].kind else { return Ok(()) };
        let layout = &self.plan.layouts[index];
        let mut values = Samples::new(self.values.as_mut_slice(), &self.plan.values.list, pass.batch);
        let ([x], [y]) = values.lend([layout.x.0], [layout.y.0]);
        let parameters = &self.parameters.as_slice()[layout.parameters.clone()];
        let forward = LayerForward { x, parameters, y, kept: &mut [], scratch: self.scratch.as_mut_slice() };
        layer.forward(&pass, forward, &mut self.statistics[layout.statistics.clone()])
    }

    /// The gradient of the parameters, and dJ/dx where a layer below learns.
    pub(super) fn barrier_backward(&mut self, pass: Pass, index: usize) {
        let Kind::WholeBatch(layer) = &mut self.layers[index].kind else { return };
        let layout = &self.plan.layouts[index];
        let mut values = Samples::new(self.values.as_mut_slice(), &self.plan.values.list, pass.batch);
        let (read, scratch) = ([layout.x.0, layout.y.0, layout.grad_y.0], self.scratch.as_mut_slice());
        let ([x, y, grad_y], [grad_x]) = values.lend(read, [layout.grad_x.0]);
        let parameters = &self.parameters.as_slice()[layout.parameters.clone()];
        let gradient = &mut self.gradients.as_mut_slice()[layout.parameters.clone()];
        let (chunks, kept): (&mut [T], &[u16]) = (&mut [], &[]);
        let backward = LayerBackward { x, y, parameters, grad_y, grad_x, chunks, kept, scratch };
        layer.backward(&pass, backward, gradient);
    }
}
