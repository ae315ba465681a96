//! The packing buffers of a thread.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};

use crate::aligned::Aligned;

/// What one serial product packs into.
#[derive(Default)]
pub(super) struct Scratch {
    /// Packed rows of A.
    pub(super) a: Aligned,
    /// Packed columns of B.
    pub(super) b: Aligned,
    /// A later chunk's part of C (N2, N3).
    pub(super) part: Aligned,
}

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// The thread's scratch, taken out for one use and put back at its end.
///
/// Taken, not borrowed: a thread that waits inside rayon may start another product.
pub(super) struct Lease(Scratch);

impl Lease {
    pub(super) fn take() -> Self {
        Self(SCRATCH.take())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        SCRATCH.set(std::mem::take(&mut self.0));
    }
}

impl Deref for Lease {
    type Target = Scratch;
    fn deref(&self) -> &Scratch {
        &self.0
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Scratch {
        &mut self.0
    }
}
