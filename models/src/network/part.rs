//! What one thread does with its part of a batch: forward, loss, backward, one micro-batch after the other.

use std::ops::Range;

use kernels::parallel::Divide;
use kernels::samples::Samples;
use kernels::{Element, Error, Exec};

use super::Network;
use super::arena::BlockId;
use super::plan::{LayerLayout, Plan};
use crate::layers::{Kind, Layer, LayerBackward, LayerForward, Pass, PerSample};
use crate::loss::{Loss, Operands, Targets};

/// Into how many parts work of `flops` operations is cut, of which there can be `most`, and how each part is to run:
/// where there are fewer parts than threads, kernels may cut their work further.
pub(super) fn parts_of(exec: Exec, most: usize, flops: usize) -> (usize, Exec) {
    let worth = exec.parts(flops, exec.tuning.step_flops, 1);
    let fewer_than_threads = worth > 1 && most < rayon::current_num_threads();
    (worth.min(most).max(1), if fewer_than_threads { exec } else { exec.on_one_thread() })
}

impl<T: Element> Network<T> {
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
            fused: if fuses { &self.fused } else { &[] },
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
}

/// Some samples of a batch with the memory that belongs to them.
#[derive(Debug)]
pub(super) struct SamplePart<'a, T> {
    pub(super) values: Samples<'a, T>,
    pub(super) kept: Samples<'a, u16>,
    pub(super) scratch: &'a mut [T],
    /// Parts begin at multiples of so many samples.
    pub(super) chunk: usize,
}

impl<T: Element> Divide for SamplePart<'_, T> {
    fn divide(self, first: usize, parts: usize) -> Result<(Self, Self), Self> {
        let (samples, chunk) = (self.samples(), self.chunk);
        let chunks = samples.len().div_ceil(chunk);
        if chunks < 2 {
            return Err(self);
        }
        let at = samples.start + (chunks * first / parts).max(1) * chunk;
        let (values, values_right) = self.values.split(at);
        let (kept, kept_right) = self.kept.split(at);
        let (scratch, scratch_right) = self.scratch.split_at_mut(self.scratch.len() / parts * first);
        let right = Self { values: values_right, kept: kept_right, scratch: scratch_right, chunk };
        Ok((Self { values, kept, scratch, chunk }, right))
    }
}

impl<T: Element> SamplePart<'_, T> {
    pub(super) fn samples(&self) -> Range<usize> {
        self.values.range()
    }

    /// Where the input is written.
    pub(super) fn input(&mut self) -> &mut [T] {
        let ([], [input]) = self.values.lend([], [BlockId::INPUT.0]);
        input
    }

    pub(super) fn micro_batch(&mut self, samples: Range<usize>) -> SamplePart<'_, T> {
        SamplePart {
            values: self.values.part(samples.clone()),
            kept: self.kept.part(samples),
            scratch: self.scratch,
            chunk: self.chunk,
        }
    }
}

/// What all parts of a batch read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch<'a, T> {
    pub(super) layers: &'a [Layer<T>],
    /// The layers of two that run as one, if any may.
    pub(super) fused: &'a [Option<Layer<T>>],
    /// Whether each micro-batch reuses the gradient memory of the one before it ([`Plan::reused`]).
    pub(super) reuses: bool,
    pub(super) plan: &'a Plan,
    pub(super) parameters: &'a [T],
    pub(super) loss: Loss,
    /// The whole batch, as each part runs it.
    pub(super) pass: Pass,
}

impl<T: Element> Batch<'_, T> {
    /// The layers of a segment, upwards.
    pub(super) fn forward(&self, segment: usize, part: &mut SamplePart<'_, T>) -> Result<(), Error> {
        for group in &self.plan.segments[segment].groups {
            for samples in group.micro_batches(part.samples()) {
                let mut micro_batch = part.micro_batch(samples);
                for index in group.layers.clone() {
                    self.layer_forward(index, &mut micro_batch)?;
                }
            }
        }
        Ok(())
    }

    /// The layers of a segment that learn, or have one that learns below them, downwards.
    pub(super) fn backward(&self, segment: usize, part: &mut SamplePart<'_, T>) -> Result<(), Error> {
        for group in self.plan.segments[segment].groups.iter().rev() {
            // The last micro-batch first, which the caches may still hold.
            for samples in group.micro_batches(part.samples()).rev() {
                let mut micro_batch = part.micro_batch(samples);
                for index in group.layers.clone().rev() {
                    self.layer_backward(index, &mut micro_batch, [true, true])?;
                }
            }
        }
        Ok(())
    }

    /// The losses of the samples, and the gradient of the last output.
    pub(super) fn measure(&self, part: &mut SamplePart<'_, T>, targets: Targets<'_, T>) -> Result<(), Error> {
        let (samples, outputs, (y, grad_y)) = (part.samples(), self.plan.outputs(), self.plan.last());
        let ([a], [grad_a, losses]) = self.lend(&mut part.values, [y], [grad_y, Some(BlockId::LOSSES)]);
        let targets = targets.rows(samples.start, samples.len(), outputs);
        let (batch, scratch) = (self.pass.batch, &mut *part.scratch);
        self.loss.forward_backward(
            self.pass.exec,
            Operands { outputs, batch, a, targets, losses, grad_a, scratch },
        )
    }

    /// The layer as it runs on some samples, if it does, and the layout of its x and `grad_x`.
    fn layer(&self, index: usize) -> Option<(&dyn PerSample<T>, &LayerLayout)> {
        let (layer, below) = layer_of(self.layers, self.fused, index)?;
        match &layer.kind {
            Kind::PerSample(layer) => Some((layer.as_ref(), &self.plan.layouts[below])),
            Kind::WholeBatch(_) | Kind::Reshape => None,
        }
    }

    pub(super) fn layer_forward(&self, index: usize, part: &mut SamplePart<'_, T>) -> Result<(), Error> {
        let Some((layer, below)) = self.layer(index) else { return Ok(()) };
        let (layout, pass) = (&self.plan.layouts[index], self.pass_over(part.samples()));
        let ([x], [y]) = self.lend(&mut part.values, [below.x], [Some(layout.y)]);
        let ([], [kept]) = part.kept.lend([], [index]);
        let parameters = &self.parameters[layout.parameters.clone()];
        layer.forward(&pass, LayerForward { x, parameters, y, kept, scratch: part.scratch })
    }

    /// dJ/dx, where a layer below learns, and the gradients of the layer's chunks; only those that are needed.
    pub(super) fn layer_backward(
        &self,
        index: usize,
        part: &mut SamplePart<'_, T>,
        [needs_grad_x, needs_chunks]: [bool; 2],
    ) -> Result<(), Error> {
        let Some((layer, below)) = self.layer(index) else { return Ok(()) };
        let layout = &self.plan.layouts[index];
        let grad_x = below.grad_x.filter(|_| needs_grad_x);
        let chunks = layout.chunks.filter(|_| needs_chunks);
        let needed = grad_x.is_some() || chunks.is_some();
        let Some(grad_y) = layout.grad_y.filter(|_| needed) else { return Ok(()) };
        let pass = self.pass_over(part.samples());
        let read = [below.x, layout.y, grad_y];
        let ([x, y, grad_y], [grad_x, chunks]) = self.lend(&mut part.values, read, [grad_x, chunks]);
        let ([kept], []) = part.kept.lend([index], []);
        let parameters = &self.parameters[layout.parameters.clone()];
        let scratch = &mut *part.scratch;
        layer.backward(&pass, LayerBackward { x, y, parameters, grad_y, grad_x, chunks, kept, scratch })
    }

    /// The rows of some blocks, to be read and to be written; none where there is no block.
    fn lend<'a, const R: usize, const W: usize>(
        &self,
        values: &'a mut Samples<'_, T>,
        read: [BlockId; R],
        written: [Option<BlockId>; W],
    ) -> ([&'a [T]; R], [&'a mut [T]; W]) {
        let reused = |block: usize| self.reuses && self.plan.reused[block];
        let written = written.map(|block| block.unwrap_or(BlockId::EMPTY).0);
        values.lend_reusing(read.map(|block| block.0), written, reused)
    }

    fn pass_over(&self, samples: Range<usize>) -> Pass {
        let mut pass = Pass { batch: samples.len(), ..self.pass };
        if let Some(at) = &mut pass.training {
            at.first += samples.start as u64;
        }
        pass
    }
}

/// Layer `index` as it runs, if it does, and the layer whose input it reads.
pub(super) fn layer_of<'a, T: Element>(
    layers: &'a [Layer<T>],
    fused: &'a [Option<Layer<T>>],
    index: usize,
) -> Option<(&'a Layer<T>, usize)> {
    let fused = |index: usize| fused.get(index)?.as_ref();
    match (fused(index), fused(index + 1)) {
        (Some(layer), _) => Some((layer, index - 1)),
        (None, Some(_)) => None,
        (None, None) => (!layers[index].is_reshape()).then(|| (&layers[index], index)),
    }
}
