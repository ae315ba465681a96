//! Scratch memory that a thread keeps from call to call.

use crate::Element;

/// A cache line, so that a vector of them is aligned to one.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// A buffer aligned to a cache line that grows and is never given back: after the first call of a
/// kind nothing is allocated, zeroed or touched for the first time (0.4 ms per MiB).
#[derive(Default)]
pub(crate) struct Aligned {
    lines: Vec<Line>,
}

impl Aligned {
    /// `len` elements of whatever the last use left there.
    pub(crate) fn elements<T: Element>(&mut self, len: usize) -> &mut [T] {
        let lines = (len * size_of::<T>()).div_ceil(size_of::<Line>());
        if self.lines.len() < lines {
            self.lines.resize(lines, Line([0; 64]));
        }
        // SAFETY: the lines are initialised, aligned to 64 bytes and hold at least `len` elements;
        // `Element` is sealed to f32 and f64, for which every bit pattern is a value.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), len) }
    }
}
