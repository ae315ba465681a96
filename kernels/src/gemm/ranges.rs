//! Ranges of even length.

#![forbid(unsafe_code)]

use std::ops::Range;

/// `0..len` cut into `count` ranges whose lengths differ by at most one, the longer ones first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranges {
    len: usize,
    count: usize,
    shorter: usize,
    /// How many are longer by one.
    longer: usize,
}

impl Ranges {
    /// As few ranges as hold at most `limit` each.
    #[inline(always)]
    pub(super) fn at_most(limit: usize, len: usize) -> Self {
        let count = len.div_ceil(limit);
        let shorter = len.checked_div(count).unwrap_or(0);
        Self { len, count, shorter, longer: len - shorter * count }
    }

    /// How many there are.
    #[inline(always)]
    pub(super) fn count(self) -> usize {
        self.count
    }

    /// Range number `i`; empty past the last one.
    #[inline(always)]
    pub(super) fn get(self, i: usize) -> Range<usize> {
        if i < self.count { self.start(i)..self.start(i + 1) } else { self.len..self.len }
    }

    #[inline(always)]
    fn start(self, i: usize) -> usize {
        i * self.shorter + if i < self.longer { i } else { self.longer }
    }

    /// The longest one's length.
    #[inline(always)]
    pub(super) fn longest(self) -> usize {
        self.shorter + usize::from(self.longer > 0)
    }

    /// The ranges of one length put together: what they span, and their length.
    #[inline(always)]
    pub(super) fn by_length(self) -> impl Iterator<Item = (Range<usize>, usize)> {
        let middle = self.longer * (self.shorter + 1);
        [(0..middle, self.shorter + 1), (middle..self.len, self.shorter)]
            .into_iter()
            .filter(|(range, _)| !range.is_empty())
    }

    #[inline(always)]
    pub(super) fn iter(self) -> impl Iterator<Item = Range<usize>> {
        (0..self.count).map(
            #[inline(always)]
            move |i| self.start(i)..self.start(i + 1),
        )
    }
}
