//! The two ways in which the models add products up.
//!
//! Floating-point addition is not associative, so "the sum" of a thousand products is not one
//! number until the order is written down. Everything in this crate that multiplies vectors or
//! matrices does it by one of these two rules, and the fast kernels return the same bits.

use kernels::Element;
use kernels::gemm::{CHUNK, LONGEST_CHAIN};

/// A sum over samples is cut in chunks of this many samples in dense layers (N3).
pub const SAMPLES: usize = 1024;

/// The sum of a_k b_k over k = 0..n as one chain of fused multiply-adds,
/// c = fma(a_k, b_k, c) from +0.0, k ascending (N2).
///
/// Beyond 8192 terms: chains over 4096 terms each, added in order.
///
/// ```
/// use models::chain::product;
/// let (w, x) = ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]);
/// assert_eq!(product(3, |k| (w[k], x[k])), 32.0);
/// ```
#[inline]
pub fn product<T: Element>(n: usize, term: impl Fn(usize) -> (T, T)) -> T {
    chunked(n, if n > LONGEST_CHAIN { CHUNK } else { LONGEST_CHAIN }, term)
}

/// The sum of a_i b_i over the samples i = 0..n: chains over 1024 samples each, added in order
/// (N3).
///
/// In a dense layer's gradient threads divide the parameters, and the thread that has one sums all chunks of it. Only
/// the chunks of a convolution, of 4 to 64 samples each, are divided among threads.
#[inline]
pub fn over_samples<T: Element>(n: usize, term: impl Fn(usize) -> (T, T)) -> T {
    chunked(n, SAMPLES, term)
}

#[inline]
fn chunked<T: Element>(n: usize, chunk: usize, term: impl Fn(usize) -> (T, T)) -> T {
    let chain = |start: usize| {
        (start..n.min(start + chunk)).fold(T::ZERO, |c, k| {
            let (a, b) = term(k);
            a.mul_add(b, c)
        })
    };
    (chunk..n).step_by(chunk).fold(chain(0), |sum, start| sum + chain(start))
}
