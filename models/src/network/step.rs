//! The step that learns. Nothing here allocates, once there is scratch for as many threads as take part.
//!
//! ```text
//! samples, in parts      gather, forward, loss, backward           each part on a thread of its own
//! (a barrier waits for all parts: batch normalisation)
//! parameters, in pieces  gradient of the whole batch, update       each piece on a thread of its own
//! ```
//!
//! A sample's values depend on that sample alone and a parameter's gradient is one written sum (N3),
//! so neither parts nor pieces nor threads have a share in the bits.

use std::ops::Range;

use kernels::samples::Samples;
use kernels::{Error, Exec};

use super::memory::{INPUT, Piece, Plan};
use super::parts::{Context, Gradients, Part, of_step, workers};
use super::{Network, Position};
use crate::Element;
use crate::layers::{Backward, Forward, Gradient, Layer, Mode, Pass};
use crate::loss::Targets;
use crate::optimizer::{Moments, Optimizer, Update};

/// The samples of a batch, for a network that asks: writes samples `range` as [range.len(), inputs].
pub type Gather<'a, T> = &'a (dyn Fn(Range<usize>, &mut [T]) + Sync);

/// What a pass over a batch is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose<'a, T> {
    /// Outputs.
    Answer,
    /// Outputs and losses.
    Measure(Targets<'a, T>),
    /// Outputs, losses and what gradients are computed from.
    Learn(Targets<'a, T>),
    /// As [`Purpose::Learn`], and all that lies between the layers, to be looked at.
    Show(Targets<'a, T>),
}

/// A pass over a whole batch, and how it is cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) whole: Pass,
    /// Parts, each on a thread of its own.
    pub(super) workers: usize,
    /// How each part runs.
    pub(super) inner: Exec,
    /// Whether layers that can run as one do.
    pub(super) joins: bool,
    /// Whether groups of samples leave gradients that only they need where the group before them did.
    pub(super) reuses: bool,
}

/// Samples that stand in `x`, [samples, inputs].
pub(super) fn rows_of<T: kernels::Element>(x: &[T], inputs: usize) -> impl Fn(Range<usize>, &mut [T]) + Sync {
    move |samples, to| to.copy_from_slice(&x[samples.start * inputs..samples.end * inputs])
}

impl<T: Element> Network<T> {
    /// One step of learning on a batch: forward, backward, update. Returns the sum of the sample
    /// losses, in f64 and in sample order. It allocates nothing.
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
        let (batch, gather) = (self.batch_of(x)?, rows_of(x, self.input));
        self.train_step_from(exec, batch, &gather, targets, optimizer, at)
    }

    /// As [`Network::train_step`], on samples that `gather` writes where and when they are wanted:
    /// on the thread that goes on with them, and into the network's own memory.
    ///
    /// # Errors
    /// As [`Network::train_step`].
    ///
    /// ```
    /// use models::loss::{Loss, Targets};
    /// use models::network::{LayerSpec, Network, Position};
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
    /// let (exec, targets) = (kernels::Exec::from_env()?, Targets::Values(&[0.0, 1.0]));
    /// network.train_step_from(exec, 2, &gather, targets, &mut optimizer, Position::default())?;
    /// assert_eq!(network.parameters(), [0.5, 0.0, 0.5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn train_step_from(
        &mut self,
        exec: Exec,
        batch: usize,
        gather: Gather<'_, T>,
        targets: Targets<'_, T>,
        optimizer: &mut Optimizer<T>,
        at: Position,
    ) -> Result<f64, Error> {
        T::train_step_from(self, exec, batch, gather, targets, optimizer, at)
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
        T::forward_backward(self, exec, x, targets, at)
    }
}

impl<T: kernels::Element> Network<T> {
    pub(super) fn train_step_body(
        &mut self,
        exec: Exec,
        batch: usize,
        gather: Gather<'_, T>,
        targets: Targets<'_, T>,
        optimizer: &mut Optimizer<T>,
        at: Position,
    ) -> Result<f64, Error> {
        self.check_batch(batch)?;
        let exec = of_step(exec, batch, batch * self.plan.flops);
        let whole = Pass { exec, batch, mode: Mode::Training(at) };
        let loss = self.pass(exec, batch, gather, whole.mode, Purpose::Learn(targets))?;
        if loss.is_finite() {
            let update = optimizer.begin(at.epoch, self.plan.parameters);
            self.learn(whole, 0..self.layers.len(), Some((update, optimizer.moments())))?;
        }
        Ok(loss)
    }

    pub(super) fn forward_backward_body(
        &mut self,
        exec: Exec,
        x: &[T],
        targets: Targets<'_, T>,
        at: Position,
    ) -> Result<f64, Error> {
        let (batch, gather) = (self.batch_of(x)?, rows_of(x, self.input));
        let whole = Pass { exec, batch, mode: Mode::Training(at) };
        let loss = self.pass(exec, batch, &gather, whole.mode, Purpose::Show(targets))?;
        if loss.is_finite() {
            self.learn(whole, 0..self.layers.len(), None)?;
        }
        Ok(loss)
    }

    /// The number of samples in `x`.
    fn batch_of(&self, x: &[T]) -> Result<usize, Error> {
        if x.len().is_multiple_of(self.input) {
            let batch = x.len() / self.input;
            return self.check_batch(batch).map(|()| batch);
        }
        Err(self.wrong_batch(format!("{} values", x.len())))
    }

    pub(super) fn check_batch(&self, batch: usize) -> Result<(), Error> {
        if (1..=self.max_batch).contains(&batch) {
            return Ok(());
        }
        Err(self.wrong_batch(format!("{batch} samples")))
    }

    fn wrong_batch(&self, got: String) -> Error {
        Error::Shape {
            operation: "network",
            expected: format!("1 to {} samples of {} values", self.max_batch, self.input),
            got,
        }
    }

    /// All that is done with samples. Returns the sum of their losses, in sample order; 0 where none are asked for.
    pub(super) fn pass(
        &mut self,
        exec: Exec,
        batch: usize,
        gather: Gather<'_, T>,
        mode: Mode,
        purpose: Purpose<'_, T>,
    ) -> Result<f64, Error> {
        if let Purpose::Measure(targets) | Purpose::Learn(targets) | Purpose::Show(targets) = purpose {
            targets.check(batch, self.outputs())?;
        }
        self.rows = batch;
        let (workers, inner) = workers(exec, batch.div_ceil(self.plan.grain), batch * self.plan.flops);
        self.scratch.grow(workers * self.plan.scratch);
        let learns = matches!(purpose, Purpose::Learn(_));
        let whole = Pass { exec, batch, mode };
        let round = Round { whole, workers, inner, joins: learns, reuses: learns };
        let last = self.plan.stretches.len() - 1;
        for index in 0..=last {
            let (context, part) = self.in_parts(round);
            let stretch = &context.plan.stretches[index];
            part.share(round.workers, context.plan.grain, &|mut part| {
                if index == 0 {
                    gather(part.range(), part.values.lend([], [INPUT]).1[0]);
                }
                context.forward(stretch, &mut part)?;
                if index < last {
                    return Ok(());
                }
                match purpose {
                    Purpose::Answer => Ok(()),
                    Purpose::Measure(targets) => context.measure(&mut part, targets),
                    Purpose::Learn(targets) | Purpose::Show(targets) => {
                        context.measure(&mut part, targets)?;
                        context.backward(stretch, &mut part)
                    }
                }
            })?;
            if index < last {
                let barrier = stretch.layers.end;
                self.barrier_forward(&round.whole, barrier)?;
            }
        }
        let loss = match purpose {
            Purpose::Answer => 0.0,
            Purpose::Measure(_) | Purpose::Learn(_) | Purpose::Show(_) => {
                self.losses().iter().fold(0.0, |sum, loss| sum + loss.to_f64())
            }
        };
        if matches!(purpose, Purpose::Learn(_) | Purpose::Show(_)) && loss.is_finite() {
            self.backward_below(round, last)?;
        }
        Ok(loss)
    }

    /// The backward pass below the last stretch: barrier, stretch, barrier, ...
    fn backward_below(&mut self, round: Round, last: usize) -> Result<(), Error> {
        for index in (0..last).rev() {
            let barrier = self.plan.stretches[index].layers.end;
            if barrier < self.plan.first_learning {
                break;
            }
            self.barrier_backward(&round.whole, barrier)?;
            let (context, part) = self.in_parts(round);
            let stretch = &context.plan.stretches[index];
            part.share(round.workers, context.plan.grain, &|mut part| context.backward(stretch, &mut part))?;
        }
        Ok(())
    }

    /// What all parts of a batch read, and the batch as one part.
    pub(super) fn in_parts(&mut self, round: Round) -> (Context<'_, T>, Part<'_, T>) {
        let Pass { batch, mode, .. } = round.whole;
        let context = Context {
            layers: &self.layers,
            joined: round.joins.then_some(&self.joined),
            reuses: round.reuses,
            plan: &self.plan,
            parameters: self.parameters.as_slice(),
            loss: self.loss,
            exec: round.inner,
            batch,
            mode,
            gradients: Gradients::All,
        };
        let part = Part {
            values: Samples::new(self.values.as_mut_slice(), &self.plan.values, batch),
            kept: Samples::new(&mut self.kept, &self.plan.kept, batch),
            scratch: self.scratch.as_mut_slice(),
        };
        (context, part)
    }

    pub(super) fn barrier_forward(&mut self, pass: &Pass, index: usize) -> Result<(), Error> {
        let layout = &self.plan.layouts[index];
        let Some(layer) = self.layers[index].whole_batch() else { return Ok(()) };
        let mut values = Samples::new(self.values.as_mut_slice(), &self.plan.values, pass.batch);
        let ([x], [y]) = values.lend([layout.x], [layout.y]);
        let parameters = &self.parameters.as_slice()[layout.parameters.clone()];
        let scratch = self.scratch.as_mut_slice();
        let forward = Forward { x, parameters, y, kept: &mut [], scratch };
        layer.forward(pass, forward, &mut self.statistics[layout.statistics.clone()])
    }

    pub(super) fn barrier_backward(&mut self, pass: &Pass, index: usize) -> Result<(), Error> {
        let layout = &self.plan.layouts[index];
        let Some(layer) = self.layers[index].whole_batch() else { return Ok(()) };
        let mut values = Samples::new(self.values.as_mut_slice(), &self.plan.values, pass.batch);
        let ([x, y, grad_y], [grad_x]) = values.lend([layout.x, layout.y, layout.grad_y], [layout.grad_x]);
        let backward = Backward {
            x,
            y,
            parameters: &self.parameters.as_slice()[layout.parameters.clone()],
            grad_y,
            grad_x: (index > self.plan.first_learning).then_some(grad_x),
            chunks: None,
            kept: &[],
            scratch: self.scratch.as_mut_slice(),
        };
        layer.backward(pass, backward, &mut self.gradients.as_mut_slice()[layout.parameters.clone()])
    }

    /// All that is done with the parameters of some layers, at least one: their gradients and, if there is one, the
    /// update with the moments of the same parameters.
    pub(super) fn learn(
        &mut self,
        whole: Pass,
        layers: Range<usize>,
        update: Option<(Update<T>, Moments<'_, T>)>,
    ) -> Result<(), Error> {
        let plan = &self.plan;
        let [first, end] = [layers.start, layers.end].map(|at| plan.pieces.partition_point(|p| p.layer < at));
        let pieces = &plan.pieces[first..end];
        let range = plan.layouts[layers.start].parameters.start..plan.layouts[layers.end - 1].parameters.end;
        let cost: usize = pieces.iter().map(|piece| piece.cost).sum();
        let (workers, inner) = workers(whole.exec, pieces.len(), cost);
        self.scratch.grow(workers * plan.scratch);
        let (update, moments) = update.unzip();
        let learning = Learning {
            layers: &self.layers,
            plan,
            values: self.values.as_slice(),
            pass: Pass { exec: inner, ..whole },
            update,
        };
        let share = Share {
            pieces,
            parameters: &mut self.parameters.as_mut_slice()[range.clone()],
            gradients: &mut self.gradients.as_mut_slice()[range],
            moments: moments.unwrap_or_default(),
            scratch: self.scratch.as_mut_slice(),
        };
        share.split(workers, cost, &|share| learning.pieces(share))
    }
}

/// What all pieces of parameters have in common.
struct Learning<'a, T> {
    layers: &'a [Box<dyn Layer<T>>],
    plan: &'a Plan,
    values: &'a [T],
    pass: Pass,
    update: Option<Update<T>>,
}

/// Some pieces with the memory that belongs to them.
struct Share<'a, T> {
    pieces: &'a [Piece],
    parameters: &'a mut [T],
    gradients: &'a mut [T],
    moments: Moments<'a, T>,
    scratch: &'a mut [T],
}

impl<T: kernels::Element> Share<'_, T> {
    /// Runs `body` on `workers` parts of about the same cost, each on its own thread.
    fn split(
        self,
        workers: usize,
        cost: usize,
        body: &(impl Fn(Share<'_, T>) -> Result<(), Error> + Sync),
    ) -> Result<(), Error> {
        if workers < 2 || self.pieces.len() < 2 {
            return body(self);
        }
        let (left_workers, mut left_cost, mut at) = (workers / 2, 0, 0);
        while at + 1 < self.pieces.len()
            && (at == 0 || left_cost + self.pieces[at].cost / 2 < cost * left_workers / workers)
        {
            left_cost += self.pieces[at].cost;
            at += 1;
        }
        let (pieces, right_pieces) = self.pieces.split_at(at);
        let len = right_pieces[0].range.start - pieces[0].range.start;
        let (parameters, right_parameters) = self.parameters.split_at_mut(len);
        let (gradients, right_gradients) = self.gradients.split_at_mut(len);
        let (moments, right_moments) = self.moments.split(len);
        let (scratch, right_scratch) = self.scratch.split_at_mut(self.scratch.len() / workers * left_workers);
        let left = Share { pieces, parameters, gradients, moments, scratch };
        let right = Share {
            pieces: right_pieces,
            parameters: right_parameters,
            gradients: right_gradients,
            moments: right_moments,
            scratch: right_scratch,
        };
        let (left, right) = rayon::join(
            || left.split(left_workers, left_cost, body),
            || right.split(workers - left_workers, cost - left_cost, body),
        );
        left.and(right)
    }
}

impl<T: kernels::Element> Learning<'_, T> {
    /// Piece after piece: its gradient, while it is in the cache its update.
    fn pieces(&self, share: Share<'_, T>) -> Result<(), Error> {
        let Share { pieces, mut parameters, mut gradients, mut moments, scratch } = share;
        for piece in pieces {
            let (here, rest) = parameters.split_at_mut(piece.range.len());
            let (gradient, gradients_rest) = gradients.split_at_mut(piece.range.len());
            let (moments_here, moments_rest) = moments.split(piece.range.len());
            (parameters, gradients, moments) = (rest, gradients_rest, moments_rest);
            let layer = self.layers[piece.layer].as_ref();
            let gradient = match self.update {
                _ if layer.needs_whole_batch() => gradient,
                Some(_) => {
                    let gradient = &mut scratch[..piece.range.len()];
                    self.gradient(layer, piece, gradient)?;
                    gradient
                }
                None => {
                    self.gradient(layer, piece, gradient)?;
                    gradient
                }
            };
            if let Some(update) = &self.update {
                update.apply(self.pass.exec.level, here, gradient, moments_here);
            }
        }
        Ok(())
    }

    fn gradient(&self, layer: &dyn Layer<T>, piece: &Piece, gradient: &mut [T]) -> Result<(), Error> {
        let layout = &self.plan.layouts[piece.layer];
        let whole = |block: usize| {
            let block = &self.plan.values[block];
            &self.values[block.offset..][..self.pass.batch.div_ceil(block.period) * block.width]
        };
        let start = layout.parameters.start;
        let range = piece.range.start - start..piece.range.end - start;
        let (x, grad_y, chunks) = (whole(layout.x), whole(layout.grad_y), whole(layout.chunks));
        layer.gradient(&self.pass, Gradient { x, grad_y, chunks, range, gradient })
    }
}
