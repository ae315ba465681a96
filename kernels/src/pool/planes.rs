//! Sharing planes out over threads: a plane's outputs depend on that plane alone.

use crate::{Error, Exec, Threads};

/// Work on fewer values than this is not worth waking a thread for.
const SERIAL_VALUES: usize = 1 << 16;

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
        let serial = exec.threads == Threads::One || values < SERIAL_VALUES;
        let threads = if serial { 1 } else { rayon::current_num_threads() };
        self.split(threads, &body)
    }

    fn split(
        self,
        threads: usize,
        body: &(impl Fn(Planes<'_, A, B>) -> Result<(), Error> + Sync),
    ) -> Result<(), Error> {
        if threads < 2 || self.count < 2 {
            return body(self);
        }
        let here = self.count / 2;
        let (out, out_there) = self.out.split_at_mut(self.out.len() / self.count * here);
        let (second, second_there) = self.second.split_at_mut(self.second.len() / self.count * here);
        let left = Planes { first: self.first, count: here, out, second };
        let right = Planes {
            first: self.first + here,
            count: self.count - here,
            out: out_there,
            second: second_there,
        };
        let half = threads / 2;
        let (left, right) = rayon::join(|| left.split(half, body), || right.split(threads - half, body));
        left.and(right)
    }
}
