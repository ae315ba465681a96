//! The buffers of a thread.

use std::cell::Cell;

use crate::Element;
use crate::aligned::Aligned;

/// What a buffer is for.
#[derive(Clone, Copy)]
pub(super) enum Buffer {
    /// Packed B.
    PanelOfB,
    /// A later chunk's part of C (N2, N3).
    Partial,
}

thread_local! {
    static BUFFERS: [Cell<Aligned>; 2] = Default::default();
}

/// A thread's buffer, taken out for one use and put back at its end.
///
/// Taken, not borrowed: a thread that waits inside rayon may start another product.
pub(super) struct Lease {
    of: Buffer,
    memory: Aligned,
}

impl Lease {
    pub(super) fn take(of: Buffer) -> Self {
        Self { of, memory: BUFFERS.with(|buffers| buffers[of as usize].take()) }
    }

    /// `len` elements of any value.
    pub(super) fn elements<T: Element>(&mut self, len: usize) -> &mut [T] {
        self.memory.elements(len)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        BUFFERS.with(|buffers| buffers[self.of as usize].set(std::mem::take(&mut self.memory)));
    }
}
