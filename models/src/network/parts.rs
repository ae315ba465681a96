//! What is done with a part of a batch: forward, loss, backward, group after group.

use std::ops::Range;

use kernels::samples::Samples;
use kernels::{Element, Error, Exec, Threads};

use super::joined::{Joined, layer_of};
use super::memory::{LOSSES, Layout, Plan};
use super::schedule::{Run, Stretch};
use crate::layers::{Backward, Forward, Layer, Mode, Pass};
use crate::loss::{Loss, Operands, Targets};

/// Fewer operations than this are not worth waking a thread for: about five microseconds at the peak.
const TASK_FLOPS: usize = 1 << 19;

/// Fewer samples than this do not pay for parameters that one thread updates and another reads in the next step,
const FEW_SAMPLES: usize = 8;
/// unless a step on them takes as many operations as this.
const MUCH: usize = 64 * TASK_FLOPS;

/// How a step of `flops` operations on `batch` samples runs.
pub(super) fn of_step(exec: Exec, batch: usize, flops: usize) -> Exec {
    if batch < FEW_SAMPLES && flops < MUCH { exec.on_one_thread() } else { exec }
}

/// Into how many tasks `flops` operations are cut, of which there can be `most`, and how each is to run: where there
/// are fewer tasks than threads, kernels may share their work out further.
pub(super) fn workers(exec: Exec, most: usize, flops: usize) -> (usize, Exec) {
    let serial = exec.on_one_thread();
    let worth = flops / TASK_FLOPS;
    if exec.threads == Threads::One || worth < 2 {
        return (1, serial);
    }
    let threads = rayon::current_num_threads();
    let workers = threads.min(most).min(worth).max(1);
    (workers, if workers < threads && most < threads { exec } else { serial })
}

/// Some samples of a batch with the memory that belongs to them.
#[derive(Debug)]
pub(super) struct Part<'a, T> {
    pub(super) values: Samples<'a, T>,
    pub(super) kept: Samples<'a, u16>,
    pub(super) scratch: &'a mut [T],
}

impl<T: Element> Part<'_, T> {
    pub(super) fn range(&self) -> Range<usize> {
        self.values.range()
    }

    /// Runs `body` on `workers` parts, cut at multiples of `grain`, each on its own thread.
    pub(super) fn share(
        self,
        workers: usize,
        grain: usize,
        body: &(impl Fn(Part<'_, T>) -> Result<(), Error> + Sync),
    ) -> Result<(), Error> {
        let samples = self.range();
        let grains = samples.len().div_ceil(grain);
        if workers < 2 || grains < 2 {
            return body(self);
        }
        let left_workers = workers / 2;
        let at = samples.start + (grains * left_workers / workers).max(1) * grain;
        let (values, right_values) = self.values.split(at);
        let (kept, right_kept) = self.kept.split(at);
        let (scratch, right_scratch) = self.scratch.split_at_mut(self.scratch.len() / workers * left_workers);
        let left = Part { values, kept, scratch };
        let right = Part { values: right_values, kept: right_kept, scratch: right_scratch };
        let (left, right) = rayon::join(
            || left.share(left_workers, grain, body),
            || right.share(workers - left_workers, grain, body),
        );
        left.and(right)
    }

    fn group(&mut self, samples: Range<usize>) -> Part<'_, T> {
        Part {
            values: self.values.part(samples.clone()),
            kept: self.kept.part(samples),
            scratch: self.scratch,
        }
    }
}

/// Which gradients a backward pass writes, of a layer that has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gradients {
    All,
    /// dJ/dx alone.
    Inputs,
    /// Those of the chunks alone.
    Chunks,
}

/// What all parts have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a, T> {
    pub(super) layers: &'a [Box<dyn Layer<T>>],
    /// What becomes of each layer where some run as one.
    pub(super) joined: Option<&'a [Joined<T>]>,
    /// Whether groups use the blocks of [`Plan::reused`] one after the other.
    pub(super) reuses: bool,
    pub(super) plan: &'a Plan,
    pub(super) parameters: &'a [T],
    pub(super) loss: Loss,
    pub(super) exec: Exec,
    /// Samples of the whole batch.
    pub(super) batch: usize,
    pub(super) mode: Mode,
    pub(super) gradients: Gradients,
}

impl<T: Element> Context<'_, T> {
    /// The layers of a stretch, upwards.
    pub(super) fn forward(&self, stretch: &Stretch, part: &mut Part<'_, T>) -> Result<(), Error> {
        for run in &stretch.runs {
            for samples in groups(part.range(), run) {
                let mut group = part.group(samples);
                for index in run.layers.clone() {
                    self.layer_forward(index, &mut group)?;
                }
            }
        }
        Ok(())
    }

    /// The layers of a stretch that learn, or have one that learns below them, downwards.
    pub(super) fn backward(&self, stretch: &Stretch, part: &mut Part<'_, T>) -> Result<(), Error> {
        for run in stretch.runs.iter().rev() {
            // The last group first, which the caches may still hold.
            for samples in groups(part.range(), run).rev() {
                let mut group = part.group(samples);
                for index in run.layers.clone().rev().take_while(|&index| index >= self.plan.first_learning) {
                    self.layer_backward(index, &mut group)?;
                }
            }
        }
        Ok(())
    }

    /// The losses of the samples, and the gradient of the last output.
    pub(super) fn measure(&self, part: &mut Part<'_, T>, targets: Targets<'_, T>) -> Result<(), Error> {
        let (samples, outputs, (y, grad_y)) = (part.range(), self.plan.outputs(), self.plan.last());
        let ([a], [grad_a, losses]) = part.values.lend([y], [grad_y, LOSSES]);
        let targets = targets.rows(samples.start, samples.len(), outputs);
        let operands =
            Operands { outputs, batch: self.batch, a, targets, losses, grad_a, scratch: part.scratch };
        self.loss.forward_backward(self.exec, operands)
    }

    /// The layer as it runs here, if it does, and the layout of its x and `grad_x`.
    fn layer(&self, index: usize) -> Option<(&dyn Layer<T>, &Layout)> {
        let (layer, below) = layer_of(self.layers, self.joined, index)?;
        Some((layer, &self.plan.layouts[below]))
    }

    fn layer_forward(&self, index: usize, group: &mut Part<'_, T>) -> Result<(), Error> {
        let Some((layer, below)) = self.layer(index) else { return Ok(()) };
        let layout = &self.plan.layouts[index];
        let pass = self.pass_over(group.range());
        let ([x], [y]) = group.values.lend([below.x], [layout.y]);
        let [kept] = group.kept.lend([], [layout.kept]).1;
        let parameters = &self.parameters[layout.parameters.clone()];
        layer.forward(&pass, Forward { x, parameters, y, kept, scratch: group.scratch })
    }

    fn layer_backward(&self, index: usize, group: &mut Part<'_, T>) -> Result<(), Error> {
        let Some((layer, below)) = self.layer(index) else { return Ok(()) };
        let layout = &self.plan.layouts[index];
        let pass = self.pass_over(group.range());
        let ([x, y, grad_y], [grad_x, chunks]) = group.values.lend_reusing(
            [below.x, layout.y, layout.grad_y],
            [below.grad_x, layout.chunks],
            |block| self.reuses && self.plan.reused[block],
        );
        let backward = Backward {
            x,
            y,
            parameters: &self.parameters[layout.parameters.clone()],
            grad_y,
            grad_x: (index > self.plan.first_learning && self.gradients != Gradients::Chunks)
                .then_some(grad_x),
            chunks: (self.gradients != Gradients::Inputs).then_some(chunks),
            kept: group.kept.lend([layout.kept], []).0[0],
            scratch: group.scratch,
        };
        layer.backward(&pass, backward)
    }

    fn pass_over(&self, samples: Range<usize>) -> Pass {
        let mode = match self.mode {
            Mode::Training(at) => Mode::Training(at.after(samples.start)),
            Mode::Evaluation => Mode::Evaluation,
        };
        Pass { exec: self.exec, batch: samples.len(), mode }
    }
}

/// The samples in groups, from the first one on.
fn groups(samples: Range<usize>, run: &Run) -> impl DoubleEndedIterator<Item = Range<usize>> + use<> {
    let group = run.group.min(samples.len().max(1));
    samples.clone().step_by(group).map(move |start| start..samples.end.min(start + group))
}
