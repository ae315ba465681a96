//! The step that learns: losses and gradients of the samples, then the update of the parameters.
//!
//! The simple idea is [`crate::reference`]'s: each layer forward over the whole batch, the loss, each layer backward,
//! each parameter moved. Here threads share the work, and wait for each other only where a layer needs all samples:
//!
//! ```text
//!              segment                                     barrier        segment
//!              .------------------------------------.    .------------.   .-----------.
//!              conv  relu  pool   |   dense  relu          batch-norm      dense  loss
//!              '- layer group --'     '-- group --'                        '- group -'
//! part 1,      micro-batch -->    |   all samples    --> |            | --> all samples  .
//! a thread     micro-batch -->    |   of the part        | waits for  |     of the part  | each part turns
//! part 2,      micro-batch -->    |   all samples        | all parts  |     all samples  | round by itself
//! a thread     micro-batch -->    |   of the part    --> |            | --> of the part  '
//!
//! upwards      y of each layer                           y of all           y, the losses and dJ/dy
//! downwards    dJ/dx of each layer, from right to left; of a convolution also the gradient of each chunk (N3);
//!              of the barrier the whole gradient of its parameters
//!
//! parameters   | bucket | bucket | ... | bucket |        part 1: these            part 2: those
//! (learn.rs)   the gradient, of a dense layer over the whole batch, of a convolution the sum of its chunks; the update
//! ```
//!
//! Without a barrier the threads of a step meet twice, after the samples and after the parameters. A sample's values
//! depend on that sample alone and a parameter's gradient is one written sum (N3), so the bits do not depend on how the
//! work is cut. Nothing here allocates, once there is scratch for as many threads as compute parts.
//!
//! To be read from [`Network::pass`] on: it goes up, sums the losses, and goes down.

use kernels::parallel::for_each_part;
use kernels::{Element, Error, Exec};

use super::examples::{Examples, Gather, copied_from};
use super::part::{Batch, SamplePart, parts_of};
use super::{Network, NetworkElement, Position};
use crate::layers::Pass;
use crate::loss::Targets;
use crate::optimizer::{Moments, Optimizer};

/// How a pass is cut into parts.
#[derive(Clone, Copy)]
struct Cut {
    parts: usize,
    /// The batch, as a barrier runs it, and as each part runs it.
    whole: Pass,
    of_part: Pass,
    /// Whether values are skipped that only who looks at them needs, not learning.
    lean: bool,
}

impl<T: NetworkElement> Network<T> {
    /// One step of learning on a batch: forward, backward, update. Returns the sum of the sample
    /// losses, in f64 and in sample order.
    ///
    /// A sum that is not finite is the trial's end (N8): the parameters stay as they were. The
    /// gradients are used as they come and are not left in [`Network::gradients`].
    ///
    /// # Shapes
    /// `x` [batch, inputs], 1 <= batch <= the largest planned.
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
        let (samples, gather) = (self.batch_of(x)?, copied_from(x, self.input));
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
        // For short steps, moving parameters between cores costs more than a second thread saves.
        let few = batch < exec.tuning.serial_samples && batch * self.plan.flops < exec.tuning.serial_flops;
        let exec = if few { exec.on_one_thread() } else { exec };
        let pass = Pass { exec, batch, training: Some(at) };
        // `T::pass` is `Network::pass`, compiled in this crate (compiled.rs); so is `T::learn`.
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
        let loss = T::pass(self, pass, &copied_from(x, self.input), Some(targets), true)?;
        if loss.is_finite() {
            let layers = 0..self.layers.len();
            T::learn(self, pass, layers, None, Moments::default())?;
        }
        Ok(loss)
    }
}

impl<T: Element> Network<T> {
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
        self.check(pass.batch, targets)?;
        // Written only when changed: writing slows the threads that read other values of that cache line (false sharing).
        if self.rows != pass.batch {
            self.rows = pass.batch;
        }
        // Each part starts where a chunk starts.
        let most = pass.batch.div_ceil(self.plan.longest_chunk);
        let (parts, exec) = parts_of(pass.exec, most, pass.batch * self.plan.flops);
        self.scratch.grow(parts * self.plan.scratch);
        let cut = Cut {
            parts,
            whole: pass,
            of_part: Pass { exec, ..pass },
            lean: pass.training.is_some() && !shows,
        };
        self.upwards(cut, gather, targets)?;
        let loss = targets.map_or(0.0, |_| self.losses().iter().fold(0.0, |sum, loss| sum + loss.to_f64()));
        if pass.training.is_some() && loss.is_finite() {
            self.downwards(cut)?;
        }
        Ok(loss)
    }

    /// The samples into the network and up through all segments. In the last segment each part computes its losses
    /// and goes down to the barrier below without waiting for the others.
    fn upwards(
        &mut self,
        cut: Cut,
        gather: Gather<'_, T>,
        targets: Option<Targets<'_, T>>,
    ) -> Result<(), Error> {
        let last = self.plan.segments.len() - 1;
        for segment in 0..=last {
            self.each_part(cut, |batch, part| {
                if segment == 0 {
                    gather(part.samples(), part.input());
                }
                batch.forward(segment, part)?;
                if segment < last {
                    return Ok(());
                }
                targets.map_or(Ok(()), |targets| batch.measure(part, targets))?;
                if cut.whole.training.is_some() { batch.backward(segment, part) } else { Ok(()) }
            })?;
            if segment < last {
                self.barrier_forward(cut.whole, self.plan.segments[segment].layers.end)?;
            }
        }
        Ok(())
    }

    /// From the barrier below the last segment down to the first layer that learns.
    fn downwards(&mut self, cut: Cut) -> Result<(), Error> {
        for segment in (0..self.plan.segments.len() - 1).rev() {
            let barrier = self.plan.segments[segment].layers.end;
            if barrier < self.plan.first_learning {
                break;
            }
            self.barrier_backward(cut.whole, barrier);
            self.each_part(cut, |batch, part| batch.backward(segment, part))?;
        }
        Ok(())
    }

    /// Calls `body` on every part of the batch.
    fn each_part(
        &mut self,
        cut: Cut,
        body: impl Fn(&Batch<'_, T>, &mut SamplePart<'_, T>) -> Result<(), Error> + Sync,
    ) -> Result<(), Error> {
        let (batch, part) = self.as_one_part(cut.of_part, cut.lean, cut.lean);
        for_each_part(part, cut.parts, &|mut part| body(&batch, &mut part))
    }
}
