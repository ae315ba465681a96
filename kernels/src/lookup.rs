//! Stored bytes as values: rows gathered through tables of 256 values.
//!
//! ```text
//! stored:   | row 0 | row 1 | ...                       width bytes each
//! row:      | group 0 | group 1 | ...                   size bytes each
//! tables:   | group 0: values of 0 to 255 | group 1: values of 0 to 255 | ...
//!
//! x[i, p] = table[p / size][stored[row(i), p]]
//! ```
//!
//! A byte has 256 values, so whatever is done to it alone, a division or a standardisation, is done 256
//! times and not once for each sample: samples stay in memory as they are stored, a quarter of their size as f32.

#![forbid(unsafe_code)]

use crate::simd::{Kernel, Simd, Vector};
use crate::{Element, Error, Level};

/// Bytes of a cache line.
const CACHE_LINE: usize = 64;
/// Rows from the one that is gathered to the one that is prefetched: half and twice as many are no better.
const PREFETCH_DISTANCE: usize = 8;
/// Steps of an affine function's zero between two bytes: as many as leave its distance to a byte exact in 24 bits.
const ZEROS: f64 = 32768.0;

/// Which row of what is stored comes first, second, ...: a shuffled epoch's order, for one.
pub type Rows<'a> = &'a dyn Fn(usize) -> usize;

/// What the bytes of a row stand for, by groups of positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup<T> {
    width: usize,
    /// Positions of a group.
    size: usize,
    groups: Vec<Table<T>>,
}

/// The values of one group.
#[derive(Clone, Debug, PartialEq)]
struct Table<T> {
    values: [T; 256],
    affine: Option<Affine<T>>,
}

/// An affine function that has the bits of every value of a table: it takes less time than to look them up.
///
/// `byte - zero` is exact. The first multiply-add adds the slope's rounding error, the second the slope; the result is
/// correctly rounded except for rare ties.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Affine<T> {
    /// The byte whose value is about 0, with digits to spare.
    zero: T,
    /// The value there.
    at_zero: T,
    slope: T,
    /// What rounding took from the slope.
    slope_rest: T,
}

impl<T: Element> Lookup<T> {
    /// Tables for rows of `width` bytes in `groups` groups of as many positions each; `value` gives what a byte of a
    /// group stands for, which is rounded once.
    ///
    /// # Errors
    /// [`Error::Shape`] if a row has no bytes, or cannot be cut into so many groups.
    ///
    /// ```
    /// use kernels::{Level, lookup::Lookup};
    ///
    /// let lookup = Lookup::<f32>::new(2, 1, |_, byte| f64::from(byte) / 255.0)?;
    /// let (stored, order, mut x) = ([0, 51, 102, 255], [1, 0], [0.0; 4]);
    /// lookup.gather(Level::best(), &stored, &|i| order[i], &mut x);
    /// assert_eq!(x, [0.4, 1.0, 0.0, 0.2]);
    /// # Ok::<(), kernels::Error>(())
    /// ```
    pub fn new(width: usize, groups: usize, value: impl Fn(usize, u8) -> f64) -> Result<Self, Error> {
        let fits = width > 0 && groups > 0 && width.is_multiple_of(groups);
        Error::unless(fits, "lookup", || {
            let expected = "rows of at least 1 byte in groups of one size".to_owned();
            (expected, format!("{width} bytes in {groups} groups"))
        })?;
        let groups: Vec<Table<T>> = (0..groups).map(|group| Table::new(|byte| value(group, byte))).collect();
        Ok(Self { width, size: width / groups.len(), groups })
    }

    /// Bytes of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Groups whose values are an affine function of the byte, which is computed and not looked up.
    pub fn affine_groups(&self) -> usize {
        self.groups.iter().filter(|table| table.affine.is_some()).count()
    }

    /// Bytes of memory that the tables take.
    pub fn memory(&self) -> usize {
        size_of_val(&self.groups[..])
    }

    /// The rows `row(0)`, `row(1)`, ... of `stored` as values.
    ///
    /// Rows of a shuffled epoch lie anywhere, and no processor guesses where: so each is prefetched while those
    /// before it are looked up. With 60,000 images in memory, 784-10 trains 15 % faster for it.
    ///
    /// # Shapes
    /// `stored` [rows in memory, width], `x` [rows to gather, width].
    ///
    /// # Panics
    /// If there is no such row, or `x` ends within one.
    pub fn gather(&self, level: Level, stored: &[u8], row: Rows<'_>, x: &mut [T]) {
        let (len, width) = (x.len(), self.width);
        assert!(len.is_multiple_of(width), "{len} values are no whole rows of {width}");
        T::gather(level, Gather { lookup: self, stored, row, x });
    }

    /// Prefetches rows that are gathered later, a batch or so: they come into the L2 of the calling core while it does
    /// something else.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn prefetch(&self, level: Level, stored: &[u8], rows: &mut dyn Iterator<Item = usize>) {
        prefetch_far(level, Prefetch { stored, width: self.width, rows });
    }

    /// One row.
    #[inline(always)]
    fn row(&self, bytes: &[u8], x: &mut [T]) {
        let groups = bytes.chunks_exact(self.size).zip(x.chunks_exact_mut(self.size));
        for (table, (bytes, x)) in self.groups.iter().zip(groups) {
            let pairs = x.iter_mut().zip(bytes);
            match table.affine {
                None => pairs.for_each(|(x, &byte)| *x = table.values[usize::from(byte)]),
                Some(affine) => pairs.for_each(|(x, &byte)| *x = affine.value(byte)),
            }
        }
    }
}

impl<T: Element> Table<T> {
    fn new(value: impl Fn(u8) -> f64) -> Self {
        let mut values = [T::ZERO; 256];
        for (byte, x) in (0..=u8::MAX).zip(&mut values) {
            *x = T::from_f64(value(byte));
        }
        let affine: Affine<T> = Affine::through(value(0), value(u8::MAX));
        let same = (0..=u8::MAX).zip(&values).all(|(byte, x)| affine.value(byte).bits() == x.bits());
        Self { values, affine: same.then_some(affine) }
    }
}

impl<T: Element> Affine<T> {
    /// The one from byte 0 to byte 255.
    fn through(first: f64, last: f64) -> Self {
        let slope = (last - first) / f64::from(u8::MAX);
        let zero =
            if slope == 0.0 { 0.0 } else { T::from_f64((-first / slope * ZEROS).round() / ZEROS).to_f64() };
        let rounded = T::from_f64(slope);
        Self {
            zero: T::from_f64(zero),
            at_zero: T::from_f64(slope * zero + first),
            slope: rounded,
            slope_rest: T::from_f64(slope - rounded.to_f64()),
        }
    }

    #[inline(always)]
    fn value(&self, byte: u8) -> T {
        let distance = T::from_f64(f64::from(byte)) - self.zero;
        distance.mul_add(self.slope, distance.mul_add(self.slope_rest, self.at_zero))
    }
}

/// What [`Lookup::gather`] is called with.
pub(crate) struct Gather<'a, T> {
    lookup: &'a Lookup<T>,
    stored: &'a [u8],
    row: Rows<'a>,
    x: &'a mut [T],
}

impl<T: Element> Kernel for Gather<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { lookup, stored, row, x } = self;
        let (width, rows) = (lookup.width, x.len() / lookup.width);
        let bytes = |i: usize| &stored[row(i) * width..][..width];
        for i in 0..rows.min(PREFETCH_DISTANCE) {
            prefetch_near(simd, bytes(i));
        }
        for (i, x) in x.chunks_exact_mut(width).enumerate() {
            if i + PREFETCH_DISTANCE < rows {
                prefetch_near(simd, bytes(i + PREFETCH_DISTANCE));
            }
            lookup.row(bytes(i), x);
        }
    }
}

/// Prefetches a row to L1.
#[inline(always)]
fn prefetch_near<S: Simd>(simd: S, bytes: &[u8]) {
    for line in bytes.chunks(CACHE_LINE) {
        <f32 as Element>::Vector::<S>::prefetch(simd, line.as_ptr().cast());
    }
}

/// Not generic, so that it is compiled in this crate alone.
fn prefetch_far(level: Level, rows: Prefetch<'_>) {
    level.dispatch(rows);
}

struct Prefetch<'a> {
    stored: &'a [u8],
    width: usize,
    rows: &'a mut dyn Iterator<Item = usize>,
}

impl Kernel for Prefetch<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for row in self.rows {
            for line in self.stored[row * self.width..][..self.width].chunks(CACHE_LINE) {
                <f32 as Element>::Vector::<S>::prefetch_far(simd, line.as_ptr().cast());
            }
        }
    }
}
