//! Sharing planes out over threads: a plane's outputs depend on that plane alone.

use crate::parallel::{Divide, for_each_part};
use crate::{Error, Exec};

/// Consecutive planes with the outputs that belong to them; a kernel with one output leaves the
/// second one empty.
#[derive(Debug)]
pub(super) struct Planes<'a, A, B = u16> {
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) out: &'a mut [A],
    pub(super) second: &'a mut [B],
}

impl<A: Send, B: Send> Planes<'_, A, B> {
    /// Runs `body` on all planes, on several threads if `values` values are worth it.
    pub(super) fn run(
        self,
        exec: Exec,
        values: usize,
        body: impl Fn(Planes<'_, A, B>) -> Result<(), Error> + Sync,
    ) -> Result<(), Error> {
        for_each_part(self, exec.parts(values, exec.tuning.pool_values, 1), &body)
    }
}

impl<A: Send, B: Send> Divide for Planes<'_, A, B> {
    fn divide(self, first: usize, parts: usize) -> Result<(Self, Self), Self> {
        if self.count < 2 {
            return Err(self);
        }
        let count = (self.count * first / parts).max(1);
        let (out, right_out) = self.out.split_at_mut(self.out.len() / self.count * count);
        let (second, right_second) = self.second.split_at_mut(self.second.len() / self.count * count);
        let right = Self {
            first: self.first + count,
            count: self.count - count,
            out: right_out,
            second: right_second,
        };
        Ok((Self { count, out, second, ..self }, right))
    }
}
