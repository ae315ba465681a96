//! Threads: work is cut into parts, each of which one thread computes whole, so that no sum depends on them.

#![forbid(unsafe_code)]

use crate::Error;

/// Work that can be cut in two, with the memory that belongs to it.
pub trait Divide: Sized + Send {
    /// About `first` of `parts` equal parts, and the others; `Err(self)` where it cannot be cut any further.
    ///
    /// # Errors
    /// The work itself, whole.
    fn divide(self, first: usize, parts: usize) -> Result<(Self, Self), Self>;
}

/// Calls `body` on `parts` parts of `work`, or on fewer where it cannot be cut so often, on the threads of the surrounding
/// rayon pool: halves of halves, so that n threads are reached by log2 n joins. Nothing is allocated.
///
/// # Errors
/// The first one of the parts, in their order.
///
/// ```
/// use kernels::parallel::{Divide, for_each_part};
///
/// struct Squares<'a>(&'a mut [u32]);
/// impl Divide for Squares<'_> {
///     fn divide(self, first: usize, parts: usize) -> Result<(Self, Self), Self> {
///         let at = self.0.len() * first / parts;
///         let (left, right) = self.0.split_at_mut(at);
///         Ok((Self(left), Self(right)))
///     }
/// }
/// let mut values = [1, 2, 3, 4];
/// for_each_part(Squares(&mut values), 2, &|part| Ok(part.0.iter_mut().for_each(|x| *x *= *x)))?;
/// assert_eq!(values, [1, 4, 9, 16]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn for_each_part<W: Divide>(
    work: W,
    parts: usize,
    body: &(impl Fn(W) -> Result<(), Error> + Sync),
) -> Result<(), Error> {
    if parts < 2 {
        return body(work);
    }
    let first = parts / 2;
    match work.divide(first, parts) {
        Err(work) => body(work),
        Ok((left, right)) => {
            let (left, right) = rayon::join(
                || for_each_part(left, first, body),
                || for_each_part(right, parts - first, body),
            );
            left.and(right)
        }
    }
}
