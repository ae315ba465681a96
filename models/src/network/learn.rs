//! Learning: the gradient of each bucket of parameters over the whole batch and, while it is in L1, its update.
//!
//! Of a dense layer a bucket reads x and dJ/dy of all samples; of a convolution the gradients of the chunks, which the
//! backward pass left. A bucket waits for the whole backward pass but for no other bucket; each part gets several.

use std::ops::Range;

use kernels::parallel::{Divide, for_each_part};
use kernels::{Element, Error, conv};

use super::Network;
use super::part::parts_of;
use super::plan::{Bucket, Plan};
use crate::layers::{Gradient, Kind, Layer, Pass, PerSample};
use crate::optimizer::{Moments, UpdateRule};

impl<T: Element> Network<T> {
    /// The gradients of the parameters of some layers, at least one, and with an `update` the update, with the
    /// `moments` of the same parameters. Without one the gradients are left in [`Network::gradients`].
    pub(super) fn learn(
        &mut self,
        pass: Pass,
        layers: Range<usize>,
        update: Option<UpdateRule<T>>,
        moments: Moments<'_, T>,
    ) -> Result<(), Error> {
        let plan = &self.plan;
        let [first, end] =
            [layers.start, layers.end].map(|at| plan.buckets.partition_point(|b| b.layer < at));
        let range = plan.layouts[layers.start].parameters.start..plan.layouts[layers.end - 1].parameters.end;
        let buckets = &plan.buckets[first..end];
        let (parts, exec) = parts_of(pass.exec, buckets.len(), cost(buckets));
        self.scratch.grow(parts * plan.scratch);
        let learning = Learning {
            layers: &self.layers,
            plan,
            values: self.values.as_slice(),
            pass: Pass { exec, ..pass },
            update,
        };
        let part = ParameterPart {
            buckets,
            parameters: &mut self.parameters.as_mut_slice()[range.clone()],
            gradients: &mut self.gradients.as_mut_slice()[range],
            moments,
            scratch: self.scratch.as_mut_slice(),
        };
        for_each_part(part, parts, &|part| learning.buckets(part))
    }
}

/// Operations for some buckets, about.
fn cost(buckets: &[Bucket]) -> usize {
    buckets.iter().map(|bucket| bucket.cost).sum()
}

/// Some buckets with the memory that belongs to them.
struct ParameterPart<'a, T> {
    buckets: &'a [Bucket],
    parameters: &'a mut [T],
    gradients: &'a mut [T],
    moments: Moments<'a, T>,
    scratch: &'a mut [T],
}

impl<T: Element> Divide for ParameterPart<'_, T> {
    /// By cost, at least one bucket on either side.
    fn divide(self, first: usize, parts: usize) -> Result<(Self, Self), Self> {
        if self.buckets.len() < 2 {
            return Err(self);
        }
        let wanted = cost(self.buckets) * first / parts;
        let (mut at, mut left) = (1, self.buckets[0].cost);
        while at + 1 < self.buckets.len() && left + self.buckets[at].cost / 2 < wanted {
            left += self.buckets[at].cost;
            at += 1;
        }
        let scratch = self.scratch.len() / parts * first;
        Ok(self.split(at, scratch))
    }
}

impl<T> ParameterPart<'_, T> {
    /// The first `buckets` buckets with the first `scratch` elements of scratch, and the others.
    fn split(self, buckets: usize, scratch: usize) -> (Self, Self) {
        let (buckets, buckets_right) = self.buckets.split_at(buckets);
        let len = buckets.iter().map(|bucket| bucket.range.len()).sum();
        let (parameters, parameters_right) = self.parameters.split_at_mut(len);
        let (gradients, gradients_right) = self.gradients.split_at_mut(len);
        let (moments, moments_right) = self.moments.split(len);
        let (scratch, scratch_right) = self.scratch.split_at_mut(scratch);
        let right = Self {
            buckets: buckets_right,
            parameters: parameters_right,
            gradients: gradients_right,
            moments: moments_right,
            scratch: scratch_right,
        };
        (Self { buckets, parameters, gradients, moments, scratch }, right)
    }
}

/// What all parts read.
struct Learning<'a, T> {
    layers: &'a [Layer<T>],
    plan: &'a Plan,
    values: &'a [T],
    pass: Pass,
    update: Option<UpdateRule<T>>,
}

impl<T: Element> Learning<'_, T> {
    /// One bucket after the other.
    fn buckets(&self, mut part: ParameterPart<'_, T>) -> Result<(), Error> {
        let scratch = std::mem::take(&mut part.scratch);
        while !part.buckets.is_empty() {
            let (one, others) = part.split(1, 0);
            self.bucket(one, scratch)?;
            part = others;
        }
        Ok(())
    }

    /// A gradient that the update takes at once is in scratch; a barrier's is there already.
    fn bucket(&self, part: ParameterPart<'_, T>, scratch: &mut [T]) -> Result<(), Error> {
        let bucket = &part.buckets[0];
        let mut gradient = part.gradients;
        if let Kind::PerSample(layer) = &self.layers[bucket.layer].kind {
            if self.update.is_some() {
                gradient = &mut scratch[..bucket.range.len()];
            }
            self.gradient(layer.as_ref(), bucket, gradient)?;
        }
        if let Some(update) = &self.update {
            update.apply(self.pass.exec.level, part.parameters, gradient, part.moments);
        }
        Ok(())
    }

    fn gradient(&self, layer: &dyn PerSample<T>, bucket: &Bucket, gradient: &mut [T]) -> Result<(), Error> {
        let layout = &self.plan.layouts[bucket.layer];
        let whole = |block| self.plan.values.rows(self.values, block, self.pass.batch);
        let range = bucket.range.start - layout.parameters.start..bucket.range.end - layout.parameters.start;
        let Some(chunks) = layout.chunks else {
            let (x, grad_y) = (whole(layout.x), layout.grad_y.map_or(&[][..], whole));
            return layer.gradient(&self.pass, Gradient { x, grad_y, range, gradient });
        };
        // The chunks' gradients, added ascending (N3).
        let chunks = whole(chunks).chunks_exact(layout.parameters.len());
        for (index, chunk) in chunks.enumerate() {
            conv::add_chunk(self.pass.exec.level, index, &chunk[range.clone()], gradient);
        }
        Ok(())
    }
}
