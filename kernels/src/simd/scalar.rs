//! No vector instructions.

use super::Simd;

/// The token of the scalar level, which every CPU has.
#[derive(Clone, Copy, Debug)]
pub struct Scalar(());

impl Scalar {
    /// The token.
    pub fn new() -> Self {
        Self(())
    }
}

impl Default for Scalar {
    fn default() -> Self {
        Self::new()
    }
}

impl Simd for Scalar {
    const NAME: &'static str = "scalar";

    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        f()
    }
}
