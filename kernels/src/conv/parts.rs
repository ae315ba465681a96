//! Samples over threads, which never changes a bit: each output element belongs to one sample, and its chain stays
//! whole.

use crate::Exec;
use crate::parallel::Divide;

/// Into how many parts `items` of work of `flops` operations in all are cut, with scratch for `scratches` of them, and
/// how each is to run: a single part of much work may be cut further down.
pub(super) fn parts(exec: Exec, items: usize, flops: usize, scratches: usize) -> (usize, Exec) {
    match exec.parts(flops, exec.tuning.conv_flops, 1) {
        1 => (1, exec.on_one_thread()),
        parts => match parts.min(items).min(scratches) {
            0 | 1 => (1, exec),
            parts => (parts, exec.on_one_thread()),
        },
    }
}

/// Consecutive samples with the outputs [samples, each] and the scratch that belong to them.
#[derive(Debug)]
pub(super) struct Part<'a, T> {
    pub(super) first: usize,
    pub(super) samples: usize,
    pub(super) out: &'a mut [T],
    pub(super) scratch: &'a mut [T],
}

impl<T: Send> Divide for Part<'_, T> {
    fn divide(self, first: usize, parts: usize) -> Result<(Self, Self), Self> {
        if self.samples < 2 {
            return Err(self);
        }
        let samples = (self.samples * first / parts).max(1);
        let (out, right_out) = self.out.split_at_mut(self.out.len() / self.samples * samples);
        let (scratch, right_scratch) = self.scratch.split_at_mut(self.scratch.len() / parts * first);
        let right = Self {
            first: self.first + samples,
            samples: self.samples - samples,
            out: right_out,
            scratch: right_scratch,
        };
        Ok((Self { samples, out, scratch, ..self }, right))
    }
}
