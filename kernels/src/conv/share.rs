//! Sharing samples out over threads, which never changes a bit: each output element belongs to
//! one sample (or one chunk of samples), and its chain stays whole.

use crate::{Error, Exec, Threads};

/// Work below this many floating-point operations is not worth waking a thread for.
const SERIAL_FLOPS: usize = 1 << 20;

/// The number of threads that `items` pieces of work of `flops` operations in all may employ, with
/// scratch for `scratches` of them, and how each is to run: a single piece of much work may be
/// shared out further down.
pub(super) fn share_out(exec: Exec, items: usize, flops: usize, scratches: usize) -> (usize, Exec) {
    let serial = Exec::serial(exec.level);
    if exec.threads == Threads::One || flops < SERIAL_FLOPS {
        return (1, serial);
    }
    match rayon::current_num_threads().min(items).min(scratches) {
        0 | 1 => (1, exec),
        workers => (workers, serial),
    }
}

/// A range of items with the outputs [items, each] and the scratch [workers, ..] that belong to it.
#[derive(Debug)]
pub(super) struct Share<'a, T> {
    pub(super) first: usize,
    pub(super) items: usize,
    pub(super) out: &'a mut [T],
    pub(super) scratch: &'a mut [T],
}

impl<'a, T: Send> Share<'a, T> {
    /// Runs `body` on `workers` even parts, each on its own thread.
    pub(super) fn split(
        self,
        workers: usize,
        body: &(impl Fn(Share<'_, T>) -> Result<(), Error> + Sync),
    ) -> Result<(), Error> {
        if workers < 2 || self.items < 2 {
            return body(self);
        }
        let (left_workers, left_items) = (workers / 2, self.items * (workers / 2) / workers);
        let (out, right_out) = self.out.split_at_mut(self.out.len() / self.items * left_items);
        let (scratch, right_scratch) = self.scratch.split_at_mut(self.scratch.len() / workers * left_workers);
        let left = Share { first: self.first, items: left_items, out, scratch };
        let right = Share {
            first: self.first + left_items,
            items: self.items - left_items,
            out: right_out,
            scratch: right_scratch,
        };
        let (left, right) =
            rayon::join(|| left.split(left_workers, body), || right.split(workers - left_workers, body));
        left.and(right)
    }
}
