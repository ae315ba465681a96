//! Sharing samples out over threads, which never changes a bit: each output element belongs to
//! one sample (or one chunk of samples), and its chain stays whole.

use crate::Exec;
use crate::parallel::Divide;

/// The number of threads that `items` pieces of work of `flops` operations in all may employ, with
/// scratch for `scratches` of them, and how each is to run: a single piece of much work may be
/// shared out further down.
pub(super) fn share_out(exec: Exec, items: usize, flops: usize, scratches: usize) -> (usize, Exec) {
    match exec.parts(flops, exec.tuning.conv_flops, 1) {
        1 => (1, exec.on_one_thread()),
        parts => match parts.min(items).min(scratches) {
            0 | 1 => (1, exec),
            parts => (parts, exec.on_one_thread()),
        },
    }
}

/// A range of items with the outputs [items, each] and the scratch [parts, ..] that belong to it.
#[derive(Debug)]
pub(super) struct Share<'a, T> {
    pub(super) first: usize,
    pub(super) items: usize,
    pub(super) out: &'a mut [T],
    pub(super) scratch: &'a mut [T],
}

impl<T: Send> Divide for Share<'_, T> {
    fn divide(self, first: usize, parts: usize) -> Result<(Self, Self), Self> {
        if self.items < 2 {
            return Err(self);
        }
        let items = (self.items * first / parts).max(1);
        let (out, right_out) = self.out.split_at_mut(self.out.len() / self.items * items);
        let (scratch, right_scratch) = self.scratch.split_at_mut(self.scratch.len() / parts * first);
        let right = Self {
            first: self.first + items,
            items: self.items - items,
            out: right_out,
            scratch: right_scratch,
        };
        Ok((Self { items, out, scratch, ..self }, right))
    }
}
