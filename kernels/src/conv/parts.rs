//! Work over threads, which never changes a bit: each output element belongs to one item, and its chain stays whole.

use crate::parallel::{Divide, for_each_part};
use crate::{Error, Exec};

/// Consecutive items, samples or filters, with the outputs and the scratch that belong to them.
#[derive(Debug)]
pub(super) struct Part<'a, T, P> {
    pub(super) first: usize,
    pub(super) items: usize,
    /// Where an item's outputs begin among those of all items.
    pub(super) place: P,
    pub(super) out: &'a mut [T],
    pub(super) scratch: &'a mut [T],
}

impl<T: Send, P: Fn(usize) -> usize + Copy + Send> Part<'_, T, P> {
    /// Calls `body` on as many parts as the work and scratch allow; a single large part may use several threads inside.
    pub(super) fn share(
        self,
        exec: Exec,
        flops: usize,
        scratch_len: usize,
        body: &(impl Fn(Exec, Self) -> Result<(), Error> + Sync),
    ) -> Result<(), Error> {
        let worth = exec.parts(flops, exec.tuning.conv_flops, 1);
        let parts = worth.min(self.items).min(self.scratch.len() / scratch_len);
        let inner = if worth > 1 && parts < 2 { exec } else { exec.on_one_thread() };
        for_each_part(self, parts, &|part| body(inner, part))
    }
}

impl<T: Send, P: Fn(usize) -> usize + Copy + Send> Divide for Part<'_, T, P> {
    fn divide(self, first: usize, parts: usize) -> Result<(Self, Self), Self> {
        if self.items < 2 {
            return Err(self);
        }
        let items = self.items * first / parts;
        let at = (self.place)(self.first + items) - (self.place)(self.first);
        let (out, right_out) = self.out.split_at_mut(at);
        let (scratch, right_scratch) = self.scratch.split_at_mut(self.scratch.len() / parts * first);
        let (first, rest) = (self.first + items, self.items - items);
        let right = Self { first, items: rest, out: right_out, scratch: right_scratch, ..self };
        Ok((Self { items, out, scratch, ..self }, right))
    }
}
