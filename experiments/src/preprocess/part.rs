//! One part of a data set, whose samples become values when a batch asks for them.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use kernels::lookup::Lookup;
use kernels::{Element, Level};

/// One part of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<T> {
    /// The samples.
    pub x: Samples<T>,
    /// The number of values in one sample.
    pub width: usize,
    /// Labels; empty for regression.
    pub labels: Vec<u32>,
    /// Values `[n, 1]`; empty for classification.
    pub values: Vec<T>,
    /// The samples' indices in [`Data`](crate::data::Data).
    pub rows: Vec<u32>,
}

/// The samples of a part.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples<T> {
    /// Values, row-major: `[n, width]`.
    Values(Vec<T>),
    /// The bytes of the whole data set, `[samples, width]`, and the values that they stand for. The part's samples are its
    /// [`Part::rows`] of them.
    Stored(Arc<Vec<u8>>, Arc<Lookup<T>>),
}

impl<T: Element> Part<T> {
    /// The number of samples.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True without samples.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes samples of the part as a network asks for them ([`models::network::Gather`]): `sample(i)`, below
    /// [`Part::len`], says which one is number `i` of the batch. The bits do not depend on `level`.
    ///
    /// **Shapes** for a range of `i`, [range.len(), width].
    pub fn gather<'a>(
        &'a self,
        level: Level,
        sample: impl Fn(usize) -> usize + Sync + 'a,
    ) -> impl Fn(Range<usize>, &mut [T]) + Sync + 'a {
        move |batch, x| match &self.x {
            Samples::Values(values) => {
                for (i, x) in batch.zip(x.chunks_exact_mut(self.width)) {
                    x.copy_from_slice(&values[sample(i) * self.width..][..self.width]);
                }
            }
            Samples::Stored(bytes, lookup) => {
                lookup.gather(level, bytes, &|i| self.rows[sample(batch.start + i)] as usize, x);
            }
        }
    }

    /// Prefetches `samples` of the part, which the calling thread will gather with its next batch.
    pub(crate) fn prefetch(&self, level: Level, samples: impl Iterator<Item = usize>) {
        if let Samples::Stored(bytes, lookup) = &self.x {
            lookup.prefetch(level, bytes, &mut samples.map(|sample| self.rows[sample] as usize));
        }
    }

    /// All samples as values, `[n, width]`, gathered at `level` where they are stored as bytes.
    pub fn to_values(&self, level: Level) -> Cow<'_, [T]> {
        match &self.x {
            Samples::Values(values) => Cow::Borrowed(values),
            Samples::Stored(..) => {
                let mut x = vec![T::ZERO; self.len() * self.width];
                self.gather(level, |i| i)(0..self.len(), &mut x);
                Cow::Owned(x)
            }
        }
    }

    /// Bytes of memory that the samples take; those as stored belong to the data set.
    pub fn memory(&self) -> usize {
        match &self.x {
            Samples::Values(values) => size_of_val(&values[..]),
            Samples::Stored(_, lookup) => lookup.memory(),
        }
    }
}
